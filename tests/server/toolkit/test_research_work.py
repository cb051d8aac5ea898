"""Research as a job: its events are followed, but never believed to say how it stands."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
import respx

from gemini_server.toolkit import work
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.work import research

from .works import BASE, job, runtime, say_nothing

pytestmark = pytest.mark.anyio

URL = f"{BASE}/interactions/v1_abc"
AGENT = "deep-research-preview-04-2026"
DONE = {
    "id": "v1_abc", "status": "completed", "agent": AGENT,
    "steps": [{"type": "model_output", "content": [{"type": "text", "text": "Foxes dig."}]}],
}  # fmt: skip


@pytest.fixture
async def server() -> AsyncGenerator[Runtime]:
    made = runtime()
    yield made
    await made.aclose()


class Hanging(httpx.AsyncByteStream):
    """One event, and then nothing more."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        event = {"event_type": "interaction.status_update", "event_id": "e1", "status": "in_progress"}
        yield f"data: {json.dumps(event)}\n\n".encode()
        await anyio.sleep_forever()


async def test_where_its_events_hang_it_is_asked_for_itself(
    server: Runtime, httpx2_mock: respx.Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(research, "FOLLOWED", 0.05)
    head = {"content-type": "text/event-stream"}
    httpx2_mock.get(URL, params={"stream": "true"}).mock(
        side_effect=[httpx.Response(200, headers=head, stream=Hanging()) for _ in range(2)]
    )
    httpx2_mock.get(URL).mock(return_value=httpx.Response(200, json=DONE))
    asked = job(work="research", kind="research", model=AGENT)
    doing = work.load("research", server)
    first = await doing.poll(asked, say_nothing)
    second = await doing.poll(asked, say_nothing)
    assert (first.state, second.state) == ("running", "finished")


async def test_what_is_to_be_stopped_is_not_followed_any_more(server: Runtime, httpx2_mock: respx.Router) -> None:
    route = httpx2_mock.get(URL, params__eq={}).mock(return_value=httpx.Response(200, json=DONE))
    asked: Any = job(work="research", kind="research", model=AGENT, cancelling=True)
    assert (await work.load("research", server).poll(asked, say_nothing)).state == "finished"
    assert route.call_count == 1
