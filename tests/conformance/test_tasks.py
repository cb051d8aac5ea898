"""Tasks through the `mcp` client: the paths of the official suite, without Node."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    ElicitResult,
)

from gemini_server.tasks import IDENTIFIER
from tests.conformance.application import build, chosen
from tests.conformance.task_client import MODERN, Json, OverHttp, Tasks, ask, in_memory, token_file
from tests.conftest import error_of, text_of

pytestmark = pytest.mark.anyio

ALICE, BOB = "alice-token-0123456789", "bob-token-0123456789"
METHODS: dict[str, Json] = {"tasks/get": {}, "tasks/update": {"inputResponses": {}}, "tasks/cancel": {}}
DONE: Json = {"resultType": "complete"}
ACCEPT: Json = {"action": "accept", "content": {"confirm": True}}


class Connect(Protocol):
    """Connects a client to the server with the fixtures."""

    def __call__(self, mode: str = MODERN, **more: Any) -> AbstractAsyncContextManager[Client]: ...


@pytest.fixture(params=["stream", "http"])
async def connect(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Connect]:
    """Over a stream as stdio is one, and over HTTP."""
    if request.param == "stream":
        server = build(chosen(tmp_path))
        yield lambda mode=MODERN, **more: in_memory(server, mode, **more)
        return
    over = OverHttp(chosen(tmp_path, http="127.0.0.1:8765"))
    async with over.serving():
        yield over.client


def answered(requests: Json) -> Json:
    return dict.fromkeys(requests, ACCEPT)


async def begun(client: Client, name: str, **arguments: Any) -> str:
    """The id of a task that is under way."""
    created: Any = await client.session.call_tool(name, arguments, allow_claimed=True)
    assert created.result_type == "task"
    return str(created.shown["taskId"])


async def test_a_client_that_declares_tasks_is_given_one_and_polls_its_result(connect: Connect) -> None:
    tasks = Tasks()
    async with connect(extensions=[tasks]) as client:
        assert (await client.session.send_discover(MODERN))["capabilities"]["extensions"] == {IDENTIFIER: {}}
        assert text_of(await client.call_tool("slow_compute", {"seconds": 0.1, "label": "Zürich"})) == "Zürich is done."
        assert text_of(await client.call_tool("greet", {"name": "Zoë"})) == "Hello, Zoë!"
    [created] = tasks.created
    assert created["status"] == "working"
    assert created["taskId"].startswith("j_")
    assert datetime.fromisoformat(created["createdAt"]) <= datetime.fromisoformat(created["lastUpdatedAt"])
    assert created["ttlMs"] == 2**31 - 1
    assert created["pollIntervalMs"] == 1000
    assert not {"result", "error", "inputRequests", "requestState"} & set(created)


@pytest.mark.parametrize("mode", [MODERN, "legacy"])
async def test_a_client_that_does_not_declare_tasks_waits_for_the_result(connect: Connect, mode: str) -> None:
    async with connect(mode) as client:
        assert text_of(await client.call_tool("slow_compute", {"seconds": 0.05, "label": "It"})) == "It is done."
        for method, params in METHODS.items():
            with pytest.raises(MCPError) as refused:
                await ask(client.session, method, "j_none", **params)
            if mode == MODERN:
                assert refused.value.error.code == MISSING_REQUIRED_CLIENT_CAPABILITY
                assert refused.value.error.data == {"requiredCapabilities": {"extensions": {IDENTIFIER: {}}}}
            else:
                assert refused.value.error.code == METHOD_NOT_FOUND


async def test_a_tool_that_needs_tasks_says_so_to_a_client_without_them(connect: Connect) -> None:
    async with connect() as client:
        with pytest.raises(MCPError) as refused:
            await client.call_tool("failing_job", {})
    assert refused.value.error.code == MISSING_REQUIRED_CLIENT_CAPABILITY


async def test_a_job_that_fails_is_a_task_that_is_completed_with_the_error_of_its_tool(connect: Connect) -> None:
    async with connect(extensions=[Tasks()]) as client:
        task = await begun(client, "failing_job")
        assert "intentionally fails" in error_of(await Tasks().follow(client.session, task))
        shown = await ask(client.session, "tasks/get", task)
        assert (shown["status"], shown["statusMessage"]) == ("completed", "This job intentionally fails.")
        assert "error" not in shown


async def test_an_error_of_the_protocol_is_a_task_that_failed(connect: Connect) -> None:
    async with connect(extensions=[Tasks()]) as client:
        with pytest.raises(MCPError) as failed:
            await client.call_tool("protocol_error_job", {})
        assert failed.value.error.code == INTERNAL_ERROR
        task = await begun(client, "protocol_error_job")
        with pytest.raises(MCPError):
            await Tasks().follow(client.session, task)
        shown = await ask(client.session, "tasks/get", task)
        assert shown["status"] == "failed"
        assert "breaks the protocol" in shown["statusMessage"]
        assert "result" not in shown


async def test_what_a_task_asks_is_answered_and_it_goes_on(connect: Connect) -> None:
    async with connect(extensions=[Tasks(answered)]) as client:
        given = json.loads(text_of(await client.call_tool("confirm_delete", {"filename": "a.txt"})))
        assert given == {"confirm": ACCEPT}


async def test_a_task_waits_until_everything_is_answered_and_asks_for_the_rest_alone(connect: Connect) -> None:
    async with connect(extensions=[Tasks(answered)]) as client:
        task = await begun(client, "multi_input")
        shown = await ask(client.session, "tasks/get", task)
        while shown["status"] != "input_required":
            shown = await ask(client.session, "tasks/get", task)
        assert set(shown["inputRequests"]) == {"name", "sure"}
        assert shown["inputRequests"]["sure"]["method"] == "elicitation/create"
        # What nobody asked is passed over, and so is an answer that was given already.
        answers = {"name": ACCEPT, "nonsense": ACCEPT}
        assert await ask(client.session, "tasks/update", task, inputResponses=answers) == DONE
        assert await ask(client.session, "tasks/update", task, inputResponses={"name": {"action": "decline"}}) == DONE
        shown = await ask(client.session, "tasks/get", task)
        assert shown["status"] == "input_required"
        assert set(shown["inputRequests"]) == {"sure"}
        given = json.loads(text_of(await Tasks(answered).follow(client.session, task)))
        assert given == {"name": ACCEPT, "sure": ACCEPT}
        assert await ask(client.session, "tasks/update", task, inputResponses={"sure": ACCEPT}) == DONE


async def test_cancelling_is_acknowledged_and_done_and_may_be_repeated(connect: Connect) -> None:
    async with connect(extensions=[Tasks()]) as client:
        task = await begun(client, "slow_compute", seconds=600)
        assert (await ask(client.session, "tasks/get", task))["status"] == "working"
        assert await ask(client.session, "tasks/cancel", task) == DONE
        with pytest.raises(MCPError, match="cancelled"):
            await Tasks().follow(client.session, task)
        assert await ask(client.session, "tasks/cancel", task) == DONE
        assert (await ask(client.session, "tasks/get", task))["status"] == "cancelled"


async def test_questions_before_a_task_are_answered_on_the_call_itself(connect: Connect) -> None:
    async def elicited(ctx: object, params: object) -> ElicitResult:
        return ElicitResult(action="accept", content={"name": "Alice"})

    tasks = Tasks()
    async with connect(extensions=[tasks], elicitation_callback=elicited) as client:
        assert text_of(await client.call_tool("test_tool_with_task", {})) == "Hello, Alice!"
    assert len(tasks.created) == 1


async def test_the_methods_of_the_first_draft_and_unknown_ids_are_refused(connect: Connect) -> None:
    async with connect(extensions=[Tasks()]) as client:
        for method in ("tasks/result", "tasks/list"):
            with pytest.raises(MCPError) as refused:
                await ask(client.session, method, "j_none")
            assert refused.value.error.code == METHOD_NOT_FOUND
        for task in ("j_none", "", "ü", "x" * 5000):
            for method, params in METHODS.items():
                with pytest.raises(MCPError) as refused:
                    await ask(client.session, method, task, **params)
                assert refused.value.error.code == INVALID_PARAMS
                assert len(refused.value.error.message) < 500


async def test_a_task_is_there_for_the_next_connection_and_after_a_restart(tmp_path: Path) -> None:
    given = chosen(tmp_path)
    async with in_memory(build(given), extensions=[Tasks()]) as client:
        waits = await begun(client, "confirm_delete")
        ended = await begun(client, "slow_compute", seconds=0, label="It")
        await Tasks().follow(client.session, ended)
        while (await ask(client.session, "tasks/get", waits))["status"] != "input_required":
            pass
    async with in_memory(build(given), extensions=[Tasks()]) as client:
        assert text_of(await Tasks().follow(client.session, ended)) == "It is done."
        assert json.loads(text_of(await Tasks(answered).follow(client.session, waits))) == {"confirm": ACCEPT}


@pytest.fixture
async def over_http(tmp_path: Path) -> AsyncGenerator[OverHttp]:
    tokens = token_file(tmp_path, alice=ALICE, bob=BOB)
    over = OverHttp(chosen(tmp_path, http="127.0.0.1:8765", token_file=tokens))
    async with over.serving():
        yield over


async def test_a_foreign_task_and_an_unknown_one_give_the_same_answer(over_http: OverHttp) -> None:
    async with AsyncExitStack() as stack:
        alice, bob = [
            await stack.enter_async_context(over_http.client(token=token, extensions=[Tasks()]))
            for token in (ALICE, BOB)
        ]
        task = await begun(alice, "slow_compute", seconds=600)
        unknown = task[:-1] + ("a" if task[-1] != "a" else "b")
        for method, params in METHODS.items():
            errors: list[tuple[int, str, object]] = []
            for one in (task, unknown):
                with pytest.raises(MCPError) as refused:
                    await ask(bob.session, method, one, **params)
                error = refused.value.error
                errors.append((error.code, error.message.replace(one, "ID"), error.data))
            assert errors[0] == errors[1]
            assert errors[0][0] == INVALID_PARAMS
        assert (await ask(alice.session, "tasks/get", task))["status"] == "working"
        await ask(alice.session, "tasks/cancel", task)


async def posted(over: OverHttp, method: str, task: str, **headers: str | None) -> tuple[int, Json]:
    """The status and body of the answer to a raw request."""
    meta: Json = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {IDENTIFIER: {}}},
    }
    body: Json = {"jsonrpc": "2.0", "id": 1, "method": method}
    body["params"] = {"taskId": task, **METHODS[method], "_meta": meta}
    given = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": MODERN,
        "mcp-method": method,
        "mcp-name": task,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    async with over.raw(ALICE) as raw:
        sent = {name: value for name, value in given.items() if value is not None}
        answer = await raw.post("/mcp", json=body, headers=sent)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("method", METHODS)
async def test_over_http_the_header_must_name_the_task(over_http: OverHttp, method: str) -> None:
    async with over_http.client(token=ALICE, extensions=[Tasks()]) as client:
        task = await begun(client, "slow_compute", seconds=0)
    for name in ("j_other", None, "", "=?base64?!!?="):
        status, body = await posted(over_http, method, task, mcp_name=name)
        assert (status, body["error"]["code"]) == (400, HEADER_MISMATCH)
    status, body = await posted(over_http, method, task)
    assert status == 200
    assert body["result"]["resultType"] == "complete"
