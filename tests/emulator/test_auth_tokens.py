"""Ephemeral tokens: how they are made, what they open, and what they do not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from gemini_emulator import Emulator, Options, running

from .conftest import ask
from .living import BRIEF, MODEL, SAID, Live, connected, transcript

pytestmark = pytest.mark.anyio

CONSTRAINED = "BidiGenerateContentConstrained"
EXPIRED = "Request had invalid authentication credentials: the auth token has expired"


@pytest.fixture
async def own(anyio_backend: str) -> AsyncIterator[Emulator]:
    """An emulator whose clock is put forward."""
    async with running(Options()) as started:
        yield started


async def create(emulator: Emulator, *, version: str = "v1alpha", key: str = "k", **fields: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=emulator.url, headers={"x-goog-api-key": key}) as http:
        return await http.post(f"/{version}/auth_tokens", json=fields)


async def token(emulator: Emulator, **fields: Any) -> str:
    response = await create(emulator, **fields)
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["name"]
    return str(response.json()["name"])


def later(**time: float) -> str:
    return (datetime.now(UTC) + timedelta(**time)).isoformat().replace("+00:00", "Z")


@asynccontextmanager
async def opened(emulator: Emulator, name: str, **setup: object) -> AsyncGenerator[Live]:
    headers = {"Authorization": f"Token {name}"}
    async with connected(emulator, method=CONSTRAINED, version="v1alpha", headers=headers) as live:
        with suppress(ConnectionClosed):
            await live.send(setup={"model": MODEL, **setup})
        yield live


async def refusal(emulator: Emulator, name: str, **setup: object) -> str:
    async with opened(emulator, name, **setup) as live:
        code, reason = await live.closed()
    assert code == 1008
    return reason


@pytest.mark.parametrize("version", ["v1alpha", "v1beta"])
async def test_a_token_opens_a_session_once(emulator: Emulator, version: str) -> None:
    name = await token(emulator, version=version)
    assert name.startswith("auth_tokens/")
    async with opened(emulator, name, outputAudioTranscription={}) as live:
        assert await live.receive() == {"setupComplete": {}}
        assert transcript(await live.ask(f"Hello {BRIEF}")) == SAID
    assert "no uses left" in await refusal(emulator, name)


async def test_the_token_may_be_in_the_query(emulator: Emulator) -> None:
    name = await token(emulator)
    query = f"?access_token={name}"
    async with connected(emulator, method=CONSTRAINED, version="v1beta", query=query, headers={}) as live:
        await live.send(setup={"model": MODEL})
        assert await live.receive() == {"setupComplete": {}}
    assert emulator.requests[1]["query"] == {}


@pytest.mark.parametrize(("uses", "sessions"), [(2, 2), (0, 4)])
async def test_uses_are_counted_and_none_is_without_limit(emulator: Emulator, uses: int, sessions: int) -> None:
    name = await token(emulator, uses=uses)
    for _ in range(sessions):
        async with opened(emulator, name) as live:
            assert await live.receive() == {"setupComplete": {}}
    if uses:
        assert "no uses left" in await refusal(emulator, name)


async def test_a_refused_setup_is_no_use_and_neither_is_a_resumption(emulator: Emulator) -> None:
    name = await token(emulator)
    async with opened(emulator, name, volume=1) as live:
        assert (await live.closed())[0] == 1007
    async with opened(emulator, name, sessionResumption={}) as live:
        await live.receive()
        await live.ask(f"Hello {BRIEF}")
        handle = (await live.receive())["sessionResumptionUpdate"]["newHandle"]
    async with opened(emulator, name, sessionResumption={"handle": handle}) as live:
        assert await live.receive() == {"setupComplete": {}}


async def test_a_new_session_has_a_minute_and_a_session_half_an_hour(own: Emulator) -> None:
    name = await token(own, uses=2)
    async with opened(own, name, sessionResumption={}) as live:
        await live.receive()
        await live.ask(f"Hello {BRIEF}")
        handle = (await live.receive())["sessionResumptionUpdate"]["newHandle"]
        own.advance(61)
        await live.ask(f"Hello {BRIEF}")
        assert await refusal(own, name) == f"{EXPIRED} for new sessions."
    own.advance(29 * 60)
    assert await refusal(own, name, sessionResumption={"handle": handle}) == f"{EXPIRED}."


async def test_a_session_ends_with_its_token(own: Emulator) -> None:
    name = await token(own, expireTime=later(minutes=2), newSessionExpireTime=later(minutes=1))
    async with opened(own, name) as live:
        await live.receive()
        own.advance(121)
        await live.text("Hello")
        assert await live.closed() == (1008, f"{EXPIRED}.")


async def test_a_whole_setup_replaces_that_of_the_client(emulator: Emulator) -> None:
    fixed: dict[str, Any] = {
        "model": MODEL,
        "outputAudioTranscription": {},
        "systemInstruction": {"parts": [{"text": BRIEF}]},
    }
    name = await token(emulator, bidiGenerateContentSetup=fixed)
    async with opened(emulator, name, model="models/nothing", systemInstruction={"parts": [{"text": "x"}]}) as live:
        assert await live.receive() == {"setupComplete": {}}
        assert transcript(await live.ask("Hello")) == SAID


async def test_a_mask_fixes_some_fields_and_leaves_the_others_open(emulator: Emulator) -> None:
    fixed = {"model": MODEL, "generationConfig": {"responseModalities": ["AUDIO"], "temperature": 0.5}}
    mask = "model,generationConfig.responseModalities,generation_config.temperature,tools"
    name = await token(emulator, bidiGenerateContentSetup=fixed, fieldMask=mask)
    asked = {"responseModalities": ["TEXT"], "temperature": 2, "seed": 1}
    setup: dict[str, Any] = {"model": "models/nothing", "generationConfig": asked, "tools": [{"urlContext": {}}]}
    async with opened(emulator, name, **setup, outputAudioTranscription={}) as live:
        assert await live.receive() == {"setupComplete": {}}
        assert transcript(await live.ask(f"Hello {BRIEF}")) == SAID


async def test_a_token_opens_nothing_else(emulator: Emulator) -> None:
    name = await token(emulator, uses=0)
    path = "/v1beta/models/gemini-3.8-flash:generateContent"
    async with httpx2.AsyncClient(base_url=emulator.url) as http:
        for headers, query, status in (
            ({"x-goog-api-key": name}, {}, 400),
            ({"authorization": f"Token {name}"}, {}, 400),
            ({"authorization": f"Bearer {name}"}, {}, 401),
            ({}, {"key": name}, 400),
            ({}, {"access_token": name}, 403),
        ):
            response = await http.post(path, json=ask("Hello"), headers=headers, params=query)
            assert response.status_code == status
    assert (await create(emulator, key=name)).status_code == 400
    async with connected(emulator, query=f"?access_token={name}", headers={}) as live:
        assert (await live.closed())[0] == 1008
    async with connected(emulator, query=f"?key={name}", headers={}) as live:
        assert (await live.closed())[1] == "API key not valid. Please pass a valid API key."


async def test_a_key_is_no_token_and_an_unknown_token_none_either(emulator: Emulator) -> None:
    async with connected(emulator, method=CONSTRAINED, version="v1alpha") as live:
        code, reason = await live.closed()
        assert (code, "unregistered callers" in reason) == (1008, True)
    assert await refusal(emulator, "auth_tokens/nothing") == "Request had invalid authentication credentials."
    name = await token(emulator)
    headers = {"Authorization": f"Token {name}"}
    async with connected(emulator, method=CONSTRAINED, version="v1", headers=headers) as live:
        assert (await live.closed())[0] == 1008


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"uses": -1}, "uses: must not be negative"),
        ({"uses": "many"}, "Invalid value at 'uses'"),
        ({"expireTime": later(hours=-1)}, "expire_time: must be in the future"),
        ({"expireTime": later(hours=21)}, "expire_time: must be less than 20 hours"),
        ({"newSessionExpireTime": later(hours=21)}, "new_session_expire_time: must be less than 20 hours"),
        ({"newSessionExpireTime": "soon"}, "Invalid time format"),
        ({"newSessionExpireTime": "2026-13-13T00:00:00Z"}, "Invalid time"),
        ({"fieldMask": "model,volume"}, "field_mask: unknown path volume"),
        ({"fieldMask": "generationConfig.volume"}, "unknown path generationConfig.volume"),
        ({"bidiGenerateContentSetup": {"volume": 1}}, "Unknown name \"volume\" at 'bidi_generate_content_setup'"),
        ({"colour": "red"}, 'Unknown name "colour"'),
    ],
)
async def test_a_token_that_makes_no_sense_is_refused(emulator: Emulator, fields: dict[str, Any], words: str) -> None:
    response = await create(emulator, **fields)
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]


async def test_tokens_are_not_in_v1(emulator: Emulator) -> None:
    assert (await create(emulator, version="v1")).status_code == 404
