"""Transcripts: who says what and when, within the real duration of a recording and around its pauses.

Two ways lead here: the transcription models, with `audioTranscriptionConfig`, and a general model with a recording and
a schema of segments. Source: "Audio transcription" and "Audio understanding" of the Gemini API.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from .json_instance import InstanceBuilder
from .media import Media
from .prompt import Prompt
from .sayings import NAMES, NAMING, REGIONS, SAYINGS
from .sound import speech, wave_of
from .structure import Filler, item
from .wire import Object, dump

_LONGEST = 8.0
_USUAL = 4.0
_PAUSE = 0.3
_WORDS_PER_SECOND = 2.5
_LEAST = 0.2
_START = ("start", "begin", "from", "timestamp")
_END = ("end", "stop", "until", "to")
_TEXT = ("text", "transcript", "content", "caption", "sentence", "utterance")
_VOCABULARY = re.compile(r"(?i)\b(?:vocabulary|glossary|spelling of|terms)[^:\n]{0,60}:\s*([^\n]+)")
_TAG = re.compile(r"(?i)\blanguage\b[^.\n]{0,30}?\b([a-z]{2,3}(?:-[A-Z]{2})?)\b(?=[\s.,;)\"']|$)")


@dataclass(frozen=True)
class Segment:
    """Something that one speaker says, in seconds from the start of the recording.

    `spoken` has blanks between the words where the text of the language has none.
    """

    start: float
    end: float
    speaker: int
    language: str
    text: str
    spoken: str = ""

    def words(self) -> list[Object]:
        """The words with their times, as long as their letters."""
        words = (self.spoken or self.text).split()
        total = sum(map(len, words)) or 1
        spoken, result = 0, list[Object]()
        for word in words:
            start = self.start + (self.end - self.start) * spoken / total
            spoken += len(word)
            end = self.start + (self.end - self.start) * spoken / total
            result.append({"word": word, "startOffset": offset(start), "endOffset": offset(end)})
        return result


def offset(seconds: float) -> str:
    """A protobuf duration, in milliseconds at most."""
    return f"{round(seconds, 3):g}s"


def transcribe(prompt: Prompt) -> list[Object] | None:
    """The parts of an answer that is a transcript; None where the request does not ask for one."""
    recordings = [(part, media) for part, media in prompt.media_parts if media.modality in ("AUDIO", "VIDEO")]
    if not recordings:
        return None
    if prompt.schema is not None and prompt.mime != "text/plain":
        filler = Filler(prompt, _suits, lambda schema, builder: _items(prompt, recordings, schema, builder))
        return [{"text": dump(filler.build())}] if filler.applies else None
    return _parts(prompt, recordings) if prompt.card.transcribes else None


def segments(prompt: Prompt, recordings: list[tuple[Object, Media]]) -> list[Segment]:
    """What is said in the first recording."""
    part, media = recordings[0]
    rng = prompt.rng("speech")
    languages = _languages(prompt)
    times = _times(part, media)
    found: list[Segment] = []
    for index, (start, end) in enumerate(times):
        speaker = index % 2
        language = languages[speaker % len(languages)]
        known = SAYINGS.get(language.partition("-")[0], SAYINGS["en"])
        wanted = (end - start) * _WORDS_PER_SECOND
        near = sorted(known, key=lambda text: abs(len(text.split()) - wanted))[:3]
        spoken = rng.choice(near)
        text = spoken.replace(" ", "") if language.startswith("ja") else spoken
        found.append(Segment(start, end, speaker, language, text, spoken))
    return _with_say(_with_vocabulary(found, _vocabulary(prompt)), prompt.say)


def _with_say(found: list[Segment], say: str | None) -> list[Segment]:
    if say is None:
        return found
    return [replace(one, text=say, spoken="") for one in found]


def _with_vocabulary(found: list[Segment], vocabulary: list[str]) -> list[Segment]:
    """The same segments, with every phrase of a vocabulary in one of them."""
    if not found:
        return found
    shares = [vocabulary[index :: len(found)] for index in range(len(found))]
    result: list[Segment] = []
    for one, share in zip(found, shares, strict=True):
        naming = NAMING.get(one.language.partition("-")[0], NAMING["en"])
        result.append(replace(one, text=naming.format(", ".join(share)), spoken="") if share else one)
    return result


def _times(part: Object, media: Media) -> list[tuple[float, float]]:
    """When somebody speaks: between the pauses, or by a steady rhythm where none can be heard."""
    data = part.get("inlineData", {}).get("data", "")
    wave = wave_of(base64.b64decode(data)) if data else None
    stretches = speech(wave) if wave else []
    if not stretches:
        stretches = [(0.0, media.seconds)]
    window: Object = {**part.get("videoMetadata", {}), **part.get("audioMetadata", {})}
    first = float(window.get("startOffset", "0s")[:-1])
    last = float(window["endOffset"][:-1]) if "endOffset" in window else media.seconds
    times: list[tuple[float, float]] = []
    for start, end in stretches:
        low, high = max(start, first), min(end, last)
        count = max(1, round((high - low) / _USUAL)) if high - low > _LONGEST else 1
        length = (high - low) / count
        pause = min(_PAUSE, length / 10) if count > 1 else 0
        pieces = [
            (low + at * length, low + (at + 1) * length - (pause if at < count - 1 else 0)) for at in range(count)
        ]
        # Rounding must not carry a time beyond the end.
        times += [(round(a, 2), min(int(b * 1000) / 1000, media.seconds)) for a, b in pieces if b - a >= _LEAST]
    return times


def _parts(prompt: Prompt, recordings: list[tuple[Object, Media]]) -> list[Object]:
    config: Object = prompt.config.get("audioTranscriptionConfig", {})
    found = segments(prompt, recordings)
    parts: list[Object] = []
    whole = " ".join(one.text for one in found) if prompt.say is None else prompt.say
    parts.append({"text": whole})
    if config.get("mode") == "SMART":
        return parts
    for one in found:
        transcription: Object = {
            "text": one.text, "languageCode": one.language,
            "startOffset": offset(one.start), "endOffset": offset(one.end),
        }  # fmt: skip
        if config.get("diarization"):
            transcription["speakerLabel"] = f"spk_{one.speaker + 1}"
        if config.get("wordTimestamp"):
            transcription["words"] = one.words()
        parts.append({"audioTranscription": transcription})
    return parts


def _languages(prompt: Prompt) -> list[str]:
    config: Object = prompt.config.get("audioTranscriptionConfig", {})
    codes: list[str] = config.get("languageCodes") or config.get("languageHints", {}).get("languageCodes") or []
    if codes:
        return [code if "-" in code else REGIONS.get(code, code) for code in codes]
    tagged = [found[1] for found in _TAG.finditer(prompt.text) if found[1].partition("-")[0].lower() in SAYINGS]
    lowered = prompt.text.lower()
    named = [code for code, names in NAMES.items() if any(name in lowered for name in names)]
    return [code if "-" in code else REGIONS[code.lower()] for code in tagged or named[:1]] or ["en-US"]


def _vocabulary(prompt: Prompt) -> list[str]:
    config: Object = prompt.config.get("audioTranscriptionConfig", {})
    phrases: list[str] = [*config.get("customVocabulary", []), *config.get("adaptationPhrases", [])]
    for found in _VOCABULARY.finditer(prompt.text):
        phrases += [one.strip(" \"'“”.[]") for one in re.split(r"[,;]", found[1])]
    return list(dict.fromkeys(one for one in phrases if one))


def _suits(properties: Object) -> bool:
    names = {name.lower() for name in properties}
    return any(name in names for name in _TEXT) and any(name.startswith(_START) for name in names)


def _items(
    prompt: Prompt, recordings: list[tuple[Object, Media]], schema: Object, builder: InstanceBuilder
) -> list[object]:
    speakers = _speakers(prompt)
    return [item(schema, builder, _known(one, speakers)) for one in segments(prompt, recordings)]


def _speakers(prompt: Prompt) -> list[str]:
    """The names that the prompt gives to speakers, or numbers."""
    found = re.search(r"(?i:\bspeakers?)\b[^:\n]{0,30}(?::|\b(?:are|is|named)\b)\s*([^\n.]+)", prompt.text)
    names = re.findall(r"[A-ZÀ-Þ][\w’'-]+(?: [A-ZÀ-Þ][\w’'-]+)*", found[1]) if found else []
    return names if len(names) > 1 else ["Speaker 1", "Speaker 2"]


def _known(segment: Segment, speakers: list[str]) -> Callable[[str, Object], object]:
    def value(name: str, kind: Object) -> object:
        lowered = name.lower()
        if lowered in _TEXT:
            return segment.text
        if lowered.startswith("speaker"):
            number = str(kind.get("type", "")).lower() in ("integer", "number")
            return segment.speaker + 1 if number else speakers[segment.speaker % len(speakers)]
        if lowered.startswith("language"):
            return segment.language
        if lowered.startswith(_START):
            return _time(segment.start, kind)
        if lowered.startswith(_END):
            return _time(segment.end, kind)
        return None

    return value


def _time(seconds: float, kind: Object) -> object:
    """A time in the type, and for texts in the format, that a schema asks for."""
    asked = str(kind.get("type", "number")).lower()
    if asked == "integer":
        return int(seconds)
    if asked != "string":
        return seconds
    about, pattern = str(kind.get("description", "")), kind.get("pattern")
    if pattern:
        texts = [
            _clock(seconds), _clock(seconds, parts=True), _clock(seconds, hours=True),
            _clock(seconds, hours=True, parts=True), _clock(seconds, hours=True, parts=True).replace(".", ","),
            f"{seconds:g}", offset(seconds),
        ]  # fmt: skip
        return next((text for text in texts if re.search(str(pattern), text)), texts[0])
    if "HH:MM:SS.mmm" in about or "HH:MM:SS,mmm" in about:
        return _clock(seconds, hours=True, parts=True)
    if "HH:MM:SS" in about:
        return _clock(seconds, hours=True)
    if re.search(r"(?i)MM:SS\.m|millisecond", about):
        return _clock(seconds, parts=True)
    return f"{seconds:g}" if "second" in about.lower() and "MM:SS" not in about else _clock(seconds)


def _clock(seconds: float, *, hours: bool = False, parts: bool = False) -> str:
    whole = int(seconds)
    text = f"{whole // 60:02}:{whole % 60:02}"
    if hours:
        text = f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{text}.{int((seconds - whole) * 1000):03}" if parts else text
