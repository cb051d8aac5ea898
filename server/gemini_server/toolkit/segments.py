"""What is said in a recording, piece by piece: read from a model's answer and put in order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, cast

from gemini_server.rest.json_values import objects_of
from gemini_server.toolkit import times
from gemini_server.toolkit.untrusted import clean, label

LETTERS_PER_SECOND = 15.0
"""How fast people speak, where a time has to be guessed."""

_SLACK = 0.05
_SHORTEST = 0.1
_LONG_TEXT = 240
_LONG_TIME = 20.0
_PAUSE = 1.0
_LONGEST_SPEAKER = 60
_SENTENCE_END = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")
_FIRST_WIDE = "\u2e80"
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Segment:
    """Something that somebody says. Times are seconds from the start, None where none is known."""

    text: str
    start: float | None = None
    end: float | None = None
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript as a model gave it, cleaned; times are still as they came."""

    text: str
    segments: list[Segment]
    language: str = ""


def is_language(tag: object) -> bool:
    """Whether this is a language tag in the form of BCP 47, such as `de` or `en-US`."""
    return isinstance(tag, str) and _LANGUAGE.fullmatch(tag) is not None


def from_parts(parts: Sequence[dict[str, Any]]) -> Heard:
    """The answer of a transcription model: a part for each segment, and plain text beside or instead of them."""
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str) and not part.get("thought")]
    said = [cast("dict[str, Any]", one) for part in parts if isinstance(one := part.get("audioTranscription"), dict)]
    found = [piece for one in said for piece in _pieces(one)]
    languages = Counter(str(one["languageCode"]) for one in said if is_language(one.get("languageCode")))
    text = clean("".join(texts)).text.strip() or _joined(found)
    return Heard(text, found, languages.most_common(1)[0][0] if languages else "")


def from_items(items: Sequence[Any], around: dict[str, Any]) -> Heard:
    """The answer of a general model to a schema of segments."""
    found: list[Segment] = []
    for item in items:
        if isinstance(item, dict):
            one = cast("dict[str, Any]", item)
            text = _line(one.get("text"))
            if text:
                start, end = times.seconds(one.get("start")), times.seconds(one.get("end"))
                found.append(Segment(text, start, end, _speaker(one.get("speaker"))))
    language = around.get("language")
    return Heard(_joined(found), found, str(language) if is_language(language) else "")


def mend(segments: Sequence[Segment], duration: float | None) -> tuple[list[Segment], list[str]]:
    """Segments with times that make sense: known, inside the recording, in order. And what was changed.

    Segments none of which has a time stay as they are.
    """
    if not any(one.start is not None or one.end is not None for one in segments):
        return list(segments), []
    faults: Counter[str] = Counter()
    timed = _filled(segments, faults)
    if [one[0] for one in timed] != sorted(one[0] for one in timed):
        faults["out of order"] += 1
        timed.sort(key=lambda one: one[0])
    if duration is not None:
        for n, (start, end, one) in enumerate(timed):
            if end > duration + _SLACK or start > duration:
                faults["outside the recording"] += 1
            timed[n] = (min(start, duration), min(end, duration), one)
    for n, (start, end, one) in enumerate(timed):
        if end <= start:
            faults["ending before they start"] += duration is None or start < duration
            following = timed[n + 1][0] if n + 1 < len(timed) else None
            end = start + _reading(one.text)
            end = min(end, following) if following is not None and following > start else end
            end = end if duration is None else min(end, duration)
            timed[n] = (start if end > start else max(0.0, end - _SHORTEST), end, one)
    for n, ((start, end, one), (following, _, other)) in enumerate(pairwise(timed)):
        # Two people may speak at once, one only in a wrong transcript.
        if start < following < end and one.speaker == other.speaker:
            faults["overlapping"] += end - following > _SHORTEST + _SLACK
            timed[n] = (start, following, one)
    mended = [replace(one, start=round(start, 3), end=round(end, 3)) for start, end, one in timed]
    faults = +faults
    if not faults:
        return mended, []
    listed = ", ".join(f"{count} {what}" if count > 1 else what for what, count in faults.items())
    return mended, [f"Times of segments were mended: {listed}."]


def _filled(segments: Sequence[Segment], faults: Counter[str]) -> list[tuple[float, float, Segment]]:
    timed: list[tuple[float, float, Segment]] = []
    last = 0.0
    for n, one in enumerate(segments):
        faults["missing"] += one.start is None or one.end is None
        start = last if one.start is None else one.start
        end = one.end
        if end is None:
            following = next((other.start for other in segments[n + 1 :] if other.start is not None), None)
            end = start + _reading(one.text)
            end = min(end, following) if following is not None and following > start else end
        timed.append((start, end, one))
        last = max(last, end)
    return timed


def _reading(text: str) -> float:
    return max(1.0, len(text) / LETTERS_PER_SECOND)


def _pieces(transcription: dict[str, Any]) -> list[Segment]:
    """A transcription part as segments: one that holds a whole talk is cut where its words allow it."""
    text = _line(transcription.get("text"))
    if not text:
        return []
    speaker = _speaker(transcription.get("speakerLabel"))
    words = list(_words(transcription.get("words")))
    start, end = (times.seconds(transcription.get(name)) for name in ("startOffset", "endOffset"))
    start = words[0].start if start is None and words else start
    end = words[-1].end if end is None and words else end
    whole = Segment(text, start, end, speaker)
    long = len(text) > _LONG_TEXT or (start is not None and end is not None and end - start > _LONG_TIME)
    gap = " " if " " in text else ""
    if not long or _bare(text) != _bare("".join(word.text for word in words)):
        return [whole]
    pieces: list[Segment] = []
    begun = 0
    for n, word in enumerate(words):
        last = n + 1 == len(words)
        pause = 0.0 if last else (words[n + 1].start or 0.0) - (word.end or 0.0)
        so_far = gap.join(one.text for one in words[begun : n + 1])
        if last or pause > _PAUSE or word.text.endswith(_SENTENCE_END) or len(so_far) > _LONG_TEXT:
            pieces.append(Segment(so_far, words[begun].start, word.end, speaker))
            begun = n + 1
    return pieces


def _words(value: object) -> Iterable[Segment]:
    for word in objects_of(value):
        text = _line(word.get("word"))
        start, end = times.seconds(word.get("startOffset")), times.seconds(word.get("endOffset"))
        if text and start is not None and end is not None:
            yield Segment(text, start, end)


def _bare(text: str) -> str:
    return "".join(text.split())


def _line(value: object) -> str:
    return _SPACE.sub(" ", clean(value).text).strip() if isinstance(value, str) else ""


def _speaker(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"Speaker {value}"
    return label(value, _LONGEST_SPEAKER) if isinstance(value, str) else ""


def _joined(segments: Sequence[Segment]) -> str:
    text = ""
    for one in segments:
        # Chinese and Japanese are written without blanks.
        close = not text or (text[-1] > _FIRST_WIDE and one.text[0] > _FIRST_WIDE)
        text += one.text if close else f" {one.text}"
    return text
