"""Batches: many requests at half the price, answered within a day."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

from gemini_server.api import batches as api
from gemini_server.api.batches import BatchChange, BatchOperation
from gemini_server.errors import ArgumentError, NotFound, RequestRefused
from gemini_server.jobs.job import Job
from gemini_server.toolkit import artifacts, batch_names, batch_plan, job_result, jobs
from gemini_server.toolkit.batch_names import KIND, PREFIX, begun
from gemini_server.toolkit.batch_request import BatchItem, Kind
from gemini_server.toolkit.batch_view import (
    BatchJob,
    BatchList,
    BatchOut,
    BatchResult,
    BatchResults,
    DeletedBatch,
    shown,
)
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.completion import complete_id
from gemini_server.toolkit.generation.options import model_id
from gemini_server.toolkit.job_result import files
from gemini_server.toolkit.jobs import Reuse, WaitSeconds, job_out
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.served import check_served
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("batches", "Many requests at half the price, answered within a day.")

TOOL = "create_batch"
LISTED = 500
PAUSE = 10.0
"""Seconds that a cancelled batch is waited for."""


class Later(BaseModel):
    """What the job of a batch sends in the beginning, where that has to wait for an upload, or was done elsewhere."""


BatchName = Annotated[str, Field(description="batches/ID, or the id of its job")]


async def finish(call: Call, job: Job, warnings: Sequence[str] = ()) -> BatchJob:
    """The job of a batch as far as it has come.

    Raises:
        ToolserverError: it came to nothing.
    """
    notes = [*job.wish.get("notes", ()), *warnings] if not job.result.get("warnings") else warnings
    return BatchJob(**(await job_result.shown(call, job, notes)).__dict__)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, finish=finish)
async def create_batch(
    call: Call,
    requests: Annotated[
        list[BatchItem] | None,
        Field(description="prompt and options as of generate_text; of kind embed a text or one attachment each"),
    ] = None,
    source: Annotated[
        str | None,
        Field(
            description='instead: JSONL file, lines {"key", "request"} as the API takes them; path, artifact, files/ID'
        ),
    ] = None,
    kind: Annotated[Kind, Field(description="default generate")] = "generate",
    display_name: Annotated[str | None, Field(description="label")] = None,
    priority: Annotated[int | None, Field(description="higher ones come first; default 0")] = None,
    dry_run: Annotated[bool, Field(description="count and price only")] = False,
    wait_seconds: WaitSeconds = jobs.WAIT,
    reuse: Reuse = True,
    model: ModelName = None,
) -> BatchJob:
    """Answer or embed many prompts at half the price, within 24 hours. Billed by token for what is answered. Returns a
    job; when it is done, its artifact is a file of lines in the order of the requests, with counts of errors in result.
    """
    runtime = call.runtime
    default = runtime.catalogue.default("embedding") if kind == "embed" else runtime.text_model(None)
    chosen = model_id(model or default)
    if bool(requests) == bool(source):
        raise ArgumentError("A batch has either requests or a source.", "Give one of them.")
    check_served(call, chosen)
    order = batch_plan.new(kind, chosen, display_name, priority)
    if source:
        await batch_plan.of_source(call, order, source)
    else:
        await batch_plan.of_items(call, order, requests or (), dry_run=dry_run)
    if dry_run:
        return BatchJob(
            dry_run=True,
            model=chosen,
            requests=order.requests,
            input_tokens=order.input_tokens,
            estimated_cost_usd=None if order.estimate is None else float(order.estimate),
            warnings=order.warnings or None,
        )
    if order.warnings:
        order.wish["notes"] = order.warnings
    await batch_plan.uploading(call, order)
    work = "batch_later" if order.body is None else "batch"
    plan = jobs.Plan(
        kind=KIND, tool=TOOL, work=work, model=chosen, identity=order.same, wish=order.wish, estimate=order.estimate
    )
    started = await jobs.begin(call, plan, body=order.body or Later(), reuse=reuse)
    job = await jobs.wait(call, started.job, wait_seconds)
    return await finish(call, job, jobs.reused(started))


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True)
async def list_batches(
    call: Call, name: Annotated[str | None, Field(description="only this one: batches/ID, or its job")] = None
) -> BatchList:
    """List the batches of this key's project: state, counts, the jobs that made them; the newest first. Free."""
    if name is not None:
        known, job = await begun(call, name)
        return BatchList(batches=[shown(await batch_names.get(call, known), job.id if job else None)])
    found, more = await _all(call)
    return BatchList(batches=found, truncated=more or None)


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True)
async def get_batch_results(
    call: Call, job: Annotated[str, Field(description="job of the batch, or batches/ID of one made elsewhere")]
) -> BatchResults:
    """The answers of a batch as a file: one line for each request, with counts and the first errors; how it stands
    while it goes on. Free: it was billed as it was answered.
    """
    meant = await batch_names.meant(call, job)
    found = meant.job
    if found is None:
        found = await _adopted(call, meant.name or "")
    if not found.ended:
        return BatchResults(batch=meant.name, model=found.model, job=await job_out(call, found))
    kept, lost = await files(call, found)
    partial = found.result.get("partial_results")
    if partial:
        identifier = str(partial).removeprefix(artifacts.URI)
        kept = [artifacts.shown(call, await call.runtime.artifacts.get(call.principal, identifier))]
    failure = jobs.failure(found)
    if failure is not None and not kept:
        raise failure
    said = [*found.result.get("warnings", ()), *lost, *([str(failure)] if failure else [])]
    return BatchResults(
        artifacts=kept or None,
        counts=found.result.get("counts"),
        errors=found.result.get("errors"),
        usage=found.result.get("usage"),
        batch=found.result.get("batch"),
        model=found.model,
        incomplete=True if failure else None,
        warnings=said or None,
    )


async def _adopted(call: Call, name: str) -> Job:
    """The job that follows a batch which was made elsewhere, or by a job that does not know that it was."""
    operation = await batch_names.get(call, name)
    model = operation.batch.model.removeprefix("models/")
    wish = {"kind": "embed" if operation.batch.is_embedding else "generate", "adopt": name, "sources": ["attachments"]}
    same = ["adopt", name]
    plan = jobs.Plan(KIND, TOOL, "batch_later", model, identity=same, wish=wish, estimate=Decimal(0))
    started = await jobs.begin(call, plan, body=Later())
    return await jobs.wait(call, started.job, PAUSE)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=True, open_world=True)
async def update_batch(
    call: Call,
    name: BatchName,
    display_name: Annotated[str | None, Field(description="label")] = None,
    priority: Annotated[int | None, Field(description="higher ones come first")] = None,
) -> BatchResult:
    """Change the display name or the priority of a batch. Free. Returns the batch."""
    changes = {"displayName": display_name, "priority": priority}
    mask = ",".join(field for field, value in changes.items() if value is not None)
    if not mask:
        raise ArgumentError("It is not said what to change.", "Give display_name or priority.")
    known, job = await begun(call, name)
    operation = await batch_names.get(call, known)
    endpoint = api.UPDATE_EMBED if operation.batch.is_embedding else api.UPDATE_GENERATE
    body = BatchChange(display_name=display_name, priority=priority)
    try:
        await call.runtime.client.call(endpoint, body=body, query={"updateMask": mask}, name=known)
    except NotFound:
        raise batch_names.unknown(known) from None
    return BatchResult(batch=shown(await batch_names.get(call, known), job.id if job else None))


@TOOLSET.tool(read_only=False, destructive=True, idempotent=True, open_world=True)
async def cancel_batch(call: Call, name: BatchName) -> BatchResult:
    """Stop a batch; what was answered by then is kept and billed. Returns the batch as it then stands."""
    meant = await batch_names.meant(call, name)
    job = meant.job
    warnings: list[str] = []
    if job is not None and not job.ended:
        job = await call.runtime.runner.cancel(call.principal, job.id)
        job = await jobs.wait(call, job, PAUSE)
        meant = await batch_names.meant(call, job.id)
    if meant.name is None:
        stopped = job is not None and job.ended
        early = "It was stopped before Google knew of it: nothing is billed."
        return BatchResult(
            warnings=[early if stopped else "It is being begun at this moment, and stopped when it has."]
        )
    operation = await batch_names.get(call, meant.name)
    if job is None and not operation.done:
        try:
            await call.runtime.client.call(api.CANCEL, name=meant.name)
        except RequestRefused:
            warnings.append("Google did not stop it: it may have ended meanwhile.")
        operation = await batch_names.get(call, meant.name)
    if operation.state == "SUCCEEDED":
        warnings.append("It had succeeded already: nothing was stopped, and it is billed.")
    elif operation.state in ("PENDING", "RUNNING"):
        warnings.append("Google was asked to stop it; until it does, it goes on and is billed.")
    return BatchResult(batch=shown(operation, job.id if job else None), warnings=warnings or None)


@TOOLSET.tool(read_only=False, destructive=True, idempotent=True, open_world=True)
async def delete_batch(call: Call, name: BatchName) -> DeletedBatch:
    """Delete a batch that has ended, with its answers at Google; files saved here stay. Free. Returns its name."""
    known, _ = await begun(call, name)
    operation = await batch_names.get(call, known)
    if operation.state in ("PENDING", "RUNNING"):
        raise ArgumentError(
            f"{known} has not ended, and deleting does not stop it: it would go on and be billed.",
            "Stop it with cancel_batch first.",
        )
    try:
        await call.runtime.client.call(api.DELETE, name=known)
    except NotFound:
        raise batch_names.unknown(known) from None
    return DeletedBatch(deleted=known)


async def _all(call: Call) -> tuple[list[BatchOut], bool]:
    """The batches that a caller may see."""
    found: list[BatchOperation]
    found, more = await call.runtime.client.pages(api.LIST, items="operations", cap=LISTED, query={"pageSize": 100})
    owners = await batch_names.owners(call)
    out: list[BatchOut] = []
    for operation in found:
        owner = owners.get(operation.name)
        if owner is None or owner.principal == call.principal:
            out.append(shown(operation, owner.job if owner else None))
    return out, more


async def _ids(call: Call, prefix: str) -> list[str]:
    return await complete_id(call, prefix, _all, lambda one: one.name, collection=PREFIX)


@TOOLSET.resource("gemini://batches", description="The batches of this key's project, the newest first.")
async def batches(call: Call) -> BatchList:
    """All batches."""
    found, more = await _all(call)
    return BatchList(batches=found, truncated=more or None)


@TOOLSET.resource("gemini://batches/{id}", description="One batch: state and counts.", complete={"id": _ids})
async def batch_resource(call: Call, id: str) -> BatchOut:  # noqa: A002  the template's name
    """One batch."""
    known, job = await begun(call, PREFIX + id)
    return shown(await batch_names.get(call, known), job.id if job else None)
