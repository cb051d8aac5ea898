"""Files of one directory, reached by descriptors that follow no link where the system has such calls.

On POSIX the directory is reached name by name from the root, each time it is used, so that nobody can put a link in the
way. Windows has no such calls: there paths are used.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

STALE_SECONDS = 24 * 3600
"""After which the temporary file of a process that died is removed."""
STALE_PART_SECONDS = 3 * 24 * 3600
"""After which the part of a job is removed: the link that it came from is dead by then."""

DESCRIPTORS = {os.open, os.link, os.unlink, os.rename, os.stat, os.mkdir} <= os.supports_dir_fd
_FOLLOW = os.link not in os.supports_follow_symlinks
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_DIRECTORY = getattr(os, "O_DIRECTORY", 0) | _FLAGS
_PASS = getattr(os, "O_PATH", 0) | _DIRECTORY
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS
APPEND = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0) | _FLAGS
READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _FLAGS
_NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOTSUP}

_OURS = r"[a-z][a-z0-9-]*-\d{8}T\d{6}Z-[0-9a-f]{10}"
_TEMPORARY = re.compile(rf"\.{_OURS}\.\w{{1,5}}(?:\.json)?\.[0-9a-f]{{8}}\.part")
_PART = re.compile(rf"\.{_OURS}\.job\.part(?:\.note(?:\.[0-9a-f]{{8}})?)?")
_COUNTED = re.compile(rf"{_OURS}\.\w{{1,5}}|\.{_OURS}\.job\.part|{_TEMPORARY.pattern}")


class Names:
    """Files of one directory.

    Args:
        path: of the directory.
        number: its descriptor; None where paths are used.
    """

    def __init__(self, path: Path, number: int | None) -> None:
        self._path = path
        self._number = number

    def _at(self, name: str) -> str:
        return name if self._number is not None else str(self._path / name)

    def identity(self) -> tuple[int, int]:
        """Which directory this is."""
        found = self._path.lstat() if self._number is None else os.fstat(self._number)
        return found.st_dev, found.st_ino

    def open(self, name: str, flags: int) -> int:
        """As `os.open`, mode 0600."""
        return os.open(self._at(name), flags, 0o600, dir_fd=self._number)

    def stat(self, name: str) -> os.stat_result:
        """As `os.stat`, of the name itself."""
        return os.stat(self._at(name), dir_fd=self._number, follow_symlinks=False)

    def unlink(self, name: str) -> None:
        """As `os.unlink`."""
        os.unlink(self._at(name), dir_fd=self._number)

    def link(self, old: str, new: str) -> None:
        """As `os.link`; fails where `new` is taken."""
        os.link(self._at(old), self._at(new), src_dir_fd=self._number, dst_dir_fd=self._number, follow_symlinks=_FOLLOW)

    def replace(self, old: str, new: str) -> None:
        """As `os.replace`."""
        os.replace(self._at(old), self._at(new), src_dir_fd=self._number, dst_dir_fd=self._number)

    def sync(self) -> None:
        """Make the names as durable as the bytes."""
        if self._number is not None:
            with suppress(OSError):  # not every file system can
                os.fsync(self._number)

    def write(self, name: str, data: bytes) -> None:
        """Write a new file and sync it."""
        file = self.open(name, CREATE)
        try:
            write_all(file, data)
            os.fsync(file)
        finally:
            os.close(file)

    def publish(self, temporary: str, name: str) -> None:
        """Give a finished file its name as well, or instead.

        A link fails where the name is taken; a rename would overwrite. Where the file system knows no links, the name
        is reserved by an empty file that only this call can have made, and the finished file is renamed over it: a
        crash between the two leaves an empty file, never half of one.

        Raises:
            FileExistsError: the name is taken.
        """
        try:
            self.link(temporary, name)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError) as error:
            if isinstance(error, OSError) and error.errno not in _NO_LINKS:
                raise
            os.close(self.open(name, CREATE))
            try:
                self.replace(temporary, name)
            except OSError:
                self.unlink(name)
                raise

    def sweep(self) -> None:
        """Remove what processes that died left half-written."""
        with suppress(OSError):
            for name in self._list():
                limit = STALE_SECONDS if _TEMPORARY.fullmatch(name) else STALE_PART_SECONDS
                if (limit == STALE_SECONDS or _PART.fullmatch(name)) and time.time() - self.stat(name).st_mtime > limit:
                    self.unlink(name)

    def usage(self, but: frozenset[str]) -> int:
        """Bytes of the produced files, finished or not, each counted once whatever names it has.

        Args:
            but: names that do not count.
        """
        sizes: dict[int, int] = {}
        for name in self._list():
            if name not in but and _COUNTED.fullmatch(name):
                with suppress(OSError):
                    found = self.stat(name)
                    if stat.S_ISREG(found.st_mode):
                        sizes[found.st_ino or -len(sizes)] = found.st_size
        return sum(sizes.values())

    def _list(self) -> Iterator[str]:
        yield from os.listdir(self._path if self._number is None else self._number)  # noqa: PTH208  a descriptor

    def close(self) -> None:
        """Close the descriptor."""
        if self._number is not None:
            os.close(self._number)


def walk(path: Path, *, make: bool) -> tuple[Names, bool]:
    """The directory, and whether it was made now."""
    number = os.open(path.anchor, _PASS)
    made = False
    try:
        for name in path.parts[1:]:
            try:
                inner = os.open(name, _PASS, dir_fd=number)
            except FileNotFoundError:
                if not make:
                    raise
                with suppress(FileExistsError):  # another process was faster
                    os.mkdir(name, 0o700, dir_fd=number)
                made = True
                inner = os.open(name, _PASS, dir_fd=number)
            os.close(number)
            number = inner
        # What was passed through so far can be neither listed nor synced.
        final = os.open(".", os.O_RDONLY | _DIRECTORY, dir_fd=number)
    finally:
        os.close(number)
    return Names(path, final), made


def by_path(path: Path, *, make: bool) -> tuple[Names, bool]:
    """As `walk`, without descriptors."""
    made = make and not path.exists()
    if make:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.resolve() != path:
        raise OSError(errno.ELOOP, "a link took its place")
    return Names(path, None), made


def write_all(file: int, data: bytes | bytearray) -> None:
    """Write all of it, however little the system takes at once."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
