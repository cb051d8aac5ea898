"""Speech from text, in one voice or two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from gemini_server.jobs.job import Job
from gemini_server.toolkit import jobs
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.foreign_names import check_said
from gemini_server.toolkit.generation.options import model_id
from gemini_server.toolkit.jobs import Plan, Reuse, WaitSeconds
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.served import check_served
from gemini_server.toolkit.sound_result import Sound, sound_of
from gemini_server.toolkit.speech_request import Speech
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("speech", "Speech from text.")

KIND = "speech"
PROMPT = 2000
"""Characters of the text that are kept with the file."""


async def finish(call: Call, job: Job, warnings: Sequence[str] = ()) -> Sound:
    """The speech that a job made, or the job while it goes on."""
    result = await sound_of(call, job, warnings)
    result.text = None  # what was said is known
    return result


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, default=True, finish=finish)
async def synthesize_speech(
    call: Call,
    text: Annotated[str, Field(description="read word for word, about 10 min at most")],
    voice: Annotated[str | None, Field(description="Kore, Puck, Charon, Zephyr …, or a voice id")] = None,
    speakers: Annotated[dict[str, str] | None, Field(description="two names and voices; text: lines 'Name: …'")] = None,
    language: Annotated[str | None, Field(description="BCP 47")] = None,
    style: Annotated[str | None, Field(description="e.g. cheerful, slow")] = None,
    wait_seconds: WaitSeconds = jobs.WAIT,
    reuse: Reuse = True,
    dry_run: Annotated[bool, Field(description="cost only")] = False,
    model: ModelName = None,
) -> Sound:
    """Say a text, in one voice or as a dialogue of two: a WAV file. Billed by token."""
    chosen = model_id(model or call.runtime.catalogue.default("speech"))
    speech = Speech(text, voice, speakers, language, style)
    warnings = speech.check(chosen, call.runtime.catalogue)
    check_served(call, chosen)
    estimate = speech.cost(chosen, call.runtime.catalogue, call.runtime.today())
    if dry_run:
        return Sound.estimated(chosen, estimate, warnings)
    body = speech.request(chosen)
    await check_said(call, [{"voice": one} for one in (voice, *(speakers or {}).values())])
    same = [body.model_dump_json(by_alias=True, exclude_none=True)]
    plan = Plan(
        KIND, "synthesize_speech", "generate", chosen, identity=same, wish={"prompt": text[:PROMPT]}, estimate=estimate
    )
    begun = await jobs.begin(call, plan, body=body, reuse=reuse)
    job = await jobs.wait(call, begun.job, wait_seconds)
    return await finish(call, job, [*warnings, *jobs.reused(begun)])
