"""The methods of `interactions`: create, get, cancel and delete.

Source: the Interactions API reference, "Background execution" and "Streaming interactions" of the Gemini API.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from anyio import to_thread

from . import interaction_agent_answer, interaction_answer, interaction_music, interaction_video
from .errors import ApiError
from .exchange import Call, Reply, Route, Service
from .faults import Directive
from .interaction_agent_answer import Workplace
from .interaction_agent_rules import check_agent_order
from .interaction_agents import agent_named, completed_body
from .interaction_delivery import LateReply
from .interaction_environment import definition_of, environment_of
from .interaction_errors import InteractionError, of_family, refused
from .interaction_events import position
from .interaction_formats import Kind, formats_of, kind_of
from .interaction_input import texts_of
from .interaction_outcome import Order, Outcome, ended, with_forced_call
from .interaction_progress import Progress
from .interaction_rules import check_order
from .interaction_schema import check
from .interaction_store import Interaction
from .interaction_turn import Turn, turn_of
from .pictures import Publish
from .retrieval_tool import searched
from .voice_references import with_voices
from .wire import Object, is_object

_MAKERS: dict[Kind, Callable[[Order], Callable[[], Outcome]]] = {
    "text": interaction_answer.prepare,
    "image": interaction_answer.prepare,
    "speech": interaction_answer.prepare,
    "music": interaction_music.prepare,
    "video": interaction_video.prepare,
}


def create(service: Service, call: Call) -> Reply:
    """`interactions.create`, with a model or with an agent."""
    given = call.body
    if is_object(given) and given.get("agent") is not None:
        if given.get("model") is not None:
            raise refused("Only one of 'model' and 'agent' may be set.")
        return _with_agent(service, call, check("CreateAgentInteraction", given))
    return _with_model(service, call, check("CreateModelInteraction", given))


def _with_model(service: Service, call: Call, body: Object) -> Reply:
    try:
        card = service.catalogue.get(body["model"], call.version)
    except ApiError as error:
        raise of_family(error) from None
    kind = kind_of(card)
    turn = turn_of(service, body)
    check_order(body, card, kind, turn.fresh)
    directive = _directive(service, call, turn)
    order = Order(
        body=with_forced_call(body, directive),
        card=card,
        serving=service.catalogue.serving(card),
        kind=kind,
        version=call.version,
        history=turn.history,
        fresh=turn.fresh,
        formats=formats_of(body, card, kind),
        directive=directive,
        today=service.options.date(),
        publish=_publisher(service, call, directive),
        film=turn.previous.outcome.film if turn.previous else None,
        search=lambda prompt: searched(prompt, service.search_stores),
        voiced=lambda request: with_voices(request, service.voices),
    )
    progress = Progress(service.clock, directive, background=bool(body.get("background")))
    return _begun(service, turn, order, _MAKERS[kind](order), {"model": order.serving.id}, progress)


def _with_agent(service: Service, call: Call, given: Object) -> Reply:
    agent = agent_named(given["agent"], lambda ident: definition_of(service, ident))
    body = completed_body(given, agent)
    turn = turn_of(service, body)
    check_order(body, agent.model, "text", turn.fresh)
    check_agent_order(body, agent, turn.fresh)
    directive = _directive(service, call, turn)
    order = Order(
        body=with_forced_call(body, directive),
        card=agent.model,
        serving=agent.model,
        kind="text",
        version=call.version,
        history=turn.history,
        fresh=turn.fresh,
        formats=formats_of(body, agent.model, "text"),
        directive=directive,
        today=service.options.date(),
        publish=_publisher(service, call, directive),
        search=lambda prompt: searched(prompt, service.search_stores),
    )
    place = Workplace(service.environments)
    open_place = environment_of(service, body, turn.previous) if agent.work == "antigravity" else lambda: ""
    make = interaction_agent_answer.prepare(order, agent, place)
    background = bool(body.get("background"))
    progress = Progress(service.clock, directive, background=background, polls=agent.polls, usual=agent.usual)

    def opened_place() -> str:
        place.ident = open_place()
        return place.ident

    return _begun(service, turn, order, make, {"agent": agent.ident}, progress, opened_place)


def _begun(
    service: Service,
    turn: Turn,
    order: Order,
    make: Callable[[], Outcome],
    who: Object,
    progress: Progress,
    environment: Callable[[], str] = str,
) -> Reply:
    body, directive = order.body, order.directive

    def begin() -> Interaction:
        asked = [*turn.history, *turn.fresh]
        begun = Interaction(
            service.interactions.name(body), who, body, asked, turn.said, lambda: ended(make(), directive), directive,
            progress, service.clock, environment(),
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


def _directive(service: Service, call: Call, turn: Turn) -> Directive:
    if turn.owner is not None:
        return call.directive.merged(turn.owner.directive)
    return call.directive.merged(service.faults.from_prompt(texts_of(turn.fresh), call.path))


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
