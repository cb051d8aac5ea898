"""Credentials: kept, changed field by field, and never shown."""

from __future__ import annotations

from typing import Any

import pytest

from gemini_emulator import Emulator

from .conftest import Api
from .interacting import error_of

pytestmark = pytest.mark.anyio

BEARER: dict[str, Any] = {"id": "github", "type": "bearer_token", "token": "s3cret", "prefix": ""}
OAUTH: dict[str, Any] = {
    "id": "crm",
    "type": "oauth2",
    "client_id": "s3cret",
    "client_secret": "s3cret",
    "refresh_token": "s3cret",
    "token_url": "https://auth.example.com/s3cret",
    "scopes": ["read"],
}
VARIABLE: dict[str, Any] = {
    "id": "API_KEY",
    "type": "environment_variable",
    "injection_location": ["header", "query"],
    "value": "s3cret",
    "trusted_domains": ["*.example.com"],
}


async def test_a_credential_lives_and_its_secret_is_never_shown(api: Api, emulator: Emulator) -> None:
    for left in (await api.http.get("/v1beta/credentials")).json().get("credentials", ()):
        await api.http.delete(f"/v1beta/credentials/{left['id']}")
    for config in (BEARER, OAUTH, VARIABLE):
        made = await api.http.post("/v1beta/credentials", json=config)
        assert made.status_code == 200, made.text
        assert (made.json()["id"], made.json()["type"], made.json()["status"]) == (
            config["id"],
            config["type"],
            "active",
        )
        assert set(made.json()) == {"id", "type", "status", "create_time", "update_time"}
        assert error_of(await api.http.post("/v1beta/credentials", json=config), 409)[0] == "already_exists"
    emulator.advance(1)
    changed = await api.http.patch(
        "/v1beta/credentials/github", params={"update_mask": "token,header_name"},
        json={"type": "bearer_token", "token": "s3cret too"},
    )  # fmt: skip
    assert changed.json()["update_time"] > changed.json()["create_time"]
    listed = await api.http.get("/v1beta/credentials?page_size=2")
    assert [one["id"] for one in listed.json()["credentials"]] == ["github", "crm"]
    rest = await api.http.get("/v1/credentials", params={"page_token": listed.json()["next_page_token"]})
    assert [one["id"] for one in rest.json()["credentials"]] == ["API_KEY"]
    got = await api.http.get("/v1/credentials/github")
    assert got.json() == changed.json()
    assert "s3cret" not in listed.text + rest.text + got.text + changed.text
    for config in (BEARER, OAUTH, VARIABLE):
        assert (await api.http.delete(f"/v1beta/credentials/{config['id']}")).json() == {}
    assert error_of(await api.http.get("/v1beta/credentials/github"), 404)[0] == "not_found"


@pytest.mark.parametrize(
    ("config", "code", "message"),
    [
        ({"id": "x", "type": "password"}, "invalid_request", "'password'"),
        ({"id": "x", "token": "t"}, "invalid_request", "'type'"),
        ({"type": "bearer_token", "token": "t"}, "invalid_request", "'id'"),
        ({**BEARER, "token": ""}, "invalid_request", "'token' must not be empty"),
        ({**BEARER, "id": "a/b"}, "invalid_request", "Invalid id"),
        ({**BEARER, "header_name": "X Y"}, "invalid_request", "header name"),
        ({**BEARER, "value": "x"}, "parameter_unknown", "'value'"),
        ({**OAUTH, "token_url": "http://x"}, "invalid_request", "https://"),
        ({**VARIABLE, "injection_location": []}, "invalid_request", "must not be empty"),
        ({**VARIABLE, "injection_location": "cookie"}, "invalid_request", "'cookie'"),
        ({**VARIABLE, "trusted_domains": ["a b"]}, "invalid_request", "Invalid domain"),
    ],
)
async def test_a_credential_that_makes_no_sense_is_refused(
    api: Api, config: dict[str, Any], code: str, message: str
) -> None:
    found, text = error_of(await api.http.post("/v1beta/credentials", json=config), 400)
    assert (found, message in text) == (code, True), text


@pytest.mark.parametrize(
    ("mask", "changes", "code"),
    [
        ("", {"type": "oauth2", "scopes": []}, "invalid_request"),
        ("", {"type": "bearer_token"}, "invalid_request"),
        ("", {"type": "bearer_token", "id": "other"}, "parameter_unknown"),
        ("id", {"type": "bearer_token", "token": "t"}, "invalid_request"),
        ("token", {"type": "bearer_token", "prefix": "t"}, "invalid_request"),
        ("value", {"type": "bearer_token", "token": "t"}, "invalid_request"),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(api: Api, mask: str, changes: dict[str, Any], code: str) -> None:
    await api.http.post("/v1beta/credentials", json=BEARER)
    params = {"update_mask": mask} if mask else {}
    assert error_of(await api.http.patch("/v1beta/credentials/github", params=params, json=changes), 400)[0] == code
    assert (
        error_of(await api.http.patch("/v1beta/credentials/none", params=params, json=changes), 404)[0] == "not_found"
    )
