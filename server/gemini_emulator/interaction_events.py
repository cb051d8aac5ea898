"""An interaction as the events of a stream, with the tokens to resume it from.

Source: "Streaming interactions" of the Gemini API: created, a status update, then for each step a start, its deltas and
a stop, and completed at the end. Joined, the deltas of a step are the step.
"""

from __future__ import annotations

import base64

from .interaction_outcome import Outcome
from .interaction_usage import partly
from .wire import Object, digest, dump

_PIECES = 6
_SMALLEST = 24
_SOUND = 192_000
"""Characters of base64 in one delta of sound; a multiple of 16, so that each piece holds whole samples."""


def events(ident: str, head: Object, outcome: Outcome, *, told: bool = False) -> list[Object]:
    """All events of an interaction.

    Args:
        ident: its id.
        head: the fields that every snapshot has.
        outcome: how it ends.
        told: whether the last delta of each step tells the usage so far, as those of agents do.
    """
    opening: list[Object] = [
        {"event_type": "interaction.created", "interaction": {**head, "status": "in_progress"}},
        {"event_type": "interaction.status_update", "interaction_id": ident, "status": "in_progress"},
    ]
    steps = [event for index, step in enumerate(outcome.steps) for event in _step(index, step)]
    if told:
        steps = _telling(steps, outcome.usage)
    errors: list[Object] = [{"event_type": "error", "error": error} for error in outcome.errors]
    ending = [] if outcome.refused else [completed(head, outcome)]
    return numbered(ident, [*opening, *steps, *errors, *ending])


def _telling(steps: list[Object], usage: Object) -> list[Object]:
    told: list[Object] = []
    for at, event in enumerate(steps):
        if event["event_type"] == "step.stop" and told[-1]["event_type"] == "step.delta":
            told[-1] = {**told[-1], "metadata": {"total_usage": partly(usage, at / len(steps))}}
        told.append(event)
    return told


def completed(head: Object, outcome: Outcome) -> Object:
    """The last event."""
    snapshot = {**head, "status": outcome.status}
    if outcome.usage:
        snapshot["usage"] = outcome.usage
    if outcome.token:
        snapshot["continuation_token"] = outcome.token
    return {"event_type": "interaction.completed", "interaction": snapshot}


def numbered(ident: str, some: list[Object], first: int = 0) -> list[Object]:
    """Events with their `event_id`."""
    return [{**event, "event_id": _token(ident, first + at)} for at, event in enumerate(some)]


def position(ident: str, token: str) -> int | None:
    """The number of the event behind a token; None for one that this interaction did not give out."""
    try:
        owner, _, number = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().rpartition(":")
    except ValueError:
        return None
    return int(number) if owner == _owner(ident) and number.isdecimal() else None


def _owner(ident: str) -> str:
    return digest(ident).hex()[:12]


def _token(ident: str, number: int) -> str:
    return base64.urlsafe_b64encode(f"{_owner(ident)}:{number}".encode()).decode().rstrip("=")


def _step(index: int, step: Object) -> list[Object]:
    kind: str = step["type"]
    shell: Object = {
        name: step[name] for name in ("type", "id", "call_id", "name", "server_name", "search_type") if name in step
    }
    if kind == "thought":
        deltas: list[Object] = [{"type": "thought_summary", "content": one} for one in step.get("summary", [])]
        if "signature" in step:
            deltas.append({"type": "thought_signature", "signature": step["signature"]})
    elif kind == "model_output":
        deltas = [delta for content in step.get("content", []) for delta in _content(content)]
    elif kind == "function_call":
        shell["arguments"] = {}
        text = dump(step["arguments"])
        half = len(text) // 2
        deltas = [{"type": "arguments_delta", "arguments": piece} for piece in (text[:half], text[half:])]
    elif kind in ("file_search_call", "file_search_result"):
        # Neither the question nor the chunks are shown; the delta of a result has to have one all the same.
        nothing: Object = {"result": []} if kind == "file_search_result" else {}
        deltas = [{"type": kind, **nothing, "signature": step["signature"]}]
    else:
        # What a tool was asked and what it answered come in one piece.
        both = ("type", "name", "server_name") if kind.startswith("mcp_server_tool") else ("type",)
        deltas = [{name: value for name, value in step.items() if name not in shell or name in both}]
        shell |= {"arguments": {}} if "arguments" in step else {"result": []}
    return [
        {"event_type": "step.start", "index": index, "step": shell},
        *({"event_type": "step.delta", "index": index, "delta": delta} for delta in deltas),
        {"event_type": "step.stop", "index": index},
    ]


def _content(content: Object) -> list[Object]:
    if content["type"] == "text":
        deltas: list[Object] = [{"type": "text", "text": piece} for piece in _pieces(content["text"])]
        if "annotations" in content:
            deltas.append({"type": "text_annotation_delta", "annotations": content["annotations"]})
        return deltas
    if content["type"] == "audio" and len(content.get("data", "")) > _SOUND:
        data: str = content["data"]
        return [{**content, "data": data[at : at + _SOUND]} for at in range(0, len(data), _SOUND)]
    return [content]


def _pieces(text: str) -> list[str]:
    size = max(_SMALLEST, -(-len(text) // _PIECES))
    pieces: list[str] = []
    while text:
        cut = text.find(" ", size)
        cut = len(text) if cut < 0 else cut
        pieces.append(text[:cut])
        text = text[cut:]
    return pieces
