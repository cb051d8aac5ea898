"""Subtitles: SubRip (SRT) and WebVTT, written so that every player reads them and none runs what is in them.

Sources: the W3C's WebVTT for VTT; SRT has no standard, so this is what VLC, ffmpeg and browsers' converters agree on.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from gemini_server.toolkit import times
from gemini_server.toolkit.segments import Segment

LINE = 42
"""Letters of a line, and LINES of them at once: what fits a screen and can be read in time."""
LINES = 2

# Braces are override codes to many players (`{\an8}`), and so are the tags that SRT has no escapes for.
_BRACES = str.maketrans({"{": "(", "}": ")"})
_ANGLES = str.maketrans({"<": "‹", ">": "›"})
_REFERENCES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True)
class Cue:
    """What stands on the screen at a time."""

    start: float
    end: float
    speaker: str
    lines: tuple[str, ...]


def srt(segments: Sequence[Segment]) -> str:
    """Segments with times as SubRip; a speaker, where there are several, stands before the text."""
    blocks: list[str] = []
    for number, cue in enumerate(_cues(segments, prefixed=True), 1):
        lines = [line.translate(_ANGLES) for line in cue.lines]
        if cue.speaker:
            lines[0] = f"{cue.speaker.translate(_ANGLES)}: {lines[0]}"
        span = f"{times.clock(cue.start, ',')} --> {times.clock(cue.end, ',')}"
        blocks.append("\n".join([str(number), span, *lines]) + "\n")
    return "\n".join(blocks)


def vtt(segments: Sequence[Segment]) -> str:
    """Segments with times as WebVTT; a speaker, where there are several, is the cue's voice."""
    blocks = ["WEBVTT\n"]
    for cue in _cues(segments, prefixed=False):
        lines = [line.translate(_REFERENCES) for line in cue.lines]
        if cue.speaker:
            lines[0] = f"<v {cue.speaker.translate(_REFERENCES)}>{lines[0]}"
        blocks.append("\n".join([f"{times.clock(cue.start)} --> {times.clock(cue.end)}", *lines]) + "\n")
    return "\n".join(blocks)


def _cues(segments: Sequence[Segment], *, prefixed: bool) -> list[Cue]:
    timed = [(one, one.start, one.end) for one in segments if one.start is not None and one.end is not None]
    several = len({one.speaker for one, _, _ in timed if one.speaker}) > 1
    cues: list[Cue] = []
    for one, start, end in timed:
        speaker = _plain(one.speaker) if several else ""
        text = _plain(one.text)
        if not text:
            continue
        pieces = _wrapped(text, len(speaker) + 2 if speaker and prefixed else 0)
        total = sum(map(_letters, pieces))
        spoken = 0
        for lines in pieces:
            first = start + (end - start) * spoken / total
            spoken += _letters(lines)
            last = start + (end - start) * spoken / total
            # A cue of no length is not valid.
            cues.append(Cue(first, max(last, first + 0.001), speaker, lines))
    return cues


def _plain(text: str) -> str:
    """Text in one line; an arrow is the mark of a cue's times."""
    return " ".join(text.replace("-->", "→").translate(_BRACES).split())


def _letters(lines: tuple[str, ...]) -> int:
    return sum(map(len, lines))


def _wrapped(text: str, prefix: int) -> list[tuple[str, ...]]:
    """A text in cues of a few lines each, about equally long, with room for a prefix in each line."""
    line = LINE - min(prefix, LINE // 2)
    if len(text) <= line:
        return [(text,)]
    count = -(-len(text) // (line * LINES))
    while True:
        width = min(line, -(-len(text) // (count * LINES)) + line // 6)
        lines = textwrap.wrap(text, width, break_on_hyphens=False)
        if len(lines) <= count * LINES:
            return [tuple(lines[at : at + LINES]) for at in range(0, len(lines), LINES)]
        count += 1
