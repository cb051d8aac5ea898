"""One directory of this server's own: found without links, the same one all the time, with room for what is to come."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from gemini_server.errors import LocalError
from gemini_server.jobs import names, room
from gemini_server.jobs.names import Names
from gemini_server.jobs.room import Quota, Room, mib

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Directory:
    """A directory that is looked up anew for each use, and must be the one that was first used.

    Args:
        path: where; made with mode 0700 when first written to. A link in its place is followed once, at the first use;
            a later exchange of the directory is noticed and refused. One that was removed is made again.
        quota: bytes that produced files may have together; 0 for no limit.
    """

    def __init__(self, path: Path, *, quota: int = 0) -> None:
        self._given = path
        self._resolved: Path | None = None
        self._identity: tuple[int, int] | None = None
        self._swept = False
        self._quota = Quota(quota)

    @property
    def path(self) -> Path:
        """Where the directory is: without links, once it was used."""
        return self._resolved or self._given.absolute()

    def reserve(self, name: str, size: int, more: int) -> None:
        """See whether a file fits, and set room aside for it until `release`.

        Args:
            name: of the part that is going to be written.
            size: bytes that it will have.
            more: how many of them are still to be written.

        Raises:
            LocalError: it does not fit the quota (code `quota`) or the disk (`disk_full`), or the directory cannot be
                made.
        """
        with self.errors(), self.opened(make=True) as directory:
            self.set_aside(directory, name, size, more)

    def release(self, name: str) -> None:
        """End what `reserve` began."""
        self._quota.release(name)

    def check_room(self, size: int) -> None:
        """See whether so many bytes fit, before they are fetched.

        Raises:
            LocalError: they do not, or the directory cannot be made.
        """
        with self.errors(), self.opened(make=True) as directory:
            self.set_aside(directory, "", size, size)
            self._quota.release("")

    def look(self) -> Room:
        """Look at the directory without making it."""
        path = self._resolved or self._resolve()
        there = path if path.exists() else next((parent for parent in path.parents if parent.exists()), path)
        problem = ""
        free = 0
        try:
            free = shutil.disk_usage(there).free
            if there == path:
                with self.opened():
                    pass
            if not there.is_dir():
                problem = f"{there} is not a directory."
            elif not os.access(there, os.W_OK | os.X_OK):
                problem = f"The output directory {path} cannot be written to."
            elif free < room.KEEP_FREE:
                problem = f"Only {mib(free)} are free for {path}, and {mib(room.KEEP_FREE)} are always left."
        except LocalError as error:
            return Room(path, path.exists(), free, str(error))
        except OSError as error:
            problem = f"The output directory {path} cannot be looked at ({error.strerror})."
        return Room(path, path.exists(), free, f"{problem} Choose another with --output-dir." if problem else "")

    @contextmanager
    def errors(self, *, missing: bool = False) -> Generator[None]:
        """Tells failures of the system as this directory's.

        Args:
            missing: whether FileNotFoundError passes, as FileExistsError always does.

        Raises:
            LocalError: in the place of any other OSError; the code of a full disk is `disk_full`.
        """
        try:
            yield
        except FileExistsError:
            raise
        except OSError as error:
            if missing and isinstance(error, FileNotFoundError):
                raise
            if error.errno in _FULL:
                raise LocalError(
                    f"The disk is full: nothing could be saved in {self.path}.",
                    room.MAKE_ROOM,
                    code="disk_full",
                ) from None
            raise _unusable(self.path, error) from None

    def set_aside(self, directory: Names, name: str, size: int, more: int) -> None:
        """As `reserve`, in a directory that is open."""
        self._quota.reserve(name, size, directory.usage)
        try:
            room.check_free(self.path, more)
        except LocalError:
            self._quota.release(name)
            raise

    def _resolve(self) -> Path:
        try:
            return self._given.resolve()
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
            raise LocalError(
                f"The output directory {self._given} cannot be found ({error}).", "Choose another with --output-dir."
            ) from None

    @contextmanager
    def opened(self, *, make: bool = False) -> Generator[Names]:
        """The directory itself, for as long as the block lasts.

        Args:
            make: whether it is made when it is missing.

        Raises:
            FileNotFoundError: it is missing, without `make`.
            LocalError: it cannot be used, or is another one by now.
        """
        if self._resolved is None:
            self._resolved = self._resolve()
        try:
            directory, made = (names.walk if names.DESCRIPTORS else names.by_path)(self._resolved, make=make)
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


def _unusable(path: Path, error: OSError) -> LocalError:
    return LocalError(
        f"The output directory {path} cannot be used ({error.strerror or type(error).__name__}).",
        "Check it, or choose another with --output-dir.",
    )
