"""The credentials of one emulator: secrets that agents may use and nobody can read.

Source: `Credential` in the schema of the official SDK of November 2026. Only the id, the type and the times of a
credential are ever shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .interaction_errors import not_found, taken
from .store import Clock, timestamp
from .wire import Object


@dataclass
class Credential:
    """One credential.

    Args:
        config: what the client gave, secrets included.
        created: when it was made.
        updated: when it was last changed.
    """

    config: Object
    created: datetime
    updated: datetime


class Credentials:
    """The credentials of one emulator.

    Args:
        clock: what their times go by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._items: dict[str, Credential] = {}

    def create(self, config: Object) -> Object:
        """Keep a credential; its resource.

        Raises:
            InteractionError: 409 for an id that is taken.
        """
        ident: str = config["id"]
        if ident in self._items:
            raise taken("Credential", ident)
        now = self._clock()
        self._items[ident] = Credential(dict(config), now, now)
        return self.get(ident)

    def get(self, ident: str) -> Object:
        """The resource of a credential, without its secrets.

        Raises:
            InteractionError: 404.
        """
        found = self._find(ident)
        return {
            "id": ident,
            "type": found.config["type"],
            "status": "active",
            "create_time": timestamp(found.created),
            "update_time": timestamp(found.updated),
        }

    def all(self) -> list[Object]:
        """All resources, oldest first."""
        return [self.get(ident) for ident in self._items]

    def type_of(self, ident: str) -> str:
        """The type of a credential.

        Raises:
            InteractionError: 404.
        """
        kind: str = self._find(ident).config["type"]
        return kind

    def update(self, ident: str, changes: Object) -> Object:
        """Change fields of a credential; None removes one.

        Raises:
            InteractionError: 404.
        """
        found = self._find(ident)
        config = {**found.config, **changes}
        found.config = {name: value for name, value in config.items() if value is not None}
        found.updated = self._clock()
        return self.get(ident)

    def delete(self, ident: str) -> None:
        """Forget a credential.

        Raises:
            InteractionError: 404.
        """
        self._find(ident)
        del self._items[ident]

    def _find(self, ident: str) -> Credential:
        if ident not in self._items:
            raise not_found(f"Credential '{ident}' was not found.")
        return self._items[ident]
