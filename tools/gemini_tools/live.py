"""Live: a turn of a conversation by voice, and tokens with which a browser has its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import anyio.to_thread
from pydantic import Field

from gemini_server.api import auth_tokens
from gemini_server.jobs.job import Job
from gemini_server.toolkit import jobs, live_given, live_token, performed
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.foreign_names import check_said
from gemini_server.toolkit.generation.options import model_id
from gemini_server.toolkit.jobs import Plan, WaitSeconds
from gemini_server.toolkit.live_asked import asked
from gemini_server.toolkit.live_request import FunctionIn, FunctionResultIn, Manner, Turn
from gemini_server.toolkit.live_result import LiveTurn, turn_of
from gemini_server.toolkit.live_token import Constraints
from gemini_server.toolkit.live_turn import KIND, take
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.served import check_served
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("live", "Conversations by voice, and tokens for browsers that have them.")


async def finish(call: Call, job: Job, warnings: Sequence[str] = ()) -> LiveTurn:
    """The turn that a job had, or the job while it goes on."""
    return await turn_of(call, job, warnings)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, finish=finish)
async def live_turn(
    call: Call,
    text: Annotated[str | None, Field(description="what is said, in words")] = None,
    audio: Annotated[str | None, Field(description="or a WAV recording: path, artifact, data: URI; 10 min")] = None,
    images: Annotated[list[str] | None, Field(description="shown beside it: paths, artifacts, data: URIs")] = None,
    voice: Annotated[str | None, Field(description="Kore, Puck, Charon, Zephyr …, or a voice id")] = None,
    system: Annotated[str | None, Field(description="system instruction")] = None,
    language: Annotated[str | None, Field(description="BCP 47")] = None,
    functions: Annotated[list[FunctionIn] | None, Field(description="functions you can run")] = None,
    function_results: Annotated[
        list[FunctionResultIn] | None, Field(description="instead of text: answers to function_calls")
    ] = None,
    conversation: Annotated[str | None, Field(description="'new' or an id: keep turns, voice, functions")] = None,
    wait_seconds: WaitSeconds = jobs.WAIT,
    model: ModelName = None,
) -> LiveTurn:
    """Say something to a Live model, in words or as a recording, and hear the answer: its transcript, and a WAV file.
    One turn a call; conversation goes on with it, for two hours with everything heard and seen, after that by its
    transcripts. function_calls are answered with function_results within 5 minutes. Billed by token.
    """
    turn = Turn(
        text or "",
        await live_given.recording(audio, call) if audio is not None else b"",
        await live_given.pictures(images or (), call),
    )
    said = Manner(
        voice=voice,
        language=language,
        system=system,
        functions=None if functions is None else [one.model_dump(exclude_none=True) for one in functions],
    )
    results = [one.model_dump() for one in function_results or ()]
    wanted = await asked(call, model_id(model) if model else None, turn, results, said, conversation)
    check_served(call, wanted.model)
    await check_said(call, {"voice": wanted.manner.voice})
    same = await anyio.to_thread.run_sync(wanted.identity)
    plan = Plan(KIND, "live_turn", "perform", wanted.model, identity=same, window=0.0)
    begun = await jobs.begin(call, plan, perform=performed.performing(call, KIND, lambda own: take(own, wanted)))
    job = await jobs.wait(call, begun.job, wait_seconds)
    return await finish(call, job, jobs.reused(begun))


_NOT_COUNTED = (
    "What the sessions of this token cost is not held against the daily cap: they are no calls of this server."
)


class TokenOut(Result):
    """A token. It is shown this once."""

    name: str
    expires: str
    new_session_expires: str
    uses: Annotated[int, Field(description="0: any number")]
    url: Annotated[str, Field(description="WebSocket; header Authorization: Token NAME, or ?access_token=NAME")]


class NewToken(Result):
    """A new token."""

    token: TokenOut
    warnings: list[str] | None = None


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True)
async def create_live_token(
    call: Call,
    constraints: Annotated[Constraints | None, Field(description="what is fixed, beside the model")] = None,
    uses: Annotated[
        int | None, Field(ge=0, le=10_000, description="sessions it opens; default 1, 0: any number")
    ] = None,
    expires: Annotated[
        float | str | None, Field(description="seconds, or RFC 3339; default 1800, below 20 hours")
    ] = None,
    new_session_seconds: Annotated[
        float | None, Field(gt=0, description="for how long it opens sessions; default 60")
    ] = None,
    lock_everything: Annotated[bool, Field(description="fix what is not named too, as Google has it")] = False,
    model: ModelName = None,
) -> NewToken:
    """Make a short-lived token with which a browser or an app opens Live sessions by itself, with this model and these
    constraints and nothing else: the key stays here. It is shown once and kept nowhere. Free; what its sessions use is
    billed to the key.
    """
    chosen = model_id(model or call.runtime.catalogue.default("live"))
    check_served(call, chosen)
    setup = (constraints or Constraints()).setup(chosen, call.runtime.catalogue)
    now = datetime.now(UTC)
    await check_said(call, {"voice": constraints.voice if constraints else None})
    request = live_token.wanted(setup, uses, expires, new_session_seconds, now, whole=lock_everything)
    await call.runtime.may_spend(call.principal)  # what its sessions cost nobody counts here
    reply = await call.runtime.client.call(auth_tokens.CREATE, body=request, on_retry=call.progress.retry)
    end, sessions_end = live_token.ends(request, now)
    return NewToken(
        token=TokenOut(
            name=live_token.checked(reply.value.name),
            expires=end,
            new_session_expires=sessions_end,
            uses=1 if uses is None else uses,
            url=live_token.url(call.runtime.client.config),
        ),
        warnings=None if call.runtime.settings.daily_cap is None else [_NOT_COUNTED],
    )
