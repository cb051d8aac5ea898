"""`gemini-toolserver emulator`: the Gemini emulator in the foreground, for any SDK."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Literal, TypeAlias

import anyio

from gemini_emulator import Options, running
from gemini_server.errors import UnsafeSetting
from gemini_server.http_address import is_loopback

USE = """\
The Gemini emulator listens at {url} (Ctrl-C ends it). Any key will do; every answer is marked [emulated].

  curl        curl {url}/v1beta/models -H 'x-goog-api-key: any'
  Python      genai.Client(api_key="any", http_options={{"base_url": "{url}"}})
  this server GEMINI_API_KEY=any GEMINI_BASE_URL={url} gemini-toolserver serve
"""

OF_GATEWAY = """\
A gateway in the dialect of OpenAI listens at {url} (Ctrl-C ends it). Any license will do.

  curl        curl {url}/v1/models -H 'Authorization: any'
"""
OF_ENTERPRISE = """\
The Enterprise platform of the emulator listens at {url} (Ctrl-C ends it). Any token will do.

  curl        curl {url}/v1/publishers/google/models -H 'Authorization: Bearer any'
"""
Dialect: TypeAlias = Literal["google", "openai", "enterprise"]
USES: dict[Dialect, str] = {"google": USE, "openai": OF_GATEWAY, "enterprise": OF_ENTERPRISE}


def run(
    *,
    host: str,
    port: int,
    prefix: str,
    log: Path | None,
    legacy_media: bool = False,
    legacy_services: bool = False,
    dialect: Dialect = "google",
) -> int:
    """Serve until a signal comes; the exit status."""
    if not is_loopback(host):
        print(f"Warning: everyone who reaches {host} can use this emulator and fill its memory.", file=sys.stderr)
    options = Options(
        host=host,
        port=port,
        prefix=prefix,
        log=log,
        legacy_media=legacy_media,
        legacy_services=legacy_services,
        dialect=dialect,
    )
    return anyio.run(_run, options)


async def _run(options: Options) -> int:
    # The receiver comes first: a signal while starting must not be lost.
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        try:
            async with running(options) as emulator:
                print(USES[options.dialect].format(url=emulator.url), flush=True)
                async for number in signals:
                    return 128 + number if number == signal.SIGINT else 0
        except OSError as error:
            raise UnsafeSetting(
                f"The emulator cannot start at {options.host}:{options.port} ({error.strerror or error}).",
                "Choose another address or file; --port 0 takes a free port.",
            ) from None
    return 0
