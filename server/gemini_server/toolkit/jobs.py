"""Jobs as tools see them: begin one, wait a while, and say how it stands.

A dropped call stops the waiting, never the job. In task mode nobody waits: the client asks with `tasks/get`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

import anyio
from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, WithJsonSchema, model_serializer

from gemini_server.errors import NotFound, ToolserverError
from gemini_server.jobs.job import Job, Json, Request, Step, Tell
from gemini_server.jobs.new_job import WINDOW, NewJob
from gemini_server.rest.body import RawJson, stored
from gemini_server.toolkit import artifacts
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.results import ArtifactOut, Result
from gemini_server.toolkit.untrusted import bounded

__all__ = ["Begun", "HandedOver", "JobOut", "Reuse", "WaitSeconds", "begin", "failure", "job_out", "reused", "wait"]

WAIT = 40.0
"""Seconds that a tool waits when nothing is said: clients give up after 60."""
EVERY = 8.0
"""Seconds after which a waiting caller hears something, whatever happens."""
KEPT_REQUEST = 8 * 1024 * 1024
"""Bytes of a request that is kept until it is sent, so that a crash before that loses nothing."""

WaitSeconds = Annotated[
    float, Field(ge=0, le=3600), WithJsonSchema({"type": "number", "description": "default 40, then a job"})
]
Reuse = Annotated[bool, Field(description="false: make it anew")]

Status = Literal[
    "submitting", "running", "input_required", "downloading", "done", "failed", "cancelled", "unknown"
]  # fmt: skip
_AT_THE_TOP = ("text", "untrusted", "artifacts", "warnings", "citations")
"""Members of a tool's result that a job shows as its own."""
_NEXT = {
    "done": None,
    "failed": None,
    "cancelled": None,
    "unknown": "It may exist and be billed. Only to risk paying twice, call the tool again (reuse=false).",
}


class HandedOver(Exception):
    """In task mode: the job is in the ledger, and nobody waits for it here."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.id)
        self.job = job


# The schema of a job is in the list of tools three times and more: what is inside of these members says itself.
_SHOWN_ELSEWHERE = WithJsonSchema({"type": "array", "items": {"type": "object"}})
_PLAIN = WithJsonSchema({"type": "object"})


class JobError(Result):
    """Why a job failed."""

    code: str
    message: str


class JobOut(Result):
    """Work that goes on without the call that began it."""

    id: str | None = None
    kind: str | None = None
    status: Status | None = None
    progress: float | None = None
    message: str | None = None
    created: str | None = None
    expires: str | None = None
    artifacts: Annotated[list[ArtifactOut], _SHOWN_ELSEWHERE] = Field(default_factory=list[ArtifactOut])
    text: str | None = None
    citations: Annotated[list[dict[str, Any]] | None, _SHOWN_ELSEWHERE] = None
    untrusted: str | None = None
    error: Annotated[JobError | None, _PLAIN] = None
    result: Annotated[dict[str, Any] | None, Field(description="what else the tool gives")] = None
    cost_usd: Annotated[float | None, WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]})] = None
    next: Annotated[str | None, Field(description="what to do now")] = None
    warnings: list[str] | None = None

    @model_serializer(mode="wrap")
    def _keep_unknown_cost(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {**dump(self), "cost_usd": self.cost_usd}

    def __str__(self) -> str:
        facts = [f"{self.kind} job {self.id}: {self.status}"]
        if self.progress is not None and self.status not in ("done", "failed"):
            facts.append(f"{self.progress:.0%}")
        facts += [self.message] if self.message else []
        facts.append("price unknown" if self.cost_usd is None else f"${self.cost_usd:.4f}")
        return "; ".join(facts)

    def as_blocks(self) -> list[str]:
        """What it brought alone, then how it stands."""
        return [bounded(self.text, self.untrusted), self.as_text()] if self.text else [self.as_text()]

    def as_text(self) -> str:
        """How it stands, its files, and what to do next."""
        lines = [f"[{self}]", *(f"[artifact] {artifact}" for artifact in self.artifacts)]
        if self.error:
            lines.append(f"[error] {self.error.message}")
        cited = [
            f"[{number}] {one.get('title') or ''} {one.get('uri')} (characters {one.get('start')}-{one.get('end')})"
            for number, one in enumerate(self.citations or (), 1)
        ]
        lines += [bounded("\n".join(cited), self.untrusted)] if cited else []
        if self.result:
            lines.append(bounded(json.dumps(self.result, ensure_ascii=False, separators=(",", ":")), self.untrusted))
        lines += [f"warning: {warning}" for warning in self.warnings or ()]
        lines += [self.next] if self.next else []
        return "\n".join(lines)


class Begun(NamedTuple):
    """A job, and whether the same call had begun it before."""

    job: Job
    before: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a tool wants done.

    Attributes:
        kind: what it makes: `image`, `video` … the first word of the names of its files.
        tool: the tool's own name.
        work: the module of `toolkit.work` that does it.
        model: the model that is billed.
        identity: what makes two calls the same, JSON values; None for a job that is like no other.
        wish: what the result will need to know of the call, JSON values.
        estimate: US dollars, None where no price is known.
        window: seconds in which an ended job still answers for the same call.
    """

    kind: str
    tool: str
    work: str
    model: str = ""
    identity: Sequence[Any] | None = None
    wish: Json | None = None
    estimate: Decimal | None = None
    window: float = WINDOW


async def begin(
    call: Call,
    plan: Plan,
    *,
    body: BaseModel | RawJson | None = None,
    perform: Callable[[Tell], Awaitable[Step]] | None = None,
    reuse: bool = True,
) -> Begun:
    """Begin a job, or find the one that the same call began; from here on it ends even if the caller goes.

    Args:
        call: the call.
        plan: what is wanted.
        body: the request to send.
        perform: work of this process instead; a crash while it is done leaves the job `unknown`.
        reuse: False makes anew what the same call made before.

    Raises:
        QuotaExhausted: the day's cap would be exceeded.
        LocalError: the ledger cannot be written; nothing is sent.
    """
    kept = await stored(body, KEPT_REQUEST) if body is not None else None
    runtime = call.runtime
    if runtime.settings.daily_cap is not None:
        await runtime.spending.flush()  # what was spent a moment ago counts, and the ledger does the sum
    new = NewJob(
        principal=call.principal,
        kind=plan.kind,
        tool=plan.tool,
        work=plan.work,
        model=plan.model,
        identity=_identity(call, plan),
        wish=plan.wish or {},
        request=kept.decode() if kept is not None else None,
        estimate=plan.estimate,
        reuse=reuse,
        window=plan.window,
        cap=runtime.settings.daily_cap,
        day=runtime.today().isoformat(),
    )
    job, is_new = await runtime.runner.begin(new, Request(body, perform))
    return Begun(job, not is_new)


def _identity(call: Call, plan: Plan) -> str | None:
    if plan.identity is None:
        return None
    same = [call.runtime.place, call.principal, plan.tool, plan.work, plan.model, *plan.identity]
    text = json.dumps(same, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


async def wait(call: Call, job: Job, seconds: float) -> Job:
    """Wait for a job to end, with progress; the job as it is when it has, or when the time is over.

    Raises:
        HandedOver: nobody waits in task mode.
    """
    if call.as_task:
        raise HandedOver(job)
    runner = call.runtime.runner
    began = anyio.current_time()
    said = ""
    while not job.ended:
        left = seconds - (anyio.current_time() - began)
        if left <= 0:
            break
        note, share = runner.note(job.id)
        words = f"{job.kind}: {note or job.message or _WORDS[job.state]}"
        passed = anyio.current_time() - began
        if words != said or passed > EVERY:
            await call.progress.note(f"{words} ({passed:.0f} s)", value=share, total=1.0 if share else None)
        said = words
        job = await runner.news(job, min(left, EVERY))
    return job


_WORDS = {
    "intent": "about to be sent",
    "submitting": "being sent to Gemini",
    "running": "Gemini is at work",
    "input_required": "waits for input",
    "downloading": "downloading",
}


def failure(job: Job) -> ToolserverError | None:
    """The error of a job that came to nothing, for the result of the tool that began it; None of any other."""
    if job.state not in ("failed", "cancelled", "unknown"):
        return None
    error = job.failure() or ToolserverError(f"The {job.kind} was cancelled.", job.message, code="cancelled")
    error.what = f"{error.what} (job {job.id})"
    usage = job.result.get("usage")
    error.usage = usage if isinstance(usage, dict) else None
    return error


def reused(begun: Begun) -> list[str]:
    """What the caller should know of a job that was there already."""
    if not begun.before:
        return []
    if begun.job.ended:
        return ["The same call made this a moment ago; nothing was made or billed anew. reuse=false makes another."]
    return ["The same call is under way already: this is its job; nothing was started anew."]


async def job_out(call: Call, job: Job, warnings: Sequence[str] = ()) -> JobOut:
    """A job as results show it."""
    found: list[ArtifactOut] = []
    notes = list(warnings)
    for medium in job.media:
        if medium.saved:
            try:
                found.append(artifacts.shown(call, await call.runtime.artifacts.get(job.principal, medium.artifact)))
            except NotFound:
                notes.append(f"The artifact {medium.artifact} is not known any more.")
    if not job.ended and job.place != call.runtime.place:
        notes.append(
            f"It was begun at {job.place}, and this server talks to {call.runtime.place}: it goes on when a server with"
            " that GEMINI_BASE_URL runs."
        )
    note, share = call.runtime.runner.note(job.id)
    state: Any = "submitting" if job.state == "intent" else "input_required" if asks(job) else job.state
    error = job.failure()
    rest = {name: value for name, value in job.result.items() if name not in _AT_THE_TOP}
    return JobOut(
        id=job.id,
        kind=job.kind,
        status=state,
        progress=1.0 if job.state == "done" else share if share is not None else job.progress,
        message=note or job.message or None,
        created=job.created.isoformat(timespec="seconds"),
        expires=job.expires.isoformat(timespec="seconds") if job.expires else None,
        artifacts=found,
        text=job.result.get("text") or None,
        citations=job.result.get("citations") or None,
        untrusted=job.result.get("untrusted") or None,
        error=JobError(code=error.code, message=str(error)) if error and job.state != "done" else None,
        result=rest or None,
        cost_usd=None if job.cost_usd is None else float(job.cost_usd),
        next=_next(job),
        warnings=[*job.result.get("warnings", ()), *notes] or None,
    )


def asks(job: Job) -> bool:
    """Whether a job has ended with the wish for results of functions: what goes on with them is a new turn."""
    return job.state == "done" and job.result.get("status") == "requires_action"


def _next(job: Job) -> str | None:
    if asks(job):
        return (
            f'It waits for the results of function_calls: create_interaction(previous="{job.operation}",'
            " function_results=[{id, response}]) goes on, with the same model or agent and the tools again."
        )
    if job.state in _NEXT:
        return _NEXT[job.state]
    if job.state == "input_required":
        return "It waits for input, which this tool cannot give; cancel_job ends it."
    seconds = math.ceil(30 if job.state == "running" else 10)
    return f'Do not start it again: call get_job with job="{job.id}" and wait_seconds={seconds}.'
