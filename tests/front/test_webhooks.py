"""Webhooks from end to end: the emulator delivers, a server over HTTP hears, and the job ends long before its poll."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import httpx2
import pytest

from gemini_emulator import Emulator
from tests.conftest import structured
from tests.front.processes import MODERN, World, http
from tests.front.test_http import connected

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_film_is_there_as_soon_as_gemini_says_so(tmp_path: Path, emulator: Emulator) -> None:
    world = World(tmp_path, emulator.url)
    address = f"127.0.0.1:{free_port()}"
    async with httpx2.AsyncClient(base_url=emulator.url, trust_env=False, headers={"x-goog-api-key": "k"}) as gemini:
        wanted = {
            "uri": f"http://{address}/webhooks/gemini",
            "subscribed_events": ["interaction.completed", "video.generated"],
        }
        made = (await gemini.post("/v1beta/webhooks", json=wanted)).json()
        env = {"GEMINI_TOOLSERVER_WEBHOOK_SECRETS": made["new_signing_secret"], "GEMINI_TOOLSERVER_POLL": "5000"}
        async with (
            http(world, "--toolsets", "all", address=address, **env) as server,
            connected(server, MODERN) as client,
        ):
            film = {"prompt": "A fox in the snow [emulate: lasts=1]", "duration_seconds": 3, "wait_seconds": 20}
            done = structured(await client.call_tool("generate_video", film))
            pinged = (await gemini.post(f"/v1beta/webhooks/{made['id']}:ping", json={})).status_code
        await gemini.delete(f"/v1beta/webhooks/{made['id']}")
    assert done["status"] == "done"
    assert done["artifacts"][0]["mime_type"] == "video/mp4"
    assert pinged == 200
