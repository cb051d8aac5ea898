"""`serve`, killed with -9 at a named point of an upload: `python -m tests.crash.killed_upload POINT [serve's flags]`.

The points lie before and after each write to the ledger and each request, and at single bytes of the file; `never` is
none. Chunks are small, and no digest is known before the bytes are sent.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from typing import Any

from gemini_server.cli import main
from gemini_server.jobs.jobs import Jobs
from gemini_server.jobs.uploads import Uploads
from gemini_server.rest.exchange import Exchange
from gemini_server.rest.upload_chunk import Chunk
from gemini_server.toolkit import uploads
from gemini_server.toolkit.work.upload import UploadWork

GRANULE = 256 * 1024
CHUNK = 2 * GRANULE
SIZE = 3 * CHUNK + 12_345

STEPS = ("begin", "sent", "running", "the row", "the start", "began", "the first chunk", "the second chunk",
         "the last chunk", "arrived", "settled", "done")  # fmt: skip
BYTES = (0, 1, GRANULE + 1, CHUNK - 1, CHUNK, SIZE // 2, SIZE - 1, SIZE)
POINTS = (*(f"{when} {step}" for step in STEPS for when in ("before", "after")), *(f"at byte {at}" for at in BYTES))

_wanted = ""


def at(point: str) -> None:
    """Die here, if this is the point."""
    if point == _wanted:
        os.kill(os.getpid(), signal.SIGKILL)


def _around(holder: Any, name: str, step: Callable[..., str]) -> None:
    """Put points around an async method, where its arguments say which."""
    original = getattr(holder, name)

    async def wrapped(*arguments: Any, **named: Any) -> Any:
        what = step(*arguments)
        at(f"before {what}")
        result = await original(*arguments, **named)
        at(f"after {what}")
        return result

    setattr(holder, name, wrapped)


def _always(step: str) -> Callable[..., str]:
    return lambda *_: step


def _change(jobs: Jobs, job: Any, owner: str, state: str, *_: Any) -> str:
    return "running" if state == "running" and job.state == "submitting" else ""


_CHUNKS = {0: "the first chunk", CHUNK: "the second chunk", 3 * CHUNK: "the last chunk"}


def _request(exchange: Exchange, order: Any, *_: Any) -> str:
    headers = dict(order.headers)
    if headers.get(b"x-goog-upload-command") == b"start":
        return "the start"
    return _CHUNKS.get(int(headers.get(b"x-goog-upload-offset", b"-1")), "")


def _bytes() -> None:
    """Die when so many bytes have been written to the socket, and no more."""
    chunk: Any = Chunk
    original = chunk.chunks

    async def chunks(self: Any) -> AsyncGenerator[bytes, None]:
        position = self._offset
        async for piece in original(self):
            for deadly in BYTES:
                if position <= deadly <= position + len(piece) and _wanted == f"at byte {deadly}":
                    if deadly > position:
                        yield piece[: deadly - position]
                    at(_wanted)
            yield piece
            position += len(piece)

    chunk.chunks = chunks


def prepare(point: str) -> None:
    """Set all points, one of them deadly."""
    global _wanted
    assert point in (*POINTS, "never"), point
    _wanted = point
    init: Any = UploadWork.__init__
    init.__defaults__ = (CHUNK,)
    uploads.ALWAYS_HASHED = 0
    for name in ("begin", "sent"):
        _around(Jobs, name, _always(name))
    _around(Jobs, "end", _always("done"))
    _around(Jobs, "change", _change)
    _around(Uploads, "of", _always("the row"))
    for name in ("began", "arrived", "settled"):
        _around(Uploads, name, _always(name))
    _around(Exchange, "open", _request)
    _bytes()


if __name__ == "__main__":
    prepare(sys.argv[1])
    sys.argv[1:] = ["serve", *sys.argv[2:]]
    main()
