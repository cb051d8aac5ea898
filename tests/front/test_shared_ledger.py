"""Two servers that share a ledger on PostgreSQL, as replicas behind one address do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from mcp import Client

from tests.conftest import Connect, structured, text_of
from tests.front.conftest import ask
from tests.postgres import PASSWORD, PostgresServer

pytestmark = pytest.mark.anyio


async def ledger_of(client: Client) -> dict[str, Any]:
    """The check of the ledger in server_status."""
    status = structured(await client.call_tool("server_status", {}))
    check: dict[str, Any] = next(check for check in status["checks"] if check["name"] == "ledger")
    return check


async def test_what_one_replica_began_another_continues(connect: Connect, postgres_url: str, tmp_path: Path) -> None:
    url = postgres_url.replace("postgres@", f"postgres:{PASSWORD.translate({47: '%2F', 63: '%3F', 64: '%40'})}@")
    async with connect(ledger=url, toolsets=("all",)) as one, connect(ledger=url) as other:
        first = await ask(one, "My name is Zoë", conversation="new")
        second = await ask(other, "What is my name?", conversation=first["conversation"])
        assert "Your name is Zoë" in second["text"]
        listed = structured(await one.call_tool("list_conversations", {}))
        assert [found["turns"] for found in listed["conversations"]] == [4]
        await ledger_of(one)  # which writes down what was spent
        usage = await other.read_resource("gemini://usage")
        (day,) = json.loads(getattr(usage.contents[0], "text", ""))["days"]
        assert day["calls"] == 2
        check = await ledger_of(other)
        assert check["status"] == "ok"
        assert "the PostgreSQL database postgres at" in check["detail"]
        shown = text_of(await other.call_tool("server_status", {}))
    assert "pA55" not in shown
    assert not (tmp_path / "state").exists()


async def test_without_its_ledger_a_server_still_answers_and_says_what_is_wrong(
    connect: Connect, postgres: PostgresServer, postgres_url: str
) -> None:
    async with connect(ledger=postgres_url) as client:
        await ask(client, "hello")
        await anyio.to_thread.run_sync(postgres.stop)
        try:
            answer = await ask(client, "hello", conversation="new")
            assert "hello" in answer["text"]
            check = await ledger_of(client)
        finally:
            await anyio.to_thread.run_sync(postgres.start)
        assert check["status"] == "failed"
        assert "cannot be reached" in check["detail"]
        assert (await ledger_of(client))["status"] == "ok"
