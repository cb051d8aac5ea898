"""A Live turn from what is wanted to what a tool returns: the talk, the books, the conversation that keeps it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import anyio
import anyio.to_thread

from gemini_server.api.content import Content, FunctionCall, Part, text_part
from gemini_server.api.live import RESUMABLE, LiveUsage
from gemini_server.errors import NotFound
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.dialogue import spoken_last
from gemini_server.toolkit.generation.result import FunctionCallOut
from gemini_server.toolkit.generation.run import book, usage_of, with_replacement
from gemini_server.toolkit.kept_turn import failure_is_a_warning
from gemini_server.toolkit.live_asked import MANNER, Asked
from gemini_server.toolkit.live_heard import Heard
from gemini_server.toolkit.live_request import history_of, results_in_words
from gemini_server.toolkit.live_result import LiveTurn
from gemini_server.toolkit.live_talk import Talk
from gemini_server.toolkit.live_waiting import LiveSocket, settled
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.saved import saved
from gemini_server.toolkit.untrusted import label

KIND = "live"
_REASON = re.compile(r"[A-Z][A-Z_]{0,60}")
_GONE = "Google does not have this conversation any more (a session is kept for two hours)"
_WRITTEN = "The last turn of this conversation was in writing, of which its Live session knows nothing"
_OTHER_MODEL = "Its Live session was had with another model"
_TOLD_AGAIN = "it was told again from its transcripts, so what was heard and seen before is known in words alone."
_TOLD_RESULTS = "The session that waited for these results has ended: it was begun anew, and they were told in words."


async def take(call: Call, wanted: Asked) -> LiveTurn:
    """Have the turn, keep what came, book it.

    Raises:
        ToolserverError: nothing came of it.
    """
    warnings: list[str] = []
    async with call.runtime.slot():
        waiting = None
        if wanted.kept and wanted.turn.results:
            waiting = call.runtime.live_waiting.take(wanted.kept.id, len(wanted.turns))
        spent = await settled(waiting) if waiting else []
        if waiting and spent is None:
            await waiting.aclose()
            waiting = None
        if wanted.turn.results and waiting is None:
            warnings.append(_TOLD_RESULTS)
        try:
            talk = await _talk(call, wanted, waiting)
            trouble = await talk.hold(waiting)
        except NotFound as error:
            raise with_replacement(call.runtime, wanted.model, error) from None
        try:
            with anyio.CancelScope(shield=True):  # it is paid for: what came must not be lost on the way
                if talk.forgotten and not warnings:
                    warnings.append(f"{_why_told(wanted)}: {_TOLD_AGAIN}")
                if trouble is not None:
                    warnings.append(f"The answer broke off after {talk.heard.seconds:.1f} s of sound: {trouble.what}")
                return await _result(call, wanted, talk, warnings, spent or (), broken=trouble is not None)
        finally:
            if talk.socket is not None:
                with anyio.CancelScope(shield=True):
                    await talk.socket.aclose()
    raise AssertionError  # for the type checkers: the scopes swallow nothing


def _why_told(wanted: Asked) -> str:
    kept = wanted.kept
    if kept is None or not spoken_last(kept):
        return _WRITTEN
    return _GONE if kept.model == wanted.model else _OTHER_MODEL


async def _talk(call: Call, wanted: Asked, waiting: LiveSocket | None) -> Talk:
    runtime, kept, turn = call.runtime, wanted.kept, wanted.turn
    handle = None
    if kept is not None and not turn.results:
        handle = await runtime.live_sessions.find(kept.id, runtime.place, wanted.model, len(kept.turns))
    if turn.results and waiting is None:
        turn = results_in_words(turn)
    talk = Talk(
        runtime.client.config,
        wanted.model,
        wanted.setup,
        turn,
        history=history_of(wanted.turns),
        handle=handle,
        hear=call.progress.text,
    )
    talk.forgotten = bool(wanted.turns) and handle is None and waiting is None
    return talk


async def _result(
    call: Call, wanted: Asked, talk: Talk, warnings: list[str], spent: Sequence[LiveUsage], *, broken: bool
) -> LiveTurn:
    heard, sources = talk.heard, wanted.sources
    usage = _booked(call, wanted.model, heard, spent)
    if heard.reason:
        reason = heard.reason if _REASON.fullmatch(heard.reason) else "a reason that this server does not know"
        warnings.append(f"Gemini ended the turn with {reason}; something may be missing.")
    if heard.rate and not heard.said:
        warnings.append("There is no transcript of what was said.")
    result = LiveTurn(
        transcript=sources.clean(heard.transcript).text or None,
        input_transcript=sources.clean("".join(heard.asked)).text or None,
        function_calls=[_shown(one, number) for number, one in enumerate(heard.calls, 1)] or None,
        usage=usage,
        model_version=wanted.model,
        untrusted=sources.shown,
        interrupted=heard.interrupted or None,
        incomplete=broken or bool(heard.reason) or None,
        conversation=wanted.kept.id if wanted.kept else None,
    )
    if heard.sound:
        data = await anyio.to_thread.run_sync(heard.wav)
        kept = await saved(call, KIND, data, warnings)
        result.artifacts = [kept] if kept else None
    if not heard.anything:
        result.incomplete = True
        warnings.append("Gemini ended the turn without an answer.")
    if broken and (wanted.kept or wanted.begin):
        warnings.append("This turn is not kept in the conversation because it is incomplete.")
    elif wanted.kept or wanted.begin or heard.calls:
        await _keep(call, wanted, talk, result, warnings)
    result.warnings = warnings or None
    return result


def _booked(call: Call, model: str, heard: Heard, spent: Sequence[LiveUsage]) -> Usage:
    told = [*spent, *((heard.usage,) if heard.usage else ())]
    usage = usage_of(call.runtime, model, [one.usual() for one in told])
    if heard.usage or not heard.calls:  # a turn that goes on with the results of functions is counted at its end
        book(call, model, usage)
    return usage


def _shown(call: FunctionCall, number: int) -> FunctionCallOut:
    return FunctionCallOut(id=label(call.id or f"call-{number}"), name=label(call.name), arguments=call.args or {})


async def _keep(call: Call, wanted: Asked, talk: Talk, result: LiveTurn, warnings: list[str]) -> None:
    """Add the turn to its conversation, and keep its session; whatever fails is a warning: the answer is there."""
    turns = [_said(wanted, talk.heard).as_json(), _answer(talk.heard).as_json()]
    sources = sorted(wanted.sources.names) or None
    settings: dict[str, Any] = {
        MANNER: {
            "model": wanted.model, **wanted.manner.model_dump(exclude_none=True, include={"voice", "language"}),
        },
        "system": wanted.manner.system, "functions": wanted.manner.functions, "sources": sources,
    }  # fmt: skip
    settings = {name: value for name, value in settings.items() if value is not None}
    conversations, before = call.runtime.conversations, len(wanted.turns)
    with failure_is_a_warning(warnings):
        identifier = wanted.kept.id if wanted.kept else await conversations.create(
            call.principal, model=wanted.model, system=wanted.manner.system, settings=settings
        )  # fmt: skip
        await conversations.append(
            call.principal, identifier, turns, expected_turns=before, model=wanted.model, settings=settings
        )
        result.conversation = identifier
        await _keep_session(call, identifier, wanted, talk, before + len(turns))


async def _keep_session(call: Call, conversation: str, wanted: Asked, talk: Talk, turns: int) -> None:
    from gemini_server.jobs.live_sessions import LiveSession

    if talk.socket is not None:
        call.runtime.live_waiting.hold(conversation, turns, talk.socket)
        talk.socket = None
    elif talk.heard.handle is not None and talk.heard.covered:
        session = LiveSession(call.runtime.place, wanted.model, turns, talk.heard.handle)
        await call.runtime.live_sessions.keep(conversation, session, seconds=RESUMABLE)


def _said(wanted: Asked, heard: Heard) -> Content:
    """The user's turn in words."""
    turn = wanted.turn
    if turn.results:
        return Content(role="user", parts=[Part(function_response=one) for one in turn.results])
    parts = [text_part(f"[a picture: {one.mime_type}]") for one in turn.pictures]
    if turn.sound:
        parts.append(text_part("".join(heard.asked).strip() or "[a recording]"))
    parts += [text_part(turn.text)] if turn.text else []
    return Content(role="user", parts=parts)


def _answer(heard: Heard) -> Content:
    parts = [text_part(heard.transcript)] if heard.transcript else []
    parts += [Part(function_call=one) for one in heard.calls]
    return Content(role="model", parts=parts or [text_part("[nothing]")])
