"""Tools that begin jobs, to be had as tasks: the ledger, the runner and the extension are the server's own."""

from __future__ import annotations

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, CallToolResult, InputRequiredResult

from gemini_server import tasks
from gemini_server.jobs.job import Job
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.jobs import Plan, begin, wait
from tests.conformance.fixtures import Asked, Json, ended, said, tool
from tests.conformance.questions import BOOLEAN, STRING, content, elicit, needed

LONGEST = 3600.0


async def _done(asked: Asked, work: str, wish: Json) -> CallToolResult:
    plan = Plan(kind="fixture", tool=asked.params.name, work=work, wish=wish)
    begun = await begin(asked.call, plan)
    return await ended(asked.call, await wait(asked.call, begun.job, LONGEST))


@tool("Greets.", {"name": STRING}, required=("name",))
async def greet(asked: Asked) -> CallToolResult:
    return said(f"Hello, {asked.arguments['name']}!")


@tool("Takes some seconds.", {"seconds": {"type": "number"}, "label": STRING}, finish=ended)
async def slow_compute(asked: Asked) -> CallToolResult:
    given = asked.arguments
    wish = {"seconds": given.get("seconds", 1), "text": f"{given.get('label', 'It')} is done."}
    return await _done(asked, "conformance_wait", wish)


@tool("Begins what takes some seconds, and says which job it is.", {"seconds": {"type": "number"}})
async def begin_compute(asked: Asked) -> CallToolResult:
    wish = {"seconds": asked.arguments.get("seconds", 1), "text": "It is done."}
    begun = await begin(asked.call, Plan(kind="fixture", tool="slow_compute", work="conformance_wait", wish=wish))
    return said(begun.job.id)


@tool("Stops a job.", {"job": STRING}, required=("job",))
async def stop(asked: Asked) -> CallToolResult:
    job = await asked.call.runtime.runner.cancel(asked.call.principal, asked.arguments["job"])
    return said(job.state)


@tool("Fails after a while; only to be had as a task.", finish=ended)
async def failing_job(asked: Asked) -> CallToolResult:
    tasks.require(asked.ctx)
    return await _done(asked, "conformance_wait", {"seconds": 0.2, "error": "This job intentionally fails."})


async def _broken(call: Call, job: Job) -> CallToolResult:
    raise MCPError(INTERNAL_ERROR, "This job intentionally breaks the protocol.")


@tool("Ends in an error of the protocol.", finish=_broken)
async def protocol_error_job(asked: Asked) -> CallToolResult:
    return await _done(asked, "conformance_wait", {"seconds": 0.2, "text": "Nobody reads this."})


@tool("Asks whether to delete.", {"filename": STRING}, finish=ended)
async def confirm_delete(asked: Asked) -> CallToolResult:
    question = elicit(f"Delete {asked.arguments.get('filename')}?", confirm=BOOLEAN)
    return await _done(asked, "conformance_ask", {"questions": {"confirm": question}})


@tool("Asks two things at once.", finish=ended)
async def multi_input(asked: Asked) -> CallToolResult:
    questions = {"name": elicit("What is your name?", name=STRING), "sure": elicit("Sure?", confirm=BOOLEAN)}
    return await _done(asked, "conformance_ask", {"questions": questions})


@tool("Asks for a name first, then takes a while; only to be had as a task.", finish=ended)
async def test_tool_with_task(asked: Asked) -> CallToolResult | InputRequiredResult:
    tasks.require(asked.ctx)
    given = content(asked.params, "user_name")
    if given is None:
        return needed({"user_name": elicit("What is your name?", name=STRING)})
    return await _done(asked, "conformance_wait", {"seconds": 0.2, "text": f"Hello, {given.get('name')}!"})
