"""The environments of one emulator: sandboxes with files, in which agents work.

An environment that nobody has used for a week is expired: it is still listed, but its files are gone. Source:
`Environment` in the official SDK of November 2026; how long an environment lives is not documented.
"""

from __future__ import annotations

import secrets
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

from .environment_files import File, Tree
from .interaction_errors import not_found, unready
from .store import Clock
from .wire import Object

IDLE = timedelta(days=7)


@dataclass
class Environment:
    """One environment.

    Args:
        ident: its id.
        settings: `sources` and `network`, as far as it has them.
        tree: its files.
        created: when it was made.
        updated: when its files were last changed.
        accessed: when they were last used.
    """

    ident: str
    settings: Object
    created: datetime
    updated: datetime
    accessed: datetime
    tree: Tree = field(default_factory=Tree)


class Environments:
    """The environments of one emulator; any thread may use them.

    Args:
        clock: what their expiry goes by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._items: dict[str, Environment] = {}
        self._lock = Lock()

    def create(self, settings: Object, files: list[tuple[str, bytes]], origin: str = "") -> Object:
        """Make an environment.

        Args:
            settings: `sources` and `network`.
            files: what its sources put into it.
            origin: the id of an environment to copy; what it has is taken over, unless the settings say otherwise.

        Raises:
            InteractionError: 404 for an unknown origin, 400 for an expired one, and for files that are in the way of
                each other.
        """
        with self._lock:
            now = self._clock()
            source = self._usable(origin) if origin else None
            tree = source.tree.copy() if source else Tree()
            tree.put(files, now, overwrite=True)
            taken_over = source.settings if source else {}
            made = Environment(
                f"env_{secrets.token_hex(8)}", deepcopy({**taken_over, **settings}), now, now, now, tree
            )  # fmt: skip
            self._items[made.ident] = made
            return self._view(made)

    def get(self, ident: str) -> Object:
        """The `Environment` resource.

        Raises:
            InteractionError: 404.
        """
        with self._lock:
            return self._view(self._find(ident))

    def all(self) -> list[Object]:
        """All resources, oldest first."""
        with self._lock:
            return [self._view(one) for one in self._items.values()]

    def delete(self, ident: str) -> None:
        """Give an environment up, with its files.

        Raises:
            InteractionError: 404.
        """
        with self._lock:
            del self._items[self._find(ident).ident]

    def listing(self, ident: str, path: str, *, recursive: bool) -> list[Object]:
        """The files at a normal path; this is a use.

        Raises:
            InteractionError: 404 for what is not there, 400 for an expired environment.
        """
        with self._lock:
            return self._usable(ident).tree.listing(path, recursive=recursive)

    def file(self, ident: str, path: str) -> File:
        """A file; this is a use.

        Raises:
            InteractionError: as `listing`, and 400 for a directory.
        """
        with self._lock:
            return self._usable(ident).tree.file(path)

    def check(self, ident: str, path: str, *, overwrite: bool, folder: bool) -> None:
        """Refuse an upload that cannot succeed.

        Args:
            ident: the environment.
            path: a normal path.
            overwrite: whether a file that is there gives way.
            folder: whether the path is a directory, into which an archive is unpacked.

        Raises:
            InteractionError: 404 for an unknown environment, 400 for an expired one or the wrong kind of path, 409 for
                a file that is there.
        """
        with self._lock:
            tree = self._usable(ident).tree
            if folder:
                tree.check_folder(path)
            else:
                tree.check(path, overwrite=overwrite)

    def put(self, ident: str, files: list[tuple[str, bytes]], *, overwrite: bool, mime_type: str = "") -> list[Object]:
        """Add files, all or none; their entries.

        Raises:
            InteractionError: as `check`.
        """
        with self._lock:
            found = self._usable(ident)
            found.tree.put(files, found.accessed, overwrite=overwrite, mime_type=mime_type)
            found.updated = found.accessed
            return [entry for path, _ in files for entry in found.tree.listing(path, recursive=False)]

    def _find(self, ident: str) -> Environment:
        if ident not in self._items:
            raise not_found(f"Environment '{ident}' was not found.")
        return self._items[ident]

    def _usable(self, ident: str) -> Environment:
        found = self._find(ident)
        if self._expired(found):
            raise unready(f"The environment '{ident}' has expired.")
        found.accessed = self._clock()
        return found

    def _expired(self, environment: Environment) -> bool:
        return self._clock() >= environment.accessed + IDLE

    def _view(self, environment: Environment) -> Object:
        expired = self._expired(environment)
        return {
            "id": environment.ident,
            "status": "expired" if expired else "active",
            "created": _iso(environment.created),
            "updated": _iso(environment.updated),
            "last_accessed": _iso(environment.accessed),
            "file_count": 0 if expired else environment.tree.count,
            "size_bytes": 0 if expired else environment.tree.size,
            **deepcopy(environment.settings),
        }


def _iso(moment: datetime) -> str:
    """The time as environments write it: to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
