"""What came of a Live turn so far: sound, words, calls, tokens, and the handle with which it goes on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gemini_server.api.content import Blob, FunctionCall
from gemini_server.api.live import SPOKEN_RATE, LiveUsage, ServerContent, ServerMessage
from gemini_server.errors import BadAnswer
from gemini_server.toolkit import wav
from gemini_server.toolkit.sound_chunk import SAMPLE, decoded

LONGEST = 600
"""Seconds of an answer that are taken: 29 MB, which are in memory until they are saved."""
_RATE = re.compile(r";\s*rate\s*=\s*([1-9]\d{3,5})\b", re.IGNORECASE)


@dataclass
class Heard:
    """The answer to a turn.

    Attributes:
        sound: 16-bit samples, mono.
        rate: samples a second; 0 until the first have come.
        said: the transcript of what the model says, in pieces.
        written: what it writes, where it does.
        asked: the transcript of what the user said.
        calls: functions that it calls.
        withdrawn: whether the model does not wait for their results any more.
        usage: tokens, when they are known.
        handle: the latest since the turn was said; None until there is one, and while there is none.
        covered: whether that handle stands for the whole turn.
        generated: whether all has come.
        complete: whether the turn is over.
        interrupted: whether something broke in on it.
        reason: why it is over, where that is no good.
    """

    sound: bytearray = field(default_factory=bytearray, repr=False)
    rate: int = 0
    said: list[str] = field(default_factory=list[str])
    written: list[str] = field(default_factory=list[str])
    asked: list[str] = field(default_factory=list[str])
    calls: list[FunctionCall] = field(default_factory=list[FunctionCall])
    withdrawn: bool = False
    usage: LiveUsage | None = None
    handle: str | None = field(default=None, repr=False)
    covered: bool = False
    generated: bool = False
    complete: bool = False
    interrupted: bool = False
    reason: str = ""

    @property
    def transcript(self) -> str:
        """What the model says, in words."""
        return "".join(self.said) or "".join(self.written)

    @property
    def seconds(self) -> float:
        """How long its sound plays."""
        return len(self.sound) / (self.rate * SAMPLE) if self.rate else 0.0

    @property
    def anything(self) -> bool:
        """Whether there is any of an answer."""
        return bool(self.sound or self.said or self.written or self.calls)

    @property
    def over(self) -> bool:
        """Whether nothing more of the answer is to come."""
        return self.complete or self.generated or bool(self.calls)

    async def add(self, message: ServerMessage) -> str:
        """Take what a message brings; what of it is words of the model.

        Raises:
            BadAnswer: sound that is none, or more of it than is taken.
        """
        self.usage = message.usage_metadata or self.usage
        if message.tool_call is not None:
            self.calls += message.tool_call.function_calls
        self.withdrawn = self.withdrawn or message.tool_call_cancellation is not None
        words = await self._add(message.server_content) if message.server_content is not None else ""
        update = message.session_resumption_update
        if update is not None:
            self.handle = update.new_handle if update.resumable and update.new_handle else None
            self.covered = self.handle is not None and (self.complete or self.generated)
        return words

    async def _add(self, content: ServerContent) -> str:
        words: list[str] = []
        for part in content.model_turn.parts if content.model_turn else ():
            if part.inline_data is not None and part.inline_data.mime_type.startswith("audio/"):
                await self._listen(part.inline_data)
            elif part.text and not part.thought:
                self.written.append(part.text)
                words.append(part.text)
        if content.output_transcription is not None and content.output_transcription.text:
            self.said.append(content.output_transcription.text)
            words.append(content.output_transcription.text)
        if content.input_transcription is not None:
            self.asked.append(content.input_transcription.text)
        self.generated = self.generated or content.generation_complete
        self.interrupted = self.interrupted or content.interrupted
        self.complete = self.complete or content.turn_complete
        self.reason = content.turn_complete_reason or self.reason
        return "".join(words)

    async def _listen(self, blob: Blob) -> None:
        data = await decoded(str(blob.data))
        if not self.rate:
            found = _RATE.search(blob.mime_type)
            self.rate = int(found[1]) if found else SPOKEN_RATE
        room = LONGEST * self.rate * SAMPLE - len(self.sound)
        self.sound += data[:room]
        if len(data) > room:
            raise BadAnswer(f"The answer is longer than the {LONGEST // 60} minutes that are taken.", "Ask for less.")

    def wav(self) -> bytes:
        """The sound as a file; copies all of it, so run it in a thread."""
        size = len(self.sound) // SAMPLE * SAMPLE
        return wav.header(size, self.rate, 1) + bytes(self.sound[:size])
