"""A packaged tool that begins a job, from the client that declares tasks to the result in the tool's own schema."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR

import gemini_tools
from gemini_server import app, surface
from gemini_server.capabilities import Packaged
from gemini_server.errors import ArgumentError
from gemini_server.jobs.job import Job
from gemini_server.toolkit import exchange, jobs
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.toolset import Toolset
from tests.conformance.application import chosen
from tests.conformance.fixtures import Fixtures
from tests.conformance.task_client import Tasks, ask, in_memory
from tests.conformance.test_tasks import begun
from tests.conftest import error_of, structured

pytestmark = pytest.mark.anyio

TOOLSET = Toolset("sums", "Sums that take a while.")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Sum(Result):
    """A sum."""

    total: int

    def as_text(self) -> str:
        return f"The sum is {self.total}."


async def finish(call: Call, job: Job) -> Sum:
    error = jobs.failure(job)
    if error is not None:
        raise error
    if job.wish.get("crash"):
        raise ZeroDivisionError
    return Sum(total=job.wish["total"])


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=False, default=True, finish=finish)
async def add(call: Call, numbers: list[int], failing: bool = False, crash: bool = False) -> Sum:
    """Add numbers, slowly."""
    if not numbers:
        raise ArgumentError("There is nothing to add.", "Give numbers.")
    wish: dict[str, Any] = {"seconds": 0.05, "text": "", "total": sum(numbers), "crash": crash}
    if failing:
        wish["error"] = "The sum was lost."
    begun = await jobs.begin(call, jobs.Plan(kind="sum", tool="add", work="conformance_wait", wish=wish))
    return await finish(call, await jobs.wait(call, begun.job, 60))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> app.Published:
    """The server with one tool, found and run as the packaged ones are."""
    Fixtures()  # whose work is what the tool begins
    monkeypatch.setattr(gemini_tools, "modules", lambda: ["sums"])
    monkeypatch.setattr(gemini_tools, "load", {"sums": TOOLSET}.__getitem__)
    capabilities = Packaged()
    capabilities.surface = surface.parse(surface.build())
    return app.build(chosen(tmp_path), capabilities)


async def test_the_surface_says_which_tools_can_be_had_as_tasks(server: app.Published) -> None:
    [entry] = surface.build()["tools"]
    assert entry["task"] is True
    assert not any(tool.task for tool in surface.load().tools if tool.name == "generate_text")


async def test_the_result_of_a_task_is_that_of_the_call(server: app.Published) -> None:
    tasks = Tasks()
    async with in_memory(server) as client:
        waited = await client.call_tool("add", {"numbers": [1, 2]})
    async with in_memory(server, extensions=[tasks]) as client:
        await client.list_tools()  # the client holds results against the schema it knows
        polled = await client.call_tool("add", {"numbers": [1, 2]})
    assert structured(polled) == structured(waited) == {"total": 3}
    assert polled.content == waited.content
    assert len(tasks.created) == 1


async def test_what_fails_before_there_is_a_job_is_an_ordinary_error(server: app.Published) -> None:
    tasks = Tasks()
    async with in_memory(server, extensions=[tasks]) as client:
        assert "nothing to add" in error_of(await client.call_tool("add", {"numbers": []}))
        assert "there is no such argument" in error_of(await client.call_tool("add", {"numbers": [1], "x": 1}))
        assert "no tool" in error_of(await client.call_tool("subtract", {}))
    assert tasks.created == []


async def test_a_job_that_failed_or_a_result_that_cannot_be_made_is_the_tools_error(server: app.Published) -> None:
    tasks = Tasks()
    async with in_memory(server, extensions=[tasks]) as client:
        lost = error_of(await client.call_tool("add", {"numbers": [1], "failing": True}))
        assert "The sum was lost." in lost
        assert tasks.created[0]["taskId"] in lost
        crashed = error_of(await client.call_tool("add", {"numbers": [1], "crash": True}))
        assert "a fault in this server" in crashed


async def test_a_job_of_a_tool_that_is_no_more_is_a_task_that_failed(server: app.Published, tmp_path: Path) -> None:
    async with in_memory(server, extensions=[Tasks()]) as client:
        task = await begun(client, "add", numbers=[1])
        await Tasks().follow(client.session, task)
    capabilities = Packaged()
    capabilities.surface = dataclasses.replace(capabilities.surface, tools=())
    async with in_memory(app.build(chosen(tmp_path), capabilities), extensions=[Tasks()]) as client:
        shown = await ask(client.session, "tasks/get", task)
        assert shown["status"] == "failed"
        assert shown["error"]["code"] == INTERNAL_ERROR
        assert "no tool add" in shown["error"]["message"]
        with pytest.raises(MCPError):
            await Tasks().follow(client.session, task)


async def test_handing_over_is_no_failure_of_the_tool() -> None:
    job = cast(Job, type("Job", (), {"id": "j_1"})())
    toolset = Toolset("hands", "Hands over.")

    @toolset.tool(read_only=True, destructive=False, idempotent=True, open_world=False)
    async def give(call: Call) -> Sum:
        """Give it away."""
        raise jobs.HandedOver(job)

    call = Call(cast(Runtime, None), as_task=True)
    with pytest.raises(jobs.HandedOver) as handed:
        await exchange.call_tool(toolset.tools["give"], call, {})
    assert handed.value.job.id == "j_1"
    with pytest.raises(TypeError):
        await exchange.finish_tool(toolset.tools["give"], call, job)
