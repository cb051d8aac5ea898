"""Songs and clips, and music that is steered while it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from gemini_server.api.realtime_music import Scale
from gemini_server.errors import ArgumentError
from gemini_server.jobs.job import Job
from gemini_server.toolkit import identity, jobs, media, music_request
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.options import model_id
from gemini_server.toolkit.jobs import Plan, Reuse, WaitSeconds
from gemini_server.toolkit.music_request import Music, Steering, Weighted
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.served import check_served
from gemini_server.toolkit.sound_result import Sound, sound_of
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("music", "Songs, clips, and music that is steered while it is made.")

KIND = "music"
PROMPT = 2000
"""Characters of the prompt that are kept with the file."""


async def finish(call: Call, job: Job, warnings: Sequence[str] = ()) -> Sound:
    """The music that a job made, or the job while it goes on."""
    return await sound_of(call, job, warnings)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, finish=finish)
async def compose_music(
    call: Call,
    prompt: Annotated[str | None, Field(description="style, instruments, mood, lyrics")] = None,
    prompts: Annotated[list[Weighted] | None, Field(description="live: several, mixed by weight")] = None,
    image: Annotated[str | None, Field(description="song from a picture (media source)")] = None,
    seconds: Annotated[
        float | None, Field(ge=1, le=600, description="song: about; up to 30: a clip of 30; live: 1-180")
    ] = None,
    bpm: Annotated[int | None, Field(ge=60, le=200, description="live")] = None,
    scale: Annotated[Scale | None, Field(description="live")] = None,
    density: Annotated[float | None, Field(ge=0, le=1, description="live: sparse to busy")] = None,
    brightness: Annotated[float | None, Field(ge=0, le=1, description="live")] = None,
    guidance: Annotated[float | None, Field(ge=0, le=6, description="live: how closely it follows")] = None,
    steps: Annotated[list[Steering] | None, Field(description="live: new prompts from second `at` on")] = None,
    live: Annotated[bool | None, Field(description="Lyria RealTime: instrumental, exact length")] = None,
    wait_seconds: WaitSeconds = jobs.WAIT,
    reuse: Reuse = True,
    dry_run: Annotated[bool, Field(description="cost only")] = False,
    model: ModelName = None,
) -> Sound:
    """Compose a song (minutes, with vocals unless the prompt says instrumental) or a clip of 30 s as MP3; or play live
    music of exactly `seconds`, changed on the way by steps, as WAV. Arguments marked live make it live. Songs and clips
    are billed each; no price is known of live music.
    """
    sound = music_request.config(bpm, scale, density, brightness, guidance)
    named = model_id(model) if model else None
    music = Music(prompt, prompts or (), seconds, sound, steps or (), live, named)
    music.check(image=image is not None)
    catalogue = call.runtime.catalogue
    chosen = music.chosen(catalogue.default("music"))
    facts = catalogue.get(chosen)
    if facts is not None and "music" not in facts.capabilities:
        raise ArgumentError(f"{chosen} makes no music.", "Leave the model out.")
    check_served(call, chosen)
    warnings = music.warnings(chosen)
    estimate = None if music.is_live else catalogue.cost(chosen, on=call.runtime.today(), songs=1)[0]
    async with media.opened([image] if image else [], call, upload=not dry_run) as opened:
        music_request.check_picture(opened)
        if dry_run:
            return Sound.estimated(chosen, estimate, warnings)
        # The job goes on when this call, and the files that it opened, are gone.
        pictures = await identity.held(opened)
        digests = await identity.of_parts(opened)
    body = music.performance(chosen) if music.is_live else music.interaction(chosen, pictures)
    words = (music.performance(chosen) if music.is_live else music.interaction(chosen, [])).model_dump_json()
    work = "realtime_music" if music.is_live else "interaction_now"
    plan = Plan(
        KIND, "compose_music", work, chosen,
        identity=[words, *digests], estimate=estimate,
        wish={"prompt": music.words[:PROMPT], "sources": ["attachments"] if image else []},
    )  # fmt: skip
    begun = await jobs.begin(call, plan, body=body, reuse=reuse)
    job = await jobs.wait(call, begun.job, wait_seconds)
    return await finish(call, job, [*warnings, *jobs.reused(begun)])
