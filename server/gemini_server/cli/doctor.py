"""`gemini-toolserver doctor`: everything that must be right, looked at from outside the server too."""

from __future__ import annotations

import json
import logging
import os
import platform
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from urllib.parse import urlsplit

import anyio
import httpx2
from mcp.client.session import IncomingMessage

from gemini_server import app
from gemini_server.cli import client_files, peer
from gemini_server.cli.choices import Choices
from gemini_server.errors import ToolserverError
from gemini_server.http_address import is_loopback
from gemini_server.misspelled_settings import strangers
from gemini_server.redaction import redact
from gemini_server.settings import Settings
from gemini_server.toolkit.health import Check, examine
from gemini_server.version import package_version

HANDSHAKE_SECONDS = 20.0
CLOCK_SECONDS = 5.0
SKEW_SECONDS = 300.0
"""From here on certificates and signed links begin to fail."""


def run(choices: Choices, *, offline: bool, as_json: bool) -> int:
    """Look at everything and say it; the exit status."""
    # What the client library logs of a faulty server is said by the check.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    checks = [replace(check, detail=redact(check.detail)) for check in anyio.run(_examine, choices, offline)]
    failed = [check.name for check in checks if check.status == "failed"]
    if as_json:
        print(
            json.dumps({"ok": not failed, "checks": [asdict(check) for check in checks]}, ensure_ascii=False, indent=2)
        )
        return 1 if failed else 0
    width = max(len(check.name) for check in checks)
    for check in checks:
        print(f"{check.status:<7}  {check.name:<{width}}  {check.detail}")
    print(f"\nFailed: {', '.join(failed)}." if failed else "\nEverything works.")
    return 1 if failed else 0


async def _examine(choices: Choices, offline: bool) -> list[Check]:
    settings = choices.settings()
    mcp, python = version("mcp"), platform.python_version()
    checks = [Check("version", "ok", f"gemini-toolserver {package_version()}, Python {python}, mcp {mcp}")]
    checks += [Check("variable", "warning", sentence) for sentence in strangers(os.environ)]
    try:
        server = app.build(settings)
        async with server.lifespan(server) as runtime:
            # The emulator is on this machine: reaching it is no use of the network.
            found = await examine(runtime, offline=offline and not runtime.emulated)
        checks += [_with_key(check, settings) for check in found]
    except ToolserverError as error:
        checks.append(Check("settings", "failed", str(error)))
    if not settings.emulate:
        checks += _plain_http(settings, {check.name for check in checks})
        checks += [] if offline else await _clock(settings.base_url)
    checks.append(await _handshake(choices))
    return checks + client_files.checks()


def _with_key(check: Check, settings: Settings) -> Check:
    if check.name != "key" or check.status == "failed" or not settings.key or settings.emulate:
        return check
    detail = f"{check.detail}; {masked(settings.key)}"
    if settings.key[0] in "\"'" or any(sign.isspace() for sign in settings.key):
        return replace(
            check, status="warning", detail=f"{detail}; it holds quotation marks or spaces, which no key has"
        )
    return replace(check, detail=detail)


def masked(key: str) -> str:
    """What may be said of a key: the beginning that all keys of its kind share, and its length."""
    shared = next((start for start in ("AIza", "AQ.", "ya29.") if key.startswith(start)), "")
    return f"{shared}… ({len(key)} characters)"


def _plain_http(settings: Settings, looked_at: set[str]) -> list[Check]:
    parts = urlsplit(settings.base_url)
    if "gemini" in looked_at or parts.scheme != "http" or is_loopback(parts.hostname or ""):
        return []
    return [Check("transport", "warning", f"{settings.base_url} is plain http: the key can be read on the way")]


async def _clock(base_url: str) -> list[Check]:
    try:
        async with httpx2.AsyncClient(timeout=CLOCK_SECONDS) as http:
            asked = time.monotonic()
            answer = await http.head(base_url)
            took = time.monotonic() - asked
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (httpx2.HTTPError, KeyError, ValueError):
        # Whether Gemini can be reached is another check's question.
        return []
    skew = abs((datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds())
    if skew > SKEW_SECONDS + took:
        return [
            Check("clock", "warning", f"{skew:.0f} s off the server's; certificates and signed links may be refused")
        ]
    return [Check("clock", "ok", f"within {max(skew, 1):.0f} s of the server's")]


async def _handshake(choices: Choices) -> Check:
    impure: list[object] = []

    async def listen(message: IncomingMessage) -> None:
        if isinstance(message, Exception):
            impure.append(message)

    begun = time.monotonic()
    try:
        with anyio.fail_after(HANDSHAKE_SECONDS):
            async with peer.started(choices, on_message=listen) as client:
                listed = await client.list_tools()
                spoken = client.protocol_version
    except TimeoutError:
        return Check("stdio", "failed", f"the server did not answer within {HANDSHAKE_SECONDS:.0f} s")
    except ToolserverError as error:
        return Check("stdio", "failed", str(error))
    took = time.monotonic() - begun
    if impure:
        return Check(
            "stdio", "failed", f"something besides the server writes to its stdout ({len(impure)} foreign lines)"
        )
    detail = f"protocol {spoken}, {len(listed.tools)} tools, nothing foreign on stdout, {took:.1f} s from start to end"
    return Check("stdio", "ok", detail)
