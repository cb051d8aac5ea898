"""What outlives a Live connection: the conversations that can be resumed, and the ephemeral tokens.

Source: "Session management" and "Ephemeral tokens" of the Live API; `AuthToken` in the discovery document.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .clock import EmulatorClock
from .errors import ApiError
from .wire import Object

RESUMABLE = timedelta(hours=2)
PREFIX = "auth_tokens/"


@dataclass(frozen=True)
class Conversation:
    """What a handle stands for.

    Args:
        model: the id of the model.
        history: the contents so far.
        until: from when on the handle is worth nothing.
    """

    model: str
    history: tuple[Object, ...]
    until: datetime


class Conversations:
    """The conversations of one emulator, by handle."""

    def __init__(self, clock: EmulatorClock) -> None:
        self._clock = clock
        self._kept: dict[str, Conversation] = {}

    def keep(self, model: str, history: Sequence[Object]) -> str:
        """Keep the state of a conversation and return its handle."""
        now = self._clock()
        self._kept = {handle: one for handle, one in self._kept.items() if now < one.until}
        handle = secrets.token_urlsafe(24)
        self._kept[handle] = Conversation(model, tuple(history), now + RESUMABLE)
        return handle

    def find(self, handle: str, model: str) -> list[Object]:
        """The contents of a conversation.

        Raises:
            ApiError: 404 for a handle that is unknown, too old, or of another model.
        """
        kept = self._kept.get(handle)
        if kept is None or kept.model != model or self._clock() >= kept.until:
            raise ApiError(404, "BidiGenerateContent session not found")
        return list(kept.history)


@dataclass
class Token:
    """An ephemeral token.

    Args:
        uses: how many new sessions it still opens; None is any number.
        until: when messages stop being accepted.
        sessions_until: when new sessions stop being accepted.
        setup: what it fixes; None where it fixes nothing.
        mask: the paths of the fields that it fixes; none for the whole setup.
    """

    uses: int | None
    until: datetime
    sessions_until: datetime
    setup: Object | None
    mask: tuple[str, ...]


class Tokens:
    """The ephemeral tokens of one emulator."""

    def __init__(self, clock: EmulatorClock) -> None:
        self._clock = clock
        self._tokens: dict[str, Token] = {}

    def add(self, token: Token) -> str:
        """Keep a token and return its name."""
        now = self._clock()
        self._tokens = {name: one for name, one in self._tokens.items() if now < one.until}
        name = f"{PREFIX}{secrets.token_hex(32)}"
        self._tokens[name] = token
        return name

    def get(self, name: str) -> Token:
        """A token by its name.

        Raises:
            ApiError: 401 for one that is unknown or has expired.
        """
        token = self._tokens.get(name)
        if token is None:
            raise ApiError(401)
        self.alive(token)
        return token

    def alive(self, token: Token) -> None:
        """Refuse a token that has expired.

        Raises:
            ApiError: 401.
        """
        if self._clock() >= token.until:
            raise ApiError(401, "Request had invalid authentication credentials: the auth token has expired.")

    def use(self, token: Token) -> None:
        """Count a new session; one that is resumed does not count.

        Raises:
            ApiError: 401 when there is no use left, or it is too late for a new session.
        """
        if self._clock() >= token.sessions_until:
            raise ApiError(
                401,
                "Request had invalid authentication credentials: the auth token has expired for new sessions.",
            )
        if token.uses is not None:
            if token.uses < 1:
                raise ApiError(401, "Request had invalid authentication credentials: the auth token has no uses left.")
            token.uses -= 1
