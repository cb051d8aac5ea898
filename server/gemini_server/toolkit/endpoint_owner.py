"""Whose the things are that a method called by its name is about: what another caller made is as if it were not there.

All that is at Google belongs to the key's project. Of files, interactions and operations this server knows which of its
callers made them; what came there in another way is everybody's, and so is all else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from gemini_server.errors import NotFound
from gemini_server.jobs.uploads import Uploads
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit import interaction_known
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.endpoint_call import Asked
from gemini_server.toolkit.files import SINGLE, not_there

_FILE = re.compile(r"(?:.*/)?(files/[a-z0-9][a-z0-9-]{0,62})(?::download)?(?:\?.*)?", re.DOTALL)
_LONGEST = 300
_MANY = 500
"""Names that are looked up at once."""
_LISTS = ("files", "batches", "operations")


async def check_owner(call: Call, asked: Asked) -> None:
    """See that neither the path nor the body names what is another caller's.

    Raises:
        NotFound: one does; nothing was sent.
    """
    if call.principal == SINGLE and not asked.method.name.startswith("files."):
        return  # what a single user asks does not need the ledger
    names = dict.fromkeys(_files(asked.body))
    if asked.method.name.startswith("files."):
        names |= dict.fromkeys(_files(asked.resource))
    if theirs := await _of_others(call, list(names)):
        raise not_there(min(theirs))
    before = (asked.body or {}).get("previous_interaction_id")
    for interaction in (asked.path.get("interaction"), before):
        if isinstance(interaction, str) and interaction:
            await interaction_known.found(call, interaction.removeprefix("interactions/"))
    if asked.path and await _is_of_another(call, asked.resource):
        raise NotFound(f"There is no {asked.resource} for this key: it was never there, or was deleted.")


def claim(call: Call, asked: Asked, answers: list[JsonObject]) -> None:
    """Remember whose the interaction is that a method has begun."""
    if asked.method.name != "interactions.create":
        return
    for answer in answers:
        told = answer.get("interaction")
        identifier = (cast(JsonObject, told) if isinstance(told, dict) else answer).get("id")
        if identifier and isinstance(identifier, str):
            interaction_known.remember(call, identifier, interaction_known.UNKNOWN)
            return


async def without_others(call: Call, asked: Asked, answer: JsonObject) -> None:
    """Take what is another caller's out of a list."""
    if not asked.method.name.endswith(".list"):
        return
    for member in _LISTS:
        items = answer.get(member)
        if not isinstance(items, list):
            continue
        named = [(item, _name(item)) for item in cast("list[object]", items)]
        theirs = await _of_others(call, [name for _, name in named if name.startswith("files/")])
        if member != "files":
            theirs |= {name for _, name in named if name and await _is_of_another(call, name)}
        answer[member] = [item for item, name in named if name not in theirs]


def _name(item: object) -> str:
    return str(cast(JsonObject, item).get("name") or "") if isinstance(item, dict) else ""


async def _of_others(call: Call, names: list[str]) -> set[str]:
    uploads, theirs = Uploads(call.runtime.store), set[str]()
    for start in range(0, len(names), _MANY):
        theirs |= await uploads.of_others(call.principal, names[start : start + _MANY])
    return theirs


async def _is_of_another(call: Call, operation: str) -> bool:
    job = await call.runtime.jobs.of_operation(operation)
    return job is not None and job.principal != call.principal


def _files(value: Any) -> Iterator[str]:
    """The names of files among the strings of a JSON value."""
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if len(one) <= _LONGEST and "files/" in one and (found := _FILE.fullmatch(one)):
                yield found[1]
        elif isinstance(one, dict):
            waiting += cast(JsonObject, one).values()
        elif isinstance(one, list):
            waiting += cast("list[object]", one)
