"""Work that begins nothing by being submitted goes on wherever its process died, and its first step does not wait."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import anyio
import pytest

from gemini_server.jobs.artifacts import Artifact
from gemini_server.jobs.job import Job, Media, Request, Step, Stored, Tell
from gemini_server.jobs.jobs import Jobs
from gemini_server.jobs.ledger import Store
from gemini_server.jobs.new_job import NewJob
from gemini_server.jobs.pace import Pace
from gemini_server.jobs.runner import Runner
from gemini_server.jobs.shelf import OnBytes
from tests.server.jobs.conftest import NewStore

pytestmark = pytest.mark.anyio

NEW = NewJob("anna", "upload", "upload_file", "steps", "", "same", request="{}", estimate=Decimal(0), window=0.0)
SLOW = Pace(first=1000.0, longest=1000.0, retry=0.01)


@dataclass
class Steps:
    """Does three steps, whoever asks for them."""

    resumes: bool = True
    background: bool = True
    done: list[str] = field(default_factory=list[str])

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        return Step("running", pause=0.0)

    async def poll(self, job: Job, tell: Tell) -> Step:
        self.done.append(job.state)
        if len(self.done) == 3:
            return Step("finished", result={"steps": 3})
        return Step("running", pause=0.0, progress=len(self.done) / 3)

    async def cancel(self, job: Job) -> Step | None:
        return None


class NoShelf:
    """There are no files."""

    async def put_down(self, job: Job, media: Media, memory: dict[str, bytes]) -> Stored:
        raise AssertionError

    async def save(self, job: Job, stored: Stored, memory: dict[str, bytes], on_bytes: OnBytes) -> Artifact:
        raise AssertionError

    async def clear(self, job: Job) -> None:
        raise AssertionError

    async def describe(self, job: Job, artifacts: Sequence[Artifact]) -> None:
        raise AssertionError


@asynccontextmanager
async def running(store: Store, work: Steps, pace: Pace) -> AsyncGenerator[Runner]:
    runner = Runner(Jobs(store, lease=30.0), lambda _: work, NoShelf(), pace=pace)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        yield runner
        tasks.cancel_scope.cancel()


async def ended(runner: Runner, job: Job) -> Job:
    with anyio.fail_after(20):
        while not job.ended:
            job = await runner.news(job, 1.0)
    return job


async def test_its_steps_follow_each_other_without_a_pause(store: Store) -> None:
    work = Steps()
    async with running(store, work, SLOW) as runner:
        job, _ = await runner.begin(NEW, Request())
        assert (await ended(runner, job)).result == {"steps": 3}
    assert work.done == ["running"] * 3


@pytest.mark.parametrize(("resumes", "state"), [(True, "done"), (False, "unknown")])
async def test_one_that_was_being_submitted_goes_on_or_is_unknown(
    new_store: NewStore, resumes: bool, state: str
) -> None:
    jobs = Jobs(new_store(), lease=0.0)
    job, _ = await jobs.begin(NEW, "a process that died")
    job = await jobs.sent(job, "a process that died")
    async with running(new_store(), Steps(resumes), Pace(first=0.001, longest=0.001)) as runner:
        assert (await ended(runner, job)).state == state


async def test_an_ended_one_does_not_answer_for_the_same_call(store: Store) -> None:
    work = Steps()
    async with running(store, work, SLOW) as runner:
        first, _ = await runner.begin(NEW, Request())
        await ended(runner, first)
        second, is_new = await runner.begin(NEW, Request())
        assert is_new
        assert second.id != first.id
