"""How an interaction stands, as a step of the job that waits for it."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread

from gemini_server.api.interaction_content import Said, Step
from gemini_server.api.interactions import Interaction
from gemini_server.errors import BadAnswer, ToolserverError
from gemini_server.jobs.job import Job, Json, Media
from gemini_server.jobs.job import Step as JobStep
from gemini_server.toolkit.generation.media_answer import decoded
from gemini_server.toolkit.generation.sources import of_names
from gemini_server.toolkit.interaction_result import EARLY, Told, error_in, name_of, told
from gemini_server.toolkit.interaction_spent import spent_on
from gemini_server.toolkit.interaction_words import answered
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.trouble import trouble
from gemini_server.toolkit.untrusted import clean, label, link
from gemini_server.toolkit.wav import wrapped

MADE_OF = {"image": "image", "video": "video", "speech": "audio", "music": "audio"}
"""The content that a kind of job is for; one of these that brings none has failed."""

_GOING = {"": "Gemini is at work", "in_progress": "Gemini is at work", "queued": "waits in Gemini's queue"}
_EARLY = ("incomplete", "budget_exceeded", "requires_continuation")
_ENDED = ("completed", *_EARLY, "requires_action", "failed", "cancelled")
_FILES = {"image": "image/png", "video": "video/mp4", "audio": "audio/wav", "document": "application/pdf"}
_LONGEST_NOTE = 120


def is_known(status: str) -> bool:
    """Whether a state is one that this server knows."""
    return status.lower() in (*_GOING, *_ENDED)


async def step_of(runtime: Runtime, job: Job, interaction: Interaction, *, still: bool = False) -> JobStep:
    """The step of a job that an interaction's state is.

    Args:
        runtime: for prices and the day.
        job: what waits for it; `wish.sources` names what the model could read.
        interaction: as Google shows it.
        still: whether it has not changed for long: what has come in a state that is not known here is all there is.
    """
    status = interaction.status.lower()
    if status in ("completed", *_EARLY):
        return await _finished(runtime, job, interaction)
    if status == "requires_action":
        return await (_asks(runtime, job, interaction) if job.kind in MADE_OF else _finished(runtime, job, interaction))
    if status == "failed":
        return _failed(runtime, job, interaction, error_in(interaction) or trouble(None, None))
    if status == "cancelled":
        return _cancelled(runtime, job, interaction)
    if still and _has_come(job, interaction):
        return await _finished(runtime, job, interaction)
    going = _GOING.get(status) or f"Gemini says: {label(status, 60)}"
    return JobStep("running", operation=interaction.id, message=note_of(interaction.steps) or going)


def note_of(steps: Sequence[Step] | None) -> str:
    """What the model is about, by its last thought or tool."""
    for step in reversed(steps or ()):
        if step.type == "user_input":
            break
        if step.type == "thought":
            thought = next((said.text for said in reversed(step.summary or ()) if said.text), "")
            if thought:
                return label(thought.strip().partition("\n")[0].strip("* "), _LONGEST_NOTE)
        elif step.type.endswith("_call"):
            return label(step.type.removesuffix("_call").replace("_", " "), _LONGEST_NOTE)
    return ""


def _has_come(job: Job, interaction: Interaction) -> bool:
    """Whether there is something of what a job is for, or the reason why there is nothing."""
    wanted = MADE_OF.get(job.kind)
    contents = [said for output in answered(interaction.steps) for said in output]
    return any(wanted in (None, said.type) for said in contents) or error_in(interaction) is not None


async def _finished(runtime: Runtime, job: Job, interaction: Interaction) -> JobStep:
    found = await told(interaction, of_names(job.wish.get("sources") or ()), schema=job.wish.get("schema"))
    media, broken = await anyio.to_thread.run_sync(files_of, found.contents, job.kind)
    wanted = MADE_OF.get(job.kind)
    result = _beside_files(found) if wanted else found.members
    text: str = result.get("text", "")
    early = EARLY.get(interaction.status.lower(), "")
    if not (any(one.mime_type.startswith(f"{wanted}/") for one in media) if wanted else media or found.useful):
        said = label(text, 600)
        words_said = f" Gemini says: {said}" if said else ""
        nothing = BadAnswer(
            f"{early or 'Gemini has finished.'} No {job.kind} came of it.{broken}{words_said}",
            "Rephrase the request, or make it again: that is billed anew.",
            code="no_media" if wanted else "empty",
        )
        return _failed(runtime, job, interaction, found.error or nothing)
    spent, usage = spent_on(runtime, job, interaction, songs=len(media) if job.kind == "music" else None)
    warnings: list[str] = [*result.get("warnings", ())]
    warnings += [broken.strip()] if broken else []
    if not is_known(interaction.status):
        warnings.append(
            f"Gemini says that it is {label(interaction.status, 60)!r}, which this server does not know. It did not "
            "change any more, so this is taken as the end; something may be missing."
        )
    if not wanted:  # what is beside the answer must not hold it up for good
        elsewhere = [one for one in media if one.uri and not runtime.client.follows(one.uri)]
        media = [one for one in media if one not in elsewhere]
        warnings += [left_out(one) for one in elsewhere]
    warnings += found.trouble
    answering = name_of((interaction.model or "").removeprefix("models/"))
    if answering:
        result["model_version"] = answering
        if not interaction.agent and rerouted(job.model, answering):
            warnings.append(f"{job.model} was asked for, {answering} answered: Google reroutes retired models.")
    result["usage"] = usage
    if warnings:
        result["warnings"] = warnings
    return JobStep("finished", operation=interaction.id, result=result, media=media, spent=spent)


def rerouted(asked: str, answering: str) -> bool:
    """Whether another model answered than was asked for; an alias answers as what it stands for."""
    return not answering.startswith(asked.removeprefix("models/")) and not asked.endswith("-latest")


def _beside_files(found: Told) -> Json:
    """What is said beside a file: a caption, and never HTML or links that were asked for."""
    kept = ("text", "citations", "untrusted", "warnings")
    result: Json = {}
    result |= {name: value for name, value in found.members.items() if name in kept}
    if "text" in result:
        result["text"] = clean(result["text"]).text
    else:
        result.pop("untrusted", None)
    return result


def _failed(runtime: Runtime, job: Job, interaction: Interaction, error: ToolserverError) -> JobStep:
    step = JobStep("failed", operation=interaction.id, error=error)
    if interaction.usage and interaction.usage.total_tokens:
        step.spent, usage = spent_on(runtime, job, interaction, songs=0 if job.kind == "music" else None)
        step.result = {"usage": usage}
    return step


def _cancelled(runtime: Runtime, job: Job, interaction: Interaction) -> JobStep:
    step = JobStep("cancelled", operation=interaction.id)
    if interaction.usage is None or not interaction.usage.total_tokens:
        step.message = "Cancelled. Google does not say what it had spent by then; it may bill that."
        return step
    step.spent, usage = spent_on(runtime, job, interaction)
    step.result = {"usage": usage}
    cost = step.spent.cost_usd
    price = "price unknown" if cost is None else f"about ${cost:.4f}"
    step.message = f"Cancelled. Until then it used {usage['total_tokens']:,} tokens, {price}, which are billed."
    return step


async def _asks(runtime: Runtime, job: Job, interaction: Interaction) -> JobStep:
    error = BadAnswer(
        f"Gemini asks for a function's result instead of making the {job.kind}, and none was offered.",
        "Rephrase the request, then make it again.",
        code="requires_action",
    )
    return _failed(runtime, job, interaction, error)


def left_out(file: Media) -> str:
    """A sentence about a file that does not lie where this server fetches files."""
    return (
        f"A file ({file.kind}) does not lie at Google, and is left out: {link(file.uri or '') or 'its link is none'}."
    )


def files_of(contents: Sequence[Said], made: str = "") -> tuple[list[Media], str]:
    """The files among contents, and a sentence about those that cannot be read; run it in a thread.

    Args:
        contents: what came.
        made: the kind of the job, which gives the files that it is for their name.
    """
    found: list[Media] = []
    broken = 0
    for said in contents:
        if said.type not in _FILES:
            continue
        kind = made if MADE_OF.get(made) == said.type else said.type
        mime_type = said.mime_type or _FILES[said.type]
        data = decoded(said.data) if said.data else None
        if data:
            data, mime_type = wrapped(data, mime_type, rate=said.sample_rate, channels=said.channels)
            found.append(Media(kind, mime_type, data=data))
        elif said.uri:
            found.append(Media(kind, mime_type, uri=said.uri))
        else:
            broken += 1
    return found, f" {broken} of the files that came are empty or no valid base64." if broken else ""
