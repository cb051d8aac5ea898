"""Research by an agent of Google's: minutes to an hour of searching and reading, and a report with its sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from gemini_server.api.interaction_request import Asked
from gemini_server.api.interaction_tools import GoogleSearch, UrlContext
from gemini_server.errors import ArgumentError
from gemini_server.jobs.job import Job, Json
from gemini_server.toolkit import identity, job_result, jobs, media
from gemini_server.toolkit import research_request as request
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.file_search_names import check_stores
from gemini_server.toolkit.generation.options import model_id
from gemini_server.toolkit.generation.sources import of_names
from gemini_server.toolkit.interaction_input import contents_of
from gemini_server.toolkit.interaction_seen import of_tools
from gemini_server.toolkit.job_result import EstimatedJob
from gemini_server.toolkit.jobs import Plan, Reuse, WaitSeconds
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.research_request import McpServerIn
from gemini_server.toolkit.served import check_served
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("research", "Research with a report, by an agent of Google's.")

KIND = "research"
_BY_ITSELF = (GoogleSearch(), UrlContext())
"""What the agent reads when nothing is said of that."""


async def finish(call: Call, job: Job, warnings: Sequence[str] = ()) -> EstimatedJob:
    """The report of a job, as far as that has come.

    Raises:
        ToolserverError: it came to nothing.
    """
    return EstimatedJob(**(await job_result.shown(call, job, warnings)).__dict__)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, finish=finish)
async def start_research(
    call: Call,
    question: Annotated[str, Field(description="what to find out, and what the report is to be like")],
    sources: Annotated[
        list[str] | None, Field(description="to read too: pages, path, https:// URL, files/ID, artifact")
    ] = None,
    stores: Annotated[list[str] | None, Field(description="fileSearchStores/ID to look in")] = None,
    mcp_servers: Annotated[list[McpServerIn] | None, Field(description="remote ones, which Google calls")] = None,
    web: Annotated[bool | None, Field(description="false: only stores and mcp_servers")] = None,
    plan_only: Annotated[bool, Field(description="write a plan first, to approve or change")] = False,
    visualization: Annotated[bool | None, Field(description="charts in the report")] = None,
    wait_seconds: WaitSeconds = jobs.WAIT,
    dry_run: Annotated[bool, Field(description="cost only")] = False,
    reuse: Reuse = True,
    model: ModelName = None,
) -> EstimatedJob:
    """Have an agent research a question on the web and in your stores: a report with cited sources, as text and as an
    artifact. Takes 5 to 60 minutes: returns a job, which get_job finishes; do not start it again. Billed by what it
    reads and searches, typically $1-3 (deep-research-max-…: $3-7), which nobody can promise; a plan costs cents.
    """
    asked = request.check_question(question)
    name = model_id(model or call.runtime.catalogue.default(KIND))
    _check_agent(call, name)
    looks = request.tools(stores or (), mcp_servers or (), web=web)
    await check_stores(call, stores or ())
    given, pages = request.split(sources or ())
    cost = request.estimate(call.runtime.catalogue, name, call.runtime.today(), plan=plan_only)
    if dry_run:
        async with media.opened(given, call, upload=False):
            pass  # a source that cannot be read is refused here as it would be later
        estimated = None if cost is None else round(float(cost), 4)
        note = "It is a rule of thumb: the agent decides how much it reads. Its searches are billed on top."
        return EstimatedJob(dry_run=True, estimated_cost_usd=estimated, model=name, warnings=[note])
    said = request.words(asked, pages)
    plan = True if plan_only else None
    async with media.opened(given, call) as opened:
        parts = await identity.held(opened)
    body = request.task(name, said, await contents_of(call, parts), looks, plan=plan, charts=visualization)
    bare = request.task(name, said, [], looks, plan=plan, charts=visualization).model_dump_json(exclude_none=True)
    read = of_tools(looks or _BY_ITSELF, media=bool(given)).names
    wish: Json = {"sources": sorted(read), "question": asked.partition("\n")[0][:200], "plan": plan_only, "web": web}
    plan_of = Plan(
        KIND, "start_research", KIND, name, identity=[bare, *await identity.of_parts(parts)], wish=wish, estimate=cost
    )
    return await _begun(call, plan_of, body, wait_seconds, reuse=reuse)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, finish=finish)
async def follow_up_research(
    call: Call,
    job: Annotated[str, Field(description="of start_research or of this tool, done")],
    question: Annotated[str, Field(description="about the report; of a plan: consent, or what to change")],
    plan_only: Annotated[bool, Field(description="change the plan, and do not go ahead")] = False,
    stores: Annotated[list[str] | None, Field(description="as before, again")] = None,
    mcp_servers: Annotated[list[McpServerIn] | None, Field(description="as before, again")] = None,
    wait_seconds: WaitSeconds = jobs.WAIT,
    reuse: Reuse = True,
    model: Annotated[str | None, Field(description="a deep-research-… id researches anew on the report")] = None,
) -> EstimatedJob:
    """Go on from research: go ahead with a plan, change it, or ask about a report. A plan goes to its agent, and is
    billed as start_research; a question about a report is answered by a text model in a minute, billed by token
    (cents). Returns a job.
    """
    asked = request.check_question(question)
    before = await call.runtime.jobs.get(call.principal, job.strip())
    if before.kind != KIND:
        raise ArgumentError(f"The job {before.id} is no research but of the kind {before.kind}.")
    if before.state != "done" or not before.operation:
        waits = f'get_job with job="{before.id}" and wait_seconds waits for it.'
        raise ArgumentError(
            f"The research {before.id} is not there to go on from: it is {before.state}.",
            waits if not before.ended else "Start it again.",
        )
    planned = bool(before.wish.get("plan"))
    if plan_only and not planned:
        raise ArgumentError("There is no plan to change: that research has its report.", "Leave plan_only out.")
    name = model_id(model or (before.model if planned else call.runtime.text_model(None)))
    agent, web = name.startswith(request.FAMILY), before.wish.get("web")
    # Who kept it off the web means that of the plan's research, too.
    looks = request.tools(stores or (), mcp_servers or (), web=web) if agent or stores or mcp_servers else None
    await check_stores(call, stores or ())
    names = of_names(before.wish.get("sources") or ()).names | of_tools(looks or ()).names
    if agent:
        _check_agent(call, name)
        goes = True if plan_only else False if planned else None
        body: Asked = request.task(name, asked, [], looks, plan=goes, previous=before.operation)
    elif planned:
        raise ArgumentError(f"{name} does no research.", "Leave model out to go on with the agent of the plan.")
    else:
        check_served(call, name)
        body = request.question_about(name, asked, before.operation)
        body.tools = looks
    cost = request.estimate(call.runtime.catalogue, name, call.runtime.today(), plan=plan_only)
    title = before.wish.get("question") if planned else asked.partition("\n")[0][:200]
    plan_of = Plan(
        KIND, "follow_up_research", KIND, name,
        identity=[body.model_dump_json(exclude_none=True)], estimate=cost,
        wish={"sources": sorted(names), "question": title, "plan": plan_only, "answer": not agent, "web": web},
    )  # fmt: skip
    return await _begun(call, plan_of, body, wait_seconds, reuse=reuse)


async def _begun(call: Call, plan: Plan, body: Asked, wait_seconds: float, *, reuse: bool) -> EstimatedJob:
    begun = await jobs.begin(call, plan, body=body, reuse=reuse)
    return await finish(call, await jobs.wait(call, begun.job, wait_seconds), jobs.reused(begun))


def _check_agent(call: Call, name: str) -> None:
    """See that an agent does research.

    Raises:
        ArgumentError: it does not.
        NotFound: it was shut down.
    """
    check_served(call, name)
    facts = call.runtime.catalogue.get(name)
    if facts is not None and KIND not in facts.capabilities:
        raise ArgumentError(f"{name} does no research.", f"Leave model out for {call.runtime.catalogue.default(KIND)}.")
