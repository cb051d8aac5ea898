"""Batches of one key's project, as the callers of one server may see them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from gemini_server.errors import ArgumentError, NotFound
from gemini_server.jobs.new_job import NewJob
from gemini_server.toolkit import batch_names
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.runtime import Runtime

from .working import Gemini, runtime_for

pytestmark = pytest.mark.anyio


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncGenerator[Runtime]:
    made = runtime_for(Gemini(), tmp_path)
    yield made
    await made.store.aclose()


async def begun(runtime: Runtime, principal: str, operation: str | None, kind: str = "batch") -> str:
    """The id of a job that has come so far."""
    new = NewJob(principal=principal, kind=kind, tool="create_batch", work="batch", model="m", identity=None)
    job, _ = await runtime.jobs.begin(new, "owner")
    job = await runtime.jobs.sent(job, "owner")
    if operation:
        await runtime.jobs.change(job, "owner", "running", operation=operation)
    return job.id


async def test_a_batch_is_meant_by_its_name_or_by_its_job(runtime: Runtime) -> None:
    call = Call(runtime, "ann")
    job = await begun(runtime, "ann", "batches/a")
    for named in (job, "batches/a", " batches/a "):
        meant = await batch_names.meant(call, named)
        assert (meant.name, meant.job and meant.job.id) == ("batches/a", job)
    elsewhere = await batch_names.meant(call, "batches/elsewhere")
    assert (elsewhere.name, elsewhere.job) == ("batches/elsewhere", None)


async def test_anothers_batch_is_as_if_it_were_not_there(runtime: Runtime) -> None:
    job = await begun(runtime, "ann", "batches/a")
    call = Call(runtime, "bob")
    with pytest.raises(NotFound, match="There is no batch batches/a"):
        await batch_names.meant(call, "batches/a")
    with pytest.raises(NotFound, match="There is no job"):
        await batch_names.meant(call, job)
    # Who follows the same batch with a job of his own keeps it.
    own = await begun(runtime, "bob", "batches/a")
    assert (await batch_names.owners(call))["batches/a"].job == own
    assert (await batch_names.owners(Call(runtime, "ann")))["batches/a"].job == job


@pytest.mark.parametrize("named", ["x", "batches/", "batches/../files/a", "batches/a/b", "operations/a", ""])
async def test_what_is_no_batch_reaches_no_path(runtime: Runtime, named: str) -> None:
    with pytest.raises(ArgumentError, match="is no batch"):
        await batch_names.meant(Call(runtime), named)


async def test_a_job_that_is_no_batch_or_has_none_yet_is_refused(runtime: Runtime) -> None:
    call = Call(runtime)
    video = await begun(runtime, "local", "v1_x", kind="video")
    with pytest.raises(ArgumentError, match="is no batch but video"):
        await batch_names.meant(call, video)
    waiting: Any
    for waiting in (None, "uploading", "send files/a"):
        with pytest.raises(ArgumentError, match="Google knows nothing of this batch yet"):
            await batch_names.begun(call, await begun(runtime, "local", waiting))
