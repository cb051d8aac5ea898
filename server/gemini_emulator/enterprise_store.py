"""What projects of the Enterprise platform have: objects in Cloud Storage, operations, caches and batch jobs.

An operation goes on for a number of polls rather than for a time, as those of the Developer API do. Source:
`google.longrunning.Operation`, and the Cloud Storage addresses that the platform reads and writes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock

from .batch_store import Batch
from .errors import ApiError
from .rpc_status import CODES
from .wire import Object


@dataclass(frozen=True)
class CloudObject:
    """One object of Cloud Storage."""

    data: bytes
    mime_type: str


@dataclass
class Running:
    """One operation.

    Args:
        polls: how often it is still running when it is asked for.
        finish: makes its `response` or `error`; called once.
        ended: what it ended with.
    """

    polls: int
    finish: Callable[[], Object]
    ended: Object | None = None


@dataclass(frozen=True)
class Job:
    """A batch prediction job.

    Args:
        ident: its number.
        request: the body that made it.
        batch: what runs it.
    """

    ident: str
    request: Object
    batch: Batch


class OperationsOfProjects:
    """The operations of all projects, by their full names."""

    def __init__(self) -> None:
        self._running: dict[str, Running] = {}
        self._lock = RLock()

    def begin(self, collection: str, polls: int, finish: Callable[[], Object]) -> Object:
        """Start an operation; `collection` is what its name begins with."""
        name = f"{collection}/operations/{secrets.randbits(62)}"
        with self._lock:
            self._running[name] = Running(polls, finish)
        return {"name": name}

    def poll(self, name: str) -> Object:
        """The operation, one poll further.

        Raises:
            ApiError: 404 for an unknown one.
        """
        with self._lock:
            found = self._find(name)
            if found.ended is None and found.polls <= 0:
                # Two polls at once must not make the result twice; the second waits for it.
                found.ended = found.finish()
            found.polls -= 1
            return {"name": name, **({"done": True, **found.ended} if found.ended is not None else {})}

    def cancel(self, name: str) -> None:
        """Stop an operation; one that has ended stays as it is.

        Raises:
            ApiError: as `poll`.
        """
        with self._lock:
            found = self._find(name)
            if found.ended is None:
                error = {"code": CODES["CANCELLED"], "message": "The operation was cancelled."}
                found.ended = {"error": error}

    def full_name(self, place: str, ident: str) -> str:
        """The full name of an operation that is asked for below its place alone.

        Raises:
            ApiError: 404 for an unknown one.
        """
        with self._lock:
            for name in self._running:
                if name.startswith(f"{place}/") and name.endswith(f"/operations/{ident}"):
                    return name
        raise ApiError(404, f"Operation not found: {place}/operations/{ident}")

    def _find(self, name: str) -> Running:
        if name not in self._running:
            raise ApiError(404, f"Operation not found: {name}")
        return self._running[name]


@dataclass
class Projects:
    """What all projects have.

    Args:
        objects: of Cloud Storage, by their `gs://` address.
        operations: those that have begun.
        caches: where each cache is (`projects/…/locations/…`), by its id.
        jobs: the batch jobs, by their full name.
    """

    objects: dict[str, CloudObject] = field(default_factory=dict[str, CloudObject])
    operations: OperationsOfProjects = field(default_factory=OperationsOfProjects)
    caches: dict[str, str] = field(default_factory=dict[str, str])
    jobs: dict[str, Job] = field(default_factory=dict[str, Job])
