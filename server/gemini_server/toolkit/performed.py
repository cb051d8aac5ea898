"""Tools whose work a job does in this process: many requests whose answers make one result, or a stream of them.

The tool says what to do with a `Call` of the job's own; what comes of it is kept in the ledger, so that it is there
for `get_job` when nobody waits any more. What was spent is booked by the work itself, request by request.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

import anyio.to_thread

from gemini_server.errors import MayHaveBeenBilled, ToolserverError
from gemini_server.jobs.job import Json, Media, Spent, Step, Tell
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.progress import Progress
from gemini_server.toolkit.results import ArtifactOut
from gemini_server.toolkit.saved import saved

LARGEST = 256 * 1024
"""Bytes of a result that the ledger keeps; a larger one becomes a file."""


class Told(Progress):
    """Progress of a call that is passed on to whoever waits for its job."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(None)
        self._tell = tell
        self._characters = 0

    @property
    def wanted(self) -> bool:
        """Whether anybody may listen: that changes while the work goes on."""
        return True

    async def note(self, message: str, *, value: float | None = None, total: float | None = None) -> None:
        """Say what is going on."""
        self._tell(message, value / total if value is not None and total else None)

    async def text(self, piece: str) -> None:
        """Say how much of the answer has come; what it says belongs into the result alone."""
        self._characters += len(piece)
        self._tell(f"{self._characters} characters so far")

    async def end_text(self) -> None:
        """Nothing was held back."""


class Finished(Protocol):
    """A result of work that was done."""

    artifacts: list[ArtifactOut] | None
    warnings: list[str] | None

    def structured(self) -> Json:
        """As JSON."""
        ...


def performing(call: Call, kind: str, work: Callable[[Call], Awaitable[Finished]]) -> Callable[[Tell], Awaitable[Step]]:
    """What a job is to do.

    Args:
        call: the call that begins it.
        kind: of the job, the first word of the name of a file that takes what the ledger does not.
        work: does it with a call of its own, and books what it spends.
    """

    async def perform(tell: Tell) -> Step:
        own = replace(call, progress=Told(tell), as_task=False)
        try:
            done = await work(own)
        except ToolserverError as error:
            billed = isinstance(error, MayHaveBeenBilled)
            result = {"usage": error.usage} if error.usage else {}
            return Step("unknown" if billed else "failed", error=error, result=result, spent=_shown(result))
        result = await _bounded(own, kind, done)
        kept = [
            Media(kind, one.mime_type, bytes=one.bytes, sha256=one.sha256, artifact=one.id)
            for one in done.artifacts or ()
        ]
        return Step("finished", result=result, media=kept, spent=_shown(result))

    return perform


def _shown(result: Json) -> Spent:
    """What the work has counted itself."""
    usage: Json = result.get("usage") or {}
    cost: float | None = usage.get("cost_usd")
    return Spent("", None if cost is None else Decimal(str(cost)), booked=True)


async def _bounded(call: Call, kind: str, done: Finished) -> Json:
    """A result without its files, as the ledger takes it."""
    result = done.structured()
    if len(json.dumps(result, ensure_ascii=False).encode()) > LARGEST:
        warnings: list[str] = []
        text = await anyio.to_thread.run_sync(lambda: json.dumps(result, ensure_ascii=False, indent=1).encode())
        whole = await saved(call, kind, text, warnings, name="x.json")
        if whole is not None:
            done.artifacts = [*(done.artifacts or ()), whole]
            warnings = [f"The whole result is in {whole.uri}: it is too long for the ledger."]
        sizes = {name: len(json.dumps(value)) for name, value in result.items()}
        while sum(sizes.values()) > LARGEST:
            longest = max(sizes, key=lambda name: sizes[name])
            del result[longest], sizes[longest]
            warnings.append(f"{longest} is left out here.")
        result["warnings"] = [*(done.warnings or ()), *warnings]
    result.pop("artifacts", None)
    return result
