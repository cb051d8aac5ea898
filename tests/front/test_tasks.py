"""The tools that begin jobs, from a client that declares the Tasks extension: each is a task with the tool's result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gemini_emulator import Emulator
from gemini_server import app, settings, surface
from tests.conformance.task_client import Tasks, in_memory
from tests.conftest import structured
from tests.emulator.drawing import recording

pytestmark = pytest.mark.anyio

CALLS: dict[str, dict[str, Any]] = {
    "generate_image": {"prompt": "A red circle", "preview": "none"},
    "generate_video": {"prompt": "A red fox runs", "duration_seconds": 3},
    "synthesize_speech": {"text": "Hello there"},
    "compose_music": {"prompt": "A short tune", "seconds": 30},
    "transcribe_audio": {"audio": "speech.wav"},
    "live_turn": {"text": "Hello there"},
    "embed": {"items": ["one", "two"]},
    "start_research": {"question": "How do foxes live in towns?"},
}


def published(emulator: Emulator, directory: Path) -> app.Published:
    (directory / "speech.wav").write_bytes(recording(2.0))
    given: dict[str, Any] = {
        "key": "test-key", "base_url": emulator.url, "state_dir": directory / "state", "poll": 0.02,
        "output_dir": directory / "output", "allow_dirs": (directory,), "toolsets": ("all",),
    }  # fmt: skip
    return app.build(settings.read({}, **given))


def test_every_tool_that_begins_a_job_is_here_or_is_tested_with_its_own() -> None:
    others = {
        "upload_file", "create_batch", "add_to_store", "download_file", "download_environment_file",
        "create_interaction", "follow_up_research", "call_endpoint", "chat_completion",
        "openai_images", "create_tuned_model",
    }  # fmt: skip
    assert {tool.name for tool in surface.load().tools if tool.task} - others == CALLS.keys()


@pytest.mark.parametrize("tool", CALLS)
async def test_a_job_is_a_task_whose_result_is_the_tools_own(emulator: Emulator, tmp_path: Path, tool: str) -> None:
    tasks = Tasks()
    async with in_memory(published(emulator, tmp_path), extensions=[tasks]) as client:
        await client.list_tools()  # the client holds results against the schema it knows
        result = structured(await client.call_tool(tool, CALLS[tool]))
    assert len(tasks.created) == 1
    assert tasks.created[0]["status"] in ("working", "completed")
    assert result.get("artifacts") or result.get("segments") or result.get("vectors")
    assert "job" not in result
