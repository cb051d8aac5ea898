"""Logging to stderr, with every secret removed. stdout belongs to the protocol."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

from gemini_server.redaction import RedactingFormatter

QUIET = ("httpx2", "httpcore2", "httpcore", "mcp", "uvicorn.access", "sse_starlette")
"""Libraries that log URLs or every request at INFO."""


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Drop a line that cannot be written: logging's own report would show its arguments, secrets included."""


def configure(level: str) -> None:
    """Send what is logged to stderr, from `level` up."""
    handler = _Handler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, getattr(logging, level.upper())))
