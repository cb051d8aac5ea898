"""The directory of produced files: written whole or not at all, never over another file, never through a link.

A file is written under a temporary name, synced, and linked to its final name, which fails where the name is taken (see
`names`). The file of a job is written as a *part*, which outlives the process: a download goes on where it was cut, and
when it is whole it is published under its final name. A part that is not whole is never seen under such a name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass

from gemini_server.errors import LocalError
from gemini_server.jobs import names
from gemini_server.jobs.directory import Directory
from gemini_server.jobs.names import Names

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sum:
    """What a file has in it: how many bytes, their SHA-256 in hex, and the first of them."""

    size: int
    sha256: str
    head: bytes


class OutputDirectory(Directory):
    """A directory for files of ours. Everything here blocks: run it in a thread.

    Args:
        path: where; made with mode 0700 when first written to. A link in its place is followed once, at the first use;
            a later exchange of the directory is noticed and refused. One that was removed is made again.
        quota: bytes that produced files may have together; 0 for no limit.
    """

    def write(self, name: str, data: bytes) -> None:
        """Write a file.

        Raises:
            FileExistsError: the name is taken.
            LocalError: the directory cannot be written, the disk is full, or the quota is used up; nothing is left
                behind.
        """
        with self.errors(), self.opened(make=True) as directory:
            temporary = f".{name}.{secrets.token_hex(4)}.part"
            self.set_aside(directory, temporary, len(data), len(data))
            try:
                directory.write(temporary, data)
                directory.publish(temporary, name)
            finally:
                with suppress(OSError):
                    directory.unlink(temporary)
                self.release(temporary)
            directory.sync()

    def open(self, name: str) -> int:
        """The descriptor of a file, for reading; the caller closes it.

        Raises:
            FileNotFoundError: it is not there, or is no regular file.
            LocalError: the directory cannot be read.
        """
        with self.opened() as directory:
            return _open_regular(directory, name)

    def sum_of(self, name: str, *, head: int = 0) -> Sum | None:
        """What a file has in it; None when it is not there.

        Args:
            name: of the file.
            head: how many of its first bytes to give.
        """
        try:
            number = self.open(name)
        except (OSError, LocalError):
            return None
        try:
            return _sum(number, head)
        finally:
            os.close(number)

    def read_note(self, name: str, *, limit: int) -> bytes | None:
        """A small file; None when it is not there or larger than `limit`."""
        try:
            number = self.open(name)
        except (OSError, LocalError):
            return None
        with os.fdopen(number, "rb") as file:
            data = file.read(limit + 1)
        return data if len(data) <= limit else None

    def write_note(self, name: str, data: bytes) -> None:
        """Write a small file, in the place of the one that had its name; at any moment it is one of the two.

        Raises:
            LocalError: the directory cannot be written, or the disk is full.
        """
        with self.errors(), self.opened(make=True) as directory:
            temporary = f"{name}.{secrets.token_hex(4)}"
            try:
                directory.write(temporary, data)
                directory.replace(temporary, name)
            except OSError:
                with suppress(OSError):
                    directory.unlink(temporary)
                raise

    def open_part(self, name: str, *, append: bool) -> int:
        """The descriptor of a part, for reading and for writing at its end; the caller closes it.

        Nobody else can open the part to write until it is closed (where the system has such locks). A part that was
        published already is not touched: its name becomes that of a new, empty one.

        Args:
            name: of the part.
            append: whether what is there stays.

        Raises:
            LocalError: the directory cannot be written, or another process writes this part (code `busy`).
        """
        with self.errors(), self.opened(make=True) as directory:
            while True:
                number = directory.open(name, names.APPEND)
                try:
                    found = os.fstat(number)
                    if not stat.S_ISREG(found.st_mode):
                        raise OSError(errno.EINVAL, "it is no regular file")
                    if found.st_nlink > 1:
                        directory.unlink(name)
                    elif _locked(number) and os.fstat(number).st_nlink == 1:
                        if not append:
                            os.ftruncate(number, 0)
                        return number
                except BaseException:
                    os.close(number)
                    raise
                os.close(number)  # its name is another's by now

    def write_part(self, name: str, data: bytes) -> None:
        """Write a whole part, in the place of what was there.

        Raises:
            LocalError: the directory cannot be written, the disk is full, or the quota is used up.
        """
        self.reserve(name, len(data), len(data))
        try:
            number = self.open_part(name, append=False)
            try:
                with self.errors():
                    names.write_all(number, data)
                    os.fsync(number)
            finally:
                os.close(number)
        finally:
            self.release(name)

    def publish(self, part: str, name: str, *, size: int, sha256: str) -> None:
        """Give a part that is whole its final name. Repeating it after a crash does no harm.

        Args:
            part: its name so far.
            name: its final name.
            size: bytes that it must have.
            sha256: of these, in hex: a file of that name with the same bytes is this one.

        Raises:
            FileExistsError: the name is taken by another file.
            FileNotFoundError: there is neither a part of this size nor the file.
            LocalError: the directory cannot be written, or another process writes this part (code `busy`).
        """
        with self.errors(missing=True), self.opened(make=True) as directory:
            try:
                _publish(directory, part, name, size)
            except (FileExistsError, FileNotFoundError):
                if not _same(directory, part, name, sha256):
                    raise
            with suppress(FileNotFoundError):
                directory.unlink(part)
            directory.sync()

    def remove_part(self, name: str) -> None:
        """Remove a part or a note, if it is there.

        Raises:
            LocalError: the directory cannot be written.
        """
        with self.errors(), suppress(FileNotFoundError), self.opened() as directory:
            directory.unlink(name)


def _open_regular(directory: Names, name: str) -> int:
    try:
        number = directory.open(name, names.READ)
    except OSError as error:
        # O_NOFOLLOW says ELOOP (EMLINK on BSD) to a link; a device may say anything.
        raise FileNotFoundError(errno.ENOENT, "no such regular file") from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise FileNotFoundError(errno.ENOENT, "no regular file")
    return number


def _publish(directory: Names, part: str, name: str, size: int) -> None:
    number = _open_regular(directory, part)
    try:
        # Nobody may go on writing what is published; who opens it later sees that it has two names.
        _locked(number)
        if os.fstat(number).st_size != size:
            raise FileNotFoundError(errno.ENOENT, "the part is not whole")
        try:
            directory.publish(part, name)
        except FileExistsError:
            if not _is_empty(directory, name):
                raise
            # Reserved by a call that crashed before it could rename its file: nobody else makes such a name.
            directory.replace(part, name)
    finally:
        os.close(number)


def _is_empty(directory: Names, name: str) -> bool:
    found = directory.stat(name)
    return stat.S_ISREG(found.st_mode) and found.st_size == 0


def _same(directory: Names, part: str, name: str, sha256: str) -> bool:
    """Whether a name is that of this very file already: the same one, or one with the same bytes."""
    try:
        number = _open_regular(directory, name)
    except FileNotFoundError:
        return False
    try:
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(number), directory.stat(part)):
                return True
        return _sum(number, 0).sha256 == sha256
    finally:
        os.close(number)


def _sum(number: int, head: int) -> Sum:
    digest, size, first = hashlib.sha256(), 0, b""
    while piece := os.read(number, _PIECE):
        first = first or piece[:head]
        digest.update(piece)
        size += len(piece)
    return Sum(size, digest.hexdigest(), first)


def _locked(number: int) -> bool:
    """Locks a part for writing; it is unlocked when its descriptor is closed, or its process ends."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LocalError(
            "Another process is saving this file at the moment.", "Call again in a minute.", code="busy"
        ) from None
    except OSError:
        pass  # some file systems know no locks; the sum of the bytes is compared in the end
    return True
