"""An interaction that is waited for: asked once, heard as it goes, and heard to its end where its stream is cut."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import anyio

from gemini_server.api import interactions
from gemini_server.api.interaction_agent import CreateAgentInteraction
from gemini_server.api.interaction_events import FOLLOW, GOING, STREAM, STREAM_ONCE, Folding, Heard
from gemini_server.api.interaction_request import Asked
from gemini_server.api.interactions import Interaction
from gemini_server.errors import NotFound, ToolserverError
from gemini_server.rest.stream import StreamBroken
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.run import LONG_ANSWER, with_replacement
from gemini_server.toolkit.interaction_known import NO_AGENT, explained
from gemini_server.toolkit.untrusted import clean, label

RESUMES = 3
"""How often a stream is taken up again without anything new."""
LOOKS = 5
"""How often a stored interaction whose stream is lost is looked at."""
PAUSE = 1.0
"""Seconds between two looks."""
_NOTE = 120


@dataclass(slots=True)
class Ran:
    """What came.

    Attributes:
        interaction: as far as it has come.
        retries: further attempts until it began.
        cause: why the rest is missing.
        warnings: what went wrong on the way.
    """

    interaction: Interaction
    retries: int = 0
    cause: ToolserverError | None = None
    warnings: list[str] = field(default_factory=list[str])


async def run(call: Call, name: str, body: Asked, *, markup: bool) -> Ran:
    """Ask for an interaction, once, and wait for it.

    Args:
        call: the call; whoever asked for progress hears the answer as it comes.
        name: the model or agent.
        body: the request, not in the background.
        markup: whether links and HTML stay as they are in what is heard.

    Raises:
        ToolserverError: nothing useful came.
    """
    await call.runtime.may_spend(call.principal)
    config = getattr(body, "generation_config", None)
    long = ((config.max_output_tokens if config else None) or 0) > LONG_ANSWER
    agent = isinstance(body, CreateAgentInteraction)
    try:
        async with call.runtime.slot():
            # Events do not name the sandbox: of one that nobody can look at later it would be lost.
            if (call.progress.wanted or long or agent) and (body.store or not body.environment):
                return await _streamed(call, body.model_copy(update={"stream": True}), markup=markup)
            endpoint = interactions.BEGIN if agent else interactions.CREATE
            reply = await call.runtime.client.call(endpoint, body=body, on_retry=call.progress.retry)
            return Ran(reply.value, reply.retries)
    except NotFound as error:
        if agent and name in error.what:
            error.remedy = NO_AGENT
            raise
        raise explained(with_replacement(call.runtime, name, error)) from None


async def _streamed(call: Call, body: Asked, *, markup: bool) -> Ran:
    folding, retries = Folding(), 0
    client, listener = call.runtime.client, _Listener(call, markup)
    endpoint = STREAM_ONCE if isinstance(body, CreateAgentInteraction) else STREAM
    try:
        async with client.stream(endpoint, body=body, on_retry=call.progress.retry) as events:
            retries = events.retries
            async for event in events:
                await listener.hears(folding.add(event))
        cause = None
    except ToolserverError as error:
        if not folding.began:
            raise
        cause = error
    if not folding.over and body.store and folding.id:
        # What broke off is heard on; what ended with an error is asked for.
        heard_on = cause is None or isinstance(cause, StreamBroken)
        whole = await _resumed(call, folding, listener if heard_on else None)
        if whole is not None:
            await call.progress.end_text()
            return Ran(whole, retries)
    await call.progress.end_text()
    ran = Ran(await folding.interaction(), retries)
    if folding.over and body.environment and folding.id:
        with suppress(ToolserverError):
            ran.interaction = (await client.call(interactions.GET, id=folding.id)).value
    if not folding.over:
        ran.cause = cause or StreamBroken("Gemini's answer ended before it was finished.", "cut")
        rest = (
            f'get_interaction(id="{label(folding.id)}") asks for the rest.'
            if body.store
            else "Google keeps none of it."
        )
        ran.warnings.append(f"The answer is cut short: {ran.cause.what} {rest}")
    return ran


async def _resumed(call: Call, folding: Folding, listener: _Listener | None) -> Interaction | None:
    """Hear the rest of a stored interaction, or look how it ended; None where neither can be had."""
    if listener is not None:
        await _hear_the_rest(call, folding, listener)
    if folding.over:
        return await folding.interaction()
    for look in range(LOOKS):
        try:
            found = (await call.runtime.client.call(interactions.GET, id=folding.id)).value
        except ToolserverError:
            return None
        if found.status.lower() not in GOING:
            return found
        if look + 1 < LOOKS:
            await anyio.sleep(PAUSE)
    return None


async def _hear_the_rest(call: Call, folding: Folding, listener: _Listener) -> None:
    """Take the stream up again where it was cut, as often as that brings anything."""
    client, failures = call.runtime.client, 0
    while folding.last_event_id and failures < RESUMES:
        heard = frozenset(folding.heard)
        query: dict[str, str | bool] = {"stream": True, "last_event_id": folding.last_event_id}
        try:
            async with client.stream(FOLLOW, id=folding.id, query=query, on_retry=call.progress.retry) as events:
                async for event in events:
                    told = folding.add(event)
                    if str(event.event_id) not in heard:  # some begin again at the first event
                        await listener.hears(told)
            return
        except StreamBroken:
            failures = 0 if len(folding.heard) > len(heard) else failures + 1
        except ToolserverError:
            return  # an error that it tells of, or nothing to be heard: asking for it says more


@dataclass(slots=True)
class _Listener:
    """Whoever asked for progress: hears what is going on until the answer begins, and then the answer alone."""

    call: Call
    markup: bool
    answered: bool = False

    async def hears(self, heard: Heard) -> None:
        if heard.text:
            self.answered = True
            await self.call.progress.text(clean(heard.text, markup=self.markup).text)
        elif heard.note and not self.answered:
            await self.call.progress.note(first_line(heard.note))


def first_line(note: str) -> str:
    """A thought or a step in a few words."""
    return label(note.strip().partition("\n")[0].strip("* "), _NOTE)
