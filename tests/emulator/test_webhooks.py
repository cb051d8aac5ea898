"""Webhooks: endpoints and their secrets, deliveries that are signed, tried again and given up."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gemini_emulator import Emulator

from .batching import create as create_batch
from .batching import inline
from .conftest import Api
from .delegating import begin, finished
from .hearing import Listener, listening
from .interacting import WEATHER, create, get, refusal

pytestmark = pytest.mark.anyio

PATH = "/v1beta/webhooks"
INTERACTIONS = ["interaction.completed", "interaction.failed", "interaction.requires_action"]


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as found:
        yield found


@pytest.fixture
async def webhook(api: Api, listener: Listener) -> AsyncIterator[dict[str, Any]]:
    """A webhook for all that happens to interactions and batches, gone after the test."""
    events = [*INTERACTIONS, "video.generated", "batch.succeeded", "batch.failed", "batch.expired"]
    made = await make(api, listener.uri, events)
    yield made
    await api.http.delete(f"{PATH}/{made['id']}")


async def make(api: Api, uri: str, events: list[str]) -> dict[str, Any]:
    response = await api.http.post(PATH, json={"uri": uri, "subscribed_events": events, "name": "mine"})
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_the_secret_is_shown_once(api: Api, webhook: dict[str, Any]) -> None:
    secret = webhook.pop("new_signing_secret")
    assert secret.startswith("whsec_")
    assert webhook["signing_secrets"] == [{"truncated_secret": f"{secret[:10]}..."}]
    path = f"{PATH}/{webhook['id']}"
    assert (await api.http.get(path)).json() == webhook
    assert (await api.http.get(PATH)).json()["webhooks"] == [webhook]
    change = {"name": "ours", "uri": "https://elsewhere.example/x", "state": "disabled"}
    changed = (await api.http.patch(f"{path}?update_mask=name,state", json=change)).json()
    assert (changed["name"], changed["state"], changed["uri"]) == ("ours", "disabled", webhook["uri"])
    assert (await api.http.get(f"{PATH}/webhook-0")).json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "fields",
    [
        {"uri": "http://elsewhere.example/x"},
        {"uri": "nowhere"},
        {"subscribed_events": []},
        {"subscribed_events": ["interaction.started"]},
        {"secret": "whsec_AAAA"},
    ],
)
async def test_what_makes_no_sense_is_refused(api: Api, webhook: dict[str, Any], fields: dict[str, Any]) -> None:
    body = {"uri": "https://mine.example", "subscribed_events": INTERACTIONS, **fields}
    assert (await api.http.post(PATH, json=body)).status_code == 400
    assert (await api.http.patch(f"{PATH}/{webhook['id']}", json=fields)).status_code == 400


async def test_the_end_of_background_work_is_told_to_whom_it_may_concern(
    emulator: Emulator, api: Api, webhook: dict[str, Any], listener: Listener
) -> None:
    await create(api)
    research = await begin(api)
    emulator.advance(300)
    told = await listener.heard()
    assert told.signed_with(webhook["new_signing_secret"])
    timestamp = told.event.pop("timestamp")
    data = {"id": research["id"]}
    assert told.event == {"type": "interaction.completed", "version": "v1", "timestamp": timestamp, "data": data}
    assert (await get(api, research["id"]))["status"] == "completed"
    asked = await create(api, "What is the weather in Oslo?", tools=[WEATHER], background=True)
    failed = await create(api, "hi [emulate: outcome=failed code=api_error message=No_luck]", background=True)
    for begun in (asked, failed):
        await finished(api, begun["id"])
    heard = {one["type"]: one["data"] for one in [(await listener.heard()).event for _ in range(2)]}
    assert heard == {
        "interaction.requires_action": {"id": asked["id"]},
        "interaction.failed": {"id": failed["id"], "error_code": "api_error", "error_message": "No luck"},
    }
    gone = await begin(api)
    await api.http.post(f"/v1beta/interactions/{gone['id']}/cancel")
    emulator.advance(600)
    assert listener.came.empty()


async def test_a_video_is_told_with_its_file(api: Api, webhook: dict[str, Any], listener: Listener) -> None:
    form = {"type": "video", "duration": "3s", "resolution": "360p", "delivery": "uri"}
    begun = await create(api, "a ball", model="gemini-omni-1.1-flash", response_format=form, background=True)
    await finished(api, begun["id"])
    heard = {one["type"]: one for one in [(await listener.heard()).event for _ in range(2)]}
    data = heard["video.generated"]["data"]
    assert (data["id"], heard["interaction.completed"]["data"]) == (begun["id"], {"id": begun["id"]})
    assert data["file_name"].removeprefix("files/") in data["output_file_uri"]


async def test_batches_are_told_of_whoever_reads_them_or_not(
    emulator: Emulator, api: Api, webhook: dict[str, Any], listener: Listener
) -> None:
    lasting = await create_batch(api, inline("a", displayName="[emulate: lasts=600s]"))
    emulator.advance(600)
    told = (await listener.heard()).event
    assert (told["type"], f"batches/{told['data']['id']}") == ("batch.succeeded", lasting["name"])
    config = {"uris": [listener.uri], "userMetadata": {"job": "7"}}
    failing = await create_batch(api, inline("a", displayName="[emulate: outcome=failed]", webhookConfig=config))
    emulator.advance(3600)
    heard = [(await listener.heard()).event for _ in range(2)]
    assert {one["type"] for one in heard} == {"batch.failed"}
    assert all(set(one["data"]) == {"id", "error_code", "error_message"} for one in heard)
    assert [one["user_metadata"] for one in heard if "user_metadata" in one] == [{"job": "7"}]
    assert heard[0]["data"]["id"] in failing["name"]


async def test_the_webhook_of_one_request_is_signed_with_a_public_key(
    emulator: Emulator, api: Api, listener: Listener
) -> None:
    config = {"uris": [listener.uri], "user_metadata": {"group": "nightly"}}
    begun = await create(api, background=True, webhook_config=config)
    await finished(api, begun["id"])
    told = await listener.heard()
    assert told.event["user_metadata"] == {"group": "nightly"}
    jwt = importlib.import_module("jwt")
    keys = (await api.http.get("/.well-known/jwks.json")).json()["keys"]
    key = jwt.PyJWK(keys[0])
    claims = jwt.decode(told.headers["webhook-signature"], key, algorithms=["RS256"], audience=listener.uri)
    assert (claims["data"], claims["type"]) == ({"id": begun["id"]}, "interaction.completed")
    assert claims["jti"] == told.headers["webhook-id"]
    assert "'background' to be true" in (await refusal(api, webhook_config=config))[1]
    assert "HTTPS" in (await refusal(api, background=True, webhook_config={"uris": ["http://far.example"]}))[1]


async def test_a_delivery_is_tried_again_with_the_same_id(
    emulator: Emulator, api: Api, webhook: dict[str, Any], listener: Listener
) -> None:
    listener.answers = [503, 500]
    begun = await create(api, background=True)
    await finished(api, begun["id"])
    tries = [await listener.heard()]
    for pause in (5, 30):
        emulator.advance(pause)
        tries.append(await listener.heard())
    assert len({one.headers["webhook-id"] for one in tries}) == 1
    assert len({one.body for one in tries}) == 1
    assert len(tries) == 3
    assert (await api.http.get(f"{PATH}/{webhook['id']}")).json()["state"] == "enabled"


async def test_an_endpoint_that_never_answers_well_is_disabled(
    emulator: Emulator, api: Api, webhook: dict[str, Any], listener: Listener
) -> None:
    listener.answers = [410]
    begun = await create(api, background=True)
    await finished(api, begun["id"])
    await listener.heard()
    path = f"{PATH}/{webhook['id']}"
    while (await api.http.get(path)).json()["state"] == "enabled":
        pass
    assert (await api.http.get(path)).json()["state"] == "disabled_due_to_failed_deliveries"
    await finished(api, (await create(api, background=True))["id"])
    assert listener.came.empty()


async def test_secrets_are_rotated_and_endpoints_pinged(
    emulator: Emulator, api: Api, webhook: dict[str, Any], listener: Listener
) -> None:
    path, old = f"{PATH}/{webhook['id']}", webhook["new_signing_secret"]
    new = (await api.http.post(f"{path}:rotateSigningSecret", json={})).json()["secret"]
    assert (await api.http.post(f"{path}:ping", json={})).json() == {}
    told = await listener.heard()
    assert told.event["type"] == "webhook.ping"
    assert told.signed_with(old)
    assert told.signed_with(new)
    body = {"revocation_behavior": "revoke_previous_secrets_immediately"}
    newest = (await api.http.post(f"{path}:rotateSigningSecret", json=body)).json()["secret"]
    listener.answers = [404]
    refused = await api.http.post(f"{path}:ping", json={})
    assert refused.json()["error"] == {"code": "failed_precondition", "message": "The webhook endpoint answered 404."}
    told = await listener.heard()
    assert told.signed_with(newest)
    assert not told.signed_with(new)
