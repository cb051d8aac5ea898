"""One upload, step by step: what ends it, what only holds it up, and what begins it anew."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gemini_server import settings
from gemini_server.errors import QuotaExhausted
from gemini_server.jobs.job import Job, Step
from gemini_server.jobs.new_job import NewJob
from gemini_server.jobs.uploads import Upload, Uploads
from gemini_server.toolkit import upload_source, uploads
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.work.upload import STARTS, UploadWork
from tests.server.rest.vault import GRANULE, Vault

from .works import say_nothing

pytestmark = pytest.mark.anyio

DATA = os.urandom(3 * GRANULE + 5)


def refusal(status: int, message: str = "no", upload_status: str = "final") -> tuple[int, dict[str, str], bytes]:
    """What a chunk is answered in the place of being taken."""
    error = {"error": {"code": status, "message": message, "status": "X"}}
    return status, {"X-Goog-Upload-Status": upload_status}, json.dumps(error).encode()


class Stage:
    """A server that takes uploads, and the work that brings it one file."""

    def __init__(self, vault: Vault, top: Path) -> None:
        self.vault = vault
        self.path = top / "a.bin"
        self.path.write_bytes(DATA)
        self.runtime = Runtime(
            settings.read({}, key="k" * 20, base_url=vault.url, allow_dirs=(top,), state_dir=top / "state", poll=0.01)
        )
        self.work = UploadWork(self.runtime, GRANULE)

    async def begin(self, **wish: Any) -> Job:
        given = await upload_source.given(self.runtime, "anna", "a.bin")
        given.bytes.close()
        made = {
            "again": given.again, "origin": given.origin, "place": uploads.place_of(self.runtime), "sha256": None,
            "bytes": len(DATA), "mime_type": given.mime_type, "display_name": "a.bin", **wish,
        }  # fmt: skip
        new = NewJob("anna", "upload", "upload_file", "upload", "", None, wish=made, estimate=Decimal(0))
        return (await self.runtime.jobs.begin(new, "me"))[0]

    async def run(self, job: Job, work: UploadWork | None = None) -> Step:
        """Do steps until it has ended."""
        for _ in range(60):
            step = await (work or self.work).poll(job, say_nothing)
            if step.state != "running":
                return step
        raise AssertionError("it does not end")

    async def row(self, job: Job) -> Upload:
        wish = job.wish
        return await Uploads(self.runtime.store).of(
            Upload(job.id, "anna", wish["place"], wish["origin"], None, len(DATA), wish["mime_type"], "")
        )


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with Vault() as vault:
        made = Stage(vault, tmp_path)
        yield made
        await made.runtime.aclose()


async def test_a_file_goes_step_by_step_and_the_ledger_follows(stage: Stage) -> None:
    job = await stage.begin()
    shares: list[float | None] = []
    while (step := await stage.work.poll(job, say_nothing)).state == "running":
        shares.append(step.progress)
        row = await stage.row(job)
        assert row.session is not None
        assert row.starts == 1
    assert shares == [pytest.approx(GRANULE * n / len(DATA), abs=0.001) for n in (1, 2, 3)]
    assert bytes(stage.vault.data) == DATA
    assert step.result["file"]["sha256"] == hashlib.sha256(DATA).hexdigest()
    row = await stage.row(job)
    assert (row.state, row.session, row.sha256) == ("live", None, hashlib.sha256(DATA).hexdigest())


async def test_another_process_goes_on_and_reads_the_beginning_for_the_digest_alone(stage: Stage) -> None:
    job = await stage.begin()
    for _ in range(2):
        await stage.work.poll(job, say_nothing)
    step = await stage.run(job, UploadWork(stage.runtime, GRANULE))
    assert step.state == "finished"
    assert stage.vault.sent == len(DATA)
    assert step.result["file"]["sha256"] == hashlib.sha256(DATA).hexdigest()


async def test_a_full_project_is_told_with_what_makes_room(stage: Stage) -> None:
    job = await stage.begin()
    stage.vault.refusals = [refusal(429, "Resource has been exhausted (e.g. check quota).")]
    step = await stage.run(job)
    assert isinstance(step.error, QuotaExhausted)
    assert "delete_file" in step.error.remedy
    assert (await stage.row(job)).state == "gone"


async def test_bytes_that_google_loses_in_the_end_are_sent_again_a_few_times(stage: Stage) -> None:
    job = await stage.begin()
    stage.vault.refusals = [refusal(503)]
    step = await stage.run(job)
    assert step.state == "finished"
    assert (await stage.row(job)).starts == 2
    job = await stage.begin()
    stage.vault.refusals = [refusal(503)] * 10
    step = await stage.run(job)
    assert step.state == "failed"
    assert stage.vault.commands().count("start") == 2 + STARTS


async def test_sessions_that_are_forgotten_are_begun_anew_a_few_times(stage: Stage) -> None:
    job = await stage.begin()
    await stage.work.poll(job, say_nothing)
    stage.vault.forgets = True
    step = await stage.run(job)
    assert step.state == "failed"
    assert step.error is not None
    assert step.error.code == "session_gone"
    starts = [one.json["file"]["name"] for one in stage.vault.asked if one.command == "start"]
    assert len(set(starts)) == STARTS


async def test_a_network_that_is_gone_is_waited_for_up_to_a_day(stage: Stage) -> None:
    job = await stage.begin()
    await stage.work.poll(job, say_nothing)
    stage.vault.refusals = [refusal(503, upload_status="active")] * 2
    step = await stage.work.poll(job, say_nothing)
    assert step.state == "running"
    assert step.pause is not None
    assert "Gemini is overloaded" in step.message
    long_ago = replace(job, created=job.created - timedelta(days=2))
    await stage.work.poll(long_ago, say_nothing)
    step = await stage.work.poll(long_ago, say_nothing)
    assert step.state == "failed"
    assert stage.vault.commands()[-1] == "cancel"


async def test_a_known_digest_that_the_file_has_not_any_more_is_noticed(stage: Stage) -> None:
    step = await stage.run(await stage.begin(sha256="0" * 64))
    assert step.error is not None
    assert step.error.code == "digest_mismatch"
    assert any(one.method == "DELETE" for one in stage.vault.asked)


async def test_an_unreadable_last_answer_is_asked_for_by_the_name_that_was_chosen(stage: Stage) -> None:
    job = await stage.begin()
    stage.vault.lost_answers = 0
    stage.vault.file = {"name": ""}
    step = await stage.run(job)
    chosen = next(one.json["file"]["name"] for one in stage.vault.asked if one.command == "start")
    assert stage.vault.asked[-1].target == f"/v1beta/{chosen}"
    assert step.state == "finished"


async def test_an_upload_under_another_key_is_not_gone_on_with(stage: Stage) -> None:
    step = await stage.run(await stage.begin(place="elsewhere"))
    assert step.error is not None
    assert "another key" in step.error.what
    assert stage.vault.asked == []


@pytest.mark.parametrize("steps", [0, 2, 4])
async def test_cancelled_at_any_step_nothing_is_left_at_google(stage: Stage, steps: int) -> None:
    stage.vault.file = {"state": "PROCESSING"}
    job = await stage.begin()
    for _ in range(steps):
        await stage.work.poll(job, say_nothing)
    step = await stage.work.cancel(job)
    assert step is not None
    assert step.state == "cancelled"
    assert (await stage.row(job)).state == "gone"
    methods = [one.command or one.method for one in stage.vault.asked]
    assert methods[-1:] == {0: [], 2: ["cancel"], 4: ["DELETE"]}[steps]


async def test_what_google_processes_is_asked_for_until_it_is_ready(stage: Stage) -> None:
    stage.vault.file = {"state": "PROCESSING"}
    job = await stage.begin()
    for _ in range(4):
        await stage.work.poll(job, say_nothing)
    step = await stage.work.poll(job, say_nothing)
    assert (step.state, step.pause) == ("running", 0.01)
    assert "processes" in step.message
    stage.vault.result = stage.vault.result.replace(b"PROCESSING", b"ACTIVE")
    step = await stage.run(job)
    assert step.result["file"]["state"] == "ACTIVE"
