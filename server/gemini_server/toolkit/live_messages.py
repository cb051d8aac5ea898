"""What is sent for a Live turn, in its order, and which message is the last, after which an answer begins."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from gemini_server.api.content import Blob, Content, Part, text_part
from gemini_server.api.live import (
    HEARD_RATE,
    Activity,
    ClientContent,
    ClientMessage,
    RealtimeInput,
    ToolResponse,
)
from gemini_server.toolkit.live_request import Turn

PIECE = 2 * HEARD_RATE
"""Bytes of sound in a message: a second."""


def messages(turn: Turn, told: Sequence[Content], *, older: bool) -> Iterator[tuple[ClientMessage, bool]]:
    """The messages of a turn, each with whether it is the last.

    Args:
        turn: what is said.
        told: what was said before, for an older model that does not know it.
        older: whether the model takes what is said as turns.
    """
    if turn.results:
        yield ClientMessage(tool_response=ToolResponse(function_responses=list(turn.results))), True
    elif turn.sound:
        # A recording is one turn whatever pauses it has: this side says where it begins and ends.
        yield _input(activity_start=Activity()), False
        for picture in turn.pictures:
            yield _input(video=_blob(picture.mime_type, picture.data)), False
        for start in range(0, len(turn.sound), PIECE):
            piece = turn.sound[start : start + PIECE]
            yield _input(audio=_blob(f"audio/pcm;rate={HEARD_RATE}", piece)), False
        if turn.text:
            yield _input(text=turn.text), False
        yield _input(activity_end=Activity()), True
    elif older:
        shown = [Part(inline_data=_blob(one.mime_type, one.data)) for one in turn.pictures]
        said = Content(role="user", parts=[*shown, text_part(turn.text)])
        yield ClientMessage(client_content=ClientContent(turns=[*told, said], turn_complete=True)), True
    else:
        for picture in turn.pictures:
            yield _input(video=_blob(picture.mime_type, picture.data)), False
        yield _input(text=turn.text), True


def _input(**given: Activity | Blob | str) -> ClientMessage:
    return ClientMessage(realtime_input=RealtimeInput.model_validate(given))


def _blob(mime_type: str, data: bytes) -> Blob:
    return Blob(mime_type=mime_type, data=base64.b64encode(data).decode("ascii"))
