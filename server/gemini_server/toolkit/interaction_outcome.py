"""How an interaction stands, as a step of the job that waits for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import anyio.to_thread

from gemini_server.api.interaction_content import Said, Step
from gemini_server.api.interactions import Interaction
from gemini_server.errors import BadAnswer, ToolserverError
from gemini_server.jobs.job import Job, Json, Media
from gemini_server.jobs.job import Step as JobStep
from gemini_server.toolkit.generation.media_answer import decoded
from gemini_server.toolkit.generation.sources import of_names
from gemini_server.toolkit.interaction_spent import spent_on
from gemini_server.toolkit.interaction_words import answered, words_of
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.trouble import trouble
from gemini_server.toolkit.untrusted import clean, label
from gemini_server.toolkit.wav import wrapped

MADE_OF = {"image": "image", "video": "video", "speech": "audio", "music": "audio"}
"""The content that a kind of job is for; one of these that brings none has failed."""

_GOING = {"": "Gemini is at work", "in_progress": "Gemini is at work", "queued": "waits in Gemini's queue"}
_EARLY = {
    "incomplete": "Gemini stopped before it was finished.",
    "budget_exceeded": "Gemini stopped at the budget that it was given.",
    "requires_continuation": "Gemini stopped at the most that one request may write.",
}
_FILES = {"image": "image/png", "video": "video/mp4", "audio": "audio/wav", "document": "application/pdf"}
_LONGEST_NOTE = 120
_MODEL = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)


async def step_of(runtime: Runtime, job: Job, interaction: Interaction) -> JobStep:
    """The step of a job that an interaction's state is.

    Args:
        runtime: for prices and the day.
        job: what waits for it; `wish.sources` names what the model could read.
        interaction: as Google shows it.
    """
    status = interaction.status.lower()
    if status in ("completed", *_EARLY):
        return await _finished(runtime, job, interaction, _EARLY.get(status, ""))
    if status == "requires_action":
        return _asks(runtime, job, interaction)
    if status == "failed":
        return _failed(runtime, job, interaction, _said_error(interaction) or trouble(None, None))
    if status == "cancelled":
        spent = spent_on(runtime, job, interaction)[0] if interaction.usage else None
        return JobStep("cancelled", operation=interaction.id, spent=spent)
    going = _GOING.get(status) or f"Gemini says: {label(status, 60)}"
    return JobStep("running", operation=interaction.id, message=_note(interaction.steps) or going)


def _note(steps: Sequence[Step] | None) -> str:
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


def _said_error(interaction: Interaction) -> ToolserverError | None:
    """The first error that is told, of the whole or of a step."""
    told = [*(interaction.errors or ()), *(step.error for step in interaction.steps or () if step.error)]
    return trouble(told[0].code, told[0].message) if told else None


async def _finished(runtime: Runtime, job: Job, interaction: Interaction, early: str) -> JobStep:
    outputs = answered(interaction.steps)
    contents = [said for output in outputs for said in output if said.type != "text"]
    media, broken = await anyio.to_thread.run_sync(_media, job, contents)
    wanted = MADE_OF.get(job.kind)
    sources = of_names(job.wish.get("sources") or ())
    words = words_of(outputs, sources)
    if wanted:  # what is said beside a file is a caption, and never HTML or links that were asked for
        words.text = clean(words.text).text
    if not (any(one.mime_type.startswith(f"{wanted}/") for one in media) if wanted else media or words.text):
        said = label(words.text, 600)
        words_said = f" Gemini says: {said}" if said else ""
        nothing = BadAnswer(
            f"{early or 'Gemini has finished.'} No {job.kind} came of it.{broken}{words_said}",
            "Rephrase the request, or make it again: that is billed anew.",
            code="no_media" if wanted else "empty",
        )
        return _failed(runtime, job, interaction, _said_error(interaction) or nothing)
    spent, usage = spent_on(runtime, job, interaction, songs=len(media) if job.kind == "music" else None)
    result: Json = {"usage": usage}
    if words.text:
        result["text"] = words.text
    if words.citations:
        result["citations"] = words.citations
    if sources.shown and words.text:
        result["untrusted"] = sources.shown
    warnings = [early] if early else []
    if broken:
        warnings.append(broken.strip())
    if words.refused:
        warnings.append(f"{words.refused} sources are left out: their addresses are no web links.")
    if error := _said_error(interaction):
        warnings.append(error.what)
    answering = (interaction.model or "").removeprefix("models/")
    if _MODEL.fullmatch(answering):
        result["model_version"] = answering
        if not answering.startswith(job.model.removeprefix("models/")) and not job.model.endswith("-latest"):
            warnings.append(f"{job.model} was asked for, {answering} answered: Google reroutes retired models.")
    if warnings:
        result["warnings"] = warnings
    return JobStep("finished", operation=interaction.id, result=result, media=media, spent=spent)


def _failed(runtime: Runtime, job: Job, interaction: Interaction, error: ToolserverError) -> JobStep:
    step = JobStep("failed", operation=interaction.id, error=error)
    if interaction.usage and interaction.usage.total_tokens:
        step.spent, usage = spent_on(runtime, job, interaction, songs=0 if job.kind == "music" else None)
        step.result = {"usage": usage}
    return step


def _asks(runtime: Runtime, job: Job, interaction: Interaction) -> JobStep:
    calls = [
        {"id": step.id, "name": step.name, "arguments": step.arguments or {}}
        for step in interaction.steps or ()
        if step.type == "function_call"
    ]
    if job.kind not in MADE_OF:
        return JobStep("input_required", operation=interaction.id, message="waits for input", inputs={"calls": calls})
    error = BadAnswer(
        f"Gemini asks for a function's result instead of making the {job.kind}, and none was offered.",
        "Rephrase the request, then make it again.",
        code="requires_action",
    )
    return _failed(runtime, job, interaction, error)


def _media(job: Job, contents: list[Said]) -> tuple[list[Media], str]:
    """The files among contents, and a sentence about those that cannot be read; run it in a thread."""
    found: list[Media] = []
    broken = 0
    for said in contents:
        if said.type not in _FILES:
            continue
        kind = job.kind if MADE_OF.get(job.kind) == said.type else said.type
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
