"""The result of a tool that makes sound."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field

from gemini_server.jobs.job import Job
from gemini_server.toolkit import job_result
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.job_result import Pending
from gemini_server.toolkit.results import ArtifactOut, Result, Usage
from gemini_server.toolkit.untrusted import bounded


class Sound(Result):
    """Sound that was made, or the job that makes it, or what it would cost."""

    artifacts: list[ArtifactOut] | None = None
    text: str | None = None
    untrusted: str | None = None
    usage: Usage | None = None
    model_version: str | None = None
    job: Pending = None
    incomplete: bool | None = None
    dry_run: bool | None = None
    estimated_cost_usd: Annotated[float | None, Field(description="absent: unknown")] = None
    model: str | None = None
    warnings: list[str] | None = None
    retries: int | None = None

    @classmethod
    def estimated(cls, model: str, cost: Decimal | None, warnings: Sequence[str]) -> Self:
        """What it would cost."""
        estimate = None if cost is None else round(float(cost), 6)
        return cls(dry_run=True, estimated_cost_usd=estimate, model=model, warnings=[*warnings] or None)

    def as_blocks(self) -> list[str]:
        """What is sung, then everything else."""
        return [bounded(self.text, self.untrusted), self.as_text()] if self.text else [self.as_text()]

    def as_text(self) -> str:
        """The files, and what they cost."""
        if self.job is not None:
            return self.job.as_text()
        lines = [f"[artifact] {artifact}" for artifact in self.artifacts or ()]
        notes = ["INCOMPLETE"] if self.incomplete else []
        if self.dry_run:
            cost = "price unknown" if self.estimated_cost_usd is None else f"about ${self.estimated_cost_usd:.6f}"
            notes += ["nothing was made", cost, f"model: {self.model}"]
        notes += [f"usage: {self.usage}"] if self.usage else []
        notes += [f"model: {self.model_version}"] if self.model_version else []
        notes += [f"retries: {self.retries}"] if self.retries else []
        notes += [f"warning: {warning}" for warning in self.warnings or ()]
        return "\n".join([*lines, f"[{'; '.join(notes)}]"])


async def sound_of(call: Call, job: Job, warnings: Sequence[str] = ()) -> Sound:
    """The result of a tool that makes sound, from its job.

    Raises:
        ToolserverError: the job came to nothing.
    """
    result = await job_result.finished(call, job, Sound, warnings)
    if job.result.get("finish_reason") == "MAX_TOKENS":
        result.incomplete = True
    return result
