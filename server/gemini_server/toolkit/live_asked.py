"""A Live turn that is wanted, held against the conversation that it belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from gemini_server.api.live import Setup
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.dialogue import NEW, SPOKEN, responses, unanswered
from gemini_server.toolkit.generation.sources import Sources, of_names
from gemini_server.toolkit.live_request import Manner, Turn, setup_of

if TYPE_CHECKING:
    from gemini_server.jobs.conversations import Conversation

MANNER = SPOKEN
"""The setting of a conversation under which model, voice and language are kept."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn that is wanted.

    Attributes:
        model: the model id.
        turn: what the user says, shows or brings.
        manner: how the model is to talk.
        setup: of the session.
        begin: whether a conversation begins with it.
        kept: the conversation that it belongs to.
        sources: what the model could read of others' words.
    """

    model: str
    turn: Turn
    manner: Manner
    setup: Setup
    begin: bool = False
    kept: Conversation | None = field(default=None, repr=False)
    sources: Sources = field(default_factory=Sources)

    @property
    def turns(self) -> list[JsonObject]:
        """The turns so far."""
        return list(self.kept.turns) if self.kept else []

    def identity(self) -> list[Any] | None:
        """What makes two calls the same; None where a conversation begins, which every call has for itself."""
        if self.begin:
            return None
        media = [self.turn.sound, *(one.data for one in self.turn.pictures)]
        kept = [self.kept.id, len(self.kept.turns)] if self.kept else []
        results = [one.model_dump(mode="json") for one in self.turn.results]
        digests = [hashlib.sha256(data).hexdigest() for data in media]
        return [self.turn.text, digests, results, self.manner.model_dump(), *kept]


async def asked(
    call: Call,
    model: str | None,
    turn: Turn,
    results: Sequence[dict[str, Any]],
    said: Manner,
    conversation: str | None,
) -> Asked:
    """What is wanted, held against what is kept.

    Args:
        call: the call.
        model: the model id; the conversation's or the default one when None.
        turn: what the user says and shows.
        results: what functions returned, instead.
        said: how the model is to talk; a conversation adds what it keeps.
        conversation: an id, `new`, or None.

    Raises:
        ArgumentError: nothing is said, or it does not go together, or the conversation waits for something else.
        NotFound: there is no such conversation.
    """
    kept = None
    if conversation is not None and conversation != NEW:
        kept = await call.runtime.conversations.get(call.principal, conversation)
    spoken = bool(turn.text.strip() or turn.sound)
    open_calls = unanswered(kept) if kept else []
    if results:
        if spoken or turn.pictures:
            raise ArgumentError("function_results go alone: the model goes on with them.", "Leave the rest out.")
        if kept is None or not open_calls:
            raise ArgumentError(
                "function_results needs a conversation that waits for some.", "Give the id that came with the calls."
            )
        turn = Turn(results=tuple(responses(open_calls, results)))
    elif open_calls:
        called = ", ".join(str(one.get("name")) for one in open_calls)
        raise ArgumentError(f"The conversation waits for the results of {called}.", "Give function_results first.")
    elif not spoken:
        raise ArgumentError("Nothing is said: there is neither text nor audio.", "Give one of them.")
    manner = _inherited(kept, said)
    chosen = model or _live_model(kept) or call.runtime.catalogue.default("live")
    names: set[str] = set(kept.settings.get("sources") or ()) if kept else set()
    if turn.sound or turn.pictures:
        names.add("attachments")
    setup = setup_of(chosen, manner, turn, call.runtime.catalogue)
    return Asked(chosen, turn, manner, setup, conversation == NEW, kept, of_names(names))


def _inherited(kept: Conversation | None, said: Manner) -> Manner:
    if kept is None:
        return said
    settings = {**cast("dict[str, Any]", kept.settings.get(MANNER) or {}), "functions": kept.settings.get("functions")}
    if kept.settings.get("system"):
        settings["system"] = kept.settings["system"]
    return Manner.model_validate({**settings, **said.model_dump(exclude_none=True)})


def _live_model(kept: Conversation | None) -> str | None:
    spoken: JsonObject | None = kept.settings.get(MANNER) if kept else None
    return spoken.get("model", kept.model) if kept and spoken is not None else None
