"""Who made what lies at Google, as the ledger knows it, on both engines."""

from __future__ import annotations

import pytest

from gemini_server.jobs.ledger import AT_ONCE, Ledger, Store
from gemini_server.jobs.owners import Owners

pytestmark = pytest.mark.anyio

CACHE = "cachedContents/a"


async def test_what_one_has_made_is_of_another_for_all_but_him(store: Store) -> None:
    owners = Owners(store, "here")
    await owners.put("anna", CACHE)
    assert await owners.of_others("bert", [CACHE, "cachedContents/unknown"]) == {CACHE}
    assert await owners.of_others("anna", [CACHE]) == set()
    assert await owners.of_others("bert", []) == set()


async def test_the_same_name_elsewhere_is_something_else(store: Store) -> None:
    await Owners(store, "here").put("anna", "agents/writer")
    assert await Owners(store, "there").of_others("bert", ["agents/writer"]) == set()


async def test_who_makes_a_name_anew_has_it(store: Store) -> None:
    owners = Owners(store, "here")
    await owners.put("anna", "agents/writer")
    await owners.put("bert", "agents/writer")
    assert await owners.of_others("bert", ["agents/writer"]) == set()
    assert await owners.of_others("anna", ["agents/writer"]) == {"agents/writer"}


async def test_what_google_keeps_no_more_is_forgotten(store: Store) -> None:
    owners = Owners(store, "here")
    await owners.put("anna", "interactions/old", -1.0)
    await owners.put("anna", "interactions/new", 1000.0)
    await owners.put("anna", CACHE)

    def names(ledger: Ledger) -> set[str]:
        return {name for (name,) in ledger.execute("SELECT name FROM owners").fetchall()}

    assert await store.run(names, write=False) == {"interactions/new", CACHE}


async def test_many_names_are_looked_up_at_once(store: Store) -> None:
    owners = Owners(store, "here")
    await owners.put("anna", CACHE)
    many = [f"cachedContents/{number}" for number in range(2 * AT_ONCE)]
    assert await owners.of_others("bert", [*many, CACHE]) == {CACHE}
