"""Kept conversations through the front door: what is sent again, what is inherited, what is never lost."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from gemini_emulator import Emulator
from gemini_server import app, caller
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import (
    FakeGemini,
    Json,
    Reply,
    ask,
    ask_in_a_stream,
    candidate,
    refused,
    said,
    sent,
    submit,
    warned,
)

pytestmark = pytest.mark.anyio

ALL = ("all",)


async def read(client: Client, uri: str) -> Json:
    """A resource as JSON."""
    content = (await client.read_resource(uri)).contents[0]
    value: Json = json.loads(getattr(content, "text", ""))
    return value


async def listed(client: Client) -> list[Json]:
    """The kept conversations."""
    found: list[Json] = structured(await client.call_tool("list_conversations", {}))["conversations"]
    return found


@pytest.mark.parametrize("mode", ERAS)
async def test_a_conversation_remembers_what_was_said(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode) as client:
        first = await ask(client, "My name is Zoë", conversation="new")
        second = await ask(client, "What is my name?", conversation=first["conversation"])
    assert "Your name is Zoë" in second["text"]
    assert second["conversation"] == first["conversation"]
    assert [turn["role"] for turn in sent(emulator)["contents"]] == ["user", "model", "user"]


ODD_PARTS: list[Json] = [
    {"text": "I think", "thought": True},
    {"text": "Grüße 👋🏽 e\u0301"},
    {"text": "", "thoughtSignature": "q+/A==" + "x" * 400},
    {"inlineData": {"mimeType": "image/png", "data": "iVBO"}, "thoughtSignature": "a-b_c"},
    {"executableCode": {"language": "PYTHON", "code": "print(1)", "id": "9"}},
    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n", "id": "9"}},
    {"newThing": {"b": None, "a": [None, {"z": None}]}, "alsoNew": None},
]


async def test_the_model_turn_goes_back_as_the_very_json_that_came(connect: Connect, fake: FakeGemini) -> None:
    fake.say(candidate(*ODD_PARTS))
    async with connect(base_url=fake.url) as client:
        first = await ask(client, "one", conversation="new")
        await ask(client, "two", conversation=first["conversation"])
    turns = fake.requests[1]["contents"]
    assert json.dumps(turns[1], ensure_ascii=False) == json.dumps(
        {"role": "model", "parts": ODD_PARTS}, ensure_ascii=False
    )
    assert turns[0] == {"role": "user", "parts": [{"text": "one"}]}
    assert turns[2] == {"role": "user", "parts": [{"text": "two"}]}


async def test_a_streamed_turn_goes_back_joined_with_its_signature_untouched(
    connect: Connect, fake: FakeGemini
) -> None:
    signature = "AbC+/=" + "y" * 300
    fake.stream(
        said("Hel", finish=None),
        said("lo ", finish=None),
        candidate({"text": "", "thoughtSignature": signature}),
    )
    async with connect(base_url=fake.url) as client:
        first = await ask_in_a_stream(client, "one", conversation="new")
        fake.say(said("fine"))
        await ask(client, "two", conversation=first["conversation"])
    assert first["text"] == "Hello "
    assert fake.requests[1]["contents"][1]["parts"] == [
        {"text": "Hello "},
        {"text": "", "thoughtSignature": signature},
    ]


@pytest.mark.parametrize("stream", [False, True])
async def test_the_emulator_gets_its_signatures_back(connect: Connect, emulator: Emulator, stream: bool) -> None:
    # The emulator refuses a signature that it has not issued.
    asking = ask_in_a_stream if stream else ask
    async with connect() as client:
        first = await asking(client, "one", conversation="new")
        second = await asking(client, "two", conversation=first["conversation"])
        await asking(client, "three", conversation=second["conversation"])
    signatures = [part.get("thoughtSignature") for turn in sent(emulator)["contents"] for part in turn["parts"]]
    assert sum(signature is not None for signature in signatures) == 2


async def test_settings_are_inherited_and_overridden_one_by_one(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await ask(
            client,
            conversation="new",
            model="gemini-3.6-flash",
            system="Be brief.",
            thinking="low",
            seed=3,
            use=["search"],
            safety={"HARASSMENT": "OFF"},
            service_tier="flex",
            stop=["END"],
        )
        identifier = first["conversation"]
        await ask(client, conversation=identifier)
        await ask(client, conversation=identifier, system="Be long.", thinking="high", use=[], stop=[])
        await ask(client, conversation=identifier, model="gemini-3.8-flash")
        kept = await read(client, f"gemini://conversations/{identifier}")
    inherited = sent(emulator, 1)
    assert {name: value for name, value in inherited.items() if name != "contents"} == {
        name: value for name, value in sent(emulator, 0).items() if name != "contents"
    }
    assert inherited["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert inherited["generationConfig"] == {
        "stopSequences": ["END"],
        "seed": 3,
        "thinkingConfig": {"thinkingLevel": "LOW"},
    }
    changed = sent(emulator, 2)
    assert changed["systemInstruction"] == {"parts": [{"text": "Be long."}]}
    assert changed["generationConfig"] == {"seed": 3, "thinkingConfig": {"thinkingLevel": "HIGH"}}
    assert "tools" not in changed
    assert emulator.requests[2]["path"].endswith("gemini-3.6-flash:generateContent")
    assert emulator.requests[3]["path"].endswith("gemini-3.8-flash:generateContent")
    assert sent(emulator, 3)["systemInstruction"] == {"parts": [{"text": "Be long."}]}
    assert kept["system"] == "Be long."
    assert kept["model"] == "gemini-3.8-flash"


async def test_a_schema_of_one_turn_is_kept_for_the_next(connect: Connect) -> None:
    schema: Json = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    async with connect() as client:
        first = await ask(client, conversation="new", json_schema=schema)
        second = await ask(client, conversation=first["conversation"])
    assert isinstance(second["json"]["city"], str)


async def test_functions_can_be_taken_away_with_what_was_said_of_them(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await ask(
            client,
            "nothing in particular",
            conversation="new",
            functions=[{"name": "f"}, {"name": "g"}],
            function_mode="validated",
            allowed_functions=["f"],
        )
        await ask(client, conversation=first["conversation"], functions=[{"name": "h"}])
        await ask(client, conversation=first["conversation"], functions=[])
    assert sent(emulator, 1)["tools"] == [{"functionDeclarations": [{"name": "h"}]}]
    assert "toolConfig" not in sent(emulator, 1)
    assert "tools" not in sent(emulator, 2)


async def test_a_cache_that_meets_an_inherited_system_is_refused_before_sending(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        first = await ask(client, conversation="new", system="Be brief.")
        text = await refused(client, conversation=first["conversation"], cache="cachedContents/a")
    assert "cannot be combined" in text
    assert len(emulator.requests) == 1


async def test_an_attachment_is_sent_again_with_its_turn(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "allowed" / "note.txt").write_text("remember the milk")
    async with connect() as client:
        first = await ask(client, "Read this", conversation="new", attachments=["note.txt"])
        await ask(client, "Again?", conversation=first["conversation"])
        kept = await read(client, f"gemini://conversations/{first['conversation']}")
    blob = {"inlineData": {"mimeType": "text/plain", "data": "cmVtZW1iZXIgdGhlIG1pbGs="}}
    assert sent(emulator, 0)["contents"][0]["parts"] == [blob, {"text": "Read this"}]
    assert sent(emulator, 1)["contents"][0]["parts"] == [blob, {"text": "Read this"}]
    assert kept["turns"][0] == {"role": "user", "text": "Read this", "attachments": ["text/plain inline"]}


async def test_media_too_large_for_a_conversation_are_uploaded_and_kept_as_links(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "allowed" / "big.mp4").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(8 * 2**20))
    async with connect(poll=0.02) as client:
        first = await ask(client, "Look", conversation="new", attachments=["big.mp4"])
        await ask(client, "Again?", conversation=first["conversation"])
        kept = await read(client, f"gemini://conversations/{first['conversation']}")
    (link,) = kept["turns"][0]["attachments"]
    assert "/files/" in link
    assert sent(emulator)["contents"][0]["parts"][0]["fileData"]["fileUri"] == link


async def test_kept_conversations_are_listed_read_and_deleted(connect: Connect) -> None:
    async with connect(toolsets=ALL) as client:
        assert await listed(client) == []
        older = (await ask(client, "one", conversation="new"))["conversation"]
        newer = (await ask(client, "two", conversation="new", model="gemini-3.6-flash", system="S"))["conversation"]
        await ask(client, "three", conversation=older)
        found = await listed(client)
        assert [item["id"] for item in found] == [newer, older]
        assert [item["turns"] for item in found] == [2, 4]
        assert [item["model"] for item in found] == ["gemini-3.6-flash", "gemini-3.8-flash"]
        assert all(item.keys() == {"id", "turns", "model", "created"} for item in found)
        kept = await read(client, f"gemini://conversations/{newer}")
        assert kept["system"] == "S"
        assert [turn["role"] for turn in kept["turns"]] == ["user", "model"]
        assert kept["turns"][0]["text"] == "two"
        assert structured(await client.call_tool("delete_conversation", {"id": newer})) == {"deleted": newer}
        assert [item["id"] for item in await listed(client)] == [older]
        assert "There is no conversation" in error_of(await client.call_tool("delete_conversation", {"id": newer}))
        with pytest.raises(MCPError) as gone:
            await client.read_resource(f"gemini://conversations/{newer}")
        assert gone.value.error.code == -32602


def masked(text: str, identifier: str) -> str:
    """A refusal without the name that was asked for."""
    assert identifier in text
    return text.replace(identifier, "ID")


async def test_a_foreign_conversation_looks_like_one_that_never_was(
    connect: Connect, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    principal = "alice"
    made = caller.call_of

    def somebodys(ctx: Any, **more: Any) -> Any:
        return replace(made(ctx, **more), principal=principal)

    monkeypatch.setattr(app, "call_of", somebodys)
    unknown = "c_" + "A" * 22
    async with connect(toolsets=ALL) as client:
        hers = (await ask(client, conversation="new"))["conversation"]
        principal = "bob"
        for tool, name in (("generate_text", "conversation"), ("delete_conversation", "id")):
            more = {"prompt": "x"} if tool == "generate_text" else {}
            foreign = await client.call_tool(tool, {name: hers, **more})
            nobody = await client.call_tool(tool, {name: unknown, **more})
            assert masked(error_of(foreign), hers) == masked(error_of(nobody), unknown)
            assert foreign.meta == nobody.meta
        foreign = await submit(client, hers, {"name": "f", "response": 1})
        nobody = await submit(client, unknown, {"name": "f", "response": 1})
        assert masked(error_of(foreign), hers) == masked(error_of(nobody), unknown)
        texts: list[str] = []
        for identifier in (hers, unknown):
            with pytest.raises(MCPError) as failed:
                await client.read_resource(f"gemini://conversations/{identifier}")
            texts.append(masked(failed.value.error.message, identifier))
        assert texts[0] == texts[1]
        assert await listed(client) == []
        principal = "alice"
        assert [item["id"] for item in await listed(client)] == [hers]
    assert len(emulator.requests) == 1


async def test_two_calls_that_race_both_bring_their_answers(connect: Connect, fake: FakeGemini) -> None:
    async with connect(base_url=fake.url) as client:
        identifier = (await ask(client, conversation="new"))["conversation"]
        gate = asyncio.Event()
        fake.say(Reply(said("first answer"), gate=gate), Reply(said("second answer"), gate=gate))
        calls = [asyncio.create_task(ask(client, f"racing {n}", conversation=identifier)) for n in range(2)]
        await fake.wait_for(3)
        gate.set()
        answers = await asyncio.gather(*calls)
        kept = await read(client, f"gemini://conversations/{identifier}")
    assert {answer["text"] for answer in answers} == {"first answer", "second answer"}
    assert sorted(len(answer.get("warnings", [])) for answer in answers) == [0, 1]
    loser = next(answer for answer in answers if "warnings" in answer)
    winner = next(answer for answer in answers if "warnings" not in answer)
    assert "Another call added to the conversation" in warned(loser)
    assert loser["conversation"] == winner["conversation"] == identifier
    assert [turn["text"] for turn in kept["turns"] if turn["role"] == "model"] == ["hello", winner["text"]]


@pytest.mark.parametrize("finish", ["SAFETY", "RECITATION", "MALFORMED_RESPONSE", None])
async def test_an_incomplete_turn_is_not_kept_and_says_so(
    connect: Connect, fake: FakeGemini, finish: str | None
) -> None:
    async with connect(base_url=fake.url) as client:
        identifier = (await ask(client, conversation="new"))["conversation"]
        fake.say(said("half an", finish=finish))
        answer = await ask(client, "and then?", conversation=identifier)
        kept = await read(client, f"gemini://conversations/{identifier}")
    assert answer["text"] == "half an"
    assert answer["incomplete"] is True
    assert answer["conversation"] == identifier
    assert "not kept in the conversation" in warned(answer)
    assert len(kept["turns"]) == 2


async def test_a_turn_whose_stream_broke_is_not_kept_and_says_so(connect: Connect, emulator: Emulator) -> None:
    async with connect(toolsets=ALL) as client:
        answer = await ask_in_a_stream(client, "[emulate: cut=inside after=2 length=600] Tell me", conversation="new")
        assert await listed(client) == []
    assert answer["text"]
    assert "not kept in the conversation" in warned(answer)
    assert "conversation" not in answer


async def test_an_answer_cut_by_the_token_limit_is_kept_so_that_the_rest_can_be_asked_for(connect: Connect) -> None:
    async with connect() as client:
        answer = await ask(client, "[emulate: finish=MAX_TOKENS] Tell me", conversation="new")
        kept = await read(client, f"gemini://conversations/{answer['conversation']}")
    assert kept["turns"][1]["text"] == answer["text"]


async def test_a_restart_in_between_forgets_nothing(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await ask(client, "My name is Zoë", conversation="new", system="Be brief.")
    async with connect() as client:
        second = await ask(client, "What is my name?", conversation=first["conversation"])
    assert "Your name is Zoë" in second["text"]
    assert sent(emulator)["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert sent(emulator)["contents"][1]["parts"][0]["thoughtSignature"]


def state_becomes_a_file(state: Path) -> None:
    shutil.rmtree(state)
    state.write_text("in the way")


def ledger_becomes_a_directory(state: Path) -> None:
    shutil.rmtree(state)
    (state / "ledger.db").mkdir(parents=True)


def ledger_becomes_a_link(state: Path) -> None:
    for file in state.iterdir():
        file.unlink()
    (state / "ledger.db").symlink_to("/dev/null")


@pytest.mark.parametrize(
    "ruin",
    [
        state_becomes_a_file,
        ledger_becomes_a_directory,
        ledger_becomes_a_link,
    ],
)
async def test_an_answer_that_was_paid_for_survives_the_loss_of_the_ledger(
    connect: Connect, fake: FakeGemini, tmp_path: Path, ruin: Any
) -> None:
    gate = asyncio.Event()
    async with connect(base_url=fake.url) as client:
        identifier = (await ask(client, conversation="new"))["conversation"]
        fake.say(Reply(said("paid for"), gate=gate))
        call = asyncio.create_task(ask(client, "next", conversation=identifier))
        await fake.wait_for(2)
        ruin(tmp_path / "state")
        gate.set()
        answer = await call
        assert answer["text"] == "paid for"
        assert answer["usage"]["cost_usd"] > 0
        assert "could not be kept in the conversation" in warned(answer)
        fake.say(said("and without one"))
        assert (await ask(client))["text"] == "and without one"
        status = structured(await client.call_tool("server_status", {}))
    assert next(check for check in status["checks"] if check["name"] == "ledger")["status"] == "failed"


async def test_a_full_disk_loses_no_answer(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    from gemini_server.jobs.conversations import Conversations

    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def work(ledger: sqlite3.Connection) -> None:
        raise full

    async def append(self: Any, *args: Any, **more: Any) -> None:
        await self._store.run(work)

    monkeypatch.setattr(Conversations, "append", append)
    async with connect() as client:
        result = await client.call_tool("generate_text", {"prompt": "hi", "conversation": "new"})
    answer = structured(result)
    assert answer["text"] in text_of(result)
    assert "no space left on its disk" in warned(answer)


async def test_a_ledger_that_fails_in_a_way_nobody_foresaw_loses_no_answer(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gemini_server.jobs.conversations import Conversations

    async def append(self: Any, *args: Any, **more: Any) -> None:
        raise OSError(5, "Input/output error", "/secret/place")

    monkeypatch.setattr(Conversations, "append", append)
    async with connect() as client:
        answer = await ask(client, conversation="new")
    assert answer["text"].startswith("[emulated]")
    assert "could not be kept in the conversation: the ledger failed" in warned(answer)
    assert "/secret/place" not in warned(answer)


async def test_a_call_that_its_caller_dropped_leaves_no_half_turn(connect: Connect, fake: FakeGemini) -> None:
    gate = asyncio.Event()
    async with connect(base_url=fake.url) as client:
        identifier = (await ask(client, conversation="new"))["conversation"]
        fake.say(Reply(said("too late"), gate=gate))
        call = asyncio.create_task(ask(client, "dropped", conversation=identifier))
        await fake.wait_for(2)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        gate.set()
        fake.say(said("here"))
        await ask(client, "next", conversation=identifier)
        kept = await read(client, f"gemini://conversations/{identifier}")
    assert [turn["text"] for turn in kept["turns"]] == ["Say hello", "hello", "next", "here"]


async def test_one_conversation_is_listed_by_its_id(connect: Connect) -> None:
    async with connect(toolsets=ALL) as client:
        first = await ask(client, "Hello", conversation="new")
        await ask(client, "Goodbye", conversation="new")
        [one] = structured(await client.call_tool("list_conversations", {"id": first["conversation"]}))["conversations"]
        assert one in await listed(client)
        text = error_of(await client.call_tool("list_conversations", {"id": "c_nobody"}))
    assert (one["id"], one["turns"]) == (first["conversation"], 2)
    assert "There is no conversation 'c_nobody'" in text
