"""What one caller says may name nothing that another caller has at Google, however that came there."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from gemini_server.errors import NotFound
from gemini_server.jobs.new_job import NewJob
from gemini_server.toolkit import interaction_known
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.foreign_names import check_said
from gemini_server.toolkit.runtime import Runtime

from .working import Gemini, runtime_for

pytestmark = pytest.mark.anyio

SAID = {"interaction": {"previous_interaction_id": "i-1"}}


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncGenerator[Runtime]:
    made = runtime_for(Gemini(), tmp_path)
    yield made
    await made.store.aclose()


async def begun(runtime: Runtime, principal: str) -> None:
    """A job of the interaction."""
    new = NewJob(principal=principal, kind="interaction", tool="t", work="interaction", model="m", identity=None)
    job, _ = await runtime.jobs.begin(new, "owner")
    job = await runtime.jobs.sent(job, "owner")
    await runtime.jobs.change(job, "owner", "running", operation="i-1")


async def test_an_interaction_of_anothers_job_is_named_nowhere(runtime: Runtime) -> None:
    await begun(runtime, "ann")
    await check_said(Call(runtime, "ann"), SAID)
    with pytest.raises(NotFound, match="There is no interactions/i-1"):
        await check_said(Call(runtime, "bob"), SAID)
    await begun(runtime, "bob")
    await check_said(Call(runtime, "ann"), SAID)
    await check_said(Call(runtime, "bob"), SAID)


async def test_an_interaction_that_another_waited_for_is_named_nowhere(runtime: Runtime) -> None:
    await interaction_known.remember(Call(runtime, "ann"), "i-1", interaction_known.UNKNOWN)
    with pytest.raises(NotFound, match="There is no interactions/i-1"):
        await check_said(Call(runtime, "bob"), SAID)
    await check_said(Call(runtime, "ann"), SAID)
