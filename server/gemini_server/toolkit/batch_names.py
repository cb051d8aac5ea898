"""Which batch is meant, and whose it is: by its name, or by the job that made it.

Google lists all batches of the key's project. What another principal of this server has begun is not shown, and a name
of it gives the same answer as one that nobody has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from gemini_server.api import batches
from gemini_server.api.batches import BatchOperation
from gemini_server.errors import ArgumentError, NotFound
from gemini_server.jobs.job import Job
from gemini_server.jobs.ledger import Ledger
from gemini_server.toolkit.call import Call

KIND = "batch"
"""Of the jobs of batches."""
PREFIX = "batches/"

_NAME = re.compile(r"batches/[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)


class Owner(NamedTuple):
    """Who has begun a batch here, and with which job."""

    principal: str
    job: str


@dataclass(frozen=True, slots=True)
class Meant:
    """A batch that a caller means.

    Attributes:
        name: `batches/ID`; None for a job whose batch has not begun yet.
        job: the caller's job that made it; None for one that was made elsewhere.
    """

    name: str | None
    job: Job | None


async def owners(call: Call) -> dict[str, Owner]:
    """The batches that this ledger knows, by name; a caller's own job stands before another's."""

    def work(ledger: Ledger) -> list[Any]:
        return ledger.execute(
            "SELECT operation, principal, id FROM jobs WHERE kind = ? AND operation LIKE ? ORDER BY created",
            (KIND, f"{PREFIX}%"),
        ).fetchall()

    found: dict[str, Owner] = {}
    for name, principal, job in await call.runtime.store.run(work, write=False):
        if name not in found or (principal == call.principal and found[name].principal != principal):
            found[name] = Owner(principal, job)
    return found


async def meant(call: Call, named: str) -> Meant:
    """The batch of a name or of a job.

    Raises:
        ArgumentError: it is neither, or a job of another kind.
        NotFound: there is no such job, or it is another principal's.
    """
    named = named.strip()
    if _NAME.fullmatch(named):
        owner = (await owners(call)).get(named)
        if owner is None:
            return Meant(named, None)
        if owner.principal != call.principal:
            raise unknown(named)
        return Meant(named, await call.runtime.jobs.get(call.principal, owner.job))
    if not named.startswith("j_"):
        raise ArgumentError(
            f"{named[:80]!r} is no batch.", "Give batches/ID or the id of its job; list_batches shows them."
        )
    job = await call.runtime.jobs.get(call.principal, named)
    if job.kind != KIND:
        raise ArgumentError(f"The job {named} is no batch but {job.kind}.", "list_batches shows the batches.")
    operation = job.operation or ""
    return Meant(operation if operation.startswith(PREFIX) else None, job)


async def begun(call: Call, named: str) -> tuple[str, Job | None]:
    """As `meant`, of a batch that Google knows.

    Raises:
        ArgumentError: it has not begun yet, or never did.
        NotFound: as above.
    """
    found = await meant(call, named)
    if found.name is None:
        raise ArgumentError("Google knows nothing of this batch yet.", "get_job says how its job stands.")
    return found.name, found.job


async def get(call: Call, name: str) -> BatchOperation:
    """A batch as Google describes it.

    Raises:
        NotFound: Google does not know it.
    """
    try:
        return (await call.runtime.client.call(batches.GET, name=name)).value
    except NotFound:
        raise unknown(name) from None


def unknown(name: str) -> NotFound:
    """The refusal of a name: the same for a batch that is unknown and for one that is another's."""
    return NotFound(f"There is no batch {name[:80]}.", "It may have been deleted; list_batches shows those there are.")
