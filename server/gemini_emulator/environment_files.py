"""The files of one environment: a tree of paths without a file system under it.

Source: `GetEnvironmentFiles` and `EnvironmentFile` in the official SDK of November 2026.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .interaction_errors import InteractionError, not_found, refused, taken
from .store import timestamp
from .wire import Object

_UNKNOWN = "application/octet-stream"
_LONGEST = 1024


@dataclass(frozen=True)
class File:
    """One file.

    Args:
        data: its bytes.
        mime_type: its type.
        created: when it came.
        modified: when its bytes were last changed.
    """

    data: bytes
    mime_type: str
    created: datetime
    modified: datetime


def normal(path: str, place: str, *, empty: bool = False) -> str:
    """A path relative to the root of the workspace, without what is superfluous; the root itself is empty.

    Args:
        path: as the client wrote it.
        place: where it stands in the request.
        empty: whether it may be the root.

    Raises:
        InteractionError: 400 for a path that leaves the workspace, or is none.
    """
    steps = [step for step in path.split("/") if step not in ("", ".")]
    if ".." in steps or "\\" in path or any(ord(mark) < 32 for mark in path) or len(path) > _LONGEST:
        raise refused(f"Invalid path '{path[:100]}' at '{place}': it must stay inside the workspace.")
    if not steps and not empty:
        raise refused(f"Invalid path '{path}' at '{place}': it must name a file.")
    return "/".join(steps)


def type_of(path: str, said: str = "") -> str:
    """The type of a file: what was said about it, unless that says nothing, or else what its name tells."""
    return said if said and said != _UNKNOWN else mimetypes.guess_type(path)[0] or _UNKNOWN


class Tree:
    """The files of one environment by their normal paths; directories are where files are."""

    def __init__(self, files: dict[str, File] | None = None) -> None:
        self._files = dict(files or {})

    def copy(self) -> Tree:
        """Another tree with the same files."""
        return Tree(self._files)

    @property
    def count(self) -> int:
        """How many files there are."""
        return len(self._files)

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(len(file.data) for file in self._files.values())

    def check(self, path: str, *, overwrite: bool) -> None:
        """Refuse a path that no file can get.

        Raises:
            InteractionError: 409 for a file that is there and must not be overwritten, 400 for a directory.
        """
        if self.is_directory(path):
            raise refused(f"'{path}' is a directory.")
        self.check_folder(path.rpartition("/")[0])
        if path in self._files and not overwrite:
            raise taken("File", path)

    def check_folder(self, path: str) -> None:
        """Refuse a directory that cannot be, because it or one above it is a file.

        Raises:
            InteractionError: 400.
        """
        while path:
            if path in self._files:
                raise refused(f"'{path}' is not a directory.")
            path = path.rpartition("/")[0]

    def put(self, files: Iterable[tuple[str, bytes]], now: datetime, *, overwrite: bool, mime_type: str = "") -> None:
        """Add files, all or none.

        Args:
            files: normal paths and bytes.
            now: the time.
            overwrite: whether a file that is there gives way.
            mime_type: what was said about their type.

        Raises:
            InteractionError: as `check`.
        """
        grown = Tree(self._files)
        for path, data in files:
            grown.check(path, overwrite=overwrite)
            old = grown._files.get(path)
            grown._files[path] = File(data, type_of(path, mime_type), old.created if old else now, now)
        self._files = grown._files

    def is_directory(self, path: str) -> bool:
        """Whether a path is a directory; the root always is."""
        return not path or any(name.startswith(f"{path}/") for name in self._files)

    def file(self, path: str) -> File:
        """A file.

        Raises:
            InteractionError: 404 for what is not there, 400 for a directory.
        """
        if path in self._files:
            return self._files[path]
        if self.is_directory(path):
            raise refused(f"'{path or '/'}' is a directory and has no content.")
        raise _absent(path)

    def listing(self, path: str, *, recursive: bool) -> list[Object]:
        """`EnvironmentFile`s: a file itself, or what is in a directory, by name.

        Args:
            path: a normal path.
            recursive: whether all files below a directory are listed, and no directories.

        Raises:
            InteractionError: 404 for what is not there.
        """
        if path in self._files:
            return [self._entry(path)]
        if not self.is_directory(path):
            raise _absent(path)
        prefix = f"{path}/" if path else ""
        below = [name for name in sorted(self._files) if name.startswith(prefix)]
        if recursive:
            return [self._entry(name) for name in below]
        names = {prefix + name[len(prefix) :].partition("/")[0] for name in below}
        return [self._entry(name) for name in sorted(names)]

    def _entry(self, path: str) -> Object:
        if path in self._files:
            files, kind = [self._files[path]], {"type": "file", "mime_type": self._files[path].mime_type}
        else:
            files = [file for name, file in self._files.items() if name.startswith(f"{path}/")]
            kind = {"type": "directory"}
        return {
            "name": path.rpartition("/")[2],
            "path": path,
            **kind,
            "size_bytes": sum(len(file.data) for file in files),
            "created": timestamp(min(file.created for file in files)),
            "modified": timestamp(max(file.modified for file in files)),
        }


def _absent(path: str) -> InteractionError:
    return not_found(f"The path '{path}' was not found in the environment.")
