"""Interactions with agents as a raw client has them."""

from __future__ import annotations

from typing import Any

import httpx2

from .conftest import Api

RESEARCH = "deep-research-preview-04-2026"
ANTIGRAVITY = "antigravity-preview-09-2026"
PATH = "/v1beta/interactions"


async def post(api: Api, given: object = "Research the history of tides", **fields: Any) -> httpx2.Response:
    body = {"agent": RESEARCH, "background": True, **({} if given is None else {"input": given}), **fields}
    return await api.http.post(PATH, json={name: value for name, value in body.items() if value is not None})


async def begin(api: Api, given: object = "Research the history of tides", **fields: Any) -> dict[str, Any]:
    response = await post(api, given, **fields)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def refusal(api: Api, given: object = "Research tides", *, status: int = 400, **fields: Any) -> tuple[str, str]:
    """The code and the message of a refusal."""
    response = await post(api, given, **fields)
    assert response.status_code == status, response.text
    error = response.json()["error"]
    return str(error["code"]), str(error["message"])


async def finished(api: Api, ident: str) -> dict[str, Any]:
    """The interaction at its end, however many polls that takes."""
    while True:
        found = dict((await api.http.get(f"{PATH}/{ident}")).json())
        if found["status"] not in ("in_progress", "queued"):
            return found


async def worked(api: Api, given: object = "Explain tides", **fields: Any) -> dict[str, Any]:
    """What the Antigravity agent answers at once."""
    return await begin(api, given, **{"agent": ANTIGRAVITY, "background": None, "environment": "remote", **fields})


def kinds_of(interaction: dict[str, Any]) -> list[str]:
    return [step["type"] for step in interaction.get("steps", [])]
