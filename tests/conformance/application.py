"""The server with the fixtures of the conformance suites instead of Gemini's tools, over HTTP.

python -m tests.conformance.application --state DIRECTORY [--http HOST:PORT] [--sessions] [--token-file FILE]

Everything but the fixtures is the server's own. `--sessions` keeps sessions for clients of the older revisions, which
the server as it is shipped does not: some scenarios need a server that asks its client over a standing connection.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp_types import EmptyResult, SetLevelRequestParams

from gemini_server import app, http, log, settings
from gemini_server.caller import Context
from tests.conformance.fixtures import Fixtures


def chosen(state: Path, **values: Any) -> settings.Settings:
    """Settings for fixtures, whose jobs are polled quickly."""
    given: dict[str, Any] = {"key": "fixtures-need-no-key", "state_dir": state, "output_dir": state / "output"}
    return settings.read({}, **{**given, "allow_dirs": (), "poll": 0.1, **values})


def build(given: settings.Settings, *, sessions: bool = False) -> app.Published:
    """The server's own construction, with the fixtures in it."""
    fixtures = Fixtures()
    published = app.build(given, fixtures, lasting=sessions or None)
    fixtures.bus = published.subscriptions.bus
    # Logs are deprecated, and nothing of this project sends any; the suite of 2025-11-25 asks for them all the same.
    published.add_request_handler("logging/setLevel", SetLevelRequestParams, _set_level)
    return published


async def _set_level(ctx: Context, params: SetLevelRequestParams) -> EmptyResult:
    return EmptyResult()


def main() -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--http", default="127.0.0.1:0")
    parser.add_argument("--sessions", action="store_true")
    parser.add_argument("--token-file", type=Path)
    arguments = parser.parse_args()
    log.configure("warning")
    given = chosen(arguments.state, http=arguments.http, token_file=arguments.token_file)
    published = build(given, sessions=arguments.sessions)
    readiness = http.Readiness()
    front = http.application(given, published, readiness, sessions=arguments.sessions)
    return anyio.run(http.run, given, published, front, readiness)


if __name__ == "__main__":
    sys.exit(main())
