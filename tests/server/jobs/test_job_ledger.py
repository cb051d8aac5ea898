from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import anyio
import pytest

from gemini_server.errors import ArgumentError, NotFound, QuotaExhausted, ToolserverError
from gemini_server.jobs.artifacts import Artifact
from gemini_server.jobs.job import Job, Spent, Stored
from gemini_server.jobs.job_changes import LeaseLost
from gemini_server.jobs.jobs import Jobs
from gemini_server.jobs.ledger import Store
from gemini_server.jobs.new_job import NewJob
from gemini_server.jobs.spending import Spending

TODAY = datetime.now(UTC).date()
NEW = NewJob(
    "anna", "video", "generate_video", "interaction", "omni", "same", {"preview": "none"}, '{"a":1}', Decimal("0.30"),
    day=TODAY.isoformat(),
)  # fmt: skip
ME, OTHER = "host:1:a", "host:2:b"


@pytest.fixture
def jobs(store: Store) -> Jobs:
    return Jobs(store, lease=30.0)


async def begun(jobs: Jobs, new: NewJob = NEW, owner: str = ME) -> Job:
    job, is_new = await jobs.begin(new, owner)
    assert is_new
    return job


async def test_a_job_begins_as_it_was_wished(jobs: Jobs) -> None:
    job = await begun(jobs)
    assert job.id.startswith("j_")
    assert len(job.id) >= 24
    assert (job.principal, job.kind, job.tool, job.work, job.model) == (
        "anna", "video", "generate_video", "interaction", "omni"
    )  # fmt: skip
    assert job.state == "intent"
    assert job.wish == {"preview": "none"}
    assert job.cost_usd == Decimal("0.30")
    assert await jobs.request_of(job.id) == '{"a":1}'
    assert await jobs.get("anna", job.id) == job


async def test_the_same_call_gives_the_same_job_while_it_is_under_way_and_a_while_after(jobs: Jobs) -> None:
    first = await begun(jobs)
    again, is_new = await jobs.begin(NEW, OTHER)
    assert not is_new
    assert again.id == first.id
    await jobs.end(first, ME, "done")
    again, is_new = await jobs.begin(NEW, OTHER)
    assert (again.id, again.state, is_new) == (first.id, "done", False)


async def test_a_window_that_is_over_gives_a_new_job(jobs: Jobs) -> None:
    first = await begun(jobs)
    assert (await jobs.begin(replace(NEW, window=0.0), ME))[0].id == first.id  # it is still under way
    await jobs.end(first, ME, "done")
    assert (await begun(jobs, replace(NEW, window=0.0))).id != first.id


@pytest.mark.parametrize("state", ["failed", "cancelled"])
async def test_what_came_to_nothing_does_not_answer_for_another_try(jobs: Jobs, state: str) -> None:
    first = await begun(jobs)
    await jobs.end(first, ME, "failed" if state == "failed" else "cancelled")
    assert (await begun(jobs)).id != first.id


async def test_what_may_have_been_billed_answers_until_somebody_says_otherwise(jobs: Jobs) -> None:
    first = await begun(jobs)
    await jobs.end(first, ME, "unknown")
    assert (await jobs.begin(NEW, ME))[0].id == first.id
    second = await begun(jobs, replace(NEW, reuse=False))
    assert second.id != first.id
    assert (await jobs.begin(NEW, ME))[0].id == second.id


async def test_fifty_identical_calls_at_once_begin_one_job(jobs: Jobs) -> None:
    found: list[tuple[Job, bool]] = []

    async def call() -> None:
        found.append(await jobs.begin(NEW, ME))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(call)
    assert len({job.id for job, _ in found}) == 1
    assert sum(is_new for _, is_new in found) == 1


async def test_a_request_is_not_kept_once_it_is_sent(jobs: Jobs) -> None:
    job = await jobs.sent(await begun(jobs), ME)
    assert job.state == "submitting"
    assert await jobs.request_of(job.id) is None


async def test_only_the_process_that_holds_a_job_changes_it(jobs: Jobs) -> None:
    job = await begun(jobs)
    with pytest.raises(LeaseLost):
        await jobs.sent(job, OTHER)
    await jobs.end(job, ME, "done")
    with pytest.raises(LeaseLost):
        await jobs.change(job, ME, "running")


async def test_a_job_is_claimed_only_when_its_lease_is_over_and_by_one_process(store: Store) -> None:
    jobs = Jobs(store, lease=30.0)
    job = await begun(jobs)
    assert await jobs.claim(OTHER, 10) == []
    await jobs.release(ME)
    claimed = await jobs.claim(OTHER, 10)
    assert [one.id for one in claimed] == [job.id]
    assert await jobs.claim(ME, 10) == []
    with pytest.raises(LeaseLost):
        await jobs.change(job, ME, "running")


async def test_ended_jobs_are_not_claimed(jobs: Jobs) -> None:
    job = await begun(jobs)
    await jobs.end(job, ME, "done")
    await jobs.release(ME)
    assert await jobs.claim(OTHER, 10) == []


async def test_renewing_tells_which_jobs_are_held_and_which_are_to_be_cancelled(jobs: Jobs) -> None:
    one, two = await begun(jobs), await begun(jobs, replace(NEW, identity="other"))
    await jobs.ask_to_cancel("anna", two.id)
    assert await jobs.renew(ME) == {one.id: False, two.id: True}
    assert await jobs.renew(OTHER) == {}


async def test_a_foreign_job_and_an_unknown_one_give_the_same_answer(jobs: Jobs) -> None:
    job = await begun(jobs)
    for attempt in (jobs.get, jobs.ask_to_cancel):
        with pytest.raises(NotFound) as foreign:
            await attempt("ben", job.id)
        with pytest.raises(NotFound) as unknown:
            await attempt("ben", "j_nothing")
        assert str(foreign.value).replace(job.id, "") == str(unknown.value).replace("j_nothing", "")
    with pytest.raises(NotFound):
        await jobs.get("anna", "j_\udcff\u00e9")


async def test_what_came_is_written_with_its_files_and_its_cost_at_once(store: Store) -> None:
    jobs = Jobs(store)
    job = await jobs.sent(await begun(jobs), ME)
    stored = Stored("artifact-1", "video", "video/mp4", "https://x/files/1", 100, None, saved=False)
    spent = Spent("omni", Decimal("0.42"), {"input_tokens": 10, "output_tokens": 20})
    job = await jobs.arrived(job, ME, [stored], spent, result={"text": "hi"})
    assert (job.state, job.media, job.cost_usd) == ("downloading", (stored,), Decimal("0.42"))
    total = await Spending(store, today=lambda: TODAY).today_total("anna")
    assert (total.cost_usd, total.calls) == (0.42, 1)
    artifact = Artifact("artifact-1", "video", "video-x.mp4", "video/mp4", 100, "0" * 64, 64, 36, 3.0, job.created)
    job = await jobs.saved(job, ME, [artifact])
    assert job.state == "done"
    assert [one.saved for one in job.media] == [True]
    assert job.result == {"text": "hi"}
    assert (await Spending(store, today=lambda: TODAY).today_total("anna")).calls == 1


async def test_a_failure_keeps_its_words_and_costs_nothing(jobs: Jobs) -> None:
    job = await begun(jobs)
    job = await jobs.end(job, ME, "failed", error=ToolserverError("It broke.", "Mend it.", code="x", status=400))
    assert job.error == {"what": "It broke.", "remedy": "Mend it.", "code": "x", "status": 400}
    assert job.cost_usd is None
    failure = job.failure()
    assert failure is not None
    assert str(failure) == "It broke. Mend it."


async def test_the_cap_counts_what_was_spent_and_what_is_under_way(store: Store) -> None:
    jobs = Jobs(store)
    capped = replace(NEW, cap=Decimal("0.70"))
    first = await begun(jobs, replace(capped, identity="1"))
    second = await begun(jobs, replace(capped, identity="2"))
    with pytest.raises(QuotaExhausted, match=r"daily cap of \$0\.70 .* \$0\.6000 reserved"):
        await jobs.begin(replace(capped, identity="3"), ME)
    assert (await jobs.begin(replace(capped, identity="2"), ME))[0].id == second.id  # nothing new is spent
    await jobs.end(first, ME, "failed")
    await begun(jobs, replace(capped, identity="3"))
    await begun(jobs, replace(capped, principal="ben", identity="4"))
    await jobs.end(second, ME, "done", spent=Spent("omni", Decimal("0.69")))
    with pytest.raises(QuotaExhausted, match=r"\$0\.6900 spent today"):
        await jobs.begin(replace(capped, identity="5"), ME)


async def test_answers_add_up_and_only_where_they_are_wanted(jobs: Jobs) -> None:
    job = await jobs.sent(await begun(jobs), ME)
    with pytest.raises(ArgumentError, match="waits for no input"):
        await jobs.answer("anna", job.id, {"a": 1})
    await jobs.change(job, ME, "input_required", inputs={"a": {}, "b": {}})
    await jobs.answer("anna", job.id, {"a": 1})
    assert (await jobs.answer("anna", job.id, {"b": 2})).answers == {"a": 1, "b": 2}


async def test_jobs_are_listed_by_state_and_kind_newest_first(jobs: Jobs) -> None:
    ids = [(await begun(jobs, replace(NEW, identity=str(n), kind=kind))).id for n, kind in enumerate(("a", "b", "a"))]
    assert [job.id for job in await jobs.list("anna")] == ids[::-1]
    assert [job.id for job in await jobs.list("anna", kind="a")] == [ids[2], ids[0]]
    assert await jobs.list("anna", states=["done"]) == []
    assert [job.id for job in await jobs.list("anna", states=["intent"], limit=1)] == [ids[2]]
    assert await jobs.list("ben") == []


async def test_old_jobs_that_have_ended_are_forgotten(store: Store) -> None:
    jobs = Jobs(store, keep_days=0)
    job = await begun(jobs)
    open_one = await begun(jobs, replace(NEW, identity="open"))
    await jobs.end(job, ME, "done")
    await jobs.forget_old()
    with pytest.raises(NotFound):
        await jobs.get("anna", job.id)
    assert (await jobs.get("anna", open_one.id)).state == "intent"


async def test_nobody_takes_over_a_job_that_another_api_knows(store: Store) -> None:
    job = await begun(Jobs(store, lease=0.0, place="https://one"))
    assert job.place == "https://one"
    assert await Jobs(store, place="https://other").claim(OTHER, 10) == []
    assert [one.id for one in await Jobs(store, place="https://one").claim(OTHER, 10)] == [job.id]
