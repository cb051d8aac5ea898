"""What the tests of batches share: calls of the tools, and the lines of a file of results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import error_of, structured
from tests.front.conftest import Json

CREATES = (":batchGenerateContent", ":asyncBatchEmbedContent")


async def create(client: Client, *prompts: str, **arguments: Any) -> Json:
    """The job that create_batch returns."""
    given: Json = {"requests": [{"prompt": prompt} for prompt in prompts], **arguments} if prompts else arguments
    return structured(await client.call_tool("create_batch", given))


async def refused(client: Client, **arguments: Any) -> str:
    return error_of(await client.call_tool("create_batch", arguments))


async def until(client: Client, job: str, seen: Callable[[Json], bool]) -> Json:
    """The job as soon as it is as it should be."""
    with anyio.fail_after(20):
        while not seen(found := structured(await client.call_tool("get_job", {"job": job, "wait_seconds": 0.05}))):
            assert found["status"] not in ("done", "failed", "unknown"), found
        return found
    raise AssertionError  # for the type checkers: this scope swallows nothing


async def running(client: Client, *prompts: str, **arguments: Any) -> Json:
    """The job of a batch that Google has begun and that goes on."""
    job = await create(client, *prompts, wait_seconds=0, **arguments)
    return await until(client, job["id"], lambda found: found["status"] == "running" and "expires" in found)


async def results(client: Client, job: str) -> Json:
    return structured(await client.call_tool("get_batch_results", {"job": job}))


async def state(client: Client, name: str) -> str:
    """Of a batch, as list_batches has it."""
    [batch] = structured(await client.call_tool("list_batches", {"name": name}))["batches"]
    return str(batch["state"])


def lines(answer: Json) -> list[Json]:
    """The lines of the one artifact of a result."""
    [artifact] = answer["artifacts"]
    assert artifact["mime_type"] == "application/jsonl"
    return [json.loads(line) for line in Path(artifact["path"]).read_text().splitlines()]


def created(emulator: Emulator) -> list[Json]:
    """The bodies of the requests that began batches."""
    return [one["body"]["batch"] for one in emulator.requests if one["path"].endswith(CREATES)]


def asked(batch: Json) -> list[Json]:
    """The requests of a batch that was sent with them."""
    inlined: list[Json] = batch["inputConfig"]["requests"]["requests"]
    return inlined
