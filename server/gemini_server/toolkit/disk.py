"""Reading files that a model names: only below directories that the operator allowed, and no credentials.

What remains possible, on purpose or because it cannot be prevented here: a hard link inside an allowed directory to a
file elsewhere is read (and logged); a credential under an innocent name and without the look of a key is read; whoever
may change what the operator's directories contain decides what is in them. A file rewritten in place with the same
size within the clock tick of its last change (a few milliseconds), or whose time of change is set back, counts as
unchanged.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from anyio import to_thread

from gemini_server.errors import FileRefused, UnsafeSetting
from gemini_server.toolkit.open_file import Descriptor, OpenFile
from gemini_server.toolkit.paths import canonical, literal_hint, shown, spell
from gemini_server.toolkit.sensitive import SYSTEM_TREES, check_head, check_names, check_system_tree
from gemini_server.toolkit.walk import Wanted, open_by_name, open_within

_log = logging.getLogger(__name__)

_WINDOWS = os.name == "nt"


class AllowedDirectories:
    """The directories from which files may be read.

    Attributes:
        roots: the allowed directories, without symbolic links; relative paths start at the first.
    """

    def __init__(self, roots: Sequence[Path], *, refused: Sequence[Path] = (), allow_sensitive: bool = False) -> None:
        """Resolves the directories once.

        Args:
            roots: what the operator allowed.
            refused: the server's own files and directories, refused even inside a root. They need not exist yet.
            allow_sensitive: whether files that look like credentials may be read.

        Raises:
            UnsafeSetting: a root is no directory, or is part of the operating system's own tree.
        """
        self.roots = tuple(_resolved_root(root) for root in roots)
        self._refused = tuple(path.resolve() for path in refused)
        self._allow_sensitive = allow_sensitive
        spellings = [(path.parts, root) for root in self.roots for path in [root]]
        spellings += [(root.absolute().parts, resolved) for root, resolved in zip(roots, self.roots, strict=True)]
        self._spellings = sorted(spellings, key=lambda spelling: len(spelling[0]), reverse=True)

    async def open(self, path: str, *, max_bytes: int) -> OpenFile:
        """Opens a file for reading.

        Args:
            path: absolute in one of the directories, or relative to the first of them; taken literally.
            max_bytes: a larger file is refused before anything of it is read.

        Raises:
            FileRefused: the path may not be read, or there is no such file.
        """
        return await to_thread.run_sync(self._open, path, max_bytes)

    def _open(self, path: str, max_bytes: int) -> OpenFile:
        if not self.roots:
            raise FileRefused(
                "This server reads no local files: no directory is allowed.",
                "Give an https:// or gs:// address, a Gemini file (files/ID), an artifact (gemini://artifacts/ID) or a "
                "data: URI instead, or ask the person who runs the server to start it with --allow-dir DIR.",
            )
        root, parts = self._locate(path)
        self._check_place(root.joinpath(*parts))
        own = [_identity(found) for found in map(_stat, self._refused) if found]

        def check_identity(found: os.stat_result) -> None:
            if _identity(found) in own:
                raise _own_file(shown(path))

        hint = f"Relative paths start at {self.roots[0]}.{literal_hint(path)}"
        wanted = Wanted(root, parts, shown(path), hint, check_identity, self._check_place)
        descriptor = Descriptor(open_by_name(wanted) if _WINDOWS else open_within(wanted))
        try:
            return self._accept(descriptor, parts[-1], max_bytes)
        except OSError:
            descriptor.close()
            raise FileRefused(f"{shown(path)} cannot be read.", "Choose another file.") from None
        except BaseException:
            descriptor.close()
            raise

    def _locate(self, path: str) -> tuple[Path, tuple[str, ...]]:
        """The allowed directory that a path means, and the names from there."""
        spelling = spell(path, windows=_WINDOWS)
        if not spelling.anchor:
            return self.roots[0], spelling.parts
        check_system_tree(spelling.anchor, spelling.parts)
        parts = (spelling.anchor, *spelling.parts)
        for start, root in self._spellings:
            if _same(parts[: len(start)], start):
                return root, parts[len(start) :]
        allowed = ", ".join(map(str, self.roots))
        raise FileRefused(
            f"{shown(path)} is outside the allowed directories ({allowed}).",
            "Give a file inside them, or ask the person who runs this server to allow its directory with the setting "
            "--allow-dir DIR.",
        )

    def _check_place(self, place: Path) -> None:
        check_system_tree(place.anchor, place.parts[1:])
        for own in self._refused:
            if [canonical(part) for part in place.parts[: len(own.parts)]] == [canonical(part) for part in own.parts]:
                raise _own_file(shown(place.name))
        if not self._allow_sensitive:
            check_names(place.parts[1:])

    def _accept(self, descriptor: Descriptor, name: str, max_bytes: int) -> OpenFile:
        """Looks at size and content of what was opened."""
        found = descriptor.stat()
        if found.st_size == 0:
            raise FileRefused(f"{shown(name)} is empty (0 bytes).", "Give a file with content.")
        if found.st_size > max_bytes:
            raise FileRefused(
                f"{shown(name)} has {found.st_size} bytes; {max_bytes} are accepted here.", "Give a smaller file."
            )
        file = OpenFile(descriptor, found, name)
        if not self._allow_sensitive:
            check_head(file.first_bytes, name)
        _log.info(
            "opened for reading: %s, %d bytes, inode %d:%d, %d link(s)",
            shown(name),
            found.st_size,
            found.st_dev,
            found.st_ino,
            found.st_nlink,
        )
        return file


def _resolved_root(root: Path) -> Path:
    try:
        resolved = root.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise UnsafeSetting(
            f"The allowed directory {root} does not exist.", "Create it, or correct --allow-dir DIR."
        ) from None
    if not resolved.is_dir():
        raise UnsafeSetting(f"The allowed directory {root} is not a directory.", "Correct --allow-dir DIR.")
    if resolved.anchor == "/" and len(resolved.parts) > 1 and canonical(resolved.parts[1]) in SYSTEM_TREES:
        raise UnsafeSetting(f"{root} lies in the operating system's own tree.", "Allow a directory with user files.")
    return resolved


def _same(parts: tuple[str, ...], start: tuple[str, ...]) -> bool:
    """Whether a path begins like this; on Windows without regard to case."""
    return parts == start or (_WINDOWS and [p.casefold() for p in parts] == [p.casefold() for p in start])


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _own_file(label: str) -> FileRefused:
    return FileRefused(
        f"{label} belongs to this server itself (its state, keys or output) and is not read.",
        "Choose another file; no setting allows this one.",
    )
