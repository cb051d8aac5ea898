"""Where a turn stands in its conversation: what it goes on from, what was said before and what is said now.

Source: "Multi-turn conversations" (`previous_interaction_id`) and "Long decode" (`continuation_token`) of the Gemini
API.
"""

from __future__ import annotations

from dataclasses import dataclass

from .exchange import Service
from .interaction_errors import refused, unready
from .interaction_files import opened
from .interaction_input import steps_of
from .interaction_rules import check_previous
from .interaction_store import Interaction
from .wire import Object


@dataclass(frozen=True)
class Turn:
    """One turn.

    Args:
        previous: the interaction that it goes on from.
        owner: the same when a continuation token came from it, and the context is to be rebuilt from it.
        history: the steps of earlier turns, answers included.
        fresh: the steps of this turn.
    """

    previous: Interaction | None
    owner: Interaction | None
    history: list[Object]
    fresh: list[Object]

    @property
    def said(self) -> list[Object]:
        """The steps before the answer, as the next turn sees them."""
        return self.owner.said + self.owner.outcome.steps if self.owner else [*self.history, *self.fresh]


def turn_of(service: Service, body: Object) -> Turn:
    """The turn that a request is.

    Raises:
        InteractionError: for a previous interaction that is not there or has no answer, a token of another one, or an
            input that makes no sense.
    """
    previous = _previous(service, body)
    owner = _owner(previous, body)
    fresh = owner.asked if owner else opened(steps_of(body.get("input")), service.files)
    history = previous.said + opened(previous.outcome.steps, service.files) if previous and not owner else []
    return Turn(previous, owner, history, fresh)


def _previous(service: Service, body: Object) -> Interaction | None:
    ident: str | None = body.get("previous_interaction_id")
    if ident is None:
        return None
    previous = service.interactions.find(ident)
    check_previous(previous.status, ident)
    return previous


def _owner(previous: Interaction | None, body: Object) -> Interaction | None:
    if "continuation_token" not in body or previous is None or "input" in body:
        return None
    if previous.outcome.token != body["continuation_token"]:
        raise unready("The continuation_token does not belong to the previous interaction.")
    for name in ("model", "agent"):
        if body.get(name) != previous.body.get(name):
            raise refused(f"A continued interaction must keep its {name}.")
    return previous
