"""The Interactions API itself: turns of models and agents, at once or in the background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import anyio
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from gemini_server.api import interactions as api
from gemini_server.api.interaction_request import ThinkingLevel, Tier
from gemini_server.errors import ArgumentError, ToolserverError
from gemini_server.jobs.job import Job
from gemini_server.toolkit import background_cost, identity, job_result, jobs, media, owners
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.foreign_names import check_said
from gemini_server.toolkit.generation.sources import Sources
from gemini_server.toolkit.interaction_answer import answered, looked_at
from gemini_server.toolkit.interaction_input import contents_of
from gemini_server.toolkit.interaction_known import explained, found
from gemini_server.toolkit.interaction_result import InteractionOut, environment_name
from gemini_server.toolkit.interaction_run import run
from gemini_server.toolkit.interaction_seen import of_tools, together
from gemini_server.toolkit.interaction_wanted import Checked, Wanted, check, makes_environment
from gemini_server.toolkit.jobs import Plan, Reuse, WaitSeconds
from gemini_server.toolkit.params import AnyJson, Attachments, JsonSchema, ModelName
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("interactions", "The Interactions API: stored turns, agents, background work.")

KIND = "interaction"
STOPPING = 10.0
"""Seconds that a cancelled job is waited for."""

_OBJECTS: dict[str, Any] = {"type": "array", "items": {"type": "object"}}
_Said = WithJsonSchema(
    {"anyOf": [{"type": "string"}, _OBJECTS], "description": "literal text; or content or steps as the API has them"}
)
_Tools = WithJsonSchema(
    {
        "type": "array",
        "items": {"anyOf": [{"type": "string"}, {"type": "object"}]},
        "description": "google_search, google_maps, url_context, code_execution; {name, description, parameters} of a "
        "function you run; or {type: file_search|mcp_server|…} as the API has it",
    }
)
_Anything = WithJsonSchema(
    {"anyOf": [{"type": "object"}, _OBJECTS], "description": "as the API has it: image, audio …"}
)
_Environment = WithJsonSchema(
    {"anyOf": [{"type": "string"}, {"type": "object"}], "description": "sandbox: remote, an id, or as the API has it"}
)
InteractionId = Annotated[str, Field(description="interaction id, or the id of its job")]


class ResultIn(BaseModel):
    """What a function returned."""

    model_config = ConfigDict(extra="forbid")

    id: str
    name: str | None = None
    response: AnyJson
    is_error: bool | None = None


class Deleted(Result):
    """What was deleted."""

    deleted: str


async def finish(call: Call, job: Job, warnings: Sequence[str] = ()) -> InteractionOut:
    """The interaction that a job waited for, or the job while it goes on."""
    return await job_result.finished(call, job, InteractionOut, [*job.wish.get("notes", ()), *warnings])


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, finish=finish)
async def create_interaction(
    call: Call,
    input: Annotated[str | list[dict[str, Any]] | None, _Said] = None,  # noqa: A002  the API's word
    model: ModelName = None,
    agent: Annotated[str | None, Field(description="instead of a model: antigravity-…, or an agent's id")] = None,
    agent_config: Annotated[dict[str, Any] | None, Field(description="how the agent works")] = None,
    attachments: Attachments = None,
    system: Annotated[str | None, Field(description="system instruction")] = None,
    tools: Annotated[list[str | dict[str, Any]] | None, _Tools] = None,
    tool_choice: Annotated[
        Literal["auto", "any", "none", "validated"] | None, Field(description="any forces a call")
    ] = None,
    json_schema: JsonSchema = None,
    response_format: Annotated[dict[str, Any] | list[dict[str, Any]] | None, _Anything] = None,
    thinking: Annotated[ThinkingLevel | None, Field(description="level")] = None,
    thoughts: Annotated[bool | None, Field(description="return summaries of the thinking")] = None,
    max_output_tokens: Annotated[int | None, Field(description="thinking counts too")] = None,
    stop: Annotated[list[str] | None, Field(description="stop sequences, up to 5")] = None,
    seed: Annotated[int | None, Field(description="for repeatable answers")] = None,
    previous: Annotated[str | None, Field(description="id of the interaction, or its job, to go on from")] = None,
    function_results: Annotated[
        list[ResultIn] | None, Field(description="of all function_calls of `previous`: id, response")
    ] = None,
    background: Annotated[bool | None, Field(description="go on as a job; an agent does by itself")] = None,
    store: Annotated[
        bool | None,
        Field(description="Google keeps it; default: only for background, previous or functions, which need it"),
    ] = None,
    environment: Annotated[str | dict[str, Any] | None, _Environment] = None,
    continuation: Annotated[str | None, Field(description="token of an unfinished answer")] = None,
    service_tier: Annotated[Tier | None, Field(description="flex: half price, slower")] = None,
    labels: Annotated[dict[str, str] | None, Field(description="for the bill")] = None,
    safety: Annotated[dict[str, str] | None, Field(description="category: threshold, e.g. harassment: off")] = None,
    webhook: Annotated[dict[str, Any] | None, Field(description="{uris, user_metadata}: told when it ends")] = None,
    wait_seconds: WaitSeconds = jobs.WAIT,
    reuse: Reuse = True,
) -> InteractionOut:
    """One turn of a model or agent through Gemini's Interactions API: text, tools, agents in a sandbox, turns that
    Google keeps. Tools, system and settings hold for one turn: give them again. Billed by token. Returns id (where it
    is kept), status, text, citations, function_calls (answer with previous and function_results), code, artifacts,
    usage; in the background a job, which get_job finishes.
    """
    before = await found(call, previous) if previous else None
    wanted = Wanted(
        input=input, model=model, agent=agent, agent_config=agent_config, attachments=attachments or (), system=system,
        tools=tools or (), tool_choice=tool_choice, json_schema=json_schema, response_format=response_format,
        thinking=thinking, thoughts=thoughts, max_output_tokens=max_output_tokens, stop=stop or (), seed=seed,
        function_results=[one.model_dump(exclude_unset=True) for one in function_results or ()], background=background,
        store=store, previous=before.id if before else None, environment=environment, continuation=continuation,
        service_tier=service_tier, labels=labels, safety=safety, webhook=webhook,
    )  # fmt: skip
    checked = check(call, wanted)
    named = {"agent": agent, "environment": environment}
    await check_said(call, [input, tools, agent_config, response_format, named])
    if before is not None and before.job is not None and not before.job.ended:
        raise ArgumentError(
            f"The interaction {before.id} is still under way as the job {before.job.id}.",
            f'get_job with job="{before.job.id}" and wait_seconds waits for it.',
        )
    sources = of_tools(checked.tools, media=bool(attachments))
    sources = together(sources, before.sources) if before else sources
    if not checked.background:
        return await _waited_for(call, wanted, checked, sources)
    async with media.opened(wanted.attachments, call) as opened:
        # The job goes on when this call, and the files that it opened, are gone.
        parts = await identity.held(opened)
    body = checked.said(wanted, await contents_of(call, parts))
    same = [checked.said(wanted, []).model_dump_json(exclude_none=True), *await identity.of_parts(parts)]
    begun = await jobs.begin(call, _plan(call, wanted, checked, same, sources), body=body, reuse=reuse)
    return await finish(call, await jobs.wait(call, begun.job, wait_seconds), jobs.reused(begun))


async def _waited_for(call: Call, wanted: Wanted, checked: Checked, sources: Sources) -> InteractionOut:
    async with media.opened(wanted.attachments, call) as opened:
        body = checked.said(wanted, await contents_of(call, opened))
        ran = await run(call, checked.name, body, markup=sources.markup)
    if makes_environment(wanted, checked.name) and ran.interaction.environment_id:
        await owners.claim(call, environment_name(ran.interaction.environment_id))
    result = await answered(call, checked.name, ran, sources, kept=bool(body.store), schema=wanted.json_schema)
    if checked.warnings:
        result.warnings = [*checked.warnings, *(result.warnings or ())]
    return result


def _plan(call: Call, wanted: Wanted, checked: Checked, same: list[str], sources: Sources) -> Plan:
    return Plan(
        kind=KIND,
        tool="create_interaction",
        work="interaction",
        model=checked.name,
        identity=same,
        estimate=background_cost.of_interaction(call, checked.name, wanted.response_format),
        wish={
            "sources": sorted(sources.names),
            "schema": wanted.json_schema,
            "notes": checked.warnings,
            "makes_environment": makes_environment(wanted, checked.name),
        },
    )


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True)
async def get_interaction(
    call: Call,
    id: InteractionId,  # noqa: A002  the word of the tool's contract
    include_input: Annotated[bool, Field(description="with what was said, without media")] = False,
) -> InteractionOut:
    """How an interaction that Google keeps stands, and what came of it. Free."""
    known = await found(call, id)
    query = {"include_input": True} if include_input else None
    try:
        reply = await call.runtime.client.call(api.GET, id=known.id, query=query)
    except ToolserverError as error:
        raise explained(error) from None
    return await looked_at(call, reply.value, known.sources, known.job)


@TOOLSET.tool(read_only=False, destructive=True, idempotent=True, open_world=True)
async def cancel_interaction(call: Call, id: InteractionId) -> InteractionOut:  # noqa: A002
    """Stop an interaction in the background. What it has spent by then is billed: usage says how much, where Google
    does. Returns it as it then stands.
    """
    known = await found(call, id, begun=False)
    try:
        if known.job is not None and not known.job.ended:
            job = await call.runtime.runner.cancel(call.principal, known.job.id)
            with anyio.move_on_after(STOPPING):
                while not job.ended:
                    job = await call.runtime.runner.news(job, STOPPING)
            if not job.operation:
                return InteractionOut(status=job.state, warnings=[job.message or "It had not begun at Google."])
            reply = await call.runtime.client.call(api.GET, id=job.operation)
        else:
            reply = await call.runtime.client.call(api.CANCEL, id=known.id)
    except ToolserverError as error:
        raise explained(error) from None
    return await looked_at(call, reply.value, known.sources, known.job)


@TOOLSET.tool(read_only=False, destructive=True, idempotent=True, open_world=True)
async def delete_interaction(call: Call, id: InteractionId) -> Deleted:  # noqa: A002
    """Delete what Google keeps of an interaction, for good; later turns cannot go on from it. Free."""
    known = await found(call, id)
    if known.job is not None and not known.job.ended:
        raise ArgumentError(
            f"The interaction is still under way as the job {known.job.id}.", "Stop it with cancel_job first."
        )
    try:
        await call.runtime.client.call(api.DELETE, id=known.id)
    except ToolserverError as error:
        raise explained(error) from None
    return Deleted(deleted=known.id)
