"""Interactions that this server knows more of than Google says: whose they are, and what their answers rest on.

One in the background is a job, which the ledger remembers. Of one that was waited for the ledger knows whose it is,
and this process what it rests on; of all others nobody knows what their earlier turns read, so that they count as
resting on the web.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from gemini_server.errors import ArgumentError, NotFound, RequestRefused, ToolserverError
from gemini_server.jobs.job import Job
from gemini_server.jobs.new_job import JOB_ID
from gemini_server.toolkit import owners
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.sources import Sources, of_names
from gemini_server.toolkit.interaction_seen import together
from gemini_server.toolkit.runtime import Runtime

MOST = 10_000
"""Interactions that are remembered."""
NO_AGENT = "list_agents shows the agents of this key; list_models those of Google's."
UNKNOWN = Sources(frozenset({"web"}))
WORKS = ("interaction", "interaction_now", "research")
"""The works of jobs whose operation is an interaction."""

_KEPT = "Google keeps one for 55 days, for a day without billing, and only where store is true."
_ID = re.compile(r"[A-Za-z0-9][\w.=~-]{0,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Known:
    principal: str
    sources: Sources


_known: WeakKeyDictionary[Runtime, OrderedDict[str, _Known]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Found:
    """An interaction that was asked for.

    Attributes:
        id: as Google knows it.
        job: the job that waits for it, where there is one.
        sources: what its answer rests on.
    """

    id: str
    job: Job | None
    sources: Sources


async def remember(call: Call, identifier: str, sources: Sources) -> None:
    """Remember an interaction that Google keeps."""
    await owners.claim(call, f"interactions/{identifier}")
    known = _known.setdefault(call.runtime, OrderedDict())
    known[identifier] = _Known(call.principal, sources)
    known.move_to_end(identifier)
    if len(known) > MOST:
        known.popitem(last=False)


async def found(call: Call, named: str, *, begun: bool = True) -> Found:
    """An interaction by its id, or by that of its job.

    Args:
        call: the call.
        named: the id.
        begun: False takes a job, too, whose interaction has no id yet; its `id` is empty.

    Raises:
        NotFound: it is another caller's, or there is no such job.
        ArgumentError: the job is none of an interaction, or it is no id at all.
    """
    named = named.strip().removeprefix("interactions/")
    if not _ID.fullmatch(named):
        raise ArgumentError(
            f"{named[:80]!r} is no id of an interaction.", "Give the id that a result has, or its job's."
        )
    if JOB_ID.fullmatch(named):
        job = await call.runtime.jobs.get(call.principal, named)
        if job.work not in WORKS or not (job.operation or (not begun and not job.ended)):
            raise ArgumentError(
                f"The job {named} has no interaction{'' if job.ended else ' yet'}.",
                f'get_job with job="{named}" says how it stands.',
            )
        return Found(job.operation or "", job, _of_job(job))
    if known := _known.get(call.runtime, OrderedDict[str, _Known]()).get(named):
        if known.principal != call.principal:
            raise _absent(named)
        return Found(named, None, known.sources)
    owner = await call.runtime.jobs.of_operation(named)
    if owner is not None and owner.principal != call.principal:
        raise _absent(named)
    if owner is None and await owners.theirs(call, [f"interactions/{named}"]):
        raise _absent(named)
    return Found(named, owner, _of_job(owner) if owner else UNKNOWN)


async def of_others(call: Call, names: Sequence[str]) -> set[str]:
    """Those of some interactions, by their whole names, that another caller has begun."""
    if not call.has_others:
        return set()
    ids = {name: name.removeprefix("interactions/") for name in names}
    known = _known.get(call.runtime, OrderedDict[str, _Known]())
    theirs = {name for name, one in ids.items() if one in known and known[one].principal != call.principal}
    begun = await call.runtime.jobs.principals_of([one for one in ids.values() if one not in known])
    theirs |= {name for name, one in ids.items() if one in begun and call.principal not in begun[one]}
    unknown = [name for name, one in ids.items() if one not in known and one not in begun]
    return theirs | await owners.theirs(call, unknown)


def explained(error: ToolserverError) -> ToolserverError:
    """A refusal of an interaction by its id, with what it means."""
    if isinstance(error, NotFound) and "interaction" in error.what.lower():
        error.remedy = _KEPT
    elif isinstance(error, RequestRefused) and error.code == "failed_precondition":
        error.remedy = "get_interaction says how it stands."
    return error


def _of_job(job: Job) -> Sources:
    asked = of_names(job.wish.get("sources") or ())
    shown: set[str] = set(str(job.result.get("untrusted") or "").split("+"))
    if "files" in shown and "attachments" not in asked.names:
        shown.add("documents")
    return together(asked, of_names(shown))


def _absent(named: str) -> NotFound:
    return NotFound(
        f"There is no interaction {named[:80]!r} for this key: it was never kept, was deleted, or is too old.",
        _KEPT,
    )
