from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import anyio
import pytest

from gemini_server.errors import (
    BadAnswer,
    Busy,
    ConnectionFailed,
    LocalError,
    MayHaveBeenBilled,
    NotFound,
    Overloaded,
    RequestRefused,
    ToolserverError,
)
from gemini_server.jobs.artifacts import Artifact
from gemini_server.jobs.job import Job, Media, Request, Spent, Step, Stored, Tell
from gemini_server.jobs.jobs import Jobs
from gemini_server.jobs.ledger import Store
from gemini_server.jobs.new_job import NewJob
from gemini_server.jobs.notices import listen
from gemini_server.jobs.pace import Pace
from gemini_server.jobs.runner import Runner
from gemini_server.jobs.shelf import OnBytes
from gemini_server.jobs.spending import Spending
from gemini_server.rest.body import RawJson
from tests.server.jobs.conftest import NewStore

PATIENCE = 20.0
PACE = Pace(first=0.001, growth=1.0, longest=0.001, retry=0.001, longest_retry=0.01)
NEW = NewJob("anna", "video", "generate_video", "fake", "omni", "same", request='{"stored":true}')
FILM = Media("video", "video/mp4", uri="https://x/files/1")


@dataclass
class FakeWork:
    """Does what a test says."""

    background: bool = True
    submits: list[Request] = field(default_factory=list[Request])
    polls: list[Step | Exception] = field(default_factory=list[Step | Exception])
    begun: Step | Exception = field(default_factory=lambda: Step("running", operation="operations/1"))
    gate: anyio.Event | None = None
    cancelled: Step | None = None
    asked: int = 0
    stops: int = 0

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        self.submits.append(request)
        if self.gate is not None:
            await self.gate.wait()
        if request.perform is not None:
            return await request.perform(tell)
        return raised(self.begun)

    async def poll(self, job: Job, tell: Tell) -> Step:
        assert job.operation == "operations/1"
        self.asked += 1
        return raised(self.polls.pop(0) if self.polls else Step("finished", media=[FILM]))

    async def cancel(self, job: Job) -> Step | None:
        self.stops += 1
        return self.cancelled


def raised(step: Step | Exception) -> Step:
    if isinstance(step, Exception):
        raise step
    return step


@dataclass
class FakeShelf:
    """Saves nothing, and counts."""

    failures: list[Exception] = field(default_factory=list[Exception])
    saved: list[str] = field(default_factory=list[str])
    described: int = 0
    cleared: int = 0

    async def put_down(self, job: Job, media: Media, memory: dict[str, bytes]) -> Stored:
        return Stored(f"artifact-of-{job.id}", media.kind, media.mime_type, media.uri, None, None, saved=False)

    async def save(self, job: Job, stored: Stored, memory: dict[str, bytes], on_bytes: OnBytes) -> Artifact:
        on_bytes(1, 2)
        if self.failures:
            raise self.failures.pop(0)
        self.saved.append(stored.artifact)
        return Artifact(
            stored.artifact, "video", "video-x.mp4", "video/mp4", 1, "0" * 64, None, None, None, job.created
        )

    async def clear(self, job: Job) -> None:
        self.cleared += 1

    async def describe(self, job: Job, artifacts: Sequence[Artifact]) -> None:
        self.described += 1


@dataclass
class Stage:
    """One process's runner with what it drives."""

    runner: Runner
    work: FakeWork
    shelf: FakeShelf

    async def begin(self, new: NewJob = NEW, request: Request | None = None) -> Job:
        return (await self.runner.begin(new, request or Request(RawJson(b"{}"))))[0]

    async def ended(self, job: Job) -> Job:
        return await self.until(job, "done", "failed", "cancelled", "unknown")

    async def until(self, job: Job, *states: str) -> Job:
        with anyio.fail_after(PATIENCE):
            while job.state not in states:
                job = await self.runner.news(job, 1.0)
        return job


@asynccontextmanager
async def running(store: Store, work: FakeWork | None = None, *, lease: float = 30.0) -> AsyncGenerator[Stage]:
    work, shelf = work or FakeWork(), FakeShelf()
    runner = Runner(Jobs(store, lease=lease), lambda _: work, shelf, pace=PACE, notices=lambda: listen(store))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        yield Stage(runner, work, shelf)
        tasks.cancel_scope.cancel()


async def test_a_job_is_sent_once_asked_for_and_saved(store: Store) -> None:
    work = FakeWork(polls=[Step("running", progress=0.5, message="drawing")])
    async with running(store, work) as stage:
        job = await stage.ended(await stage.begin())
        assert (job.state, job.operation, job.progress) == ("done", "operations/1", 1.0)
        assert [one.saved for one in job.media] == [True]
        assert (len(work.submits), work.asked, stage.shelf.described) == (1, 2, 1)


async def test_a_failed_request_is_no_job_at_google(store: Store) -> None:
    async with running(store, FakeWork(begun=RequestRefused("No such size.", "Take 1K.", status=400))) as stage:
        job = await stage.ended(await stage.begin())
        assert job.state == "failed"
        assert job.error == {"what": "No such size.", "remedy": "Take 1K.", "code": "request_refused", "status": 400}
        second = await stage.begin()
        assert second.id != job.id


@pytest.mark.parametrize(
    "failure",
    [
        MayHaveBeenBilled("The connection broke."),
        Overloaded("Gemini failed.", status=503),
        BadAnswer("Not JSON.", status=200),
        RuntimeError("a fault of ours"),
    ],
    ids=["cut", "overloaded", "unreadable", "crash"],
)
async def test_a_request_of_which_nobody_knows_is_unknown_and_never_sent_again(
    store: Store, failure: Exception
) -> None:
    async with running(store, FakeWork(begun=failure)) as stage:
        job = await stage.ended(await stage.begin())
        assert job.state == "unknown"
        assert job.error is not None
        assert "reuse=false" in job.error["remedy"]
        again = await stage.begin()
        assert again.id == job.id
        assert len(stage.work.submits) == 1


async def test_a_process_that_is_about_to_end_cuts_what_is_being_sent_and_begins_nothing(store: Store) -> None:
    async with running(store, FakeWork(gate=anyio.Event())) as stage:
        job = await stage.until(await stage.begin(), "submitting")
        stage.runner.hurry(0)
        assert (await stage.ended(job)).state == "unknown"
        with pytest.raises(Busy, match="nothing was sent"):
            await stage.begin(replace(NEW, identity="another"))
        assert len(stage.work.submits) == 1


async def test_a_foreground_overload_is_a_plain_failure(store: Store) -> None:
    async with running(store, FakeWork(background=False, begun=Overloaded("Busy.", status=503))) as stage:
        assert (await stage.ended(await stage.begin())).state == "failed"


async def test_trouble_while_asking_is_borne_until_it_is_over(store: Store) -> None:
    polls: list[Step | Exception] = [ConnectionFailed("No network."), Overloaded("Busy."), RuntimeError("a fault")]
    async with running(store, FakeWork(polls=polls)) as stage:
        job = await stage.ended(await stage.begin())
        assert job.state == "done"
        assert stage.work.asked == 4


async def test_what_google_forgot_has_failed(store: Store) -> None:
    async with running(store, FakeWork(polls=[NotFound("No such operation.")] * 3)) as stage:
        job = await stage.ended(await stage.begin())
        assert job.state == "failed"
        assert job.error is not None
        assert "does not know this job any more" in job.error["what"]


async def test_what_google_does_not_know_yet_is_looked_for_again(store: Store) -> None:
    async with running(store, FakeWork(polls=[NotFound("No such operation.")] * 2)) as stage:
        assert (await stage.ended(await stage.begin())).state == "done"


async def test_files_that_cannot_be_saved_do_not_hold_a_job_that_is_cancelled(store: Store) -> None:
    async with running(store) as stage:
        stage.shelf.failures = [LocalError("The disk is full.") for _ in range(10_000)]
        job = await stage.until(await stage.begin(), "downloading")
        await stage.runner.cancel("anna", job.id)
        job = await stage.ended(job)
        assert job.state == "cancelled"
        assert "It is billed" in job.message


async def test_what_cannot_be_used_is_given_up_after_days(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gemini_server.jobs.drive.GIVEN_UP", 0.0)
    async with running(store, FakeWork(polls=[BadAnswer("Not JSON.")])) as stage:
        job = await stage.ended(await stage.begin())
        assert job.state == "failed"
        assert job.error is not None
        assert "Given up" in job.error["what"]


async def test_a_full_disk_leaves_it_downloading_with_a_word_until_there_is_room(store: Store) -> None:
    async with running(store) as stage:
        stage.shelf.failures = [LocalError("The disk is full.", "Free some space.") for _ in range(3)]
        job = await stage.until(await stage.begin(), "downloading", "done")
        job = await stage.ended(job)
        assert job.state == "done"
        assert len(stage.shelf.saved) == 1
        assert stage.shelf.failures == []


async def test_files_that_are_gone_for_good_fail_it(store: Store) -> None:
    async with running(store) as stage:
        stage.shelf.failures = [NotFound("The link has expired.")]
        job = await stage.ended(await stage.begin())
        assert job.state == "failed"
        assert stage.shelf.cleared == 1


@pytest.mark.parametrize(
    ("kind", "result", "state"),
    [("image", {"text": "A report."}, "done"), ("video", {"text": "A caption."}, "failed"), ("image", {}, "failed")],
)
async def test_a_file_that_is_gone_is_missed_beside_a_text_alone(
    store: Store, kind: str, result: dict[str, str], state: str
) -> None:
    media = [Media(kind, "image/png", uri="https://x/1")]
    async with running(store, FakeWork(polls=[Step("finished", result=result, media=media)])) as stage:
        stage.shelf.failures = [NotFound("The link has expired.")]
        job = await stage.ended(await stage.begin())
        assert (job.state, job.result.get("text")) == (state, result.get("text"))
        assert [one.saved for one in job.media] == [False]
        assert stage.shelf.cleared + stage.shelf.described == 1
        if state == "done":
            assert "A file (image) is gone" in job.result["warnings"][0]


async def test_cancelling_asks_google_to_stop(store: Store) -> None:
    work = FakeWork(polls=[Step("running", message=str(n)) for n in range(10_000)], cancelled=Step("cancelled"))
    async with running(store, work) as stage:
        job = await stage.until(await stage.begin(), "running")
        await stage.runner.cancel("anna", job.id)
        assert (await stage.ended(job)).state == "cancelled"
        assert work.stops == 1


async def test_cancelling_what_cannot_be_stopped_still_brings_its_files(store: Store) -> None:
    work = FakeWork(gate=anyio.Event())
    async with running(store, work) as stage:
        job = await stage.until(await stage.begin(), "submitting")
        await stage.runner.cancel("anna", job.id)
        assert work.gate is not None
        work.gate.set()
        assert (await stage.ended(job)).state == "done"
        assert work.stops == 1


async def test_cancelling_a_foreground_call_drops_it(store: Store) -> None:
    work = FakeWork(background=False, gate=anyio.Event())
    async with running(store, work) as stage:
        job = await stage.until(await stage.begin(), "submitting")
        await stage.runner.cancel("anna", job.id)
        job = await stage.ended(job)
        assert job.state == "cancelled"
        assert "may bill" in job.message
    [spent] = await Spending(store, today=lambda: datetime.now(UTC).date()).by_day("anna")
    assert (spent.model, spent.calls, spent.unpriced_calls) == ("omni", 1, 1)


async def test_cancelling_a_start_waits_for_the_name_and_then_stops_it(store: Store) -> None:
    work = FakeWork(gate=anyio.Event(), cancelled=Step("cancelled"))
    async with running(store, work) as stage:
        job = await stage.until(await stage.begin(), "submitting")
        await stage.runner.cancel("anna", job.id)
        assert work.gate is not None
        work.gate.set()
        assert (await stage.ended(job)).state == "cancelled"
        assert work.stops == 1


async def test_a_caller_that_goes_leaves_the_job_alone(store: Store) -> None:
    work = FakeWork(gate=anyio.Event())
    async with running(store, work) as stage:
        with anyio.CancelScope() as call:
            call.cancel()
            with anyio.CancelScope():
                job = await stage.begin()
        job = (await stage.runner.jobs.list("anna"))[0]
        assert work.gate is not None
        work.gate.set()
        assert (await stage.ended(job)).state == "done"
        assert len(work.submits) == 1


async def test_work_of_this_process_runs_and_says_how_far_it_is(store: Store) -> None:
    said = anyio.Event()

    async def perform(tell: Tell) -> Step:
        tell("half", 0.5)
        await said.wait()
        return Step("finished", result={"text": "ok"}, spent=Spent("m", Decimal("0.01")))

    async with running(store, FakeWork(background=False)) as stage:
        job = await stage.begin(NEW, Request(perform=perform))
        with anyio.fail_after(PATIENCE):
            while stage.runner.note(job.id) != ("half", 0.5):
                job = await stage.runner.news(job, 1.0)
        said.set()
        job = await stage.ended(job)
        assert (job.state, job.result, job.cost_usd) == ("done", {"text": "ok"}, Decimal("0.01"))


async def test_the_next_process_sends_what_was_written_down_but_not_sent(store: Store) -> None:
    job, _ = await Jobs(store).begin(NEW, "a:dead:process")
    await Jobs(store).release("a:dead:process")
    async with running(store) as stage:
        assert (await stage.ended(job)).state == "done"
        assert [request.body for request in stage.work.submits] == [RawJson(b'{"stored":true}')]


async def test_the_next_process_does_not_send_what_was_being_sent(store: Store) -> None:
    jobs = Jobs(store)
    job, _ = await jobs.begin(NEW, "a:dead:process")
    job = await jobs.sent(job, "a:dead:process")
    await jobs.release("a:dead:process")
    async with running(store) as stage:
        assert (await stage.ended(job)).state == "unknown"
        assert stage.work.submits == []


async def test_the_next_process_goes_on_with_what_was_running_and_arriving(store: Store) -> None:
    jobs, dead = Jobs(store), "a:dead:process"
    running_one, _ = await jobs.begin(NEW, dead)
    running_one = await jobs.change(await jobs.sent(running_one, dead), dead, "running", operation="operations/1")
    arriving, _ = await jobs.begin(NewJob("anna", "video", "t", "fake", "m", "other"), dead)
    stored = Stored("artifact-2", "video", "video/mp4", "https://x/2", None, None, saved=False)
    arriving = await jobs.arrived(await jobs.sent(arriving, dead), dead, [stored], None)
    await jobs.release(dead)
    async with running(store) as stage:
        assert (await stage.ended(running_one)).state == "done"
        assert (await stage.ended(arriving)).state == "done"
        assert stage.work.submits == []
        assert "artifact-2" in stage.shelf.saved


async def test_another_replica_takes_over_when_the_lease_is_over(new_store: NewStore) -> None:
    jobs, dead = Jobs(new_store(), lease=0.2), "a:dead:process"
    job, _ = await jobs.begin(NEW, dead)
    job = await jobs.change(await jobs.sent(job, dead), dead, "running", operation="operations/1")
    async with running(new_store(), lease=0.2) as stage:
        assert (await stage.ended(job)).state == "done"


async def test_a_process_that_ends_while_it_sends_says_that_nobody_knows(store: Store) -> None:
    work = FakeWork(background=False, gate=anyio.Event())
    async with running(store, work) as stage:
        job = await stage.until(await stage.begin(), "submitting")
    assert (await Jobs(store).get("anna", job.id)).state == "unknown"


async def test_a_request_that_comes_back_while_the_process_ends_is_not_lost(store: Store) -> None:
    work = FakeWork(gate=anyio.Event())
    async with running(store, work) as stage:
        job = await stage.until(await stage.begin(), "submitting")
        assert work.gate is not None
        work.gate.set()
    assert (await Jobs(store).get("anna", job.id)).operation == "operations/1"
    async with running(store) as stage:
        assert (await stage.ended(job)).state == "done"


async def test_two_replicas_see_each_others_jobs_and_cancel_them(new_store: NewStore) -> None:
    work = FakeWork(polls=[Step("running", message=str(n)) for n in range(100_000)], cancelled=Step("cancelled"))
    async with running(new_store(), work, lease=0.6) as one, running(new_store(), lease=0.6) as two:
        job = await one.until(await one.begin(), "running")
        assert (await two.begin()).id == job.id
        await two.runner.cancel("anna", job.id)
        assert (await two.ended(job)).state == "cancelled"
        assert (work.stops, two.work.stops) == (1, 0)


async def test_listeners_hear_of_every_change(store: Store) -> None:
    heard: list[tuple[str, str]] = []
    async with running(store) as stage:
        silence = stage.runner.listen(lambda principal, identifier: heard.append((principal, identifier)))
        job = await stage.ended(await stage.begin())
        assert set(heard) == {("anna", job.id)}
        assert len(heard) >= 4
        silence()


async def test_an_unreadable_error_of_the_work_is_not_shown_to_the_model(store: Store) -> None:
    async with running(store, FakeWork(background=False, begun=RuntimeError("/home/secret"))) as stage:
        job = await stage.ended(await stage.begin())
        assert isinstance(job.failure(), ToolserverError)
        assert "/home/secret" not in str(job.failure())


@pytest.mark.parametrize("stirred", [False, True])
async def test_a_job_that_a_new_ledger_does_not_know_is_written_down_again(store: Store, stirred: bool) -> None:
    work = FakeWork(polls=[Step("running")] * 200)
    async with running(store, work, lease=0.3) as stage:
        job = await stage.until(await stage.begin(), "running")
        await store.run(lambda ledger: ledger.execute("DELETE FROM jobs"))
        if stirred:
            stage.runner.stir(job.id)  # as a webhook does, or another replica's notice that comes late
        with anyio.fail_after(PATIENCE):
            while True:
                with suppress(NotFound):
                    if (await stage.runner.jobs.get("anna", job.id)).state == "done":
                        break
                await anyio.sleep(0.02)
        assert len(work.submits) == 1
