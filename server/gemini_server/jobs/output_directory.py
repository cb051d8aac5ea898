"""The directory of produced files: written whole or not at all, never over another file, never through a link.

A file is written under a temporary name, synced, and linked to its final name, which fails where the name is taken.
Where the file system knows no links, the final name is reserved by an empty file that only this call can have made, and
the finished file is renamed over it: a crash between the two leaves an empty file, never half of one.

On POSIX the directory is reached name by name from the root through descriptors that follow no link, each time, and
must be the one that was first used. Windows has no such calls: there paths are used, and the directory's identity is
compared before each use.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gemini_server.errors import LocalError

KEEP_FREE = 64 * 1024 * 1024
"""Bytes of the disk that are left to others."""
STALE_SECONDS = 24 * 3600
"""After which the temporary file of a process that died is removed."""

_DESCRIPTORS = {os.open, os.link, os.unlink, os.rename, os.stat, os.mkdir} <= os.supports_dir_fd
_FOLLOW = os.link not in os.supports_follow_symlinks
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_DIRECTORY = getattr(os, "O_DIRECTORY", 0) | _FLAGS
_PASS = getattr(os, "O_PATH", 0) | _DIRECTORY
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _FLAGS
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOTSUP}
_TEMPORARY = re.compile(r"\.[a-z][a-z0-9-]*-\d{8}T\d{6}Z-[0-9a-f]{10}\.\w{1,5}\.[0-9a-f]{8}\.part")


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


class OutputDirectory:
    """A directory for files of ours. Everything here blocks: run it in a thread.

    Args:
        path: where; made with mode 0700 when first written to. A link in its place is followed once, at the first use;
            a later exchange of the directory is noticed and refused. One that was removed is made again.
    """

    def __init__(self, path: Path) -> None:
        self._given = path
        self._resolved: Path | None = None
        self._identity: tuple[int, int] | None = None
        self._swept = False

    @property
    def path(self) -> Path:
        """Where the directory is: without links, once it was used."""
        return self._resolved or self._given.absolute()

    def write(self, name: str, data: bytes) -> None:
        """Write a file.

        Raises:
            FileExistsError: the name is taken.
            LocalError: the directory cannot be written, or the disk is full; nothing is left behind.
        """
        with self._errors(), self._opened(make=True) as directory:
            self._check_room(len(data))
            temporary = f".{name}.{secrets.token_hex(4)}.part"
            try:
                _write(directory, temporary, data)
                _publish(directory, temporary, name)
            finally:
                with suppress(OSError):
                    directory.unlink(temporary)
            directory.sync()

    def open(self, name: str) -> int:
        """The descriptor of a file, for reading; the caller closes it.

        Raises:
            FileNotFoundError: it is not there, or is no regular file.
            LocalError: the directory cannot be read.
        """
        with self._opened() as directory:
            try:
                number = directory.open(name, _READ)
            except OSError as error:
                # O_NOFOLLOW says ELOOP (EMLINK on BSD) to a link; a device may say anything.
                raise FileNotFoundError(errno.ENOENT, "no such regular file") from error
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise FileNotFoundError(errno.ENOENT, "no regular file")
        return number

    def check_room(self, size: int) -> None:
        """See whether so many bytes fit, before they are fetched.

        Raises:
            LocalError: they do not, or the directory cannot be made.
        """
        with self._errors(), self._opened(make=True):
            self._check_room(size)

    def look(self) -> Room:
        """Look at the directory without making it."""
        path = self._resolved or self._resolve()
        there = path if path.exists() else next((parent for parent in path.parents if parent.exists()), path)
        problem = ""
        free = 0
        try:
            free = shutil.disk_usage(there).free
            if there == path:
                with self._opened():
                    pass
            if not there.is_dir():
                problem = f"{there} is not a directory."
            elif not os.access(there, os.W_OK | os.X_OK):
                problem = f"The output directory {path} cannot be written to."
            elif free < KEEP_FREE:
                problem = f"Only {mib(free)} are free for {path}, and {mib(KEEP_FREE)} are always left."
        except LocalError as error:
            return Room(path, path.exists(), free, str(error))
        except OSError as error:
            problem = f"The output directory {path} cannot be looked at ({error.strerror})."
        return Room(path, path.exists(), free, f"{problem} Choose another with --output-dir." if problem else "")

    @contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno in _FULL:
                raise LocalError(
                    f"The disk is full: nothing could be saved in {self.path}.",
                    "Free some space, or choose another place with --output-dir; then call again.",
                    code="disk_full",
                ) from None
            raise _unusable(self.path, error) from None

    def _check_room(self, size: int) -> None:
        try:
            free = shutil.disk_usage(self.path).free
        except OSError:
            return  # some file systems do not tell; the write itself will
        if free - size < KEEP_FREE:
            raise LocalError(
                f"The disk is nearly full: {mib(size)} are to be saved in {self.path}, {mib(free)} are free, and "
                f"{mib(KEEP_FREE)} are always left.",
                "Free some space, or choose another place with --output-dir; then call again.",
                code="disk_full",
            )

    def _resolve(self) -> Path:
        try:
            return self._given.resolve()
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
            raise LocalError(
                f"The output directory {self._given} cannot be found ({error}).", "Choose another with --output-dir."
            ) from None

    @contextmanager
    def _opened(self, *, make: bool = False) -> Generator[_Names]:
        if self._resolved is None:
            self._resolved = self._resolve()
        try:
            directory, made = (_walk if _DESCRIPTORS else _by_path)(self._resolved, make=make)
        except OSError as error:
            if error.errno in _FULL or (isinstance(error, FileNotFoundError) and not make):
                raise
            raise _unusable(self._resolved, error) from None
        try:
            identity = directory.identity()
            if made or self._identity is None:
                self._identity = identity
            elif self._identity != identity:
                raise LocalError(
                    f"The output directory {self._resolved} was replaced while the server ran.",
                    "Restart the server if that was on purpose.",
                )
            if make and not self._swept:
                self._swept = True
                directory.sweep()
            yield directory
        finally:
            directory.close()


class _Names:
    """Files of one directory, by descriptor where the system can, else by path."""

    def __init__(self, path: Path, number: int | None) -> None:
        self._path = path
        self._number = number

    def _at(self, name: str) -> str:
        return name if self._number is not None else str(self._path / name)

    def identity(self) -> tuple[int, int]:
        found = self._path.lstat() if self._number is None else os.fstat(self._number)
        return found.st_dev, found.st_ino

    def open(self, name: str, flags: int) -> int:
        return os.open(self._at(name), flags, 0o600, dir_fd=self._number)

    def unlink(self, name: str) -> None:
        os.unlink(self._at(name), dir_fd=self._number)

    def link(self, old: str, new: str) -> None:
        os.link(self._at(old), self._at(new), src_dir_fd=self._number, dst_dir_fd=self._number, follow_symlinks=_FOLLOW)

    def replace(self, old: str, new: str) -> None:
        os.replace(self._at(old), self._at(new), src_dir_fd=self._number, dst_dir_fd=self._number)

    def sync(self) -> None:
        if self._number is not None:
            with suppress(OSError):  # not every file system can
                os.fsync(self._number)

    def sweep(self) -> None:
        """Remove what processes that died left half-written; a living one is done within a day."""
        with suppress(OSError):
            for name in os.listdir(self._path if self._number is None else self._number):  # noqa: PTH208  a descriptor
                if _TEMPORARY.fullmatch(name):
                    age = time.time() - os.stat(self._at(name), dir_fd=self._number, follow_symlinks=False).st_mtime
                    if age > STALE_SECONDS:
                        self.unlink(name)

    def close(self) -> None:
        if self._number is not None:
            os.close(self._number)


def _walk(path: Path, *, make: bool) -> tuple[_Names, bool]:
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
    return _Names(path, final), made


def _by_path(path: Path, *, make: bool) -> tuple[_Names, bool]:
    made = make and not path.exists()
    if make:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.resolve() != path:
        raise OSError(errno.ELOOP, "a link took its place")
    return _Names(path, None), made


def _write(directory: _Names, name: str, data: bytes) -> None:
    file = directory.open(name, _CREATE)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        os.fsync(file)
    finally:
        os.close(file)


def _publish(directory: _Names, temporary: str, name: str) -> None:
    try:
        # A link fails where the name is taken; a rename would overwrite.
        directory.link(temporary, name)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_LINKS:
            raise
        os.close(directory.open(name, _CREATE))
        try:
            directory.replace(temporary, name)
        except OSError:
            directory.unlink(name)
            raise


def mib(size: int) -> str:
    """Bytes for people to read."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"


def _unusable(path: Path, error: OSError) -> LocalError:
    return LocalError(
        f"The output directory {path} cannot be used ({error.strerror or type(error).__name__}).",
        "Check it, or choose another with --output-dir.",
    )
