"""generate_image turn by turn: the picture of the last turn is what the next one edits."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp_types import TextResourceContents

from gemini_emulator import Emulator
from tests.conftest import Connect
from tests.front.conftest import FakeGemini, Json, Reply, ask, warned
from tests.front.picturing import MODEL, drawn, file_of, inline, job, make, noise, refused, requests

pytestmark = pytest.mark.anyio

SIGNED = inline(noise(30), thoughtSignature="c2lnbmF0dXJl")


async def turns_of(client: Client, conversation: str) -> list[Json]:
    """A conversation as its resource shows it."""
    [content] = (await client.read_resource(f"gemini://conversations/{conversation}")).contents
    assert isinstance(content, TextResourceContents)
    assert len(content.text) < 4096, "no base64"
    turns: list[Json] = json.loads(content.text)["turns"]
    return turns


async def test_an_edit_sends_the_picture_back_with_its_signature(connect: Connect, fake: FakeGemini) -> None:
    fake.say(drawn({"text": "There."}, SIGNED), drawn(inline(noise(31))))
    async with connect(base_url=fake.url) as client:
        first = await make(client, "A fox", conversation="new", aspect_ratio="16:9", size="2K")
        second = await make(client, "Make it brighter", conversation=first["conversation"])
        turns = await turns_of(client, first["conversation"])
    assert second["conversation"] == first["conversation"]
    assert fake.requests[1]["contents"] == [
        {"role": "user", "parts": [{"text": "A fox"}]},
        {"role": "model", "parts": [{"text": "There."}, SIGNED]},
        {"role": "user", "parts": [{"text": "Make it brighter"}]},
    ]
    assert fake.requests[1]["generationConfig"]["imageConfig"] == {"aspectRatio": "16:9", "imageSize": "2K"}
    assert file_of(second["artifacts"][0]) == noise(31)
    assert [turn["role"] for turn in turns] == ["user", "model", "user", "model"]


async def test_the_emulator_takes_back_what_it_drew(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await make(client, "A fox", conversation="new")
        await make(client, "Make it brighter", conversation=first["conversation"])
        third = await make(client, "And rounder", conversation=first["conversation"])
    assert len(requests(emulator)[-1]["contents"]) == 5
    assert third["usage"]["input_tokens"] > 2 * 258


async def test_the_same_edit_after_another_turn_is_another_edit(connect: Connect, fake: FakeGemini) -> None:
    fake.say(drawn(SIGNED))
    async with connect(base_url=fake.url) as client:
        first = await make(client, conversation="new")
        again = await make(client, conversation="new")
        for _ in range(2):
            await make(client, "Brighter", conversation=first["conversation"])
    assert again["conversation"] == first["conversation"], "the same call"
    assert len(fake.requests) == 3
    assert len(fake.requests[2]["contents"]) == 5


async def test_a_conversation_outlives_the_server(connect: Connect, fake: FakeGemini) -> None:
    fake.say(drawn(SIGNED))
    async with connect(base_url=fake.url) as client:
        first = await make(client, conversation="new")
    async with connect(base_url=fake.url) as client:
        await make(client, "Brighter", conversation=first["conversation"])
    assert fake.requests[1]["contents"][1]["parts"] == [SIGNED]


async def test_a_turn_is_kept_once_also_when_nobody_waits_for_it(connect: Connect, fake: FakeGemini) -> None:
    gate = asyncio.Event()
    fake.say(Reply(drawn(SIGNED), gate=gate))
    async with connect(base_url=fake.url) as client:
        async with anyio.create_task_group() as tasks:

            async def one() -> None:
                await make(client, conversation="new")

            tasks.start_soon(one)
            await fake.wait_for(1)
            tasks.cancel_scope.cancel()  # the caller has gone
        gate.set()
        begun = (await make(client, conversation="new", wait_seconds=0)).get("job")
        if begun is not None:
            assert (await job(client, begun["id"]))["status"] == "done"
        made = await make(client, conversation="new")
        assert len(await turns_of(client, made["conversation"])) == 2
    assert len(fake.requests) == 1


async def test_a_conversation_that_moves_on_meanwhile_costs_the_turn_and_not_the_picture(
    connect: Connect, fake: FakeGemini
) -> None:
    first_gate = asyncio.Event()
    fake.say(drawn(SIGNED), Reply(drawn(inline(noise(31))), gate=first_gate), drawn(inline(noise(32))))
    async with connect(base_url=fake.url) as client:
        conversation = (await make(client, conversation="new"))["conversation"]
        slow = (await make(client, "Brighter", conversation=conversation, wait_seconds=0))["job"]
        await fake.wait_for(2)
        await make(client, "Darker", conversation=conversation)
        first_gate.set()
        done = await job(client, slow["id"])
        turns = await turns_of(client, conversation)
    assert done["status"] == "done"
    assert file_of(done["artifacts"][0]) == noise(31)
    assert "could not be kept in the conversation" in warned(done)
    assert len(turns) == 4


async def test_words_and_pictures_share_a_conversation(connect: Connect, fake: FakeGemini) -> None:
    fake.say(drawn(SIGNED), {**drawn({"text": "A fox."}), "modelVersion": "gemini-3.8-flash"})
    async with connect(base_url=fake.url) as client:
        conversation = (await make(client, conversation="new"))["conversation"]
        said = await ask(client, "What is it?", conversation=conversation, model="gemini-3.8-flash")
        fake.say(drawn(inline(noise(32))))
        made = await make(client, "Now a cat", conversation=conversation)
    assert said["text"] == "A fox."
    assert fake.requests[1]["contents"][1] == {"role": "model", "parts": [SIGNED]}
    assert fake.paths[2] == f"/v1beta/models/{MODEL}:generateContent", "a model of text makes no pictures"
    assert len(fake.requests[2]["contents"]) == 5
    assert made["conversation"] == conversation


async def test_an_artifact_as_a_reference_may_be_larger_than_what_a_turn_keeps(
    connect: Connect, fake: FakeGemini, tmp_path: Path
) -> None:
    large = noise(1800)
    (tmp_path / "allowed" / "large.png").write_bytes(large)
    fake.say(drawn(inline(large)))
    async with connect(base_url=fake.url) as client:
        (artifact,) = (await make(client))["artifacts"]
        assert "8 MiB" in await refused(client, "Brighter", references=["large.png"], conversation="new")
        fake.say(drawn(inline(noise(30))))
        first = await make(client, "Brighter", references=[artifact["uri"]], conversation="new")
        await make(client, "Darker", conversation=first["conversation"])
    assert fake.requests[-1]["contents"][0]["parts"] == [inline(large), {"text": "Brighter"}]
    assert fake.requests[-1]["contents"][1]["parts"] == [inline(noise(30))]


async def test_a_picture_that_was_deleted_says_how_to_go_on(connect: Connect, fake: FakeGemini) -> None:
    fake.say(drawn(SIGNED))
    async with connect(base_url=fake.url) as client:
        first = await make(client, conversation="new")
        Path(first["artifacts"][0]["path"]).unlink()
        said = await refused(client, "Brighter", conversation=first["conversation"])
    assert "is gone" in said
    assert len(fake.requests) == 1


async def test_a_small_reference_is_part_of_its_turn(connect: Connect, fake: FakeGemini, tmp_path: Path) -> None:
    (tmp_path / "allowed" / "fox.png").write_bytes(noise(20))
    fake.say(drawn({"text": "a\u202eb"}, inline(noise(30))))
    async with connect(base_url=fake.url) as client:
        first = await make(client, "Brighter", references=["fox.png"], conversation="new")
        (tmp_path / "allowed" / "fox.png").unlink()
        second = await make(client, "Darker", conversation=first["conversation"])
    assert fake.requests[1]["contents"][0]["parts"][0] == inline(noise(20))
    assert first["untrusted"] == second["untrusted"] == "files"
    assert second["text"] == "ab"
