"""What is asked of a speech model: who says what, in which voice, how.

Gemini 3.8 and later read the text word for word: how it is said, and by whom, goes beside it (`speechMetadata` of each
part), and an instruction in the text would be spoken. The models before take both in the text ("Say cheerfully: …",
lines that begin with a name) and refuse the metadata. Source: the speech generation guide and "Migrate to Gemini 3.8
TTS" (November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from gemini_server.api import voices
from gemini_server.api.catalogue import Catalogue
from gemini_server.api.config import (
    GenerationConfig,
    MultiSpeakerVoiceConfig,
    SpeakerVoiceConfig,
    SpeechConfig,
    VoiceConfig,
)
from gemini_server.api.content import Content, Part
from gemini_server.api.models import GenerateContentRequest
from gemini_server.errors import ArgumentError
from gemini_server.toolkit.segments import is_language

CHARACTERS_PER_TOKEN = 4
CHARACTERS_PER_SECOND = 15.0
TOKENS_PER_SECOND = 25
"""Of speech that comes (Google's figure)."""
SPEAKERS = 2

_IN_TEXT = ("gemini-2", "gemini-3-", "gemini-3.1")
_SAYS = re.compile(r"\s*(?:say|read|speak|whisper|shout|tts|narrate)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Speech:
    """What is to be said.

    Attributes:
        text: with two speakers, lines that begin with their names and a colon.
        voice: of one speaker.
        speakers: two names and their voices, instead.
        language: BCP 47; the model hears it from the text when None.
        style: how it is to be said, in a few words.
    """

    text: str
    voice: str | None = None
    speakers: Mapping[str, str] | None = None
    language: str | None = None
    style: str | None = None

    @property
    def seconds(self) -> float:
        """About how long it takes to say."""
        return len(self.text) / CHARACTERS_PER_SECOND

    def check(self, model: str, catalogue: Catalogue) -> list[str]:
        """See whether it can be said at all; what to warn of.

        Raises:
            ArgumentError: nothing to say, too much of it, an unknown voice, speakers that do not speak.
        """
        if not self.text.strip():
            raise ArgumentError("There is nothing to say: text is empty.", "Give the words to be spoken.")
        if self.language is not None and not is_language(self.language):
            raise ArgumentError("language is no language tag.", "Give one such as de-DE, or leave it out.")
        facts = catalogue.get(model)
        if facts is not None and "speech" not in facts.capabilities:
            raise ArgumentError(f"{model} does not speak.", f"Use {catalogue.default('speech')}, or leave model out.")
        most = (facts and facts.input_limit) or 0
        if most and len(self.text) > most * CHARACTERS_PER_TOKEN:
            raise ArgumentError(
                f"{len(self.text)} characters are more than the about {most * CHARACTERS_PER_TOKEN} that {model} reads "
                "in one piece; nothing was sent.",
                "Split the text between paragraphs, and call once for each piece.",
            )
        self._config()
        self._turns()
        longest = ((facts and facts.output_limit) or 0) / TOKENS_PER_SECOND
        if longest and self.seconds > longest:
            said = f"This takes about {self.seconds / 60:.0f} min to say, and {model} speaks for at most "
            return [f"{said}{longest / 60:.0f} min in one piece: the end may be missing. Shorter pieces sound better."]
        return []

    def cost(self, model: str, catalogue: Catalogue, on: date) -> Decimal | None:
        """US dollars that it will cost, about; None where no price is known."""
        return catalogue.cost(
            model,
            on=on,
            input_tokens=round(len(self.text) / CHARACTERS_PER_TOKEN) + 1,
            output_tokens=round(self.seconds * TOKENS_PER_SECOND) + 1,
        )[0]

    def request(self, model: str) -> GenerateContentRequest:
        """The request."""
        beside = not model.removeprefix("models/").startswith(_IN_TEXT)
        return GenerateContentRequest(
            contents=[Content(role="user", parts=self._beside() if beside else [Part(text=self._inside())])],
            generation_config=GenerationConfig(response_modalities=["AUDIO"], speech_config=self._config()),
        )

    def _beside(self) -> list[Part]:
        if not self.speakers:
            return [Part(text=self.text, speech_metadata={"style": self.style} if self.style else None)]
        style = {"style": self.style} if self.style else {}
        return [Part(text=text, speech_metadata={"speaker": name, **style}) for name, text in self._turns()]

    def _inside(self) -> str:
        style = (self.style or "").strip().rstrip(":")
        if self.speakers:
            how = f", {style}" if style else ""
            return f"TTS the following conversation between {' and '.join(self.speakers)}{how}:\n{self.text}"
        if not style:
            return self.text
        return f"{style if _SAYS.match(style) else f'Say {style}'}: {self.text}"

    def _turns(self) -> list[tuple[str, str]]:
        """Who says what, turn by turn."""
        if not self.speakers:
            return []
        named = {name.casefold(): name for name in self.speakers}
        names = "|".join(map(re.escape, sorted(self.speakers, key=len, reverse=True)))
        line = re.compile(rf"\s*[*_]*({names})[*_]*\s*:[*_]*(.*)", re.IGNORECASE)
        turns: list[tuple[str, list[str]]] = []
        for written in self.text.splitlines():
            found = line.fullmatch(written)
            if found:
                turns.append((named[found[1].casefold()], [found[2].strip()]))
            elif turns:
                turns[-1][1].append(written.strip())
            elif written.strip():
                raise ArgumentError(f"The text begins with words of nobody: {written.strip()[:60]!r}.", _script(named))
        said = [(name, "\n".join(lines).strip()) for name, lines in turns]
        said = [(name, text) for name, text in said if text]
        missing = [name for name in self.speakers if name not in dict(said)]
        if missing:
            raise ArgumentError(f"{' and '.join(missing)} says nothing in the text; nothing was sent.", _script(named))
        return said

    def _config(self) -> SpeechConfig:
        if not self.speakers:
            voice = _voice(voices.DEFAULT if self.voice is None else self.voice)
            return SpeechConfig(voice_config=voice, language_code=self.language)
        if self.voice is not None:
            raise ArgumentError("Give either voice or speakers, not both.", "speakers has a voice for each.")
        if len(self.speakers) != SPEAKERS:
            raise ArgumentError(
                f"speakers takes two names with a voice each, not {len(self.speakers)}; nothing was sent.",
                "For one voice give voice. For more, make the conversation in pieces of two.",
            )
        if not all(name.strip() for name in self.speakers):
            raise ArgumentError("A speaker has no name.", 'Write speakers as {"Ada": "Kore", "Ben": "Puck"}.')
        configs = [SpeakerVoiceConfig(speaker=name, voice_config=_voice(one)) for name, one in self.speakers.items()]
        multiple = MultiSpeakerVoiceConfig(speaker_voice_configs=configs)
        return SpeechConfig(multi_speaker_voice_config=multiple, language_code=self.language)


def _voice(named: str) -> VoiceConfig:
    config = voices.config(named)
    if config is None:
        near = voices.nearest(named)
        meant = f"Did you mean {' or '.join(f'{name} ({voices.PREBUILT[name]})' for name in near)}? " if near else ""
        raise ArgumentError(
            f"There is no voice {named[:40]!r}; nothing was sent.",
            f"{meant}There are {', '.join(voices.PREBUILT)}; a voice of your own goes by its id (voice_…).",
        )
    return config


def _script(named: Mapping[str, str]) -> str:
    lines = "\\n".join(f"{name}: …" for name in named.values())
    return f'Begin each turn on a line of its own with the name and a colon: "{lines}".'
