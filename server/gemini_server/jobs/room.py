"""Room for files: what the disk has left, and what the quota of the output directory allows."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gemini_server.errors import LocalError

KEEP_FREE = 64 * 1024 * 1024
"""Bytes of the disk that are left to others."""
MAKE_ROOM = "Free some space, or choose another place with --output-dir; then call again."


@dataclass(frozen=True, slots=True)
class Room:
    """What `server_status` and `doctor` say of the output directory.

    Attributes:
        path: where files go, links resolved.
        exists: whether it is there; it is made when first needed.
        free: bytes that are free on its disk.
        problem: what is wrong and what to do, empty when nothing is.
    """

    path: Path
    exists: bool
    free: int
    problem: str


class Quota:
    """The most bytes that produced files may have together.

    What is being written counts in full from its beginning, so that two downloads that fit one by one and not together
    are not both begun. Other processes are seen by what they have written so far.

    Args:
        limit: bytes; 0 for no limit.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._reserved: dict[str, int] = {}

    def reserve(self, name: str, size: int, usage: Callable[[frozenset[str]], int]) -> None:
        """Set room aside for a file; in the place of what was set aside for it before.

        Args:
            name: the file that is going to be written.
            size: bytes that it will have.
            usage: bytes that are there, but for files of these names.

        Raises:
            LocalError: it would be too much (code `quota`).
        """
        if not self._limit:
            return
        with self._lock:
            others = self._reserved.copy()
            others.pop(name, None)
            used = usage(frozenset((*others, name))) + sum(others.values())
            if used + size > self._limit:
                raise LocalError(
                    f"The quota of the output directory is {mib(self._limit)}: {mib(used)} are used, and {mib(size)} "
                    "more would be saved.",
                    "Remove produced files that are not needed any more, or the person who runs this server raises "
                    "GEMINI_TOOLSERVER_OUTPUT_QUOTA; then call again.",
                    code="quota",
                )
            self._reserved[name] = size

    def release(self, name: str) -> None:
        """The file is written, or will not be: from now on it counts as what it is. Waits for nobody."""
        self._reserved.pop(name, None)


def check_free(path: Path, size: int) -> None:
    """See whether so many bytes fit on the disk of a directory.

    Raises:
        LocalError: they do not (code `disk_full`).
    """
    try:
        free = shutil.disk_usage(path).free
    except OSError:
        return  # some file systems do not tell; the write itself will
    if free - size < KEEP_FREE:
        raise LocalError(
            f"The disk is nearly full: {mib(size)} are to be saved in {path}, {mib(free)} are free, and "
            f"{mib(KEEP_FREE)} are always left.",
            MAKE_ROOM,
            code="disk_full",
        )


def mib(size: int) -> str:
    """Bytes for people to read."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
