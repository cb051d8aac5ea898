"""Files in an answer: the pictures and sounds among its parts, and why there are none."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

import anyio.to_thread

from gemini_server.errors import BadAnswer, ToolserverError
from gemini_server.jobs.job import Media
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit import wav
from gemini_server.toolkit.generation.transcript import Transcript, member
from gemini_server.toolkit.generation.verdict import LONGEST, REPHRASE, nothing
from gemini_server.toolkit.untrusted import label

WANTED = {"image": "a picture", "speech": "speech", "music": "music", "video": "a video"}
"""Kinds of jobs in words."""


@dataclass(slots=True)
class Found:
    """The files of an answer.

    Attributes:
        media: in their order; sound without a header has become WAV.
        positions: for each the number of the part that it came in, the first of several that were put together.
        lost: how many could not be read.
    """

    media: list[Media] = field(default_factory=list[Media])
    positions: list[int] = field(default_factory=list[int])
    lost: int = 0


async def media_of(transcript: Transcript, kind: str) -> Found:
    """The files of an answer; those that the model only thought of are none.

    Args:
        transcript: the answer.
        kind: what they are, the first word of the files' names.
    """
    return await anyio.to_thread.run_sync(_media_of, transcript.parts, kind)


def _media_of(parts: list[JsonObject], kind: str) -> Found:
    found = Found()
    raw: list[tuple[str, bytes]] = []
    last = -2
    for position, part in enumerate(parts):
        blob = member(part, "inlineData")
        if blob is None or part.get("thought"):
            continue
        mime_type, data = str(blob.get("mimeType") or ""), decoded(blob.get("data"))
        if not data:
            found.lost += 1
            continue
        if last == position - 1 and wav.is_pcm(mime_type) and raw[-1][0] == mime_type:
            raw[-1] = (mime_type, raw[-1][1] + data)  # one sound in several pieces
        else:
            raw.append((mime_type, data))
            found.positions.append(position)
        last = position
    for mime_type, data in raw:
        whole, made = wav.wrapped(data, mime_type)
        found.media.append(Media(kind, made, whole, bytes=len(whole)))
    return found


def decoded(text: object) -> bytes:
    """Base64 of either alphabet as bytes; empty where it is none."""
    if not isinstance(text, str):
        return b""
    standard = text.translate(_URL_SAFE) if "-" in text or "_" in text else text
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


_URL_SAFE = str.maketrans("-_", "+/")


def no_media(transcript: Transcript, kind: str) -> ToolserverError:
    """Why an answer has no files, as an error that says what to do next."""
    wanted = WANTED.get(kind, kind)
    reason, words = transcript.finish_reason or "", label(transcript.text, LONGEST)
    blocked = transcript.feedback is not None and transcript.feedback.block_reason
    if reason == "MAX_TOKENS":
        return BadAnswer(
            f"Gemini ran out of output tokens before there was {wanted}.",
            "Ask for something simpler or shorter.",
            code=reason,
        )
    if words and reason in ("", "STOP") and not blocked:
        return BadAnswer(
            f"Gemini answered in words instead of {wanted}: {words}",
            "Say more plainly what is to be made.",
            code="NO_IMAGE" if kind == "image" else "NO_MEDIA",
        )
    error = nothing(transcript)
    if words:
        error.what += f" It says: {words}"
    if error.code == "SAFETY":
        error.remedy = REPHRASE
    return error
