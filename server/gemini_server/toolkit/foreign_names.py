"""What callers say as the API has it: nothing in it may name what another caller made."""

from __future__ import annotations

from typing import Any

import anyio.to_thread

from gemini_server.errors import NotFound
from gemini_server.toolkit import files, interaction_known, owners
from gemini_server.toolkit.call import Call


async def check_said(call: Call, said: Any) -> None:
    """See that nothing that goes to Google names what another caller made.

    Args:
        call: whose it is.
        said: any JSON value.

    Raises:
        NotFound: it does; nothing was sent.
    """
    if call.has_others:
        await check_names(call, await said_names(said))


async def said_names(said: Any) -> list[str]:
    """The names in a JSON value, each once; looked for off the event loop: it may hold megabytes."""
    return await anyio.to_thread.run_sync(lambda: list(dict.fromkeys(owners.names_in(said))))


async def check_names(call: Call, names: list[str]) -> None:
    """See that none of some resource names is of what another caller made.

    Raises:
        NotFound: one is; the same is said of one that is not there.
    """
    uploaded = [name for name in names if name.startswith("files/")]
    if theirs := await files.of_others(call, uploaded):
        raise files.not_there(min(theirs))
    foreign = await owners.theirs(call, [name for name in names if not name.startswith("interactions/")])
    foreign |= await interaction_known.of_others(call, [name for name in names if name.startswith("interactions/")])
    if foreign:
        raise NotFound(f"There is no {min(foreign)} for this key: it was never there, or was deleted.")
