"""A file of vectors that grows while they come, so that they are never all in memory. Everything here blocks.

It is a part of the output directory until it is whole (see `jobs.part`). A NumPy file says at its start how many rows
follow, and knows a row by its place alone: where vectors turn out to be missing it becomes lines of JSON, which carry
their index.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from gemini_server.jobs.artifacts import Traits, new_id, part_name
from gemini_server.jobs.output_directory import OutputDirectory
from gemini_server.jobs.part import Part
from gemini_server.toolkit import vectors
from gemini_server.toolkit.vectors import Rows

KIND = "vectors"
TRAITS = {"npy": Traits("application/octet-stream", ".npy"), "jsonl": Traits("application/jsonl", ".jsonl")}

_SYNC = 32 * 1024 * 1024
"""Bytes after which the disk gets them: at the end there is little to wait for."""
_ROWS = 256
"""Rows that are rewritten at once."""


class VectorFile:
    """The file of one call.

    Args:
        files: the output directory.
        form: `npy` or `jsonl`; the first may become the second.
        count: how many vectors there will be.
        text: the text of an item by its index, None for a medium.

    Attributes:
        form: what it is.
        identifier: the handle that it will have.
        created: when it was begun.
    """

    def __init__(self, files: OutputDirectory, form: str, count: int, text: Callable[[int], str | None]) -> None:
        self.form = form
        self.created = datetime.now(UTC)
        self._files = files
        self._count = count
        self._text = text
        self._following = self._unsynced = self._head = self._width = 0
        self._names: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self.identifier = new_id()
        self._name = part_name(KIND, self.created, self.identifier)
        self._part = Part(self._files, self._name)
        self._part.drop_md5()

    @property
    def size(self) -> int:
        """Bytes that are written."""
        return self._part.size

    @property
    def sha256(self) -> str:
        """Of these, in hex."""
        return self._part.sha256

    def add(self, start: int, rows: Rows) -> None:
        """Write vectors; those between the last ones and these are missing.

        Args:
            start: the index of the first.
            rows: the vectors.

        Raises:
            LocalError: there is no room for so many, or they cannot be written.
        """
        if not self._width:
            self._open(rows.width)
        if start != self._following and self.form == "npy":
            self._become_lines()
        self._write(rows.data if self.form == "npy" else self._lines(enumerate(rows, start)))
        self._following = start + len(rows)

    def end(self) -> None:
        """Bring everything to the disk.

        Raises:
            LocalError: it cannot be written.
        """
        if self._following != self._count and self.form == "npy":
            self._become_lines()
        self._part.sync()
        self._part.close()
        self._files.release(self._name)

    def drop(self) -> None:
        """Remove it.

        Raises:
            LocalError: the directory cannot be written.
        """
        self._part.close()
        for name in self._names:
            self._files.release(name)
            self._files.remove_part(name)

    def _open(self, width: int) -> None:
        self._width = width
        self._names.append(self._name)
        size = self._count * width * vectors.BYTES_PER_FLOAT[self.form]
        self._files.reserve(self._name, size, size)
        self._part.open(keep=False)
        if self.form == "npy":
            head = vectors.npy_head(self._count, width)
            self._head = len(head)
            self._part.write(head)

    def _write(self, data: bytes) -> None:
        self._part.write(data)
        self._unsynced += len(data)
        if self._unsynced >= _SYNC:
            self._part.sync()
            self._unsynced = 0

    def _lines(self, items: Iterable[tuple[int, Iterable[float]]]) -> bytes:
        lines = [vectors.jsonl_line(index, vector, self._text(index)) for index, vector in items]
        return "".join(lines).encode("utf-8", "replace")

    def _become_lines(self) -> None:
        old, head = self._name, self._head
        self._part.close()
        self._files.release(old)
        self.form = "jsonl"
        self._begin()
        self._open(self._width)
        with os.fdopen(self._files.open(old), "rb") as file:
            file.seek(head)
            for start in range(0, self._following, _ROWS):
                size = min(_ROWS, self._following - start) * self._width * vectors.BYTES_PER_FLOAT["npy"]
                self._write(self._lines(enumerate(Rows(self._width, file.read(size)), start)))
        self._files.remove_part(old)
        self._names.remove(old)
