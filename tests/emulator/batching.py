"""Batches as a raw client sees them."""

from __future__ import annotations

from typing import Any

import httpx2

from .conftest import Api, ask

TEXT = "gemini-3.8-flash"
EMBEDDING = "gemini-embedding-2"


def inline(*prompts: str, **batch: Any) -> dict[str, Any]:
    """A batch of questions, with keys `k0`, `k1` …"""
    requests = [{"request": ask(prompt), "metadata": {"key": f"k{at}"}} for at, prompt in enumerate(prompts)]
    return {"batch": {"inputConfig": {"requests": {"requests": requests}}, **batch}}


async def post(
    api: Api, body: object, *, verb: str = "batchGenerateContent", model: str = TEXT, **headers: str
) -> httpx2.Response:
    return await api.http.post(f"/v1beta/models/{model}:{verb}", json=body, headers=headers)


async def create(api: Api, body: object, *, verb: str = "batchGenerateContent", model: str = TEXT) -> dict[str, Any]:
    response = await post(api, body, verb=verb, model=model)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def refusal(
    api: Api, body: object, *, verb: str = "batchGenerateContent", model: str = TEXT, status: int = 400
) -> str:
    response = await post(api, body, verb=verb, model=model)
    assert response.status_code == status, response.text
    return str(response.json()["error"]["message"])


async def get(api: Api, name: str) -> dict[str, Any]:
    response = await api.http.get(f"/v1beta/{name}")
    assert response.status_code == 200, response.text
    return dict(response.json())


async def finished(api: Api, operation: dict[str, Any]) -> dict[str, Any]:
    """The operation when it has ended."""
    for _ in range(10):
        if operation.get("done"):
            return operation
        operation = await get(api, operation["name"])
    raise AssertionError(operation)


def state(operation: dict[str, Any]) -> str:
    return str(operation["metadata"]["state"]).removeprefix("BATCH_STATE_")


def counts(operation: dict[str, Any]) -> tuple[int, int, int, int]:
    """All requests, those answered, those refused, those to come."""
    stats = operation["metadata"]["batchStats"]
    names = ("requestCount", "successfulRequestCount", "failedRequestCount", "pendingRequestCount")
    assert all(isinstance(value, str) for value in stats.values())
    whole, good, bad, pending = (int(stats.get(name, 0)) for name in names)
    return whole, good, bad, pending


def responses(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The inline results, which stand in two places."""
    assert "error" not in operation
    output = operation["metadata"]["output"]
    assert operation["response"].pop("@type").endswith("BatchOutput")
    assert operation["response"] == output
    return list(output["inlinedResponses"]["inlinedResponses"])
