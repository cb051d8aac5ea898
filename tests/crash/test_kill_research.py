"""kill -9 on the way of research: one submit, and the report arrives once, or nobody can know and the job says so."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gemini_emulator import Emulator
from tests.crash.test_kill import job_after, killed, serving, submits, world_of
from tests.front.processes import Json

pytestmark = pytest.mark.anyio

RESEARCH: Json = {"question": "How do foxes live in towns? [emulate: polls=3]", "wait_seconds": 60}
UNKNOWN = {"after the request"}
"""Killed between sending and recording, nobody can tell whether it began."""


@pytest.mark.parametrize(
    ("engine", "point"),
    [
        ("sqlite", "after the first question"),
        ("sqlite", "before done"),
        ("postgres", "after the request"),
        ("postgres", "after running"),
    ],
)
async def test_killed_and_started_again(
    tmp_path: Path, emulator: Emulator, request: pytest.FixtureRequest, engine: str, point: str
) -> None:
    ledger = request.getfixturevalue("postgres_url") if engine == "postgres" else None
    world = world_of(tmp_path, emulator, ledger)
    world.environment["GEMINI_TOOLSERVER_TOOLSETS"] = "default,jobs,research"
    await killed(world, point, "start_research", RESEARCH)
    async with serving(world) as again:
        job = await job_after(again)
    assert job is not None
    assert submits(emulator) == 1
    if point in UNKNOWN:
        assert job["status"] == "unknown", job
        assert "reuse=false" in job["next"]
        return
    assert job["status"] == "done", job
    (artifact,) = job["artifacts"]
    report = Path(artifact["path"]).read_bytes()
    assert hashlib.sha256(report).hexdigest() == artifact["sha256"]
    assert b"## Sources" in report
    names = [path.name for path in world.output.iterdir() if path.suffix != ".json" and path.name[0] != "."]
    assert names == [Path(artifact["path"]).name], "one file, and nothing half-written"
