"""Completions of names that only Google knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from gemini_server.toolkit.call import Call

SECONDS = 0.2
"""How long a completion waits for Gemini: somebody is typing."""

T = TypeVar("T")


async def complete_id(
    call: Call,
    typed: str,
    listed: Callable[[Call], Awaitable[tuple[Sequence[T], bool]]],
    name_of: Callable[[T], str],
    *,
    collection: str,
) -> list[str]:
    """The ids that begin with what was typed; none where Gemini does not answer in time.

    Args:
        call: the call this is for.
        typed: an id, or a name with its collection.
        listed: what there is at Google.
        name_of: the whole name of one of these.
        collection: what stands before the id, such as `cachedContents/`.
    """
    found: Sequence[T] = ()
    if call.runtime.settings.has_credential:
        with anyio.move_on_after(SECONDS):
            found, _ = await listed(call)
    ids = [name_of(one).removeprefix(collection) for one in found]
    return [one for one in ids if one.startswith(typed.removeprefix(collection))]
