"""Send one request for an answer and gather what comes: plain or streamed, over several hops when it is long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gemini_server.api import models
from gemini_server.api.answer import GenerateContentResponse, UsageMetadata, tokens_of
from gemini_server.api.models import GenerateContentRequest
from gemini_server.api.tools import Tool
from gemini_server.errors import NotFound, ToolserverError
from gemini_server.rest.stream import StreamBroken
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.options import request_model
from gemini_server.toolkit.generation.transcript import Transcript
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.untrusted import clean

HOPS = 4
"""Continuations of one long answer that are followed by themselves; every hop is billed as a request of its own."""
LONG_ANSWER = 8192
"""Tokens above which an answer is streamed, so that no proxy gives up on a silent connection."""
UNUSABLE = ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE")
"""Finish reasons with which Gemini itself says that the answer is broken; asking once more usually helps."""


@dataclass
class Ran:
    """A transcript, and what went wrong on the way, if something had come before."""

    transcript: Transcript
    warnings: list[str]
    broken: bool = False
    usage: Usage = field(default_factory=Usage)
    cause: ToolserverError | None = None


async def run(call: Call, model: str, request: GenerateContentRequest, *, stream: bool) -> Ran:
    """Ask Gemini.

    Args:
        call: the call this is for.
        model: the model id.
        request: the request; its continuation token is set for further hops.
        stream: whether to stream.

    Raises:
        ToolserverError: nothing useful came.
    """
    ran = Ran(Transcript(), [])
    transcript = ran.transcript
    await call.runtime.may_spend(call.principal)
    try:
        async with call.runtime.slot():
            hops = repeats = 0
            while True:
                transcript.begin()
                await _once(call, model, request, ran, stream=stream)
                if ran.broken:
                    break
                if transcript.finish_reason in UNUSABLE and not repeats:
                    repeats += 1
                    ran.warnings.append(f"Gemini gave {transcript.finish_reason} at first; it was asked a second time.")
                    transcript.forget_turn()
                elif transcript.finish_reason == "CONTINUATION" and transcript.continuation_token and hops < HOPS:
                    hops += 1
                    request = request.model_copy(update={"continuation_token": transcript.continuation_token})
                else:
                    break
            if hops:
                ran.warnings.append(f"The answer took {hops} continuations, each billed as a request of its own.")
    finally:
        ran.usage = usage_of(call.runtime, model, transcript.usage, request.service_tier)
        record(call, model, transcript, ran.usage)
    return ran


async def _once(call: Call, model: str, request: GenerateContentRequest, ran: Ran, *, stream: bool) -> None:
    transcript = ran.transcript
    before = list(transcript.parts)
    markup = not any(map(_reads_others, request.tools or ()))
    try:
        # Interactions know no tuned models, and screens that come with the results of Computer Use are not put so.
        known = not model.startswith("tunedModels/") and not any(tool.computer_use for tool in request.tools or ())
        if call.runtime.settings.text_api == "interactions" and known:
            from gemini_server.toolkit.dialect import over_interactions

            await over_interactions.ask(call, model, request, transcript, ran.warnings, stream=stream, markup=markup)
            await call.progress.end_text()
            return
        if not stream:
            reply = await call.runtime.client.call(
                models.GENERATE, body=request, model=request_model(model), on_retry=call.progress.retry
            )
            transcript.retries += reply.retries
            transcript.add(reply.value)
            return
        async with call.runtime.client.stream(
            models.STREAM, body=request, model=request_model(model), on_retry=call.progress.retry
        ) as events:
            transcript.retries += events.retries
            async for event in events:
                await _pass_on(call, transcript, event, markup=markup)
        await call.progress.end_text()
    except NotFound as error:
        raise with_replacement(call.runtime, model, error) from None
    except ToolserverError as error:
        if not transcript.parts:
            raise
        if transcript.finish_reason:
            return  # Gemini had finished; the connection had nothing more to bring
        # What came was paid for: it is returned, marked as incomplete, and never asked for again by itself.
        ran.broken = True
        ran.cause = error
        if request.continuation_token and transcript.parts == before:
            # Nothing of this hop came, so the token that asked for it is still good.
            transcript.finish_reason, transcript.continuation_token = "CONTINUATION", request.continuation_token
        await call.progress.end_text()
        what = "The stream broke" if isinstance(error, StreamBroken) else "The answer was cut short"
        ran.warnings.append(f"{what} after {len(transcript.text)} characters: {error.what} Ask again for the rest.")


async def _pass_on(call: Call, transcript: Transcript, event: GenerateContentResponse, *, markup: bool) -> None:
    text = transcript.add(event)
    if text:
        await call.progress.text(clean(text, markup=markup).text)


def _reads_others(tool: Tool) -> bool:
    settings = (tool.google_search, tool.google_search_retrieval, tool.google_maps, tool.url_context, tool.file_search)
    return any(setting is not None for setting in settings)


def with_replacement(runtime: Runtime, model: str, error: NotFound) -> NotFound:
    """A 404 that names what to use instead of a model; as it is where it is about something else, such as a store."""
    catalogue = runtime.catalogue
    retirement = catalogue.retirement(model, runtime.today())
    named = model.removeprefix("models/") in error.what
    ended = runtime.backend.ends_models and retirement is not None and retirement.past
    if ended and retirement is not None and retirement.replacement:
        when = f" since {retirement.shutdown}" if retirement.shutdown else ""
        what = f"Gemini does not serve {model} any more{when}."
        return NotFound(what, f"Use {retirement.replacement} instead.", code=error.code, status=error.status)
    if not named:
        return error
    facts = catalogue.get(model)
    if facts is not None:
        # The name is right: other names close to it would lead astray.
        other = "text" not in facts.capabilities
        remedy = f"{facts.id} is a model for {' and '.join(facts.capabilities)}. " if other else ""
    else:
        close = catalogue.suggest(model)[:3]
        remedy = f"Did you mean {' or '.join(close)}? " if close else ""
    return NotFound(
        error.what, f"{remedy}list_models shows what this key can use.", code=error.code, status=error.status
    )


def record(call: Call, model: str, transcript: Transcript, usage: Usage) -> None:
    """Write into the books what the requests of a transcript used."""
    if transcript.usage:
        book(call, model, usage)
    elif transcript.parts or transcript.finish_reason:
        # It was answered, and nobody says for how much: many gateways do not.
        call.runtime.spending.record(call.principal, model, cost_usd=usage.cost_usd)


def book(call: Call, model: str, usage: Usage) -> None:
    """Write tokens and their price into the books."""
    call.runtime.spending.record(call.principal, model, **usage.counts, cost_usd=usage.cost_usd)


def usage_of(runtime: Runtime, model: str, requests: Sequence[UsageMetadata], service_tier: str | None = None) -> Usage:
    """The tokens of some requests together, and their price today; null when no price is known."""
    total = Usage(cost_usd=0.0)
    for usage in requests:
        _add(runtime, total, model, usage, service_tier)
    if not requests:
        total.cost_usd = None
    elif total.cost_usd is not None:
        total.cost_usd = round(total.cost_usd, 9)
    return total


def _add(runtime: Runtime, total: Usage, model: str, usage: UsageMetadata, service_tier: str | None) -> None:
    made = usage.candidates_tokens_details
    cost, price_date = runtime.catalogue.cost(
        model,
        input_tokens=usage.prompt_token_count,
        output_tokens=usage.candidates_token_count,
        thought_tokens=usage.thoughts_token_count,
        cached_tokens=usage.cached_content_token_count,
        tool_tokens=usage.tool_use_prompt_token_count,
        audio_input_tokens=tokens_of(usage.prompt_tokens_details, "AUDIO"),
        image_input_tokens=tokens_of(usage.prompt_tokens_details, "IMAGE"),
        video_input_tokens=tokens_of(usage.prompt_tokens_details, "VIDEO"),
        cached_audio_tokens=tokens_of(usage.cache_tokens_details, "AUDIO"),
        image_output_tokens=tokens_of(made, "IMAGE") if made else None,
        audio_output_tokens=tokens_of(made, "AUDIO") if made else None,
        video_output_tokens=tokens_of(made, "VIDEO") if made else None,
        service_tier=usage.service_tier or service_tier,
        on=runtime.today(),
    )
    total.input_tokens += usage.prompt_token_count
    total.output_tokens += usage.candidates_token_count
    total.thought_tokens += usage.thoughts_token_count
    total.cached_tokens += usage.cached_content_token_count
    total.tool_tokens += usage.tool_use_prompt_token_count
    total.total_tokens += usage.total_token_count
    total.price_date = price_date or total.price_date
    total.cost_usd = None if cost is None or total.cost_usd is None else float(cost) + total.cost_usd


def answers_long(model: str, max_output_tokens: int | None) -> bool:
    """Whether an answer may take so long that it is better streamed."""
    return (max_output_tokens or 0) > LONG_ANSWER or model.removeprefix("models/").startswith("gemini-4-argon")
