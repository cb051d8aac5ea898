"""Whose the things at Google are that callers make through this server.

All of them belong to the project of one key. Where the server works for several callers, what one of them made through
it is to the others as if it were not there; what came there in another way is everybody's. A single user has no others,
and needs no ledger for this.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any, cast
from urllib.parse import unquote

import anyio

from gemini_server.errors import LocalError
from gemini_server.jobs.owners import Owners
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.call import LOCAL, Call
from gemini_server.toolkit.runtime import Runtime

COLLECTIONS = (
    "agents", "cachedContents", "credentials", "environments", "fileSearchStores", "interactions", "triggers", "voices",
    "webhooks",
)  # fmt: skip
"""Collections of what has an owner, beside files and operations."""
KEPT_SECONDS = {"interactions": 56 * 86400.0, "files": 3 * 86400.0}
"""For how long Google keeps one at most, and a little longer; what is not here stays until it is deleted."""

# Alone, or in a path or an address of the API: that of a page elsewhere may have the same words in it. What has blanks
# is a sentence.
_NAMED = re.compile(
    r"(?:/?|\S*?/v\d\w*/|[A-Za-z][\w+.-]*://[^/\s]*(?i:\.googleapis\.com)[^/\s]*/)(?:projects/[^/\s]+/locations/[^/\s]+/)?"
    rf"((?:{'|'.join(COLLECTIONS)}|files)/[\w.=~-]{{1,256}})(?![\w.=~-])\S*"
)
_SNAKE = {
    "agent": "agents",
    "base_environment": "environments",
    "credential": "credentials",
    "environment": "environments",
    "environment_id": "environments",
    "from_environment": "environments",
    "previous_interaction_id": "interactions",
    "voice": "voices",
}
_BARE = _SNAKE | {re.sub("_(.)", lambda found: found[1].upper(), name): of for name, of in _SNAKE.items()}
"""Members whose value is an id alone, and of what; Google takes both spellings."""
_FREE = frozenset({"args", "arguments", "labels", "user_metadata", "userMetadata"})
"""Members with words of the caller's own, which name nothing at Google."""
_LONGEST = 2048

_log = logging.getLogger(__name__)


async def claim(call: Call, *names: str) -> None:
    """Remember whose something new is. What was made is there and perhaps paid for: a ledger that fails is no failure.

    Args:
        call: who made it.
        names: resource names, such as `cachedContents/ID`.
    """
    await claim_for(call.runtime, call.principal, *names)


async def claim_for(runtime: Runtime, principal: str, *names: str) -> None:
    """As `claim`, for a job whose caller may have gone."""
    if principal == LOCAL:
        return
    owners = Owners(runtime.store, runtime.place)
    with anyio.CancelScope(shield=True):
        for name in filter(_whole, names):
            try:
                await owners.put(principal, name, KEPT_SECONDS.get(name.partition("/")[0]))
            except LocalError as error:
                _log.warning("%s is not known as the caller's, so all callers see it: %s", name, error.what)


def _whole(name: str) -> bool:
    collection, _, identifier = name.partition("/")
    return bool(identifier) and collection in (*COLLECTIONS, "files")


async def theirs(call: Call, names: Iterable[str]) -> set[str]:
    """Those of some names that are, or are in, what another caller made.

    Raises:
        LocalError: the ledger cannot be read.
    """
    if not call.has_others:
        return set()
    roots = {name: "/".join(name.split("/")[:2]) for name in names}
    found = await Owners(call.runtime.store, call.runtime.place).of_others(
        call.principal, list(dict.fromkeys(roots.values()))
    )
    return {name for name, root in roots.items() if root in found}


def names_in(value: Any) -> Iterator[str]:
    """The resource names of what may have an owner, among the strings of a JSON value."""
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            apart = len(one) <= _LONGEST and ("/" in one or "%" in one)
            if apart and (found := _NAMED.fullmatch(unquote(one).strip())):
                yield found[1]
        elif isinstance(one, dict):
            members = cast(JsonObject, one)
            for name, collection in _BARE.items():
                if isinstance(bare := members.get(name), str) and bare.strip() and "/" not in bare:
                    yield f"{collection}/{bare.strip()}"
            waiting += (member for name, member in members.items() if name not in _FREE)
        elif isinstance(one, list | tuple):
            waiting += cast("list[object]", one)
