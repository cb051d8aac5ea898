"""`gemini-toolserver emulator`: the Gemini emulator in the foreground, for any SDK."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import anyio

from gemini_emulator import Options, running
from gemini_server.errors import UnsafeSetting
from gemini_server.http import is_loopback

USE = """\
The Gemini emulator listens at {url} (Ctrl-C ends it). Any key will do; every answer is marked [emulated].

  curl        curl {url}/v1beta/models -H 'x-goog-api-key: any'
  Python      genai.Client(api_key="any", http_options={{"base_url": "{url}"}})
  this server GEMINI_API_KEY=any GEMINI_BASE_URL={url} gemini-toolserver serve
"""


def run(*, host: str, port: int, prefix: str, log: Path | None, legacy_media: bool = False) -> int:
    """Serve until a signal comes; the exit status."""
    if not is_loopback(host):
        print(f"Warning: everyone who reaches {host} can use this emulator and fill its memory.", file=sys.stderr)
    return anyio.run(_run, Options(host=host, port=port, prefix=prefix, log=log, legacy_media=legacy_media))


async def _run(options: Options) -> int:
    # The receiver comes first: a signal while starting must not be lost.
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        try:
            async with running(options) as emulator:
                print(USE.format(url=emulator.url), flush=True)
                async for number in signals:
                    return 128 + number if number == signal.SIGINT else 0
        except OSError as error:
            raise UnsafeSetting(
                f"The emulator cannot start at {options.host}:{options.port} ({error.strerror or error}).",
                "Choose another address or file; --port 0 takes a free port.",
            ) from None
    return 0
