"""Videos: made from words, pictures or other videos, as jobs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

from gemini_server.api.content import FileData, Part
from gemini_server.api.interaction_request import VideoAspectRatio, VideoResolution, VideoTask
from gemini_server.errors import ArgumentError
from gemini_server.jobs.job import Job
from gemini_server.jobs.new_job import JOB_ID
from gemini_server.toolkit import artifacts, identity, job_result, jobs, media
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.film_request import (
    LONGEST,
    SECONDS,
    Footage,
    Wanted,
    check_footage,
    check_omni,
    omni,
    task_of,
)
from gemini_server.toolkit.film_veo import check_veo, is_veo, veo
from gemini_server.toolkit.generation.options import model_id
from gemini_server.toolkit.job_result import EstimatedJob
from gemini_server.toolkit.jobs import Reuse, WaitSeconds
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.served import check_served
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("video", "Videos from words, pictures and videos.")

TOOL = "generate_video"


async def finish(call: Call, job: Job, warnings: list[str] | None = None) -> EstimatedJob:
    """The result of a video's job as far as it has come.

    Raises:
        ToolserverError: it came to nothing.
    """
    notes = [*job.wish.get("notes", ()), *(warnings or ())]
    return EstimatedJob(**(await job_result.shown(call, job, notes)).__dict__)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, default=True, finish=finish)
async def generate_video(
    call: Call,
    prompt: Annotated[str, Field(description="what it shows, or what to change")],
    first_frame: Annotated[str | None, Field(description="picture")] = None,
    last_frame: Annotated[str | None, Field(description="picture")] = None,
    references: Annotated[list[str] | None, Field(description="pictures, clips")] = None,
    video: Annotated[str | None, Field(description="video, or job of one made here")] = None,
    task: Annotated[VideoTask | None, Field(description="default: by media given")] = None,
    aspect_ratio: Annotated[VideoAspectRatio | None, Field(description="shape")] = None,
    resolution: Annotated[VideoResolution | None, Field(description="default 720p")] = None,
    duration_seconds: Annotated[int | None, Field(description="3-10, default 8")] = None,
    negative_prompt: Annotated[str | None, Field(description="what to avoid")] = None,
    wait_seconds: WaitSeconds = jobs.WAIT,
    dry_run: Annotated[bool, Field(description="cost only")] = False,
    reuse: Reuse = True,
    model: ModelName = None,
) -> EstimatedJob:
    """Make or edit a video with sound. Takes minutes: returns a job, which get_job finishes; do not start it again.
    Billed by second, about $0.10 (720p) or $0.15 (1080p). Media: path, URL, files/ID, artifact.
    """
    name = model_id(model or call.runtime.catalogue.default("video"))
    wanted = Wanted(
        prompt, first_frame, last_frame, references or (), video, task, aspect_ratio, resolution, duration_seconds,
        (negative_prompt or "").strip() or None,
    )  # fmt: skip
    meant = _checked(call, name, wanted)
    earlier = await _earlier(call, name, video) if video and JOB_ID.fullmatch(video) else _Earlier(source=video)
    # An empty frame says nothing; an empty reference is refused as the path that it would be.
    sources = [*filter(None, (first_frame, last_frame)), *wanted.references, *filter(None, (earlier.source,))]
    async with media.opened(sources, call, upload=not dry_run) as opened:
        parts = await identity.held(opened)
    footage = _footage(wanted, parts, earlier)
    check_footage(footage)
    body, warnings = _request(name, wanted, meant, footage, earlier)
    made, billed, shown = _length(wanted, meant, earlier)
    if billed is None:
        billed = LONGEST
        warnings.append(f"How long the video is is not known here: the cost is estimated for {LONGEST} s.")
    cost, _ = call.runtime.catalogue.cost(name, on=call.runtime.today(), seconds=billed, resolution=shown)
    if dry_run:
        return _estimate(name, cost, warnings)
    same = [prompt, meant, aspect_ratio, resolution, duration_seconds, negative_prompt, earlier.job]
    plan = jobs.Plan(
        kind="video",
        tool=TOOL,
        work="veo" if is_veo(name) else "interaction",
        model=name,
        identity=[*same, *await identity.of_parts(parts)],
        wish={
            "seconds": made,
            "resolution": shown,
            "sources": ["attachments"] if parts or earlier.job else [],
            "notes": warnings,
        },
        estimate=cost,
    )
    begun = await jobs.begin(call, plan, body=body, reuse=reuse)
    return await finish(call, await jobs.wait(call, begun.job, wait_seconds), jobs.reused(begun))


def _checked(call: Call, model: str, wanted: Wanted) -> VideoTask:
    """The task that is meant, for a model that has it.

    Raises:
        ArgumentError: what is wanted does not go together, or not with the model.
        NotFound: the model was shut down.
    """
    facts = call.runtime.catalogue.get(model)
    if facts is not None and "video" not in facts.capabilities:
        raise ArgumentError(
            f"{model} makes no videos.", f"Leave model out for {call.runtime.catalogue.default('video')}."
        )
    check_served(call, model)
    task = task_of(wanted)
    if is_veo(model):
        check_veo(model, wanted, task)
    else:
        check_omni(model, wanted, task)
    return task


@dataclass(frozen=True, slots=True)
class _Earlier:
    """The video that is worked on: a medium, or one that an earlier job made."""

    job: str | None = None
    source: str | None = None
    uri: str | None = None
    interaction: str | None = None
    seconds: float | None = None
    resolution: str | None = None


async def _earlier(call: Call, model: str, id: str) -> _Earlier:  # noqa: A002  the word of the tools' contract
    """What an earlier job made, in the form that the model takes: its own turn where it knows it, else the file.

    Raises:
        NotFound: there is no such job.
        ArgumentError: it has made no video, or not yet.
    """
    job = await call.runtime.jobs.get(call.principal, id)
    if job.kind != "video":
        raise ArgumentError(f"The job {id} is no video's but of the kind {job.kind}.", "Give the job of a video.")
    if job.state != "done" or not job.media:
        raise ArgumentError(
            f"The video of the job {id} is not there: it is {job.state}.",
            f'get_job with job="{id}" and wait_seconds waits for it.' if not job.ended else "Give another one.",
        )
    seconds, resolution = job.wish.get("seconds"), job.wish.get("resolution")
    if is_veo(model) and job.work == "veo" and job.media[0].uri:
        return _Earlier(id, uri=job.media[0].uri, seconds=seconds, resolution=resolution)
    if not is_veo(model) and job.work == "interaction" and job.operation:
        return _Earlier(id, interaction=job.operation, seconds=seconds, resolution=resolution)
    return _Earlier(id, source=artifacts.URI + job.media[0].artifact, seconds=seconds, resolution=resolution)


def _footage(wanted: Wanted, parts: list[Part], earlier: _Earlier) -> Footage:
    """The opened media by what they are for; they come in the order in which they were opened."""
    left = iter(parts)
    first = next(left) if wanted.first_frame else None
    last = next(left) if wanted.last_frame else None
    references = [next(left) for _ in wanted.references]
    video = next(left) if earlier.source else None
    if earlier.uri:
        video = Part(file_data=FileData(file_uri=earlier.uri, mime_type="video/mp4"))
    return Footage(first, last, references, video)


def _request(
    model: str, wanted: Wanted, task: VideoTask, footage: Footage, earlier: _Earlier
) -> tuple[BaseModel, list[str]]:
    """What is sent, and what was changed on the way."""
    if is_veo(model):
        return veo(wanted, footage), []
    return omni(model, wanted, task, footage, previous=earlier.interaction)


def _length(wanted: Wanted, task: VideoTask, earlier: _Earlier) -> tuple[float | None, float | None, str]:
    """Seconds of the video that comes, seconds that are billed (None where they are not known), and the resolution."""
    resolution = wanted.resolution or ("1080p" if task == "upscale" else earlier.resolution or "720p")
    if task == "extend":
        new = wanted.seconds or SECONDS
        return (earlier.seconds + new if earlier.seconds else None), new, resolution
    if task in ("edit", "upscale"):
        seconds = wanted.seconds or earlier.seconds
        return seconds, seconds, resolution
    return wanted.seconds or SECONDS, wanted.seconds or SECONDS, resolution


def _estimate(model: str, cost: Decimal | None, warnings: list[str]) -> EstimatedJob:
    if cost is None:
        warnings = [*warnings, f"No price is known for {model} at this resolution."]
    estimated = None if cost is None else round(float(cost), 6)
    return EstimatedJob(dry_run=True, estimated_cost_usd=estimated, model=model, warnings=warnings or None)
