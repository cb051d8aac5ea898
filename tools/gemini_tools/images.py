"""Pictures: made from words, and edited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, WithJsonSchema

from gemini_server.jobs.job import Job
from gemini_server.toolkit import identity, jobs, media, picture_request, pictures
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.job_result import Pending, finished
from gemini_server.toolkit.pictures import Mode
from gemini_server.toolkit.results import ArtifactOut, Result, Usage
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.untrusted import bounded

TOOLSET = Toolset("images", "Pictures from words, and edits.")

Spending = Annotated[
    Usage | None,
    # Its members are those of every other tool's; `tools/list` has little room.
    WithJsonSchema({"type": "object"}),
    Field(description="tokens, cost_usd"),
]


class ImageResult(Result):
    """Pictures, or the job that makes them."""

    artifacts: list[ArtifactOut] | None = None
    text: str | None = None
    usage: Spending = None
    model_version: str | None = None
    conversation: str | None = None
    untrusted: Annotated[str | None, Field(description="what text comes from")] = None
    warnings: list[str] | None = None
    retries: int | None = None
    job: Pending = None
    dry_run: bool | None = None
    model: str | None = None
    estimated_cost_usd: Annotated[float | None, Field(description="absent: unknown")] = None

    def as_blocks(self) -> list[str]:
        """What the model says alone, then everything else."""
        return [bounded(self.text, self.untrusted), self.as_text()] if self.text else [self.as_text()]

    def as_text(self) -> str:
        """The files, how to go on, the cost, the warnings."""
        lines = [f"[artifact] {artifact}" for artifact in self.artifacts or ()]
        lines += [self.job.as_text()] if self.job else []
        notes: list[str] = []
        if self.dry_run:
            cost = "price unknown" if self.estimated_cost_usd is None else f"about ${self.estimated_cost_usd:.4f}"
            notes.append(f"dry run with {self.model}, nothing was sent: {cost}")
        notes += [f"conversation: {self.conversation}"] if self.conversation else []
        notes += [f"usage: {self.usage}"] if self.usage else []
        notes += [f"model: {self.model_version}"] if self.model_version else []
        notes += [f"retries: {self.retries}"] if self.retries else []
        notes += [f"warning: {warning}" for warning in self.warnings or ()]
        return "\n".join([*lines, f"[{'; '.join(notes)}]"] if notes else lines)


async def finish(call: Call, job: Job, mode: Mode | None = None, warnings: Sequence[str] = ()) -> ImageResult:
    """The result of a call, as far as its job has come."""
    result = await finished(call, job, ImageResult, warnings)
    shown, unshown = await pictures.beside(call, result.artifacts or (), mode or job.wish.get("preview", "thumbnail"))
    result.attach(shown)
    result.warnings = [*(result.warnings or ()), *unshown] or None
    return result


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, default=True, finish=finish)
async def generate_image(
    call: Call,
    prompt: Annotated[str, Field(description="what to show or change")],
    references: Annotated[list[str] | None, Field(description="pictures: path, URL, artifact")] = None,
    aspect_ratio: Annotated[str | None, Field(description="16:9")] = None,
    size: Annotated[str | None, Field(description="1K, 2K, 4K")] = None,
    count: Annotated[int | None, Field(description="1 to 4")] = None,
    conversation: Annotated[str | None, Field(description="id, or new, to edit turn by turn")] = None,
    preview: Annotated[Mode | None, Field(description="default thumbnail")] = None,
    dry_run: Annotated[bool, Field(description="cost only")] = False,
    wait_seconds: jobs.WaitSeconds = jobs.WAIT,
    reuse: jobs.Reuse = True,
    model: Annotated[str | None, Field(description="model id")] = None,
) -> ImageResult:
    """Make pictures, or edit and combine references. Billed by picture. Returns artifacts, usage, conversation; a job
    when it takes long.
    """
    runtime = call.runtime
    wanted = await picture_request.wanted(
        call, prompt, references or (),
        aspect_ratio=aspect_ratio, size=size, count=count, conversation=conversation, model=model,
    )  # fmt: skip
    estimate, _ = runtime.catalogue.cost(
        wanted.model, images=wanted.count, image_size=wanted.shape.size or "1K", on=runtime.today()
    )
    async with media.opened(wanted.references, call, upload=not dry_run) as opened:
        pictures.check_references(runtime.catalogue, wanted.model, opened)
        if dry_run:
            cost = None if estimate is None else float(estimate)
            unknown = [f"No price is known for such a picture of {wanted.model}."] if cost is None else None
            return ImageResult(dry_run=True, model=wanted.model, estimated_cost_usd=cost, warnings=unknown)
        parts = await identity.held(opened)
    work, body, wish = await picture_request.built(call, wanted, parts)
    same = [
        wanted.prompt, await identity.of_parts(parts), wanted.shape, wanted.count,
        conversation, len(wanted.thread.turns) if wanted.thread else 0,
    ]  # fmt: skip
    begun = await jobs.begin(
        call,
        jobs.Plan(
            kind="image",
            tool="generate_image",
            work=work,
            model=wanted.model,
            identity=same,
            wish={"preview": preview or "thumbnail", **wish},
            estimate=estimate,
        ),
        body=body,
        reuse=reuse,
    )
    job = await jobs.wait(call, begun.job, wait_seconds)
    return await finish(call, job, preview or "thumbnail", jobs.reused(begun))
