"""The other sides of the upload: `senders.py raw|sdk URL FILE` sends a file and prints the seconds that it took.

`raw` is one POST of httpx2 that streams the file in pieces of 1 MiB; `sdk` is google-genai's `files.upload`. Making the
client and the first small request are not counted.
"""

from __future__ import annotations

import asyncio
import sys
import time
import warnings
from collections.abc import AsyncGenerator
from pathlib import Path

PIECE = 1024 * 1024


async def raw(url: str, path: Path, size: int) -> float:
    """One streamed POST."""
    import httpx2

    async def pieces() -> AsyncGenerator[bytes, None]:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    async with httpx2.AsyncClient(timeout=600, trust_env=False) as client:
        await client.post(f"{url}/raw", content=b"warm")
        began = time.perf_counter()
        headers = {"content-length": str(size)}
        (await client.post(f"{url}/raw", content=pieces(), headers=headers)).raise_for_status()
        return time.perf_counter() - began


def sdk(url: str, path: Path) -> float:
    """What Google's own library does."""
    from google import genai

    client = genai.Client(api_key="k" * 39, http_options=genai.types.HttpOptions(base_url=url, api_version="v1beta"))
    small = path.with_name("small.mp4")
    client.files.upload(file=str(small), config={"mime_type": "video/mp4"})
    began = time.perf_counter()
    client.files.upload(file=str(path), config={"mime_type": "video/mp4"})
    return time.perf_counter() - began


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    kind, url, name = sys.argv[1:]
    print(asyncio.run(raw(url, Path(name), Path(name).stat().st_size)) if kind == "raw" else sdk(url, Path(name)))
