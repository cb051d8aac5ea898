"""Fetches the file behind a link into a part: resumed where it was cut, by this process or an earlier one, and checked.

A server that has another version by now, or knows no ranges, makes it begin again. A full disk or a dead network leaves
the part as it is: the next `fetch` goes on. Only bytes that are proven wrong are thrown away.
"""

from __future__ import annotations

import base64
import builtins
import logging
import random as random_module
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import anyio
import anyio.to_thread

from gemini_server.errors import BadAnswer, ConnectionFailed, LocalError
from gemini_server.jobs import part as parts
from gemini_server.jobs.output_directory import OutputDirectory
from gemini_server.jobs.part import Note, Part
from gemini_server.jobs.room import mib
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.download import Download, OpenDownload
from gemini_server.rest.retry import backoff

MOST = 4 * 2**30
"""Bytes of the largest file that is fetched: twice what Google keeps as one file."""
FRUITLESS = 10
"""Attempts in a row that bring next to nothing before it is given up for now."""
RESTARTS = 5
"""How often it begins again before it is given up for now."""

_FRUIT = 64 * 1024
_PIECE = 1024 * 1024
_UNKNOWN = 64 * 1024 * 1024  # room that is looked for at a time when the size is not known
_HEX = re.compile(r"[0-9a-f]{64}", re.IGNORECASE | re.ASCII)

_log = logging.getLogger(__name__)

OnBytes = Callable[[int, int | None], None]
"""Hears how many bytes are there, and of how many where that is known."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is there, whole, as a part.

    Attributes:
        bytes: how many.
        sha256: in hex.
        mime_type: as the server announced it; may be empty, and is not to be believed.
        head: the first bytes, at most 64 KiB.
    """

    bytes: int
    sha256: str
    mime_type: str
    head: builtins.bytes


async def fetch(
    client: GeminiClient,
    files: OutputDirectory,
    part: str,
    uri: str,
    *,
    expected_bytes: int | None = None,
    sha256: str | None = None,
    on_bytes: OnBytes | None = None,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    random: Callable[[], float] = random_module.random,
) -> Fetched:
    """Fetch the file behind a link.

    Nothing is asked of the network when the part is whole already, or was published by a process that died afterwards.

    Args:
        client: what asks.
        files: where the part is.
        part: its name (see `part_name`); it stays until it is published or removed.
        uri: the link (see `GeminiClient.open_download`).
        expected_bytes: how many there must be, where that is known.
        sha256: what they must sum up to, where that is known: in hex, or the base64 of the sum or of its hex, as
            Google's `sha256Hash`.
        on_bytes: is told of the progress, about once in a MiB.
        sleep: waits before it goes on after a cut.
        random: 0 to 1, for the jitter of these waits.

    Raises:
        ConnectionFailed: the network is gone, or brings nothing; the part stays.
        LocalError: the disk is full (`disk_full`), the quota is used up (`quota`), the directory cannot be written, or
            another process fetches this part (`busy`); the part stays.
        BadAnswer: it is not the file: another size or sum (the part is removed), or no file at all.
        NotFound: the link has expired.
        ToolserverError: any other of the tree, as the client says it.
    """
    known = await anyio.to_thread.run_sync(_published, files, part)
    if known is not None:
        return known
    fetching = _Fetching(client, files, Part(files, part), uri, expected_bytes, _hex(sha256), on_bytes)
    try:
        return await fetching.run(sleep, random)
    finally:
        fetching.close()  # at once: what is waited for here could be cancelled, and the part would stay locked


class _Fetching:
    """One file that is being fetched."""

    def __init__(
        self,
        client: GeminiClient,
        files: OutputDirectory,
        part: Part,
        uri: str,
        expected: int | None,
        sha256: str,
        on_bytes: OnBytes | None,
    ) -> None:
        self._client = client
        self._files = files
        self._part = part
        self._uri = uri
        self._expected = expected
        self._sha256 = sha256
        self._md5: bytes | None = None
        self._tell: OnBytes = on_bytes or (lambda there, total: None)
        self._note = Note()
        self._buffer = bytearray()
        self._room = 0
        self._restarts = 0

    async def run(self, sleep: Callable[[float], Awaitable[None]], random: Callable[[], float]) -> Fetched:
        await anyio.to_thread.run_sync(self._open)
        if self._part.size and self._part.size == self._note.size:
            if self._note.sha256 in ("", self._part.sha256) and not self._amiss():
                return await self._finish()
            await self._again("what is there is not the file")
        fruitless = 0
        while True:
            before = self._part.size
            error = await self._attempt()
            if error is None:
                return await self._finish()
            fruitless = 0 if self._part.size - before >= _FRUIT else fruitless + 1
            if fruitless >= FRUITLESS or self._restarts > RESTARTS:
                raise error
            await sleep(backoff(fruitless, random))

    def close(self) -> None:
        self._part.close()
        self._files.release(self._part.name)

    def _open(self) -> None:
        note = parts.read_note(self._files, self._part.name)
        self._note = note or Note()
        # Without a note nobody knows what the bytes are of.
        self._part.open(keep=note is not None)

    async def _attempt(self) -> ConnectionFailed | None:
        """Ask for what is missing; None when nothing is missing any more, else why it has to go on."""
        part = self._part
        opening = self._client.open_download(self._uri, offset=part.size, if_range=self._note.etag or None)
        async with opening as opened:
            about = opened.about
            if about.beyond:
                if part.size == (self._total if about.size is None else about.size):
                    return None
                return await self._again("what is there is not the beginning of the file")
            if part.size and about.offset == part.size and not self._is_same(about):
                return await self._again("the file has changed")
            if about.offset != part.size:
                await self._again("it begins again")
            await self._prepare(about)
            try:
                await self._receive(opened)
            except ConnectionFailed as error:
                return error
        if self._total in (None, part.size):
            return None
        return _cut(f"The download ended after {mib(part.size)} of {mib(self._total or 0)}.")

    @property
    def _total(self) -> int | None:
        return self._expected if self._note.size is None else self._note.size

    def _is_same(self, about: Download) -> bool:
        """Whether a partial answer is the rest of what is there."""
        marks, sizes = (about.etag, self._note.etag), (about.size, self._note.size)
        if ("" not in marks and marks[0] != marks[1]) or (None not in sizes and sizes[0] != sizes[1]):
            return False
        # Something must speak for it, at the latest the sum of all bytes.
        return "" not in marks or None not in sizes or bool(self._sha256)

    async def _again(self, why: str) -> ConnectionFailed:
        _log.info("a download begins again: %s", why)
        self._restarts += 1
        self._md5 = None
        self._note = Note()
        await anyio.to_thread.run_sync(self._part.restart)
        return _cut(f"The download had to begin again: {why}.")

    async def _prepare(self, about: Download) -> None:
        """See whether the file is the right one and has room, before its first byte."""
        self._md5 = about.md5 or self._md5
        if None not in (about.size, self._expected) and about.size != self._expected:
            raise await self._wrong(f"it has {about.size} bytes instead of {self._expected}", "wrong_size")
        note = Note(about.etag or self._note.etag, about.size or self._note.size, about.content_type)
        if note != self._note:
            self._note = note
            await anyio.to_thread.run_sync(parts.write_note, self._files, self._part.name, note)
        if (self._total or 0) > MOST:
            much = mib(self._total or 0)
            raise await self._wrong(f"it has {much}, more than the {mib(MOST)} that are fetched", "wrong_size")
        if self._md5 is None:
            self._part.drop_md5()
        await self._make_room(self._total or self._part.size + _UNKNOWN)
        self._tell(self._part.size, self._total)

    async def _make_room(self, size: int) -> None:
        there = self._part.size
        await anyio.to_thread.run_sync(self._files.reserve, self._part.name, size, max(0, size - there))
        self._room = size

    async def _receive(self, opened: OpenDownload) -> None:
        most = MOST if self._total is None else self._total
        try:
            async for chunk in opened.chunks():
                self._buffer += chunk
                there = self._part.size + len(self._buffer)
                if there > most:
                    self._buffer.clear()
                    raise await self._wrong(f"it goes on beyond its {most} bytes", "wrong_size")
                if len(self._buffer) >= _PIECE:
                    if there > self._room:
                        await self._make_room(there + _UNKNOWN)
                    await self._flush()
        finally:
            with anyio.CancelScope(shield=True):
                await self._flush()

    async def _flush(self) -> None:
        data, self._buffer = self._buffer, bytearray()
        if data:
            await anyio.to_thread.run_sync(self._part.write, data)
            self._tell(self._part.size, self._total)

    async def _finish(self) -> Fetched:
        part, sha256 = self._part, self._part.sha256
        if not part.size:
            raise await self._wrong("it is empty", "wrong_size")
        if amiss := self._amiss():
            raise await self._wrong(*amiss)
        return await anyio.to_thread.run_sync(self._seal, sha256)

    def _amiss(self) -> tuple[str, str] | None:
        """What is wrong with the whole file, and its code; None when nothing is."""
        part = self._part
        if self._expected not in (None, part.size):
            return f"it has {part.size} bytes instead of {self._expected}", "wrong_size"
        if self._sha256 not in ("", part.sha256) or (self._md5 and part.md5 not in (None, self._md5)):
            return "its bytes do not sum up to what was announced", "wrong_digest"
        return None

    def _seal(self, sha256: str) -> Fetched:
        self._part.sync()
        note = replace(self._note, size=self._part.size, sha256=sha256)
        if note != self._note:
            parts.write_note(self._files, self._part.name, note)
        return Fetched(self._part.size, sha256, self._note.mime_type, self._part.head())

    async def _wrong(self, why: str, code: str) -> BadAnswer:
        """The error for bytes that are proven wrong; they are removed."""
        _log.warning("a download was thrown away: %s", why)

        def discard() -> None:
            self._part.close()
            with suppress(LocalError):
                parts.remove(self._files, self._part.name)

        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(discard)
        return BadAnswer(
            f"What was downloaded is not the file that was made: {why}. It was not kept.",
            "Call again: it is downloaded anew, as long as its link lives (two days).",
            code=code,
        )


def _published(files: OutputDirectory, part: str) -> Fetched | None:
    """The file as it was published by a process that did not come to say so; None otherwise."""
    note = parts.read_note(files, part)
    found = None if note is None or not note.name else files.sum_of(note.name, head=parts.HEAD)
    if note is None or found is None or (found.size, found.sha256) != (note.size, note.sha256):
        return None
    return Fetched(found.size, found.sha256, note.mime_type, found.head)


def _hex(sha256: str | None) -> str:
    """A sum in hex, from any of the spellings that Google uses; empty for what is none."""
    if not sha256 or _HEX.fullmatch(sha256):
        return (sha256 or "").lower()
    with suppress(ValueError):
        raw = base64.b64decode(sha256 + "=" * (-len(sha256) % 4), altchars=b"-_" if set(sha256) & set("-_") else None)
        text = raw.decode("ascii", "replace")
        if len(raw) == 32 or _HEX.fullmatch(text):
            return raw.hex() if len(raw) == 32 else text.lower()
    _log.warning("Gemini gave a sum of a file that is none: %d characters", len(sha256))
    return ""


def _cut(what: str) -> ConnectionFailed:
    return ConnectionFailed(what, "Call again: it goes on from there.", code="download_cut")
