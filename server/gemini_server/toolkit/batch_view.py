"""Batches as results show them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from gemini_server.api.batches import BatchOperation, BatchStats
from gemini_server.toolkit.job_result import Pending
from gemini_server.toolkit.jobs import JobOut
from gemini_server.toolkit.results import ArtifactOut, Result, Usage, shortened
from gemini_server.toolkit.untrusted import label

Counts = Annotated[
    dict[str, int] | None,
    WithJsonSchema({"type": "object", "properties": {"succeeded": {"type": "integer"}, "failed": {"type": "integer"}}}),
]


class BatchJob(JobOut):
    """The job of a batch, or what the batch would cost."""

    dry_run: bool | None = None
    model: str | None = None
    requests: int | None = None
    input_tokens: int | None = None
    estimated_cost_usd: Annotated[float | None, Field(description="absent: unknown")] = None

    def as_text(self) -> str:
        """How it stands; or what the batch would be."""
        if not self.dry_run:
            return super().as_text()
        cost = "price unknown" if self.estimated_cost_usd is None else f"at most about ${self.estimated_cost_usd:.6f}"
        facts = [f"dry run with {self.model}, nothing was begun", f"{self.requests or 'an unknown number of'} requests"]
        facts += [f"{self.input_tokens} tokens in"] if self.input_tokens is not None else []
        return "\n".join([f"[{'; '.join([*facts, cost])}]", *(f"warning: {one}" for one in self.warnings or ())])


class BatchOut(Result):
    """A batch as Google has it."""

    model_config = ConfigDict(
        json_schema_extra=shortened(("name", "job", "state", "kind", "model", "display_name", "requests", "failed"))
    )

    name: str
    job: Annotated[str | None, Field(description="that made it here")] = None
    state: Annotated[str, Field(description="pending, running, succeeded, failed, cancelled, expired")]
    kind: Literal["generate", "embed"]
    model: str
    display_name: str | None = None
    priority: int | None = None
    requests: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    pending: int | None = None
    created: str | None = None
    ended: str | None = None

    def __str__(self) -> str:
        facts = [self.state, f"{self.kind} with {self.model}"]
        if self.requests:
            facts.append(f"{self.requests} requests, {self.succeeded or 0} answered, {self.failed or 0} failed")
        facts += [f"called {self.display_name}"] if self.display_name else []
        facts += [f"created {self.created}"] if self.created else []
        facts += [f"job {self.job}"] if self.job else []
        return f"{self.name}: {'; '.join(facts)}"


class BatchResult(Result):
    """One batch, as far as Google knows it."""

    batch: BatchOut | None = None
    warnings: list[str] | None = None

    def as_text(self) -> str:
        """The batch in a line."""
        lines = [str(self.batch)] if self.batch else []
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings or ())])


class BatchList(Result):
    """Batches, the newest first."""

    batches: list[BatchOut]
    truncated: Annotated[bool | None, Field(description="there are more")] = None

    def as_text(self) -> str:
        """A line for each."""
        return "\n".join(map(str, self.batches)) or "There are no batches."


class DeletedBatch(Result):
    """What was deleted."""

    deleted: str


class BatchResults(Result):
    """What came of a batch."""

    artifacts: Annotated[
        list[ArtifactOut] | None, Field(description="lines of {key, text | json | vector | error, usage}")
    ] = None
    counts: Counts = None
    errors: Annotated[
        list[dict[str, Any]] | None,
        WithJsonSchema({"type": "array", "items": {"type": "object"}}),
        Field(description="the first ones: key, code, message"),
    ] = None
    usage: Usage | None = None
    batch: str | None = None
    model: str | None = None
    job: Pending = None
    incomplete: bool | None = None
    warnings: list[str] | None = None

    def as_text(self) -> str:
        """The file, the counts, the first errors, the price."""
        lines = [f"[artifact] {artifact}" for artifact in self.artifacts or ()]
        lines += [self.job.as_text()] if self.job else []
        if self.counts:
            lines.append(f"{self.counts['succeeded']} succeeded, {self.counts['failed']} failed")
        lines += [f"[error] {one.get('key', '')} {one['code']}: {one['message']}" for one in self.errors or ()]
        notes = ["INCOMPLETE"] if self.incomplete else []
        notes += [f"usage: {self.usage}"] if self.usage else []
        notes += [f"{self.batch} with {self.model}"] if self.batch else []
        notes += [f"warning: {warning}" for warning in self.warnings or ()]
        return "\n".join([*lines, f"[{'; '.join(notes)}]"] if notes else lines)


def shown(operation: BatchOperation, job: str | None = None) -> BatchOut:
    """A batch as results have it.

    Args:
        operation: as Google describes it.
        job: the caller's that made it.
    """
    batch = operation.batch
    stats = batch.batch_stats or BatchStats()
    total = stats.request_count or None
    return BatchOut(
        name=label(operation.name or batch.name),
        job=job,
        state=label(operation.state.lower(), 40),
        kind="embed" if batch.is_embedding else "generate",
        model=label(batch.model.removeprefix("models/")),
        display_name=label(batch.display_name or "") or None,
        priority=batch.priority or None,
        requests=total,
        succeeded=stats.successful_request_count if total else None,
        failed=stats.failed_request_count if total else None,
        pending=stats.pending_request_count if total else None,
        created=label(batch.create_time or "", 40) or None,
        ended=label(batch.end_time or "", 40) or None,
    )
