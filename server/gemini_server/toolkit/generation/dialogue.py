"""One question to a model, alone or as a turn of a kept conversation."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.to_thread

from gemini_server.api.content import Content, FunctionResponse, Part
from gemini_server.errors import ArgumentError, ToolserverError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit import artifacts, caches, kept_media, media
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.clips import Clip, cut
from gemini_server.toolkit.file_search_names import check_stores, explained_search
from gemini_server.toolkit.generation import detail, json_answer
from gemini_server.toolkit.generation.media_answer import decoded
from gemini_server.toolkit.generation.options import Options, build, check_cache, model_id, user_turn
from gemini_server.toolkit.generation.result import TextResult
from gemini_server.toolkit.generation.run import Ran, answers_long, run
from gemini_server.toolkit.generation.sources import Sources, of_request
from gemini_server.toolkit.generation.transcript import member
from gemini_server.toolkit.generation.verdict import BLOCKING, BROKEN, judge
from gemini_server.toolkit.mime_types import plain
from gemini_server.toolkit.saved import saved
from gemini_server.toolkit.sniff import extension_for

if TYPE_CHECKING:
    from gemini_server.jobs.conversations import Conversation

NEW = "new"
SPOKEN = "live"
"""The setting of a conversation that was had by voice: with which model, and how it is to talk."""
_UPLOADED = "/files/"
"""In the URI of a file that was uploaded."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Thread:
    """The conversation that a question belongs to: none, one to begin, or one that is kept."""

    kept: Conversation | None = None
    begin: bool = False

    @property
    def turns(self) -> list[JsonObject]:
        """The turns so far, verbatim."""
        return list(self.kept.turns) if self.kept else []


async def ask(
    call: Call,
    *,
    model: str | None,
    prompt: str,
    attachments: Sequence[str],
    options: Options,
    conversation: str | None = None,
    continuation: str | None = None,
    clip: Clip | None = None,
) -> TextResult:
    """Ask a model and judge the answer.

    Args:
        call: the call this is for.
        model: the model id; the conversation's, the configured or the default one when None.
        prompt: literal text.
        attachments: media sources.
        options: what was said in this call; a conversation adds what it keeps.
        conversation: an id, `new`, or None.
        continuation: the token of an answer that goes on.
        clip: the section of the attached videos that is looked at.
    """
    thread = await _thread(call, conversation)
    if not prompt.strip() and not attachments:
        raise ArgumentError("There is nothing to ask: prompt is empty and nothing is attached.", "Give a prompt.")
    if thread.kept:
        waiting = unanswered(thread.kept)
        if waiting:
            names = ", ".join(str(item.get("name")) for item in waiting)
            raise ArgumentError(
                f"The conversation waits for the results of {names}.", "Give them with submit_function_results first."
            )
    if not attachments:
        return await _turn(call, thread, model, user_turn(prompt, []), options, continuation)
    keep = thread.begin or thread.kept is not None or bool(options.functions)
    async with media.opened(attachments, call, keep=keep) as parts:
        parts, notes = cut(parts, clip) if clip else (parts, [])
        result = await _turn(call, thread, model, user_turn(prompt, parts), options, continuation)
    result.warn(*notes)
    return result


async def answer_functions(call: Call, conversation: str, results: Sequence[dict[str, Any]]) -> TextResult:
    """Continue a turn in which the model called functions.

    Raises:
        ArgumentError: the conversation waits for none, or not for these.
    """
    thread = await _thread(call, conversation)
    if thread.kept is None:
        raise ArgumentError("submit_function_results needs the id of a conversation, not 'new'.")
    waiting = unanswered(thread.kept)
    if not waiting:
        raise ArgumentError("This conversation does not wait for function results.", "Go on with generate_text.")
    parts = [Part(function_response=response) for response in responses(waiting, results)]
    settings = Options.model_validate(thread.kept.settings)
    return await _turn(call, thread, None, Content(role="user", parts=parts), _unforced(settings), None, keep=settings)


def _unforced(settings: Options) -> Options:
    """The mode of the turn after the results: one that forces calls would force them again, for ever."""
    if settings.allowed_functions:
        return Options(function_mode="validated")
    return Options(function_mode="auto") if settings.function_mode == "any" else Options()


async def _thread(call: Call, conversation: str | None) -> Thread:
    if conversation is None:
        return Thread()
    if conversation == NEW:
        return Thread(begin=True)
    return Thread(kept=await call.runtime.conversations.get(call.principal, conversation))


async def _turn(
    call: Call,
    thread: Thread,
    model: str | None,
    turn: Content,
    said: Options,
    continuation: str | None,
    keep: Options | None = None,
) -> TextResult:
    options = _inherited(thread.kept.settings, said) if thread.kept else said
    # The model of a conversation by voice does not write.
    before = thread.kept.model if thread.kept and not spoken_last(thread.kept) else None
    if options.cache:
        name = caches.cache_name(options.cache)
        options = options.model_copy(update={"cache": name})
        check_cache(options)
        model = await caches.model_for(call, name, model or (None if said.cache else before))
    chosen = model_id(model or before or call.runtime.text_model(None))
    if options.json_schema is not None:
        json_answer.check_schema(options.json_schema)
    today = call.runtime.today()
    turn, options, notes = detail.applied(turn, options, chosen, call.runtime.catalogue, today)
    over_interactions = call.runtime.settings.text_api == "interactions"
    turns = await kept_media.picked_up(call.runtime, call.principal, thread.turns, steps=over_interactions)
    contents: list[Content | JsonObject] = [*turns, turn]
    sources = of_request(options, contents)
    await check_stores(call, options.stores or ())
    request, warnings = build(chosen, contents, options, call.runtime.catalogue, on=today)
    if continuation:
        request = request.model_copy(update={"continuation_token": continuation})
    stream = call.progress.wanted or answers_long(chosen, options.max_output_tokens)
    try:
        ran = await run(call, chosen, request, stream=stream)
    except ToolserverError as error:
        if options.stores:
            raise explained_search(error, options.stores) from None
        if not options.cache:
            raise
        raise caches.explained(error, options.cache, kept=not said.cache) from None
    result = judge(call, chosen, ran, sources, [*notes, *warnings])
    if result.pictures() or result.files:
        await keep_media(call, result)
    if options.json_schema is not None and not result.function_calls:
        await add_json(result, options.json_schema, ran, sources)
    if thread.begin or thread.kept or result.function_calls:
        # The answer is paid for: a dropped caller must not leave half a turn behind.
        with anyio.CancelScope(shield=True):
            kept = (keep or options).model_copy(update={"sources": sources.kept(ran.transcript)})
            await _keep(call, thread, chosen, turn, ran, kept, result, rest=continuation is not None)
    return result


async def keep_media(call: Call, result: TextResult) -> None:
    """What hosted code drew and wrote becomes files; beside the text are previews of the pictures."""
    kept = await artifacts.keep_pictures(call, "plot", result.pictures())
    result.attach(kept.pictures)
    for file in result.files:
        data = await anyio.to_thread.run_sync(decoded, file.data)
        if not data:
            kept.warnings.append("A file that came with the answer is no valid base64; it is lost.")
            continue
        out = await saved(call, "file", data, kept.warnings, name=f"x{extension_for(plain(file.mime_type))}")
        kept.artifacts += [out] if out else []
    result.artifacts = kept.artifacts or None
    result.warn(*kept.warnings)


def _inherited(settings: dict[str, Any], said: Options) -> Options:
    """What a conversation keeps, with what was said now in front."""
    kept = dict(settings)
    if said.functions is not None:
        # Which functions may or must be called was said of the functions that go.
        kept = {name: value for name, value in kept.items() if name not in ("function_mode", "allowed_functions")}
    return Options.model_validate({**kept, **said.model_dump(exclude_none=True)})


async def add_json(result: TextResult, schema: Any, ran: Ran, sources: Sources) -> None:
    """Add the answer as JSON, as it fits the schema."""
    # Parsed from what came: cleaning is for those who read it, and must not break JSON.
    value, complaint = await json_answer.parse(ran.transcript.text, schema, quote=not sources.names)
    result.json_ = sources.json_value(value)
    if sources.names and value is not None:
        shown, _ = await json_answer.parse(result.text, True)
        if shown != result.json_:
            # Escapes hid from cleaning what a reader's parser would bring back.
            result.reword(json.dumps(result.json_, ensure_ascii=False))
    if complaint:
        result.incomplete = True
        result.warn(complaint + " Ask again, or simplify the schema.")


async def _keep(
    call: Call, thread: Thread, model: str, turn: Content, ran: Ran, options: Options, result: TextResult, *, rest: bool
) -> None:
    result.conversation = thread.kept.id if thread.kept else None
    missing = "only the rest of an answer" if rest else "incomplete" if _unfinished(ran) else ""
    if missing:
        result.warn(f"This turn is not kept in the conversation because it is {missing}.")
        return
    turns = [turn.as_json(), ran.transcript.turn]
    if any(part.file_data and _UPLOADED in part.file_data.file_uri for part in turn.parts):
        result.warn(
            "This turn refers to a file at Google, which is deleted 48 hours after its upload: from then on the "
            "conversation cannot be continued."
        )
    conversations = call.runtime.conversations
    try:
        if thread.kept:
            await conversations.append(
                call.principal, thread.kept.id, turns,
                expected_turns=len(thread.kept.turns), model=model, settings=_settings(thread.kept, options),
            )  # fmt: skip
        else:
            created = await conversations.create(
                call.principal, model=model, system=options.system, settings=options.kept()
            )
            await conversations.append(call.principal, created, turns, expected_turns=0)
            result.conversation = created
    except ToolserverError as error:
        _log.warning("a turn could not be kept: %s", error.what)
        result.warn(f"The answer is complete but could not be kept in the conversation: {error}")
    except Exception:  # noqa: BLE001  whatever the ledger died of, the answer is paid for
        _log.exception("a turn could not be kept")
        result.warn(
            "The answer is complete but could not be kept in the conversation: the ledger failed; the details are in "
            "the server's log (stderr). server_status looks at it."
        )


def _settings(kept: Conversation, options: Options) -> dict[str, Any]:
    """What later turns inherit; a turn in writing leaves how the model talked."""
    spoken: JsonObject | None = kept.settings.get(SPOKEN)
    return options.kept() if spoken is None else {**options.kept(), SPOKEN: {"model": kept.model, **spoken}}


def _unfinished(ran: Ran) -> bool:
    reason = ran.transcript.finish_reason
    # An answer that was cut at max_output_tokens is kept, so that the rest can be asked for.
    return ran.broken or reason in (None, "CONTINUATION") or reason in BLOCKING or reason in BROKEN


def spoken_last(conversation: Conversation) -> bool:
    """Whether the last turn of a conversation was had by voice."""
    spoken: JsonObject | None = conversation.settings.get(SPOKEN)
    return spoken is not None and spoken.get("model", conversation.model) == conversation.model


def unanswered(conversation: Conversation) -> list[JsonObject]:
    """The function calls for whose results a conversation waits."""
    if not conversation.turns or conversation.turns[-1].get("role") != "model":
        return []
    parts = cast(list[JsonObject], conversation.turns[-1].get("parts") or [])
    return [called for part in parts if (called := member(part, "functionCall")) is not None]


def responses(waiting: list[JsonObject], results: Sequence[dict[str, Any]]) -> list[FunctionResponse]:
    """The responses to all calls, in their order.

    Args:
        waiting: the calls.
        results: `id`, `name` and `response` of each, in any order.

    Raises:
        ArgumentError: a result for no call, or none for one.
    """
    names = {position: f"call-{position + 1}" for position in range(len(waiting))}
    ids = {position: str(item.get("id") or names[position]) for position, item in enumerate(waiting)}
    listing = ", ".join(f"{item.get('name')} (id {ids[position]})" for position, item in enumerate(waiting))
    answered: dict[int, FunctionResponse] = {}
    for result in results:
        name, given = result.get("name"), result.get("id")
        matching = [
            position
            for position, item in enumerate(waiting)
            if position not in answered
            and (given is None or ids[position] == given)
            and (name is None or item.get("name") == name)
        ]
        if not matching or (given is None and len(matching) > 1):
            raise ArgumentError(
                f"No open call matches the result with id {given!r} and name {name!r}.", f"Open calls: {listing}."
            )
        # Two calls of one id are answered in their order.
        called = waiting[matching[0]]
        bare = result.get("response")
        if not json_answer.within(bare, json_answer.SCHEMA_DEPTH):
            raise ArgumentError(f"The response of {called.get('name')!r} is nested too deeply.", "Flatten it.")
        answered[matching[0]] = FunctionResponse(
            id=called.get("id"),
            name=str(called.get("name")),
            # Gemini takes an object; a bare value goes under the name that its documentation uses.
            response=member(result, "response") or ({} if bare == {} else {"result": bare}),
        )
    missing = [f"{item.get('name')} (id {ids[n]})" for n, item in enumerate(waiting) if n not in answered]
    if missing:
        raise ArgumentError(
            f"Results are missing for {', '.join(missing)}.", "Gemini wants the results of one turn all at once."
        )
    return [answered[position] for position in range(len(waiting))]
