from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from gemini_server.errors import ArgumentError, NotFound
from gemini_server.jobs.conversations import Conversations
from gemini_server.jobs.ledger import Ledger, Store
from tests.server.jobs.conftest import NewStore

pytestmark = pytest.mark.anyio

USER: dict[str, Any] = {"role": "user", "parts": [{"text": "Wie geht’s? 日本 \u2028 \x00"}]}
MODEL: dict[str, Any] = {
    "zeta": 1,
    "role": "model",
    "parts": [
        {
            "functionCall": {"name": "f", "args": {"b": 1, "a": 2.50, "big": 12345678901234567890}},
            "thoughtSignature": "CiQB+/==",
        },
        {"thoughtSignature": "x" * 5000, "text": ""},
    ],
    "somethingNew": None,
}


@pytest.fixture
def conversations(store: Store) -> Conversations:
    return Conversations(store)


async def test_a_conversation_comes_back_as_it_was_kept(conversations: Conversations) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    settings: dict[str, Any] = {"tools": [{"googleSearch": {}}], "generationConfig": {"seed": 7}}
    handle = await conversations.create("ada", model="gemini-3.8-flash", system="Be brief.", settings=settings)
    assert re.fullmatch(r"c_[\w-]{22}", handle)
    await conversations.append("ada", handle, [USER, MODEL], expected_turns=0)
    kept = await conversations.get("ada", handle)
    assert (kept.id, kept.principal, kept.model, kept.system) == (handle, "ada", "gemini-3.8-flash", "Be brief.")
    assert kept.settings == settings
    assert before <= kept.created <= kept.updated <= datetime.now(UTC) + timedelta(seconds=2)


@pytest.mark.parametrize("turn", [USER, MODEL, {"parts": [{"text": "half a pair \ud83d"}]}])
async def test_turns_survive_with_their_signatures_unknown_fields_and_key_order(
    conversations: Conversations, turn: dict[str, Any]
) -> None:
    handle = await conversations.create("ada", model="m", system=None, settings={})
    await conversations.append("ada", handle, [turn], expected_turns=0)
    (kept,) = (await conversations.get("ada", handle)).turns
    assert json.dumps(kept) == json.dumps(turn)


async def test_a_turn_is_one_json_text_in_the_file(conversations: Conversations, store: Store) -> None:
    handle = await conversations.create("ada", model="m", system=None, settings={})
    await conversations.append("ada", handle, [USER, MODEL], expected_turns=0)
    rows = await store.run(lambda ledger: ledger.execute("SELECT content FROM turns ORDER BY position").fetchall())
    assert rows[1] == (json.dumps(MODEL, ensure_ascii=False, separators=(",", ":")),)


async def test_turns_are_added_in_order_and_the_model_may_change(conversations: Conversations) -> None:
    handle = await conversations.create("ada", model="m", system=None, settings={"a": 1})
    await conversations.append("ada", handle, [{"n": 0}, {"n": 1}], expected_turns=0)
    await conversations.append("ada", handle, [{"n": 2}], expected_turns=2, model="m2", settings={"b": 2})
    await conversations.append("ada", handle, [], expected_turns=3)
    kept = await conversations.get("ada", handle)
    assert [turn["n"] for turn in kept.turns] == [0, 1, 2]
    assert (kept.model, kept.settings) == ("m2", {"b": 2})


async def test_a_call_that_was_overtaken_adds_nothing_and_says_so(conversations: Conversations) -> None:
    handle = await conversations.create("ada", model="m", system=None, settings={})
    await conversations.append("ada", handle, [{"n": 0}], expected_turns=0)
    with pytest.raises(ArgumentError, match="meanwhile") as caught:
        await conversations.append("ada", handle, [{"n": 1}, {"n": 2}], expected_turns=0, model="other")
    assert caught.value.code == "conversation_conflict"
    kept = await conversations.get("ada", handle)
    assert (kept.turns, kept.model) == ([{"n": 0}], "m")


async def test_of_parallel_calls_on_one_conversation_exactly_one_is_added(conversations: Conversations) -> None:
    handle = await conversations.create("ada", model="m", system=None, settings={})
    conflicts = 0

    async def call(number: int) -> None:
        nonlocal conflicts
        try:
            await conversations.append("ada", handle, [{"n": number}], expected_turns=0)
        except ArgumentError:
            conflicts += 1

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(call, number)
    assert conflicts == 7
    assert len((await conversations.get("ada", handle)).turns) == 1


async def test_of_parallel_calls_on_two_replicas_exactly_one_is_added(new_store: NewStore) -> None:
    replicas = [Conversations(new_store()), Conversations(new_store())]
    handle = await replicas[0].create("ada", model="m", system=None, settings={})
    for turn in range(5):
        said: list[str] = []

        async def call(replica: Conversations, turn: int, said: list[str]) -> None:
            try:
                await replica.append("ada", handle, [{"n": turn}, {"n": turn}], expected_turns=2 * turn)
                said.append("added")
            except ArgumentError as error:
                said.append(error.code)

        async with anyio.create_task_group() as tasks:
            for replica in replicas * 4:
                tasks.start_soon(call, replica, turn, said)
        assert sorted(said) == ["added", *["conversation_conflict"] * 7]
    kept = await replicas[1].get("ada", handle)
    assert [turn["n"] for turn in kept.turns] == [number for number in range(5) for _ in range(2)]


async def test_a_turn_that_is_no_json_is_not_half_kept(conversations: Conversations) -> None:
    handle = await conversations.create("ada", model="m", system=None, settings={})
    with pytest.raises(TypeError):
        await conversations.append("ada", handle, [{"n": 0}, {"n": object()}], expected_turns=0)
    assert (await conversations.get("ada", handle)).turns == []


async def test_an_unknown_and_a_foreign_conversation_give_the_same_answer(conversations: Conversations) -> None:
    foreign = await conversations.create("bob", model="m", system=None, settings={})
    unknown = "c_" + "A" * 22

    async def answers(handle: str) -> list[str]:
        said: list[str] = []
        for call in (
            lambda: conversations.get("ada", handle),
            lambda: conversations.append("ada", handle, [USER], expected_turns=0),
            lambda: conversations.delete("ada", handle),
        ):
            with pytest.raises(NotFound) as caught:
                await call()
            said.append(str(caught.value).replace(handle, "ID"))
        return said

    assert await answers(foreign) == await answers(unknown)
    assert (await conversations.get("bob", foreign)).turns == []


@pytest.mark.parametrize("handle", ["c_\x00", "c_\ud83d", "c_日本", ""])
async def test_a_handle_that_could_be_none_is_unknown(conversations: Conversations, handle: str) -> None:
    with pytest.raises(NotFound):
        await conversations.get("ada", handle)
    with pytest.raises(NotFound):
        await conversations.append("ada", handle, [USER], expected_turns=0)


@pytest.mark.parametrize("system", ["a \x00 in it", "half a pair \ud83d"])
async def test_a_system_instruction_may_hold_anything(conversations: Conversations, system: str) -> None:
    handle = await conversations.create("ada", model="m", system=system, settings={})
    kept = (await conversations.get("ada", handle)).system
    assert kept is not None
    assert re.fullmatch(r"(a . in it|half a pair .)", kept, re.DOTALL)


async def test_a_long_handle_is_not_repeated_in_full(conversations: Conversations) -> None:
    with pytest.raises(NotFound) as caught:
        await conversations.get("ada", "c_" + "x" * 10_000)
    assert len(str(caught.value)) < 300


async def test_the_list_has_the_newest_first_and_only_ones_own(conversations: Conversations) -> None:
    ids = [await conversations.create("ada", model=f"m{number}", system=None, settings={}) for number in range(3)]
    await conversations.create("bob", model="m", system=None, settings={})
    await conversations.append("ada", ids[0], [USER, MODEL], expected_turns=0)
    listed = await conversations.list("ada")
    assert [summary.id for summary in listed] == ids[::-1]
    assert [summary.turns for summary in listed] == [0, 0, 2]
    assert [summary.id for summary in await conversations.list("ada", limit=1)] == [ids[2]]


async def test_deleting_erases_the_turns_too(conversations: Conversations, store: Store) -> None:
    handle = await conversations.create("ada", model="m", system=None, settings={})
    await conversations.append("ada", handle, [USER], expected_turns=0)
    await conversations.delete("ada", handle)
    with pytest.raises(NotFound):
        await conversations.get("ada", handle)
    assert await store.run(lambda ledger: ledger.execute("SELECT count(*) FROM turns").fetchone()) == (0,)


async def test_conversations_unused_for_longer_than_kept_are_gone(conversations: Conversations, store: Store) -> None:
    old = await conversations.create("ada", model="m", system=None, settings={})
    await conversations.append("ada", old, [USER], expected_turns=0)
    recent = await conversations.create("ada", model="m", system=None, settings={})

    def age(ledger: Ledger) -> None:
        ledger.execute("UPDATE conversations SET updated = updated - 31 * 86400 WHERE id = ?", (old,))
        ledger.execute("UPDATE conversations SET updated = updated - 29 * 86400 WHERE id = ?", (recent,))

    await store.run(age)
    assert [summary.id for summary in await conversations.list("ada")] == [recent]
    with pytest.raises(NotFound, match="30 days"):
        await conversations.get("ada", old)
    with pytest.raises(NotFound):
        await conversations.append("ada", old, [MODEL], expected_turns=1)
    await conversations.append("ada", recent, [USER], expected_turns=0)  # the next write erases what is too old
    assert await store.run(lambda ledger: ledger.execute("SELECT count(*) FROM turns").fetchone()) == (1,)
    assert (await conversations.get("ada", recent)).updated > datetime.now(UTC) - timedelta(minutes=1)
