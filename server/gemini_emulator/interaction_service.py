"""The methods of `interactions`: create, get, cancel and delete.

Source: the Interactions API reference, "Background execution" and "Streaming interactions" of the Gemini API.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from anyio import to_thread

from . import interaction_answer, interaction_music, interaction_video
from .errors import ApiError
from .exchange import Call, Reply, Route, Service
from .faults import Directive
from .interaction_delivery import LateReply
from .interaction_errors import InteractionError, of_family, refused, unready
from .interaction_events import position
from .interaction_files import opened
from .interaction_formats import Kind, formats_of, kind_of
from .interaction_input import steps_of, texts_of
from .interaction_outcome import Order, Outcome, ended
from .interaction_rules import check_order, check_previous
from .interaction_schema import check
from .interaction_store import Interaction
from .pictures import Publish
from .retrieval_tool import searched
from .wire import Object, is_object

_MAKERS: dict[Kind, Callable[[Order], Callable[[], Outcome]]] = {
    "text": interaction_answer.prepare,
    "image": interaction_answer.prepare,
    "speech": interaction_answer.prepare,
    "music": interaction_music.prepare,
    "video": interaction_video.prepare,
}


def create(service: Service, call: Call) -> Reply:
    """`interactions.create`."""
    body = _body(call.body)
    try:
        card = service.catalogue.get(body["model"], call.version)
    except ApiError as error:
        raise of_family(error) from None
    kind = kind_of(card)
    previous = _previous(service, body)
    owner = _owner(previous, body)
    fresh = owner.asked if owner else opened(steps_of(body.get("input")), service.files)
    check_order(body, card, kind, fresh)
    history = previous.said + opened(previous.outcome.steps, service.files) if previous and not owner else []
    directive = _directive(service, call, fresh, owner)
    order = Order(
        body=body,
        card=card,
        serving=service.catalogue.serving(card),
        kind=kind,
        version=call.version,
        history=history,
        fresh=fresh,
        formats=formats_of(body, card, kind),
        directive=directive,
        today=service.options.date(),
        publish=_publisher(service, call, directive),
        film=previous.outcome.film if previous else None,
        search=lambda prompt: searched(prompt, service.search_stores),
    )
    make = _MAKERS[kind](order)
    said = owner.said + owner.outcome.steps if owner else [*history, *fresh]

    def begin() -> Interaction:
        asked = [*history, *fresh]
        begun = Interaction(
            service.interactions.name(body), order.serving.id, body, asked, said, lambda: ended(make(), directive),
            directive, service.clock,
        )  # fmt: skip
        if not begun.background and not body.get("stream") and begun.outcome.refused:
            error: Object = begun.outcome.errors[0]
            raise InteractionError(400, error["code"], error["message"])
        if body.get("store") is not False:
            service.interactions.add(begun)
        return begun

    if body.get("stream"):
        return LateReply.of_stream(lambda: _follow(begin(), 0), directive)
    return LateReply(directive=directive, make=lambda: begin().view())


def get(service: Service, call: Call) -> Reply:
    """`interactions.get`, with `stream=true` as a stream that goes on after `last_event_id`."""
    interaction = service.interactions.find(call.names["id"])
    stream, include = _flag(call, "stream"), _flag(call, "include_input")
    last = call.query.get("last_event_id")
    if not stream:
        if last:
            raise refused("'last_event_id' can only be used if 'stream' is true.")
        return LateReply(directive=call.directive, make=lambda: interaction.look(include_input=include))
    first = 0
    if last:
        number = position(interaction.ident, last)
        if number is None:
            raise refused(f"Invalid last_event_id: '{last}'.")
        first = number + 1
    return LateReply.of_stream(lambda: _follow(interaction, first), call.directive)


def cancel(service: Service, call: Call) -> Reply:
    """`interactions.cancel`."""
    interaction = service.interactions.find(call.names["id"])
    interaction.cancel()
    return Reply(interaction.view(), directive=call.directive)


def delete(service: Service, call: Call) -> Reply:
    """`interactions.delete`."""
    service.interactions.delete(call.names["id"])
    return Reply({}, directive=call.directive)


def _body(given: object) -> Object:
    if is_object(given) and "agent" in given:
        if "model" in given:
            raise refused("Only one of 'model' and 'agent' may be set.")
        raise InteractionError(404, "not_found", f"Agent '{given['agent']}' was not found.")
    return check("CreateModelInteraction", given)


def _previous(service: Service, body: Object) -> Interaction | None:
    ident: str | None = body.get("previous_interaction_id")
    if ident is None:
        return None
    previous = service.interactions.find(ident)
    check_previous(previous.status, ident)
    return previous


def _owner(previous: Interaction | None, body: Object) -> Interaction | None:
    """The interaction that a continuation token came from, when the context is to be rebuilt from it."""
    if "continuation_token" not in body or previous is None or "input" in body:
        return None
    if previous.outcome.token != body["continuation_token"]:
        raise unready("The continuation_token does not belong to the previous interaction.")
    if body["model"] != previous.body["model"]:
        raise refused("A continued interaction must keep its model.")
    return previous


def _directive(service: Service, call: Call, fresh: list[Object], owner: Interaction | None) -> Directive:
    if owner is not None:
        return call.directive.merged(owner.directive)
    return call.directive.merged(service.faults.from_prompt(texts_of(fresh), call.path))


def _publisher(service: Service, call: Call, directive: Directive) -> Publish:
    base_url = call.base_url(service.options.path_prefix)
    size = directive.number("bytes", 0) or None
    return lambda data, mime: service.files.add(data, mime, base_url=base_url, size=size)


async def _follow(interaction: Interaction, first: int) -> AsyncGenerator[Object]:
    """The events from one on, as they happen."""
    await to_thread.run_sync(interaction.events)
    number = first
    while number < len(interaction.events()):
        if number >= interaction.released():
            await interaction.wait(number)
            continue
        interaction.saw(number)
        yield interaction.events()[number]
        number += 1


def _flag(call: Call, name: str) -> bool:
    value = call.query.get(name, "false").lower()
    if value not in ("true", "false", "1", "0", ""):
        raise refused(f"Invalid value '{value}' at '{name}': expected a boolean.")
    return value in ("true", "1")


ROUTES = (
    Route("POST", "interactions", create),
    Route("GET", "interactions/{id}", get, frozenset({"stream", "last_event_id", "include_input"})),
    Route("POST", "interactions/{id}/cancel", cancel),
    Route("DELETE", "interactions/{id}", delete),
)
