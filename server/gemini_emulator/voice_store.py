"""The voices of one emulator that were made and are kept, until nobody has used them for a year.

Source: `Voice.expire_time` and `CreateVoiceRequest.store` in the official SDK of November 2026. How many voices a
project may keep is not documented.
"""

from __future__ import annotations

import secrets
import string
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from .interaction_errors import InteractionError, not_found, refused
from .store import Clock, timestamp
from .voice_catalogue import CATALOGUE
from .voice_design import KEY, read_key
from .voices import known, pitch_of
from .wire import Object

KEPT = timedelta(days=365)
MOST = 100
_PREFIX = "voice_"
_ALPHABET = string.ascii_lowercase + string.digits
_IDENT_LENGTH = 12


@dataclass
class Made:
    """A voice that is kept.

    Args:
        resource: what is shown of it, without its expiry.
        pitch: in hertz.
        expires: when it goes unless somebody uses it.
    """

    resource: Object
    pitch: int
    expires: datetime


class Voices:
    """The voices of one emulator; any thread may use them.

    Args:
        clock: what their expiry goes by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made: dict[str, Made] = {}
        self._lock = Lock()

    def create(self, resource: Object, pitch: int) -> Object:
        """Keep a voice.

        Raises:
            InteractionError: 429 when there are too many.
        """
        with self._lock:
            self._sweep()
            if len(self._made) >= MOST:
                message = f"You exceeded the quota of {MOST} stored voices. Delete some to create others."
                raise InteractionError(429, "quota_exceeded", message)
            ident = _PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_IDENT_LENGTH))
            self._made[ident] = Made({"id": ident, **deepcopy(resource)}, pitch, self._clock() + KEPT)
            return self._view(ident)

    def get(self, ident: str) -> Object:
        """The resource of a voice that was made.

        Raises:
            InteractionError: 404; 400 for a prebuilt one, which can only be listed.
        """
        with self._lock:
            return self._view(self._find(ident))

    def all(self) -> list[Object]:
        """All resources: those that were made, newest first, then the prebuilt ones; without their samples."""
        with self._lock:
            self._sweep()
            made = [self._view(ident) for ident in reversed(self._made)]
        found = [*made, *deepcopy(CATALOGUE)]
        return [{name: value for name, value in one.items() if name != "sample_audio"} for one in found]

    def delete(self, ident: str) -> None:
        """Forget a voice.

        Raises:
            InteractionError: 404; 400 for a prebuilt one.
        """
        with self._lock:
            del self._made[self._find(ident)]

    def pitch(self, name: str) -> int | None:
        """The pitch in hertz of a voice that was made, by its id or key; None for any other. This is a use."""
        if name.startswith(KEY):
            found = read_key(name)
            return found[0] if found and found[1] > self._clock() else None
        with self._lock:
            self._sweep()
            if name not in self._made:
                return None
            self._made[name].expires = self._clock() + KEPT
            return self._made[name].pitch

    def base(self, name: str) -> int:
        """The pitch in hertz of a voice to start from: a prebuilt one, or one that is kept. This is a use.

        Raises:
            InteractionError: 404.
        """
        pitch = pitch_of(name) if known(name) else None if name.startswith(KEY) else self.pitch(name)
        if pitch is None:
            raise not_found(f"Voice '{name}' was not found.")
        return pitch

    def _find(self, ident: str) -> str:
        self._sweep()
        if known(ident):
            raise refused(f"The voice '{ident}' is prebuilt: it can neither be retrieved nor deleted, only listed.")
        if ident not in self._made:
            raise not_found(f"Voice '{ident}' was not found.")
        return ident

    def _view(self, ident: str) -> Object:
        found = self._made[ident]
        return {**deepcopy(found.resource), "expire_time": timestamp(found.expires)}

    def _sweep(self) -> None:
        now = self._clock()
        for ident in [ident for ident, made in self._made.items() if made.expires <= now]:
            del self._made[ident]
