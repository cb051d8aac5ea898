"""`gemini-toolserver serve`: the server itself, over stdio or HTTP."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from gemini_server import log, settings
from gemini_server.errors import ToolserverError
from gemini_server.misspelled_settings import strangers
from gemini_server.redaction import redact
from gemini_server.setting_values import dollars
from gemini_server.settings import Settings

_log = logging.getLogger(__name__)

EXAMPLES = """examples:
  gemini-toolserver serve                                  over stdio, as clients start it
  gemini-toolserver serve --emulate                        try everything without a key
  gemini-toolserver serve --http 127.0.0.1:8765            Streamable HTTP at http://127.0.0.1:8765/mcp
  gemini-toolserver serve --allow-dir ~/Pictures --read-only

The key comes from GEMINI_API_KEY or a key file, never from the command line.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Refuse without repeating a value: what somebody gives by mistake may be the key."""
        what, unknown, given = message.partition("unrecognized arguments: ")
        if unknown:
            flags = [word.partition("=")[0] for word in given.split() if word.startswith("-")]
            message = what + unknown + (" ".join(flags) or "a value without a flag")
            if any("key" in flag for flag in flags):
                message += " (the key comes from GEMINI_API_KEY or a key file, never from the command line)"
        super().error(redact(message))


def parser() -> argparse.ArgumentParser:
    """The flags of `serve`; every one of them is a knob of `Settings`."""
    made = _Parser(
        prog="gemini-toolserver serve",
        description="Serve Gemini's tools over MCP (stdio, or Streamable HTTP with --http).",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_flags(made)
    return made


def add_flags(made: argparse.ArgumentParser) -> None:
    """Add the flag of every knob that has one."""
    for spec in fields(Settings):
        flag: str = spec.metadata["flag"]
        if not flag:
            continue
        options: dict[str, Any] = {"dest": spec.name, "help": spec.metadata["doc"], "default": None}
        if spec.name in ("read_only", "emulate", "allow_sensitive"):
            options["action"] = "store_true"
        elif spec.name == "allow_dirs":
            options |= {"action": "append", "type": Path, "metavar": "DIR"}
        elif spec.name == "allowed_hosts":
            options |= {"action": "append", "metavar": "HOST"}
        elif spec.name in ("toolsets", "tools", "exclude_tools"):
            options |= {"type": names, "metavar": "A,B"}
        elif spec.name.endswith(("_dir", "_file")):
            options |= {"type": Path, "metavar": "DIR" if spec.name.endswith("_dir") else "FILE"}
        elif spec.name == "daily_cap":
            options |= {"type": partial(dollars, where=flag), "metavar": "USD"}
        else:
            options["metavar"] = {"http": "HOST:PORT", "public_url": "URL"}[spec.name]
        made.add_argument(flag, **options)


def names(text: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def from_flags(given: argparse.Namespace) -> Settings:
    """The settings in force: flags before the environment before the key file."""
    lists = ("allow_dirs", "allowed_hosts")
    values = {name: tuple(value) if name in lists and value else value for name, value in vars(given).items()}
    return settings.read(os.environ, **values)


def serve(arguments: list[str]) -> int:
    """Serve until the client goes or a signal comes; returns the exit status."""
    try:
        chosen = from_flags(parser().parse_args(arguments))
        log.configure(chosen.log_level)
        for sentence in strangers(os.environ):
            _log.warning("%s", sentence)
        if chosen.http:
            from gemini_server import http

            return http.serve(chosen)
        from gemini_server import stdio

        return stdio.serve(chosen)
    except ToolserverError as error:
        # A value in the wrong place may be the key.
        print(f"gemini-toolserver: {redact(str(error))}", file=sys.stderr)
        return 2
