"""What the user says and shows in a Live session, gathered until it is a turn.

Sound is cut into turns where it falls silent (voice activity detection), or where the client says so. Source: "Voice
activity detection" and "Realtime input" of the Live API guide.
"""

from __future__ import annotations

import base64
import re
import sys
from array import array
from dataclasses import dataclass, field

from .errors import invalid
from .media import modality
from .music import wav_of
from .wire import Object

_MIME = re.compile(r"(?i)audio/(?:pcm|l16)(?:\s*;\s*(?:rate=(\d{4,5})|\w+=[\w.-]+))*")
_RATE = 16_000
_RATES = range(8_000, 48_001)
_WINDOW = 0.05
_LOUD = 300
_MOST_FRAMES = 10
_NOT_MANUAL = "Explicit activity control is not supported when automatic activity detection is enabled."


@dataclass
class Intake:
    """What has come in since the last turn.

    Args:
        manual: whether the client says when the user is active.
        silence: the seconds of silence that end a turn.
    """

    manual: bool
    silence: float
    active: bool = False
    _rate: int = _RATE
    _speech: bytearray = field(default_factory=bytearray)
    _rest: bytes = b""
    _quiet: float = 0
    _frames: list[Object] = field(default_factory=list[Object])
    _texts: list[str] = field(default_factory=list[str])

    def audio(self, blob: Object) -> tuple[bool, list[list[Object]]]:
        """Take in sound.

        Returns:
            Whether the user began to speak, and the turns that ended.

        Raises:
            ApiError: 400 for sound that is not raw PCM.
        """
        found = _MIME.fullmatch(blob.get("mimeType", ""))
        rate = int(found[1] or _RATE) if found else 0
        if rate not in _RATES:
            raise invalid(f"Unsupported MIME type for realtime audio: {blob.get('mimeType', '')!r}; send audio/pcm.")
        self._rate = rate
        pcm = self._rest + base64.b64decode(blob.get("data", ""))
        if self.manual:
            whole = len(pcm) // 2 * 2
            self._rest = pcm[whole:]
            if self.active:
                self._speech += pcm[:whole]
            return False, []
        return self._listen(pcm)

    def _listen(self, pcm: bytes) -> tuple[bool, list[list[Object]]]:
        size = round(self._rate * _WINDOW) * 2
        began, turns = False, list[list[Object]]()
        whole = len(pcm) // size * size
        self._rest = pcm[whole:]
        for at in range(0, whole, size):
            window = pcm[at : at + size]
            if _loud(window):
                began = began or not self.active
                self.active, self._quiet = True, 0
            if self.active:
                self._speech += window
                self._quiet += 0 if _loud(window) else _WINDOW
                if self._quiet >= self.silence:
                    turns.append(self._turn())
        return began, turns

    def end_of_stream(self) -> list[list[Object]]:
        """Take what was said so far as a turn: the microphone is off."""
        if self.manual or not self.active:
            self._rest = b""
            return []
        self._speech += self._rest[: len(self._rest) // 2 * 2]
        return [self._turn()]

    def frame(self, blob: Object) -> None:
        """Take in a picture of a video.

        Raises:
            ApiError: 400 for what is no picture.
        """
        if modality(blob.get("mimeType", "")) != "IMAGE" or not blob.get("data"):
            raise invalid(f"Unsupported MIME type for realtime video: {blob.get('mimeType', '')!r}; send images.")
        self._frames = [*self._frames[1 - _MOST_FRAMES :], {"inlineData": blob}]

    def text(self, text: str) -> list[list[Object]]:
        """Take in text, which is a turn by itself unless the client marks the turns."""
        self._texts.append(text)
        return [] if self.manual else [self._turn()]

    def start(self) -> None:
        """The client says that the user is active.

        Raises:
            ApiError: 400 where activity is detected.
        """
        if not self.manual:
            raise invalid(_NOT_MANUAL)
        self.active = True

    def end(self) -> list[list[Object]]:
        """The client says that the user has finished.

        Raises:
            ApiError: 400 where activity is detected.
        """
        if not self.manual:
            raise invalid(_NOT_MANUAL)
        return [self._turn()] if self.active and (self._speech or self._texts or self._frames) else []

    def _turn(self) -> list[Object]:
        parts = self._frames
        if self._speech:
            data = base64.b64encode(wav_of(bytes(self._speech), self._rate, 1)).decode()
            parts = [*parts, {"inlineData": {"mimeType": "audio/wav", "data": data}}]
        parts = [*parts, *({"text": text} for text in self._texts)]
        self._frames, self._texts, self._speech = [], [], bytearray()
        self.active, self._quiet, self._rest = False, 0, b""
        return parts


def _loud(window: bytes) -> bool:
    samples = array("h", window)
    if sys.byteorder == "big":
        samples.byteswap()
    return max(max(samples), -min(samples)) >= _LOUD
