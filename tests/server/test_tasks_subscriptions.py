"""Who hears that a job has changed: subscribers to its resource in both eras, followers of its task, nobody else."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.session import ClientSession
from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    Request,
    ResourceUpdatedNotification,
    SubscriptionFilter,
    SubscriptionsListenResult,
)

from gemini_server.news import News
from tests.conformance.application import build, chosen
from tests.conformance.task_client import OverHttp, TaskRequestParams, Tasks, ask, in_memory, over_network, token_file
from tests.conformance.test_tasks import ACCEPT, begun
from tests.conftest import text_of

pytestmark = pytest.mark.anyio

ALICE, BOB = "alice-token-0123456789", "bob-token-0123456789"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def uri_of(job: str) -> str:
    return f"gemini://jobs/{job}"


async def waiting(session: ClientSession, job: str) -> None:
    """Until a task waits for an answer."""
    with anyio.fail_after(10):
        while (await ask(session, "tasks/get", job))["status"] != "input_required":
            pass


async def answer(session: ClientSession, job: str) -> None:
    await ask(session, "tasks/update", job, inputResponses={"confirm": ACCEPT})


async def state_of(client: Client, job: str) -> str:
    read: Any = await client.session.read_resource(uri_of(job))
    return str(json.loads(read.contents[0].text)["status"])


# -- 2026-07-28 --------------------------------------------------------------------------------------------------------


async def test_a_subscriber_to_a_job_is_told_to_read_it_again_until_it_is_done(tmp_path: Path) -> None:
    async with in_memory(build(chosen(tmp_path)), extensions=[Tasks()]) as client:
        job = await begun(client, "confirm_delete")
        await waiting(client.session, job)
        async with client.listen(resource_subscriptions=[uri_of(job)]) as heard:
            assert heard.honored.resource_subscriptions == [uri_of(job)]
            await answer(client.session, job)
            with anyio.fail_after(10):
                async for event in heard:
                    assert event == ResourceUpdated(uri_of(job))
                    if await state_of(client, job) == "done":
                        break


async def test_a_job_is_subscribed_to_however_its_uri_is_written(tmp_path: Path) -> None:
    async with in_memory(build(chosen(tmp_path)), extensions=[Tasks()]) as client:
        job = await begun(client, "confirm_delete")
        await waiting(client.session, job)
        written = uri_of(job).replace("j_", "j%5F")
        async with client.listen(resource_subscriptions=[written]) as heard:
            await answer(client.session, job)
            with anyio.fail_after(10):
                async for event in heard:
                    assert event == ResourceUpdated(written)
                    break


async def test_what_a_caller_does_not_have_is_not_acknowledged(tmp_path: Path) -> None:
    async with in_memory(build(chosen(tmp_path)), extensions=[Tasks()]) as client:
        wanted = ["test://watched-resource", uri_of("j_unknown"), "gemini://nothing", "gemini://jobs/"]
        async with client.listen(resource_subscriptions=wanted, tools_list_changed=True) as heard:
            assert heard.honored.resource_subscriptions == ["test://watched-resource"]
            assert heard.honored.tools_list_changed is True
            assert heard.honored.prompts_list_changed is None


def listening(**notifications: Any) -> Request[TaskRequestParams, str]:
    params = TaskRequestParams.model_validate({"notifications": notifications})
    return Request[TaskRequestParams, str](method="subscriptions/listen", params=params)


@asynccontextmanager
async def followed(client: Client, *jobs: str) -> AsyncGenerator[None]:
    """While the tasks of jobs are followed."""
    async with anyio.create_task_group() as group:
        group.start_soon(client.session.send_request, listening(taskIds=list(jobs)), SubscriptionsListenResult)
        yield
        group.cancel_scope.cancel()


async def test_a_follower_of_a_task_gets_it_at_once_and_whenever_it_changes(tmp_path: Path) -> None:
    tasks = Tasks()
    async with in_memory(build(chosen(tmp_path)), extensions=[tasks]) as client:
        job = await begun(client, "confirm_delete")
        await waiting(client.session, job)
        async with followed(client, job, "j_unknown"):
            first = await tasks.change(lambda change: change["status"] == "input_required")
            assert set(first["inputRequests"]) == {"confirm"}
            await answer(client.session, job)
            last = await tasks.change(lambda change: change["status"] == "completed")
            assert json.loads(last["result"]["content"][0]["text"]) == {"confirm": ACCEPT}
            assert {change["taskId"] for change in tasks.changes} == {job}
            polled = await ask(client.session, "tasks/get", job)
            unstable = {"_meta", "resultType", "pollIntervalMs"}
            assert {k: v for k, v in polled.items() if k not in unstable} == {
                k: v for k, v in last.items() if k not in unstable
            }


async def test_a_task_that_had_ended_before_anybody_followed_it_is_sent_once(tmp_path: Path) -> None:
    tasks = Tasks()
    async with in_memory(build(chosen(tmp_path)), extensions=[tasks]) as client:
        job = await begun(client, "slow_compute", seconds=0, label="It")
        await Tasks().follow(client.session, job)
        async with followed(client, job):
            shown = await tasks.change(lambda change: change["status"] == "completed")
            assert shown["result"]["content"][0]["text"] == "It is done."


async def test_following_tasks_needs_a_client_that_declares_them(tmp_path: Path) -> None:
    async with in_memory(build(chosen(tmp_path))) as client:
        with pytest.raises(MCPError) as refused:
            await client.session.send_request(listening(taskIds=["j_none"]), SubscriptionsListenResult)
        assert refused.value.error.code == MISSING_REQUIRED_CLIENT_CAPABILITY
    async with in_memory(build(chosen(tmp_path)), extensions=[Tasks()]) as client:
        for nonsense in ("j_none", [1], {"a": 1}):
            with pytest.raises(MCPError) as refused:
                await client.session.send_request(listening(taskIds=nonsense), SubscriptionsListenResult)
            assert refused.value.error.code == INVALID_PARAMS


async def test_the_same_news_waits_once_for_a_slow_client_and_all_of_it_comes_before_the_end() -> None:
    news = News(SubscriptionFilter(tools_list_changed=True), {uri_of("a"): uri_of("a")}, {uri_of("b"): "b"})
    for event in (ResourceUpdated(uri_of("a")), ToolsListChanged(), ResourceUpdated(uri_of("c"))) * 1000:
        news.hear(event)
    news.hear(ResourceUpdated(uri_of("b")))
    news.close()
    expected = [ResourceUpdated(uri_of("a")), ToolsListChanged(), ResourceUpdated(uri_of("b")), None]
    assert [await news.next() for _ in expected] == expected


async def test_nobody_hears_of_another_ones_job(tmp_path: Path) -> None:
    tokens = token_file(tmp_path, alice=ALICE, bob=BOB)
    over = OverHttp(chosen(tmp_path, http="127.0.0.1:0", token_file=tokens))
    followers = Tasks()
    async with (
        over.listening() as url,
        over_network(url, ALICE, extensions=[Tasks()]) as alice,
        over_network(url, BOB, extensions=[followers]) as bob,
    ):
        job = await begun(alice, "confirm_delete")
        await waiting(alice.session, job)
        unknown = job[:-1] + ("a" if job[-1] != "a" else "b")
        honoured: list[Any] = []
        for one in (job, unknown):
            async with bob.listen(resource_subscriptions=[uri_of(one)], tools_list_changed=True) as heard:
                honoured.append(heard.honored)
        assert honoured[0] == honoured[1] == SubscriptionFilter(tools_list_changed=True)
        async with (
            bob.listen(resource_subscriptions=[uri_of(job)], tools_list_changed=True) as heard_by_bob,
            followed(bob, job),
            alice.listen(resource_subscriptions=[uri_of(job)]) as heard_by_alice,
        ):
            await answer(alice.session, job)
            with anyio.fail_after(10):
                assert await anext(aiter(heard_by_alice)) == ResourceUpdated(uri_of(job))
                # What is published after it comes to Bob first: so nothing of Alice's came.
                await bob.call_tool("test_trigger_tool_change", {})
                assert await anext(aiter(heard_by_bob)) == ToolsListChanged()
        assert followers.changes == []


# -- before 2026-07-28 -------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_an_older_client_over_stdio_subscribes_to_jobs_and_ends_that(tmp_path: Path) -> None:
    updated: list[str] = []
    news = anyio.Event()

    async def on_message(received: object) -> None:
        if isinstance(received, ResourceUpdatedNotification):
            updated.append(str(received.params.uri))
            news.set()

    async with in_memory(build(chosen(tmp_path)), "legacy", message_handler=on_message) as client:
        assert _can_subscribe(client)
        first, second = [text_of(await client.call_tool("begin_compute", {"seconds": 600})) for _ in range(2)]
        older: Any = client  # these methods of it are deprecated, and still to be tested
        for nothing in (uri_of("j_unknown"), "gemini://nothing"):
            with pytest.raises(MCPError) as unknown:
                await older.subscribe_resource(nothing)
            assert unknown.value.error.code == INVALID_PARAMS
        for job in (first, second):
            await older.subscribe_resource(uri_of(job))
        await older.unsubscribe_resource(uri_of(first))
        await older.unsubscribe_resource("test://watched-resource")
        updated.clear()
        for job in (first, second):
            await client.call_tool("stop", {"job": job})
        with anyio.fail_after(10):
            while uri_of(second) not in updated:
                news = anyio.Event()
                await news.wait()
        assert uri_of(first) not in updated


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_an_older_client_over_http_is_not_offered_what_could_not_be_delivered(tmp_path: Path) -> None:
    over = OverHttp(chosen(tmp_path, http="127.0.0.1:8765"))
    async with over.serving(), over.client("legacy") as client:
        assert not _can_subscribe(client)
        older: Any = client  # this method of it is deprecated, and still to be tested
        with pytest.raises(MCPError) as refused:
            await older.subscribe_resource("test://watched-resource")
        assert refused.value.error.code == METHOD_NOT_FOUND


def _can_subscribe(client: Client) -> bool:
    capabilities = client.server_capabilities
    assert capabilities is not None
    assert capabilities.resources is not None
    return capabilities.resources.subscribe is True
