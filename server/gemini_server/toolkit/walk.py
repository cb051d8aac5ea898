"""Opening a file below a directory without ever following a symbolic link.

Every directory on the way is opened relative to the descriptor of the one before it, so nothing that happens to the
names meanwhile can lead outside: there is no moment between a check and its use. Windows has no such calls; what it
gets instead is `open_by_name`.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gemini_server.errors import FileRefused

_PASS = getattr(os, "O_PATH", 0)
"""On Linux a directory on the way is only passed through: no permission to list it is needed."""

_DIRECTORY = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | _PASS
_FILE = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that takes the file's place must not hang the thread
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
)
_KINDS = (
    (stat.S_ISLNK, "is a symbolic link, and links are not followed", "Give the path of the file that it points to."),
    (stat.S_ISDIR, "is a directory, not a file", "Give the path of one file in it."),
    (stat.S_ISFIFO, "is a named pipe, not a regular file", "Give the path of a regular file."),
    (stat.S_ISSOCK, "is a socket, not a regular file", "Give the path of a regular file."),
    (stat.S_ISCHR, "is a device, not a regular file", "Give the path of a regular file."),
    (stat.S_ISBLK, "is a device, not a regular file", "Give the path of a regular file."),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to open.

    Attributes:
        root: the allowed directory, resolved.
        parts: the names from there to the file.
        label: how refusals call the file: the path as the caller gave it.
        hint: what to do when it is not there.
        check_identity: refuses a directory or file by its identity; called with each one on the way.
        check_place: refuses a path by its names; needed where the names asked for need not be the real ones.
    """

    root: Path
    parts: tuple[str, ...]
    label: str
    hint: str
    check_identity: Callable[[os.stat_result], None]
    check_place: Callable[[Path], None]


def open_within(wanted: Wanted) -> int:
    """The descriptor of a regular file; the caller closes it.

    Raises:
        FileRefused: it is not there, a link is on the way, or it is no regular file.
    """
    if not wanted.parts:
        raise _not_a_file(wanted.label, stat.S_IFDIR)
    directory = _enter_root(wanted)
    try:
        for name in wanted.parts[:-1]:
            inner = _enter(directory, name, wanted)
            os.close(directory)
            directory = inner
        return _open_file(directory, wanted.parts[-1], wanted)
    finally:
        os.close(directory)


def open_by_name(wanted: Wanted, final_path: Callable[[int], Path] | None = None) -> int:
    """The fallback for Windows: resolve, compare, open, and compare again where the opened handle really is.

    A link is followed as long as its end is inside the allowed directory. What is opened is closed again, unread, if
    the second comparison fails; opening is all that can happen outside.
    """
    target = wanted.root.joinpath(*wanted.parts)
    try:
        resolved = target.resolve(strict=True)
        _check_inside(resolved, wanted)
        found = resolved.stat()
        if not stat.S_ISREG(found.st_mode):
            raise _not_a_file(wanted.label, found.st_mode)
        descriptor = os.open(resolved, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0))
    except OSError as error:
        raise _refusal(error, wanted) from None
    try:
        _check_inside((final_path or _final_path)(descriptor), wanted)
        _check_regular(descriptor, wanted)
    except OSError as error:
        os.close(descriptor)
        raise _refusal(error, wanted) from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _enter_root(wanted: Wanted) -> int:
    """Walks to the allowed directory from /, so that a link put in its place since the start is noticed."""
    directory = -1
    try:
        directory = os.open(wanted.root.anchor, _DIRECTORY)
        wanted.check_identity(os.fstat(directory))
        for name in wanted.root.parts[1:]:
            inner = os.open(name, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = inner
            wanted.check_identity(os.fstat(directory))
    except BaseException as error:
        if directory >= 0:
            os.close(directory)
        if isinstance(error, OSError):
            raise FileRefused(
                f"The allowed directory {wanted.root} cannot be opened, or is no longer what it was at the start.",
                "Ask the person who runs this server to check --allow-dir and to start it again.",
            ) from None
        raise
    return directory


def _enter(directory: int, name: str, wanted: Wanted) -> int:
    try:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            raise _not_a_file(f"A directory on the way of {wanted.label}", found.st_mode)
        inner = os.open(name, _DIRECTORY, dir_fd=directory)
    except OSError as error:
        raise _refusal(error, wanted) from None
    try:
        wanted.check_identity(os.fstat(inner))
    except BaseException:
        os.close(inner)
        raise
    return inner


def _open_file(directory: int, name: str, wanted: Wanted) -> int:
    try:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)  # so that a device is not even opened
        if not stat.S_ISREG(found.st_mode):
            raise _not_a_file(wanted.label, found.st_mode)
        descriptor = os.open(name, _FILE, dir_fd=directory)
    except OSError as error:
        raise _refusal(error, wanted) from None
    try:
        _check_regular(descriptor, wanted)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_regular(descriptor: int, wanted: Wanted) -> None:
    opened = os.fstat(descriptor)
    if not stat.S_ISREG(opened.st_mode):
        raise _not_a_file(wanted.label, opened.st_mode)
    wanted.check_identity(opened)


def _check_inside(path: Path, wanted: Wanted) -> None:
    if not path.is_relative_to(wanted.root):
        raise _not_a_file(f"{wanted.label}, or a directory on its way,", stat.S_IFLNK)
    wanted.check_place(path)


def _not_a_file(label: str, mode: int) -> FileRefused:
    for is_kind, kind, remedy in _KINDS:
        if is_kind(mode):
            return FileRefused(f"{label} {kind}.", remedy)
    return FileRefused(f"{label} is not a regular file.", "Give the path of a regular file.")


def _refusal(error: OSError, wanted: Wanted) -> FileRefused:
    """What an error of the system means, without its own text, which may show paths."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return FileRefused(f"There is no file {wanted.label} in the allowed directories.", wanted.hint)
    if error.errno == errno.ELOOP:
        return _not_a_file(wanted.label, stat.S_IFLNK)
    if error.errno in (errno.EACCES, errno.EPERM):
        return FileRefused(
            f"The system does not let this server read {wanted.label}.",
            "Ask the person who runs this server to make the file readable for it.",
        )
    reason = errno.errorcode.get(error.errno or 0, "unknown error")
    return FileRefused(f"{wanted.label} cannot be opened ({reason}).", "Choose another file.")


def _final_path(descriptor: int) -> Path:
    """Where an opened file really is."""
    if sys.platform != "win32":
        return Path(f"/proc/self/fd/{descriptor}").readlink()
    import ctypes
    import msvcrt

    buffer = ctypes.create_unicode_buffer(32768)
    handle = ctypes.c_void_p(msvcrt.get_osfhandle(descriptor))
    length = ctypes.windll.kernel32.GetFinalPathNameByHandleW(handle, buffer, len(buffer), 0)
    if not 0 < length < len(buffer):
        raise OSError(errno.EIO, "no final path")
    return Path(buffer.value.removeprefix("\\\\?\\"))
