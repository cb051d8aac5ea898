"""The events of an interaction as it goes, and how they are joined to the interaction that they tell of.

    interaction.created        its id, and who answers
    interaction.status_update  how it stands
    step.start                 a step begins: its kind, and what is known of it at once
      step.delta               a piece of it: words, bytes, arguments, a result, annotations, a thought
    step.stop
    interaction.completed      how it ended, with its usage; on a stored one the steps are asked for
    error                      raised while the stream is read

Every event has an `event_id`, from which on a stored interaction can be heard again (`FOLLOW`). Kinds of events, steps
and deltas that are not known here pass through.

Source: "Streaming interactions" of the Gemini API, the schema InteractionSSEStreamEvent, November 2026.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from pydantic import ValidationError

from gemini_server.api.interaction_wire import Read
from gemini_server.api.interactions import Interaction
from gemini_server.rest import answer
from gemini_server.rest.endpoint import Endpoint, JsonObject
from gemini_server.rest.json_values import list_of, object_of

GOING = frozenset({"", "queued", "in_progress"})
"""States in which an interaction is not over."""
_MEDIA = ("image", "audio", "video", "document")
_DIGITS = 10


class Event(Read):
    """An event. Its members are taken as they come: one that is odd must not cost the answer."""

    essential: ClassVar[frozenset[str] | None] = frozenset()

    event_type: str = ""
    event_id: Any = None
    index: Any = None
    step: Any = None
    delta: Any = None
    interaction: Any = None
    interaction_id: Any = None
    status: Any = None
    continuation_token: Any = None
    usage: Any = None
    metadata: Any = None


STREAM = Endpoint("POST", "{version}/interactions", Event, repeat="foreground", family="interactions")
STREAM_ONCE = Endpoint("POST", "{version}/interactions", Event, repeat="background", family="interactions")
"""The same for an agent: what it has begun to do, a second request would do again."""
FOLLOW = Endpoint(
    "GET", "{version}/interactions/{id}", Event, query=("stream", "last_event_id"), family="interactions", billed=True
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What an event says to whoever listens: a piece of the answer, or what is going on."""

    text: str = ""
    note: str = ""


@dataclass(slots=True)
class _Piece:
    """A content that comes in pieces."""

    shell: JsonObject
    member: str = ""
    pieces: list[str] = field(default_factory=list[str])

    def whole(self) -> JsonObject:
        if not self.member:
            return self.shell
        return {**self.shell, self.member: "".join(self.pieces) if self.member == "text" else _joined(self.pieces)}


@dataclass(slots=True)
class _Step:
    """A step that comes in pieces."""

    shell: JsonObject
    content: list[_Piece] = field(default_factory=list[_Piece])
    arguments: list[str] = field(default_factory=list[str])

    def add(self, delta: JsonObject) -> None:
        kind = str(delta.get("type") or "")
        last = self.content[-1] if self.content else None
        if kind == "text":
            if last is None or last.member != "text":
                last = _Piece({"type": "text"}, "text")
                self.content.append(last)
            last.pieces.append(str(delta.get("text") or ""))
        elif kind == "text_annotation_delta":
            if last is not None:
                _growing(last.shell, "annotations").extend(list_of(delta.get("annotations")))
        elif kind == "thought_summary":
            _growing(self.shell, "summary").append(delta.get("content"))
        elif kind == "thought_signature":
            self.shell["signature"] = delta.get("signature")
        elif kind == "arguments_delta":
            self.arguments.append(str(delta.get("arguments") or ""))
        elif kind in _MEDIA:
            self._media(kind, delta, last)
        elif kind == self.shell.get("type"):
            _merge(self.shell, delta)
        elif self.shell.get("type") == "model_output":
            self.content.append(_Piece(delta))
        else:
            _growing(self.shell, "deltas").append(delta)

    def _media(self, kind: str, delta: JsonObject, last: _Piece | None) -> None:
        data = delta.get("data")
        if not isinstance(data, str):
            self.content.append(_Piece(delta))
            return
        # Sound comes in slices; of two pictures each is one.
        same = last is not None and kind == "audio" and last.shell.get("type") == kind and last.member == "data"
        if last is not None and same and delta.get("mime_type") in (None, last.shell.get("mime_type")):
            last.pieces.append(data)
            return
        shell = {name: value for name, value in delta.items() if name != "data"}
        self.content.append(_Piece(shell, "data", [data]))

    def whole(self) -> JsonObject:
        step = dict(self.shell)
        if self.content:
            step["content"] = [*list_of(step.get("content")), *(piece.whole() for piece in self.content)]
        if self.arguments:
            step["arguments"] = "".join(self.arguments)
        return step


class Folding:
    """Joins events to an interaction.

    Attributes:
        last_event_id: of the last event that had one; from it on the rest can be asked for.
        heard: the ids of all events; one that comes again says nothing new.
        began: whether any event has come.
    """

    def __init__(self) -> None:
        self.last_event_id = ""
        self.heard: set[str] = set()
        self.began = False
        self._head: JsonObject = {}
        self._steps: dict[int, _Step] = {}
        self._snapshot: list[Any] = []

    @property
    def id(self) -> str:
        """The id of the interaction; empty until it is known."""
        return str(self._head.get("id") or "")

    @property
    def status(self) -> str:
        """How it stands by the last event that said so."""
        return str(self._head.get("status") or "").lower()

    @property
    def over(self) -> bool:
        """Whether it has said how it ended."""
        return self.status not in GOING

    def add(self, event: Event) -> Heard:
        """Join an event; what it says to whoever listens."""
        self.began = True
        if isinstance(event.event_id, str) and event.event_id:
            self.last_event_id = event.event_id
            self.heard.add(event.event_id)
        usage = object_of(event.metadata).get("total_usage") or event.usage
        kind = event.event_type
        if kind.startswith("interaction."):
            self._told(event)
        elif not kind and isinstance((event.model_extra or {}).get("steps"), list):
            # A gateway that knows no streams answers in one piece.
            self._told(event.model_copy(update={"interaction": event.model_dump(exclude_unset=True)}))
        elif kind.startswith("step."):
            self._stepped(event)
            if isinstance(usage, dict):
                self._head["usage"] = usage
        return heard(event)

    def _told(self, event: Event) -> None:
        if snapshot := _object(event.interaction):
            self._head |= {name: value for name, value in snapshot.items() if value is not None and name != "steps"}
            self._snapshot = snapshot.get("steps") or self._snapshot
        plain = {"id": event.interaction_id, "status": event.status}
        plain |= {"continuation_token": event.continuation_token, "usage": event.usage}
        self._head |= {name: value for name, value in plain.items() if value is not None}

    def _stepped(self, event: Event) -> None:
        step = _object(event.step)
        index = _number(event.index)
        if index is None:  # a step that begins is a further one, and what else comes belongs to the last
            index = max(self._steps, default=-1) + 1 if step else max(self._steps, default=0)
        if step:
            self._steps[index] = _Step(dict(step))
        elif delta := _object(event.delta):
            self._steps.setdefault(index, _Step({"type": "model_output"})).add(dict(delta))

    async def interaction(self) -> Interaction:
        """The interaction as far as it has come.

        Raises:
            BadAnswer: it is not what the API promises.
        """
        steps = [self._steps[index].whole() for index in sorted(self._steps)]
        value = {**self._head, "steps": self._snapshot or steps}
        try:
            return Interaction.model_validate(value)
        except ValidationError:  # what is odd in it is left out, as of an answer that comes in one piece
            return await answer.parse(Interaction, json.dumps(value).encode(), billed=True)


def heard(event: Event) -> Heard:
    """What an event says to whoever listens, by itself."""
    if step := _object(event.step):
        kind = str(step.get("type") or "")
        return Heard(note=kind.removesuffix("_call").replace("_", " ") if kind.endswith("_call") else "")
    delta = object_of(event.delta)
    if delta.get("type") == "text":
        return Heard(text=str(delta.get("text") or ""))
    if delta.get("type") == "thought_summary":
        return Heard(note=str(object_of(delta.get("content")).get("text") or ""))
    return Heard()


def _object(value: object) -> JsonObject | None:
    return cast(JsonObject, value) if isinstance(value, dict) else None


def _growing(shell: JsonObject, name: str) -> list[object]:
    """A list among the members of a step, which is there from now on; what is none, such as null, gives way."""
    found = shell[name] = list_of(shell.get(name))
    return found


def _number(value: object) -> int | None:
    """An index, which a gateway may write as a string; None where there is none."""
    if isinstance(value, str) and value.isdecimal() and len(value) < _DIGITS:
        return int(value)
    return value if isinstance(value, int) else None


def _merge(shell: JsonObject, delta: JsonObject) -> None:
    """A piece of what a tool was asked, or answered, into its step."""
    for name, value in delta.items():
        before = shell.get(name)
        if isinstance(before, list) and isinstance(value, list):
            shell[name] = [*cast("list[object]", before), *cast("list[object]", value)]
        elif isinstance(before, dict) and isinstance(value, dict):
            shell[name] = {**cast(JsonObject, before), **cast(JsonObject, value)}
        elif name == "result" and before and isinstance(before, str) and isinstance(value, str):
            shell[name] = before + value
        elif value is not None:
            shell[name] = value


def _joined(pieces: list[str]) -> str:
    """Base64 in pieces as one; each may be padded by itself."""
    if all(len(piece) % 4 == 0 and not piece.endswith("=") for piece in pieces[:-1]):
        return "".join(pieces)
    with suppress(ValueError):
        decoded = [base64.b64decode(piece + "=" * (-len(piece) % 4)) for piece in pieces]
        return base64.b64encode(b"".join(decoded)).decode("ascii")
    return "".join(pieces)
