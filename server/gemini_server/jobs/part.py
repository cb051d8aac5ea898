"""A part: the file of a job while it is written, and the note beside it that lets another process go on.

The note (`<part>.note`, JSON) says which version of which file the bytes of the part are, what they sum up to once
they are all there, and under which name they were published. It is written before what it speaks of is done, and
believed only as far as the bytes agree.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from gemini_server.errors import LocalError
from gemini_server.jobs import names
from gemini_server.jobs.output_directory import OutputDirectory
from gemini_server.rest.json_values import object_of

HEAD = 64 * 1024
"""Bytes from the start of a file by which its type is judged."""

_NOTE_BYTES = 16 * 1024
_PIECE = 1024 * 1024


def stem(kind: str, created: datetime, identifier: str) -> str:
    """The name of an artifact without its extension: `<kind>-<utc>-<id>`; the handle cannot be read off it.

    Args:
        kind: lower-case words with hyphens.
        created: when it was begun.
        identifier: the handle.
    """
    # Who may list the directory must not learn the handle.
    readable = hashlib.sha256(identifier.encode()).hexdigest()[:10]
    return f"{kind}-{created.astimezone(UTC):%Y%m%dT%H%M%SZ}-{readable}"


def part_name(kind: str, created: datetime, identifier: str) -> str:
    """The name of the part of an artifact that is to be."""
    return f".{stem(kind, created, identifier)}.job.part"


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a part.

    Attributes:
        etag: the server's mark of the version that the bytes are of.
        size: bytes of the whole file, where that is known.
        mime_type: as the server announced it, or as it turned out.
        sha256: of the whole file, in hex; empty until it is there.
        name: the final name, once it is published or about to be.
        width: pixels, likewise.
        height: pixels.
        duration: seconds.
    """

    etag: str = ""
    size: int | None = None
    mime_type: str = ""
    sha256: str = ""
    name: str = ""
    width: int | None = None
    height: int | None = None
    duration: float | None = None


def read_note(files: OutputDirectory, part: str) -> Note | None:
    """The note of a part; None where there is none that can be read."""
    data = files.read_note(f"{part}.note", limit=_NOTE_BYTES)
    if data is None:
        return None
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    known = object_of(value)
    found = {field.name: known.get(field.name, field.default) for field in fields(Note)}
    texts = all(isinstance(found[name], str) for name in ("etag", "mime_type", "sha256", "name"))
    numbers = all(_is_number(found[name]) for name in ("size", "width", "height", "duration"))
    return Note(**found) if texts and numbers else None


def write_note(files: OutputDirectory, part: str, note: Note) -> None:
    """Write the note of a part, in the place of the one before.

    Raises:
        LocalError: the directory cannot be written.
    """
    known = {name: value for name, value in asdict(note).items() if value not in ("", None)}
    files.write_note(f"{part}.note", json.dumps(known).encode())


def remove(files: OutputDirectory, part: str) -> None:
    """Remove a part and its note.

    Raises:
        LocalError: the directory cannot be written.
    """
    files.remove_part(part)
    files.remove_part(f"{part}.note")


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value >= 0)


class Part:
    """A part that is being written, with the sums of its bytes. Everything here blocks: run it in a thread.

    A thread whose caller did not wait for it may still be at work when the part is closed: closing waits, and nothing
    is done to a part that is closed. (The number of its descriptor may be another file's by then.)

    Args:
        files: where it is.
        name: of the part.

    Attributes:
        size: bytes that are there.
    """

    def __init__(self, files: OutputDirectory, name: str) -> None:
        self._files = files
        self.name = name
        self.size = 0
        self._number: int | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._sums = _sums()

    def open(self, *, keep: bool) -> None:
        """Open it, and sum up what is there.

        Args:
            keep: whether what is there is of any use.

        Raises:
            LocalError: it cannot be opened, or another process writes it.
        """
        with self._lock:
            self._check_open()
            self._number = self._files.open_part(self.name, append=keep)
        with self._used():
            while piece := self._read(self.size, _PIECE):
                self._add(piece)

    def write(self, data: bytes | bytearray) -> None:
        """Add bytes.

        Raises:
            LocalError: the disk is full, or the directory cannot be written; what is there stays.
        """
        with self._used():
            names.write_all(self._descriptor, data)
            self._add(data)

    def restart(self) -> None:
        """Begin again with nothing.

        Raises:
            LocalError: the directory cannot be written.
        """
        with self._used():
            os.ftruncate(self._descriptor, 0)
            self.size, self._sums = 0, _sums()

    def sync(self) -> None:
        """Make what is there durable.

        Raises:
            LocalError: the disk is full, or broken.
        """
        with self._used():
            os.fsync(self._descriptor)

    @property
    def sha256(self) -> str:
        """Of the bytes that are there, in hex."""
        return str(self._sums[0].hexdigest())

    @property
    def md5(self) -> bytes | None:
        """Of the bytes that are there; None once it was dropped."""
        return self._sums[1].digest() if len(self._sums) > 1 else None

    def head(self) -> bytes:
        """The first bytes, at most `HEAD`.

        Raises:
            LocalError: they cannot be read.
        """
        with self._used():
            return self._read(0, HEAD)
        raise AssertionError  # for the type checkers: this block swallows nothing

    def drop_md5(self) -> None:
        """Spend no more time on a sum that nobody will compare."""
        self._sums = self._sums[:1]

    def close(self) -> None:
        """Close it; a second time does nothing."""
        with self._lock:
            self._closed = True
            number, self._number = self._number, None
            if number is not None:
                os.close(number)

    @contextmanager
    def _used(self) -> Generator[None]:
        with self._lock:
            self._check_open()
            with self._files.errors():
                yield

    def _check_open(self) -> None:
        if self._closed:
            raise LocalError("The download was given up.", "Call again.", code="busy")

    @property
    def _descriptor(self) -> int:
        assert self._number is not None  # noqa: S101  it is open from `open` to `close`
        return self._number

    def _add(self, data: bytes | bytearray) -> None:
        for one in self._sums:
            one.update(data)
        self.size += len(data)

    def _read(self, offset: int, size: int) -> bytes:
        # Writing goes to the end wherever this leaves the position.
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        return os.read(self._descriptor, size)


def _sums() -> tuple[Any, ...]:
    # Google names the MD5 of a file, where it names a sum at all.
    return hashlib.sha256(), hashlib.md5(usedforsecurity=False)
