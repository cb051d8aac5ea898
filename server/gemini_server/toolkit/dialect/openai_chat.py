"""A chat completion as a caller words it: messages in the dialect's own form, their media opened and sent along."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gemini_server.api.content import Part
from gemini_server.api.openai import CODE, ChatRequest
from gemini_server.errors import ArgumentError, NotFound, ToolserverError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.rest.json_values import objects_of
from gemini_server.rest.stream import StreamBroken
from gemini_server.toolkit import media
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.dialect.openai_asked import code_tool, messages
from gemini_server.toolkit.dialect.openai_media import content_part
from gemini_server.toolkit.generation import json_answer
from gemini_server.toolkit.generation.dialogue import add_json, keep_media
from gemini_server.toolkit.generation.result import TextResult
from gemini_server.toolkit.generation.run import Ran, record, usage_of, with_replacement
from gemini_server.toolkit.generation.sources import Sources, of_names
from gemini_server.toolkit.generation.transcript import Transcript, member
from gemini_server.toolkit.generation.verdict import judge
from gemini_server.toolkit.untrusted import clean

_ROLES = ("system", "developer", "user", "assistant", "tool")
_TAKEN = frozenset({"model", "messages", "stream", "stream_options", "n"})


@dataclass(frozen=True, slots=True)
class Asking:
    """What a caller wants completed.

    Attributes:
        model: the model id.
        messages: as the dialect has them; the URL of an `image_url` may be any media source.
        prompt: one more message of the user's.
        attachments: media sources that go with it.
        system: an instruction before them all.
        json_schema: that the answer must match.
        code: whether the gateway may run Python.
        settings: all other members of the request.
    """

    model: str
    messages: Sequence[JsonObject] = ()
    prompt: str = ""
    attachments: Sequence[str] = ()
    system: str | None = None
    json_schema: JsonObject | None = None
    code: bool = False
    settings: JsonObject = field(default_factory=dict[str, Any])

    def check(self, call: Call) -> None:
        """Refuse what nobody could answer.

        Raises:
            ArgumentError: naming it; nothing was sent.
        """
        if not self.messages and not self.prompt.strip() and not self.attachments:
            raise ArgumentError("There is nothing to ask: neither messages nor a prompt.", "Give one of them.")
        for number, message in enumerate(self.messages):
            if message.get("role") not in _ROLES:
                raise ArgumentError(
                    f"messages[{number}] has no role of the dialect; nothing was sent.",
                    f"A message is {{role, content}}; roles: {', '.join(_ROLES)}.",
                )
        unknown = self.settings.keys() - (ChatRequest.model_fields.keys() - _TAKEN)
        if unknown:
            raise ArgumentError(f"A completion cannot be asked with {', '.join(sorted(unknown))}; nothing was sent.")
        _check_numbers(self.settings)
        if self.json_schema is not None:
            json_answer.check_schema(self.json_schema)
        if self.code:
            code_tool(google=call.runtime.openai.place.google)

    def sources(self) -> Sources:
        """What the model can read besides what the caller wrote."""
        return of_names(["attachments"] if self.attachments or any(map(_urls, self.messages)) else [])


def _check_numbers(settings: JsonObject) -> None:
    most = settings.get("max_tokens")
    if most is not None and most < 1:
        raise ArgumentError("max_tokens must be at least 1; nothing was sent.")
    if not all(settings.get("stop") or ()):
        raise ArgumentError("A stop sequence is empty; nothing was sent.", "Leave it out.")
    for name, largest in (("temperature", 2), ("top_p", 1)):
        given = settings.get(name)
        if given is not None and not 0 <= given <= largest:
            raise ArgumentError(f"{name} is 0 to {largest}, not {given}; nothing was sent.")


@asynccontextmanager
async def opened(call: Call, asking: Asking) -> AsyncGenerator[tuple[ChatRequest, list[Part]]]:
    """The request, with its media open; and those, which have to be kept until it is sent.

    Raises:
        ArgumentError: a source of no known kind, too large, or of a type that the service does not take.
        ToolserverError: as `media.opened`.
    """
    messages = copy.deepcopy(list(asking.messages))
    places = [place for message in messages for place in _urls(message)]
    written = [str(place["url"]) for place in places]
    async with media.opened([*written, *asking.attachments], call, inline=True) as parts:
        google = call.runtime.openai.place.google
        made = [_of(part, google=google) for part in parts]
        for place, part in zip(places, made[: len(places)], strict=True):
            place["url"] = (member(part, "image_url") or {}).get("url") or place["url"]
        contents = made[len(places) :]
        if asking.system:
            messages.insert(0, {"role": "system", "content": asking.system})
        if contents:
            asked = [{"type": "text", "text": asking.prompt}] if asking.prompt else []
            messages.append({"role": "user", "content": [*contents, *asked]})
        elif asking.prompt:
            messages.append({"role": "user", "content": asking.prompt})
        body: JsonObject = {**asking.settings}
        if asking.code:
            body["tools"] = [*(body.get("tools") or []), code_tool(google=google)]
        if asking.json_schema is not None:
            schema = {"name": "answer", "schema": asking.json_schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        yield ChatRequest(model=asking.model, messages=messages, **body), parts


def _of(part: Part, *, google: bool) -> JsonObject:
    made = content_part(part.model_dump(by_alias=True, exclude_none=True), google=google)
    assert made is not None  # noqa: S101  a medium is one
    return made


def _urls(message: JsonObject) -> list[JsonObject]:
    """Where the media of a message stand."""
    found = [member(part, "image_url") for part in objects_of(message.get("content"))]
    return [place for place in found if place is not None and isinstance(place.get("url"), str)]


async def complete(call: Call, asking: Asking, *, stream: bool) -> tuple[TextResult, JsonObject | None]:
    """Ask, and judge the answer.

    Args:
        call: the call this is for.
        asking: what is wanted, checked.
        stream: whether to stream.

    Returns:
        The answer, and the assistant's message to put into the next request where functions are called.

    Raises:
        ToolserverError: nothing useful came.
    """
    sources = asking.sources()
    async with opened(call, asking) as (request, held):
        ran = await _run(call, request, held, stream=stream)
    result = judge(call, asking.model, ran, sources, [])
    if result.pictures() or result.files:
        await keep_media(call, result)
    if asking.json_schema is not None and not result.function_calls:
        await add_json(result, asking.json_schema, ran, sources)
    return result, message_of(ran.transcript) if result.function_calls else None


async def _run(call: Call, request: ChatRequest, held: object, *, stream: bool) -> Ran:
    ran = Ran(Transcript(), [])
    transcript = ran.transcript
    runtime = call.runtime
    await runtime.may_spend(call.principal)
    try:
        async with runtime.slot():
            transcript.begin()
            await _ask(call, request, held, ran, stream=stream)
    except NotFound as error:
        raise with_replacement(runtime, request.model, error) from None
    finally:
        ran.usage = usage_of(runtime, request.model, transcript.usage, request.service_tier)
        pictures = sum("inlineData" in part for part in transcript.parts)
        if ran.usage.cost_usd is None and pictures:
            # The dialect does not say which tokens are of pictures: their usual price has to do.
            cost, _ = runtime.catalogue.cost(request.model, images=pictures, image_size="1K", on=runtime.today())
            ran.usage.cost_usd = None if cost is None else float(cost)
        record(call, request.model, transcript, ran.usage)
    return ran


async def _ask(call: Call, request: ChatRequest, held: object, ran: Ran, *, stream: bool) -> None:
    client, transcript = call.runtime.openai, ran.transcript
    if not stream:
        reply = await client.complete(request, held=held, on_retry=call.progress.retry)
        transcript.retries += reply.retries
        transcript.add(reply.value)
        return
    try:
        async with client.follow(request, held=held, on_retry=call.progress.retry) as events:
            transcript.retries += events.retries
            async for event in events:
                text = transcript.add(event)
                if text:
                    await call.progress.text(clean(text, markup=True).text)
        await call.progress.end_text()
    except ToolserverError as error:
        if not transcript.parts:
            raise
        if transcript.finish_reason:
            return  # it had finished; the connection had nothing more to bring
        ran.broken, ran.cause = True, error
        await call.progress.end_text()
        what = "The stream broke" if isinstance(error, StreamBroken) else "The answer was cut short"
        ran.warnings.append(f"{what} after {len(transcript.text)} characters: {error.what} Ask again for the rest.")


def message_of(transcript: Transcript) -> JsonObject:
    """The assistant's message with its calls, as it goes into the next request; signatures as they came."""
    turn = {"role": "model", "parts": [part for part in transcript.parts if "inlineData" not in part]}
    (message,) = messages({"contents": [turn]}, google=False)
    if "content" in message:
        message["content"] = clean(message["content"], markup=True).text
    for call in message["tool_calls"]:
        # With what is invisible spelled out as escapes, which mean the same to whoever reads the JSON.
        call["function"]["arguments"] = json.dumps(json.loads(call["function"]["arguments"]))
    return message


def tools_of(functions: Sequence[JsonObject], tools: Sequence[JsonObject]) -> list[JsonObject] | None:
    """Functions in this server's form and tools in the dialect's, together.

    Raises:
        ArgumentError: a function is named as the gateway's own.
    """
    for function in functions:
        if function.get("name") == CODE:
            raise ArgumentError(f"A function may not be named {CODE}: the gateway runs that itself.", "Say code=true.")
    made: list[JsonObject] = [{"type": "function", "function": dict(function)} for function in functions]
    return [*made, *tools] or None


def choice_of(choice: str | None, tools: object) -> str | JsonObject | None:
    """A `tool_choice` in the dialect's form: one of its words, or the name of a function."""
    if choice is None or choice in ("auto", "none", "required"):
        return choice
    if f'"{choice}"' not in json.dumps(tools):
        raise ArgumentError(f"tool_choice names no function that is given: {choice[:60]!r}; nothing was sent.")
    return {"type": "function", "function": {"name": choice}}
