"""A job: work that outlives the call that began it, as the ledger keeps it.

    intent ──> submitting ──> running ──> downloading ──> done
                   │             │  ▲           (a full disk or a dead network leaves it here, to be tried again)
                   │             ▼  │
                   │        input_required
                   ├──> failed      Google refused it, or its work came to nothing
                   ├──> cancelled   somebody asked for that
                   └──> unknown     it was being sent when its process died: it may exist at Google, and be billed

Submitted at most once, polled at least once, its files kept exactly once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from gemini_server.errors import ToolserverError
from gemini_server.rest.body import RawJson

State = Literal[
    "intent", "submitting", "running", "input_required", "downloading", "done", "failed", "cancelled", "unknown"
]
ENDED: frozenset[str] = frozenset({"done", "failed", "cancelled", "unknown"})
"""States that nothing leaves any more."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of a job, known before it is there.

    Attributes:
        artifact: the id that it will have.
        kind: what it is, the first word of its name.
        mime_type: as Gemini announced it.
        uri: where it is fetched from; None when its bytes came with the answer.
        bytes: how many, where that is known.
        sha256: in hex, where that is known.
        saved: whether it is an artifact by now.
    """

    artifact: str
    kind: str
    mime_type: str
    uri: str | None
    bytes: int | None
    sha256: str | None
    saved: bool


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is in the ledger at one moment.

    Attributes:
        id: the handle, `j_` and 128 random bits.
        principal: whose it is.
        kind: what it makes: `image`, `video`, `speech`, `music`, `transcript` …
        tool: the tool that began it, whose result it has.
        work: the module of `toolkit.work` that submits and polls it.
        model: the model or agent that is billed; empty where there is none.
        state: see above.
        wish: what the tool said when it began it, for its result.
        operation: Google's name of it, once it is known.
        progress: 0 to 1, where it is known.
        message: what is going on, in a few words.
        result: the tool's result without its files.
        error: `what`, `remedy`, `code`, `status` of a failure.
        inputs: what it waits for, while it is `input_required`.
        answers: what was given for these.
        cost_usd: what it cost, or an estimate until it has ended; None when no price is known.
        cancelling: whether somebody asked to cancel it.
        created: by the ledger's clock (UTC); likewise `updated`.
        updated: when it last changed.
        expires: after which Google does not keep it.
        version: grows with every change.
        media: its files.
        place: the Gemini API that knows it; only a process that talks to the same one asks for it.
    """

    id: str
    principal: str
    kind: str
    tool: str
    work: str
    model: str
    state: State
    wish: Json
    operation: str | None
    progress: float | None
    message: str
    result: Json
    error: Json | None
    inputs: Json | None
    answers: Json | None
    cost_usd: Decimal | None
    cancelling: bool
    created: datetime
    updated: datetime
    expires: datetime | None
    version: int
    media: tuple[Stored, ...] = ()
    place: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ENDED

    def failure(self) -> ToolserverError | None:
        """The failure as an error of the tree; None where there was none."""
        if self.error is None:
            return None
        return ToolserverError(
            self.error["what"],
            self.error.get("remedy", ""),
            code=self.error.get("code", self.state),
            status=self.error.get("status"),
        )


@dataclass(frozen=True, slots=True)
class Media:
    """A file that an answer brought or names.

    Attributes:
        kind: what it is, the first word of the file's name.
        mime_type: as announced.
        data: its bytes, where they came with the answer.
        uri: where to fetch them from, where they did not.
        bytes: how many, where that is known.
        sha256: in hex, where that is known.
        artifact: its handle, where the work has saved it itself: it is only written down with the job.
    """

    kind: str
    mime_type: str
    data: bytes | None = None
    uri: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    artifact: str | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a job cost: tokens by the names of `Spending.record`, and US dollars, None where the price is unknown.

    `booked` says that the work has counted it itself, request by request: then it is only shown.
    """

    model: str
    cost_usd: Decimal | None = None
    tokens: dict[str, int] = field(default_factory=dict[str, int])
    booked: bool = False


Outcome = Literal["running", "input_required", "finished", "failed", "cancelled", "unknown"]


@dataclass(slots=True)
class Step:
    """What submitting or asking brought.

    Attributes:
        state: how it stands.
        operation: Google's name of it.
        progress: 0 to 1.
        message: what is going on, in a few words.
        pause: seconds until it makes sense to ask again; the runner's own rhythm when None.
        result: the tool's result without its files, when it is finished.
        media: its files, when it is finished.
        inputs: what it waits for.
        error: why it failed.
        spent: what it cost, when that is known.
        expires: after which Google does not keep it.
    """

    state: Outcome
    operation: str | None = None
    progress: float | None = None
    message: str = ""
    pause: float | None = None
    result: Json = field(default_factory=dict[str, Any])
    media: list[Media] = field(default_factory=list[Media])
    inputs: Json | None = None
    error: ToolserverError | None = None
    spent: Spent | None = None
    expires: datetime | None = None


class Tell(Protocol):
    """Says what is going on to whoever waits; nothing of it is kept."""

    def __call__(self, message: str, progress: float | None = None) -> None:
        """Say it, with how far it is from 0 to 1 where that is known."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """What a job sends: a body for its endpoint, or work of this process.

    Attributes:
        body: the request; `RawJson` after a restart.
        perform: work that needs the process that began it; a crash while it is done leaves the job `unknown`.
    """

    body: BaseModel | RawJson | None = None
    perform: Callable[[Tell], Awaitable[Step]] | None = None


class Work(Protocol):
    """How one sort of job is submitted, asked for and cancelled. One instance serves all jobs of its sort.

    Attributes:
        background: whether submitting only starts the work, which then goes on at Google.

    Work with a true attribute `follows` stays with what it asks for, and hears of it for a while: to cancel the job
    ends that at once.

    Work with a true attribute `resumes` begins nothing at Google by being submitted: `poll` does all of it, step by
    step, and so goes on wherever a process died.
    """

    background: bool

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Send the one request that is billed.

        Raises:
            ToolserverError: `MayHaveBeenBilled`, and `Overloaded` of background work, leave the job `unknown`; anything
                else says that nothing was begun.
        """
        ...

    async def poll(self, job: Job, tell: Tell) -> Step:
        """Ask how it stands; nothing is billed.

        Raises:
            NotFound: Google does not know it any more.
            ToolserverError: it could not be asked; it will be tried again.
        """
        ...

    async def cancel(self, job: Job) -> Step | None:
        """Ask Google to stop; None when it goes on for now, or cannot be stopped."""
        ...
