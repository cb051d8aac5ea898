"""The attack list's rows on reading, said to upload_file: refused before anything is sent, as everywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from mcp_types import CallToolResult

from tests.conftest import error_of, structured, text_of
from tests.front.processes import CANARY_KEY
from tests.front.test_reading_attacks import ATTACKS, INSIDE, QUICK, Stage, grow, rewrite, shrink, write
from tests.front.test_reading_attacks import stage as stage
from tests.front.uploading import CHUNK, noise, small_chunks

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")]

OTHER_WORDS = {"http://169.254.169.254/latest/meta-data": "takes no links"}


async def upload(stage: Stage, path: str) -> CallToolResult:
    return await stage.call("upload_file", {"source": path}, poll=0.02)


@pytest.mark.parametrize(("row", "path", "expected"), ATTACKS)
async def test_a_path_that_must_not_be_read_is_not_uploaded(stage: Stage, row: int, path: str, expected: str) -> None:
    with anyio.fail_after(QUICK + 3):
        refused = await upload(stage, stage.path(path))
    assert OTHER_WORDS.get(path, expected) in error_of(refused)
    assert "Traceback" not in error_of(refused)
    assert len(error_of(refused)) < 700
    assert stage.requests == []
    assert row in range(1, 20)


async def test_a_hard_link_inside_is_uploaded_and_leaves_a_line_in_the_log(stage: Stage) -> None:
    structured(await upload(stage, "hard.txt"))
    assert '"hard.txt"' in stage.output()
    assert "2 link(s)" in stage.output()


@pytest.mark.parametrize("argument", ["display_name", "mime_type"])
async def test_other_arguments_never_read_a_file(stage: Stage, argument: str) -> None:
    await stage.call("upload_file", {"source": "ok.txt", argument: "../outside/secret.txt"}, poll=0.02)
    assert INSIDE not in str(stage.requests)


@pytest.mark.parametrize("change", [grow, shrink, rewrite])
async def test_a_file_that_changes_while_it_is_uploaded_is_given_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    small_chunks(monkeypatch)
    path = write(stage.root / "long.bin", noise(4 * CHUNK, "changes"))
    stage.emulator.add_fault("slow=0.3s", path=f"#upload@{CHUNK}")
    results: list[CallToolResult] = []

    async def call() -> None:
        results.append(await upload(stage, "long.bin"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        with anyio.fail_after(10):
            while not any(one["headers"].get("x-goog-upload-offset") == "0" for one in stage.requests):
                await anyio.lowlevel.checkpoint()
                await anyio.sleep(0.005)
        change(path)
    assert "changed" in error_of(results[0])
    commands = [one["headers"].get("x-goog-upload-command") for one in stage.requests]
    assert commands[-1] == "cancel"
    assert "upload, finalize" not in commands
    stage.settle()


async def test_a_file_that_keeps_turning_into_a_link_never_yields_what_the_link_points_to(stage: Stage) -> None:
    flipping = write(stage.root / "flip.txt", INSIDE)
    spare_file, spare_link = write(stage.top / "spare.txt", INSIDE), stage.top / "spare.lnk"
    spare_link.symlink_to(stage.top / "outside/secret.txt")
    outcomes: set[bool] = set()
    async with stage.connect(key=CANARY_KEY, poll=0.02) as client:
        for number in range(20):
            turn = stage.top / "turn"
            os.link((spare_link, spare_file)[number % 2], turn, follow_symlinks=False)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anyio.to_thread.run_sync, turn.replace, flipping)
                result = await client.call_tool("upload_file", {"source": "flip.txt", "reuse": False})
                outcomes.add(result.is_error is True)
                stage.shown.append(text_of(result))
    stage.settle()
    assert outcomes == {True, False}
