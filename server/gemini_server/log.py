"""Logging to stderr, with every secret removed. stdout belongs to the protocol."""

from __future__ import annotations

import logging
import sys

from gemini_server.redaction import RedactingFormatter

QUIET = ("httpx2", "httpcore2", "httpcore", "mcp", "uvicorn.access", "sse_starlette")
"""Libraries that log URLs or every request at INFO."""


def configure(level: str) -> None:
    """Send what is logged to stderr, from `level` up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, getattr(logging, level.upper())))
