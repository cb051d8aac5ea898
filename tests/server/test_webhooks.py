"""Gemini's webhooks: what is signed and fresh makes a job ask at once; nothing else does anything."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from gemini_server.errors import LocalError, UnsafeSetting
from gemini_server.jobs import webhook_messages
from gemini_server.jobs.job import Job, Request
from gemini_server.jobs.new_job import NewJob
from gemini_server.jobs.store import SqliteStore
from gemini_server.jobs.webhook_messages import Taken, take
from gemini_server.rest.body import RawJson
from gemini_server.settings import read
from gemini_server.toolkit.webhook_signature import NotGenuineError, key_of, verified
from gemini_server.webhooks import LARGEST, ROUTE
from tests.front.conftest import FakeGemini, Reply
from tests.front.conftest import fake as fake
from tests.server.test_links import Stage, staged

pytestmark = pytest.mark.anyio

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ....").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"the one before it").decode()
GOING: dict[str, Any] = {"id": "v1_research", "status": "in_progress", "steps": []}
DONE: dict[str, Any] = {
    "id": "v1_research",
    "status": "completed",
    "steps": [{"type": "model_output", "content": [{"type": "text", "text": "The answer."}]}],
    "usage": {"total_input_tokens": 5, "total_output_tokens": 2, "total_tokens": 7},
}
EVENT = {"type": "interaction.completed", "version": "v1", "data": {"id": "v1_research"}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def stage(tmp_path: Path, fake: FakeGemini) -> AsyncGenerator[Stage]:
    """A server over HTTP that would not ask for a job again within the time of a test."""
    fake.say(GOING)
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(
            staged(tmp_path, base_url=fake.url, poll=5000.0, webhook_secrets=(OLD_SECRET, SECRET))
        )


def signed(body: bytes, *, secret: str = SECRET, identifier: str = "msg_1", age: float = 0.0) -> dict[str, str]:
    stamp = str(int(time.time() - age))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{identifier}.{stamp}.".encode() + body, hashlib.sha256)
    signature = f"v1,AAAA v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": identifier, "webhook-timestamp": stamp, "webhook-signature": signature}


async def deliver(stage: Stage, event: Any = EVENT, **more: Any) -> httpx2.Response:
    body = json.dumps(event).encode()
    return await stage.http.post(ROUTE, content=body, headers=signed(body, **more))


async def under_way(stage: Stage, fake: FakeGemini) -> Job:
    """A job whose interaction is at work at Gemini."""
    new = NewJob("alice", "research", "start_research", "interaction", "deep-research", None, request="{}")
    job, _ = await stage.runtime.runner.begin(new, Request(RawJson(b'{"background":true}')))
    await fake.wait_for(1)
    while job.state != "running":
        job = await stage.runtime.runner.news(job, 5)
    return job


async def ended(stage: Stage, job: Job) -> Job:
    with anyio.fail_after(5):
        while not job.ended:
            job = await stage.runtime.runner.news(job, 5)
    return job


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
async def test_a_delivery_finishes_a_job_that_would_not_have_asked_for_an_hour(
    stage: Stage, fake: FakeGemini, secret: str
) -> None:
    job = await under_way(stage, fake)
    fake.say(DONE)
    assert (await deliver(stage, secret=secret)).status_code == 204
    done = await ended(stage, job)
    assert (done.state, done.result["text"]) == ("done", "The answer.")


async def test_what_is_not_genuine_moves_nothing(stage: Stage, fake: FakeGemini) -> None:
    job = await under_way(stage, fake)
    body = json.dumps(EVENT).encode()
    good = signed(body)
    stranger = "whsec_" + base64.b64encode(b"somebody else's").decode()
    for content, headers in (
        (body, {}),
        (body, {**good, "webhook-signature": ""}),
        (body, {**good, "webhook-signature": good["webhook-signature"].replace("v1,", "v2,")}),
        (body, signed(body, secret=stranger)),
        (body + b" ", good),
        (body, {**good, "webhook-id": "msg_2"}),
        (body, {**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)}),
        (body, {**good, "webhook-timestamp": "never"}),
        (body, signed(body, age=301)),
        (body, signed(body, age=-301)),
    ):
        answer = await stage.http.post(ROUTE, content=content, headers=headers)
        assert answer.status_code == 401
        assert "whsec" not in answer.text
    assert len(fake.requests) == 1
    assert (await stage.runtime.jobs.held(job.id)).version == job.version


async def test_a_copy_of_a_delivery_is_refused_and_one_more_attempt_is_not(stage: Stage) -> None:
    assert (await deliver(stage)).status_code == 204
    assert (await deliver(stage)).status_code == 409
    assert (await deliver(stage, age=-3)).status_code == 204


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"[" * 50_000, 400),
        (b'"' + b"x" * LARGEST + b'"', 413),
        (b"null", 204),
        (b'{"data":{"id":7}}', 204),
        (b'{"data":{"id":"\\ud800","name":"a\\u0000b","path":"x/"}}', 204),
    ],
)
async def test_what_is_no_delivery_is_refused_even_when_it_is_signed(stage: Stage, content: bytes, status: int) -> None:
    assert (await stage.http.post(ROUTE, content=content, headers=signed(content))).status_code == status


async def test_without_a_secret_there_is_no_such_place(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        assert (await deliver(stage)).status_code == 401  # as every other path without a bearer token
        assert (await stage.http.get(ROUTE)).status_code == 401


async def test_a_foreign_host_is_refused(stage: Stage) -> None:
    body = json.dumps(EVENT).encode()
    answer = await stage.http.post(ROUTE, content=body, headers={**signed(body), "host": "evil.example"})
    assert answer.status_code in (403, 421)


async def test_a_batch_is_known_by_its_bare_id_and_other_places_jobs_are_left_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state")
    insert = (
        "INSERT INTO jobs (id, principal, kind, tool, work, model, state, wish, operation, message, result, cancelling,"
        " owner, lease, created, updated, version, place) VALUES (?, 'p', 'k', 't', 'w', 'm', ?, '{}', ?, '', '{}', 0,"
        " '', 0, 0, 0, 1, ?)"
    )
    rows = [
        ("a", "running", "batches/1", "here"),
        ("b", "running", "batches/1", "there"),
        ("c", "done", "batches/1", "here"),
    ]
    await store.run(lambda ledger: ledger.executemany(insert, rows))
    try:
        assert await take(store, "m", "1", ["batches/1", "1"], "here") == Taken(None, ("a",))
        assert await take(store, "m", "2", ["batches/1", "1"], "here") == Taken("1")
        assert await take(store, "n", "1", [], "here") == Taken(None)
    finally:
        await store.aclose()


@pytest.mark.parametrize(
    "written", ["whsec_-_-_YWJj", "whsec_+/+/YWJj", "-_-_YWJj", "whsec_+/+/YWJjZA", "whsec_+/+/YWJjZA=="]
)
def test_a_secret_is_base64_in_either_alphabet(written: str) -> None:
    assert key_of(written)[:6] == b"\xfb\xff\xbfabc"[:6]


def test_secrets_are_settings_that_are_not_shown() -> None:
    given = read({"GEMINI_TOOLSERVER_WEBHOOK_SECRETS": f"{SECRET},{OLD_SECRET}"})
    assert given.webhook_secrets == (SECRET, OLD_SECRET)
    assert SECRET not in repr(given)


async def test_a_reply_that_was_lost_is_no_reason_to_ask_twice(stage: Stage, fake: FakeGemini) -> None:
    await under_way(stage, fake)
    fake.say(Reply(GOING))
    assert (await deliver(stage)).status_code == 204
    await fake.wait_for(2)
    assert (await deliver(stage, age=-2)).status_code == 204
    assert len(fake.requests) == 2


async def test_what_could_not_be_marked_may_be_delivered_once_more(
    stage: Stage, fake: FakeGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await under_way(stage, fake)
    fake.say(DONE)

    def full(*_: object) -> list[str]:
        raise LocalError("The ledger is full.")

    with monkeypatch.context() as patched:
        patched.setattr(webhook_messages, "_touched", full)
        assert (await deliver(stage)).status_code == 503
    assert (await deliver(stage, age=-1)).status_code == 204
    assert (await ended(stage, job)).state == "done"


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ="])
async def test_a_secret_that_anybody_could_guess_is_refused_at_the_start(tmp_path: Path, secret: str) -> None:
    with pytest.raises(UnsafeSetting, match="WEBHOOK_SECRETS") as refused:
        async with staged(tmp_path, webhook_secrets=(SECRET, secret)):
            pass
    assert "c2hvcnQ" not in str(refused.value)


def test_a_signature_in_other_letters_is_none() -> None:
    headers = {**signed(b"{}"), "webhook-signature": "v1,\u00e9\u00ff v1,\ud800"}
    with pytest.raises(NotGenuineError, match="No signature fits"):
        verified(headers, b"{}", (SECRET,), time.time())
