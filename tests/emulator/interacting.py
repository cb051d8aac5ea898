"""The Interactions family as a raw client sees it."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from .conftest import Api

TEXT = "gemini-3.8-flash"
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Current weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


async def create(
    api: Api, given: object = "Explain tides", *, version: str = "v1beta", **fields: Any
) -> dict[str, Any]:
    response = await post(api, given, version=version, **fields)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def post(api: Api, given: object = "Explain tides", *, version: str = "v1beta", **fields: Any) -> httpx2.Response:
    body = {"model": TEXT, **({} if given is None else {"input": given}), **fields}
    return await api.http.post(f"/{version}/interactions", json=body)


async def refusal(api: Api, given: object = "Explain tides", *, status: int = 400, **fields: Any) -> tuple[str, str]:
    """The code and the message of a refusal."""
    return error_of(await post(api, given, **fields), status)


def error_of(response: httpx2.Response, status: int) -> tuple[str, str]:
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    return str(error["code"]), str(error["message"])


async def get(api: Api, ident: str, **query: str) -> dict[str, Any]:
    response = await api.http.get(f"/v1beta/interactions/{ident}", params=query)
    assert response.status_code == 200, response.text
    return dict(response.json())


def text_of(interaction: dict[str, Any]) -> str:
    """The text of the model's output."""
    return "".join(one["text"] for one in contents_of(interaction) if one["type"] == "text")


def contents_of(interaction: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for step in interaction["steps"] if step["type"] == "model_output" for one in step.get("content", [])]


def step_of(interaction: dict[str, Any], kind: str) -> dict[str, Any]:
    """The one step of a kind."""
    (step,) = [one for one in interaction["steps"] if one["type"] == kind]
    return dict(step)


def events_of(body: str) -> list[dict[str, Any]]:
    """The events of a stream, whose names are checked on the way; the last must be the word that it is done."""
    *blocks, done = body.removesuffix("\n\n").split("\n\n")
    assert done == "event: done\ndata: [DONE]"
    return parsed(blocks)


def parsed(blocks: list[str]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for block in blocks:
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['event_type']}"
        assert event.get("event_id") or event["event_type"] == "error"
        events.append(event)
    return events


def streamed_text(events: list[dict[str, Any]]) -> str:
    deltas = [event["delta"] for event in events if event["event_type"] == "step.delta"]
    return "".join(delta["text"] for delta in deltas if delta["type"] == "text")
