"""Agents as resources: made, listed, shown and deleted, never changed."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api
from .interacting import error_of

pytestmark = pytest.mark.anyio

BASE = "antigravity-preview-09-2026"
SENTINEL: dict[str, Any] = {
    "base_agent": BASE,
    "description": "Reads what customers write",
    "system_instruction": "Be brief.",
    "base_environment": {
        "type": "remote",
        "sources": [{"type": "inline", "content": "Be kind.", "target": ".agents/AGENTS.md"}],
        "network": {"allowlist": [{"domain": "*.example.com", "transform": {"X-Team": "blue"}}]},
        "env": {"MODE": "test", "LEVEL": {"value": "3"}},
    },
    "agent_config": {"type": "antigravity", "model": "gemini-3.8-flash", "max_total_tokens": 1000},
    "tools": [{"type": "code_execution"}, {"type": "mcp_server", "name": "docs", "url": "https://mcp.example.com"}],
}


async def test_an_agent_lives_and_prebuilt_ones_are_nobodys(api: Api) -> None:
    made = await api.http.post("/v1beta/agents", json={"id": "customer-sentinel", **SENTINEL})
    assert (made.status_code, made.json()) == (200, {"id": "customer-sentinel", **SENTINEL}), made.text
    other = (await api.http.post("/v1/agents", json={"base_agent": "customer-sentinel"})).json()
    listed = (await api.http.get("/v1/agents", params={"page_size": 1})).json()
    assert [one["id"] for one in listed["agents"]] == ["customer-sentinel"]
    query = {"page_token": listed["next_page_token"], "parent": "projects/p/locations/global"}
    assert (await api.http.get("/v1/agents", params=query)).json() == {"agents": [other]}
    assert (await api.http.get(f"/v1alpha/agents/{other['id']}")).json() == other
    for ident in ("customer-sentinel", other["id"]):
        assert (await api.http.delete(f"/v1beta/agents/{ident}")).json() == {}
        assert error_of(await api.http.get(f"/v1beta/agents/{ident}"), 404)[0] == "not_found"
    assert (await api.http.get("/v1beta/agents")).json() == {}
    assert error_of(await api.http.delete(f"/v1beta/agents/{BASE}"), 404)[0] == "not_found"
    assert (await api.http.patch(f"/v1beta/agents/{BASE}", json={})).status_code == 404
    assert (await api.http.get("/v2/agents")).status_code == 404


@pytest.mark.parametrize(
    ("agent", "status", "code", "message"),
    [
        ({"name": "x"}, 400, "parameter_unknown", "'name'"),
        ({"tools": [{"type": "google_maps"}]}, 400, "invalid_request", "'google_maps' is not supported for 'type'"),
        ({"tools": [{"type": "function", "description": "x"}]}, 400, "invalid_request", "needs a 'name'"),
        ({"base_agent": "nobody"}, 404, "not_found", "'nobody'"),
        ({"id": BASE}, 409, "already_exists", BASE),
        ({"id": "a b"}, 400, "invalid_request", "Invalid id"),
        ({"agent_config": {"type": "antigravity", "max_total_tokens": 0}}, 400, "invalid_request", "positive integer"),
        ({"agent_config": {"type": "antigravity", "model": "gpt"}}, 404, "model_not_found", "models/gpt"),
        ({"agent_config": {"model": "gemini-3.8-flash"}}, 400, "invalid_request", "'type' at 'agent_config'"),
        (
            {"base_agent": "deep-research-preview-04-2026", "agent_config": {"type": "antigravity"}},
            400,
            "invalid_request",
            "not supported by the agent 'deep-research-preview-04-2026'",
        ),
        ({"base_environment": "env_gone"}, 404, "not_found", "env_gone"),
        ({"base_environment": {"sources": []}}, 400, "invalid_request", "'type' at 'base_environment'"),
        ({"base_environment": {"type": "remote", "env": {"1X": "a"}}}, 400, "invalid_request", "'1X'"),
        (
            {"base_environment": {"type": "remote", "env": {"X": {"credential": "none"}}}},
            404,
            "not_found",
            "Credential 'none'",
        ),
    ],
)
async def test_an_agent_that_makes_no_sense_is_refused(
    api: Api, agent: dict[str, Any], status: int, code: str, message: str
) -> None:
    found, text = error_of(await api.http.post("/v1beta/agents", json=agent), status)
    assert (found, message in text) == (code, True), text


async def test_an_unknown_query_parameter_is_refused(api: Api) -> None:
    assert error_of(await api.http.get("/v1beta/agents?pageSize=3"), 400)[0] == "parameter_unknown"
    assert error_of(await api.http.get("/v1beta/agents?page_token=x"), 400)[0] == "invalid_request"
    assert error_of(await api.http.get("/v1beta/agents?page_size=-1"), 400)[0] == "invalid_request"
