"""The agents of one emulator: those that its user has made, and the names of those that Google offers.

Source: "Agents" of the Gemini API and `Agent` in the schema of the official SDK of November 2026.
"""

from __future__ import annotations

import secrets
from copy import deepcopy

from .interaction_errors import not_found, taken
from .wire import Object

PREBUILT = (
    "deep-research-pro-preview-12-2025", "deep-research-preview-04-2026", "deep-research-max-preview-04-2026",
    "antigravity-preview-05-2026", "antigravity-preview-09-2026",
)  # fmt: skip
"""The agents that Google offers; they are no resources of a project."""


class Agents:
    """The agents that were made."""

    def __init__(self) -> None:
        self._items: dict[str, Object] = {}

    def create(self, agent: Object) -> Object:
        """Keep an agent; without an id it gets one.

        Raises:
            InteractionError: 409 for an id that is taken, by an agent of Google too.
        """
        ident: str = agent.get("id") or f"agent-{secrets.token_hex(8)}"
        if ident in self._items or ident in PREBUILT:
            raise taken("Agent", ident)
        self._items[ident] = {"id": ident, **deepcopy(agent)}
        return self.get(ident)

    def get(self, ident: str) -> Object:
        """A copy of an agent.

        Raises:
            InteractionError: 404 for one that is unknown, or Google's own.
        """
        if ident not in self._items:
            raise not_found(f"Agent '{ident}' was not found.")
        return deepcopy(self._items[ident])

    def known(self, ident: str) -> bool:
        """Whether there is such an agent, made or Google's own."""
        return ident in self._items or ident in PREBUILT

    def base_of(self, ident: str) -> str:
        """The agent of Google that an agent goes back to; empty when it names none."""
        seen: set[str] = set()
        while ident in self._items and ident not in seen:
            seen.add(ident)
            ident = self._items[ident].get("base_agent", "")
        return ident if ident in PREBUILT else ""

    def all(self) -> list[Object]:
        """Copies of all agents, oldest first."""
        return deepcopy(list(self._items.values()))

    def delete(self, ident: str) -> None:
        """Forget an agent.

        Raises:
            InteractionError: as `get`.
        """
        self.get(ident)
        del self._items[ident]
