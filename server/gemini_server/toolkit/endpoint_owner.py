"""Whose the things are that a method called by its name is about: what another caller made is as if it were not there.

All that is at Google belongs to the key's project; `owners` says what this server knows of its callers' things.
"""

from __future__ import annotations

from typing import cast

from gemini_server.errors import NotFound
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit import interaction_known, owners
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.endpoint_call import Asked
from gemini_server.toolkit.files import of_others
from gemini_server.toolkit.foreign_names import check_names, said_names
from gemini_server.toolkit.interaction_result import environment_name

_JOBS = ("batches", "operations")


async def check_owner(call: Call, asked: Asked) -> None:
    """See that neither the path nor the body names what is another caller's.

    Raises:
        NotFound: one does; nothing was sent.
    """
    of_files = asked.method.name.startswith("files.")
    if not call.has_others and not of_files:
        return  # what a single user asks does not need the ledger
    await check_names(call, await said_names([asked.body, asked.resource if asked.path else ""]))
    if asked.path and await _of_others(call, [asked.resource]):
        raise NotFound(f"There is no {asked.resource} for this key: it was never there, or was deleted.")


async def claim(call: Call, asked: Asked, answers: list[JsonObject]) -> None:
    """Remember whose it is what a method has made."""
    collection, _, verb = asked.method.name.rpartition(".")
    if verb != "create" or collection not in owners.COLLECTIONS:
        return
    for answer in answers:
        told = answer.get("interaction")
        made = cast(JsonObject, told) if isinstance(told, dict) else answer
        named = made.get("id") or made.get("name")  # beside an id, a name is a label
        if not named or not isinstance(named, str):
            continue
        if collection == "interactions":
            await interaction_known.remember(call, named, interaction_known.UNKNOWN)
            if (asked.body or {}).get("environment") == "remote":
                await owners.claim(call, environment_name(str(made.get("environment_id") or "")))
        else:
            await owners.claim(call, named if "/" in named else f"{collection}/{named}")
        return


async def without_others(call: Call, asked: Asked, answer: JsonObject) -> None:
    """Take what is another caller's out of a list."""
    if not asked.method.name.endswith(".list"):
        return
    for member, items in answer.items():
        if not isinstance(items, list):
            continue
        named = [(item, _name(item, member)) for item in cast("list[object]", items)]
        names = [name for _, name in named]
        theirs = await of_others(call, [name for name in names if name.startswith("files/")])
        theirs |= await owners.theirs(call, names)
        if member in _JOBS:
            theirs |= await _of_others(call, list(filter(None, names)))
        answer[member] = [item for item, name in named if name not in theirs]


def _name(item: object, member: str) -> str:
    if not isinstance(item, dict):
        return ""
    said = cast(JsonObject, item)
    return f"{member}/{said['id']}" if said.get("id") else str(said.get("name") or "")


async def _of_others(call: Call, operations: list[str]) -> set[str]:
    """Those of some operations that others have jobs of, and the caller has none."""
    begun = await call.runtime.jobs.principals_of(operations)
    return {name for name, whose in begun.items() if call.principal not in whose}
