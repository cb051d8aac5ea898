"""A video asked of Google's own SDK and of this server is the same to Gemini: begun, asked for and stopped."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect, structured
from tests.wire.test_differential import png

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore")]

OMNI = "gemini-omni-1.1-flash"
ASKED: dict[str, Any] = {
    "model": OMNI,
    "generation_config": {"video_config": {"task": "image_to_video"}},
    "response_format": {
        "type": "video", "aspect_ratio": "9:16", "resolution": "1080p", "duration": "4s", "delivery": "uri",
    },
    "background": True,
    "store": True,
}  # fmt: skip


def seen(emulator: Emulator) -> list[tuple[str, str, Any]]:
    """Method, path and body of what came, with the interaction's id named alike; repeated polls count once."""
    found: list[tuple[str, str, Any]] = []
    for one in emulator.requests:
        path: str = one["path"].removeprefix("/v1beta/")
        head, _, rest = path.partition("/")
        name = f"{head}/ID{'/cancel' if rest.endswith('/cancel') else ''}" if rest else head
        body = one["body"]
        if body and body["input"][0]["type"] == "user_input":
            body = {**body, "input": body["input"][0]["content"]}  # the SDK makes a step of a list of contents
        shown = (one["method"], name, body)
        if not found or found[-1] != shown:
            found.append(shown)
    return found


async def test_a_film_is_begun_polled_and_cancelled_as_by_the_sdk(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], tmp_path: Path
) -> None:
    client, _ = sdk
    (tmp_path / "allowed" / "first.png").write_bytes(png())
    picture = {"type": "image", "mime_type": "image/png", "data": base64.b64encode(png()).decode()}
    emulator.add_fault("polls=1000", method="POST", path="/interactions")
    said = [{"type": "text", "text": "A fox"}, picture]
    begun = await client.aio.interactions.create(input=said, **ASKED)
    await client.aio.interactions.get(begun.id)
    await client.aio.interactions.cancel(begun.id)
    theirs = seen(emulator)
    emulator.clear_requests()
    emulator.add_fault("polls=1000", method="POST", path="/interactions")
    async with partial(connect, poll=0.01)() as server:
        arguments = {
            "prompt": "A fox", "first_frame": "first.png", "aspect_ratio": "9:16", "resolution": "1080p",
            "duration_seconds": 4, "wait_seconds": 0.3,
        }  # fmt: skip
        job = structured(await server.call_tool("generate_video", arguments))
        with anyio.fail_after(10):
            await server.call_tool("cancel_job", {"job": job["id"]})
    assert seen(emulator) == theirs
    assert [path for _, path, _ in theirs] == ["interactions", "interactions/ID", "interactions/ID/cancel"]
