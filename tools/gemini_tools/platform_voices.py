"""Voices of one's own: designed from words, or made like that of a recording; and those that there are."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import anyio.to_thread
from pydantic import Field, WithJsonSchema

from gemini_server.api import voices as api
from gemini_server.api.content import Part
from gemini_server.api.interactions import Interaction
from gemini_server.api.voices import AudioData, CreateVoice, PromptedVoice, ReplicatedVoice, Voice, VoiceInput
from gemini_server.errors import ArgumentError, BadAnswer, MayHaveBeenBilled, Overloaded
from gemini_server.toolkit import media, owners
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.media_answer import decoded
from gemini_server.toolkit.generation.options import model_id, request_model
from gemini_server.toolkit.generation.run import book
from gemini_server.toolkit.interaction_spent import usage_of
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.resource_tools import Name, ResourceTools
from gemini_server.toolkit.resource_view import shown
from gemini_server.toolkit.results import ArtifactOut, Result, Usage
from gemini_server.toolkit.saved import saved
from gemini_server.toolkit.segments import is_language
from gemini_server.toolkit.served import check_served
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.wav import wrapped

TOOLSET = Toolset("platform", "Voices of your own.")

_VOICES = ResourceTools(TOOLSET, "voice", Voice, Name("id", "voices/*", "voice id"))
_SHOWN = ("id", "key", "type", "display_name", "language_code", "gender", "pitch", "model", "expire_time")

Text = Annotated[str | None, Field(description="for lists and filters")]


class VoiceResult(Result):
    """A voice that was made, and how it sounds."""

    voice: Annotated[
        dict[str, Any],
        WithJsonSchema({"type": "object", "properties": {name: {"type": "string"} for name in _SHOWN}}),
    ]
    artifacts: list[ArtifactOut] | None = None
    usage: Usage | None = None
    warnings: list[str] | None = None


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True)
async def create_voice(
    call: Call,
    prompt: Annotated[str | None, Field(description="design it: how it sounds, literal text")] = None,
    base_voice: Annotated[str | None, Field(description="voice that the design begins with")] = None,
    source_audio: Annotated[str | None, Field(description="replicate it: recording of the speaker (media)")] = None,
    consent_audio: Annotated[str | None, Field(description="the same speaker saying that he agrees (media)")] = None,
    display_name: Annotated[str | None, Field(description="label")] = None,
    language_code: Annotated[str | None, Field(description="BCP 47")] = None,
    description: Text = None,
    region_code: Text = None,
    accent: Text = None,
    gender: Text = None,
    persona: Text = None,
    context: Text = None,
    pitch: Annotated[Literal["low", "medium", "high"] | None, Field(description="for lists and filters")] = None,
    store: Annotated[
        bool, Field(description="false: a replicated voice comes as a key that Google does not keep")
    ] = True,
    model: ModelName = None,
) -> VoiceResult:
    """Make a voice for synthesize_speech: designed from a prompt, or replicated from a recording with its speaker's
    recorded consent. Billed by token. Returns the voice, whose id (or key) is the voice argument, and a sample as an
    artifact. A stored voice ends a year after its last use.
    """
    runtime = call.runtime
    _check(prompt, base_voice, source_audio, consent_audio, language_code, store=store)
    chosen = model_id(model or runtime.catalogue.default("speech"))
    check_served(call, chosen)
    await runtime.may_spend(call.principal)
    recordings = [source_audio, consent_audio] if source_audio and consent_audio else []
    async with media.opened(recordings, call) as parts, runtime.slot():
        voice = VoiceInput(
            type="replicated" if recordings else "prompted",
            prompted=None if recordings else PromptedVoice(input=prompt or "", base_voice=_bare(base_voice)),
            replicated=_replicated(parts) if recordings else None,
            display_name=display_name,
            description=description,
            language_code=language_code,
            region_code=region_code,
            accent=accent,
            gender=gender,
            persona=persona,
            context=context,
            pitch=pitch,
            model=request_model(chosen).removeprefix("models/") if model else None,
        )
        try:
            body = CreateVoice(voice=voice, store=store)
            made: Voice = (await runtime.client.call(api.CREATE, body=body, on_retry=call.progress.retry)).value
        except (Overloaded, MayHaveBeenBilled, BadAnswer) as error:
            error.remedy = "It may exist, and be billed: see list_voices before you create it again."
            raise
    await owners.claim(call, f"voices/{made.id or ''}")
    usage = None
    if made.usage is not None:
        billed = (made.model or chosen).removeprefix("models/")
        usage = usage_of(runtime, billed, Interaction(usage=made.usage))
        book(call, billed, usage)
    warnings: list[str] = []
    sample = await _sample(call, made, warnings)
    return VoiceResult(
        voice=shown(made), artifacts=[sample] if sample else None, usage=usage, warnings=warnings or None
    )


list_voices = _VOICES.listed(
    api.LIST,
    "List voices for synthesize_speech, those of this key's project first, then Google's; or show one. Several values "
    "of one filter are alternatives. Free. Returns voices.",
    get=api.GET,
    queries=api.VoiceFilter,
)
delete_voice = _VOICES.deleted(
    api.DELETE, "Delete a voice of this key's project for good; speech in it fails from then on. Free. Returns its id."
)


def _check(
    prompt: str | None,
    base_voice: str | None,
    source_audio: str | None,
    consent_audio: str | None,
    language_code: str | None,
    *,
    store: bool,
) -> None:
    """See that it is said in one way, and wholly.

    Raises:
        ArgumentError: it is not.
    """
    how = "Give prompt to design a voice, or source_audio and consent_audio to replicate one."
    designed = bool(prompt and prompt.strip())
    if designed and (source_audio or consent_audio):
        raise ArgumentError("A voice is designed or replicated, not both; nothing was sent.", how)
    if not designed and not (source_audio and consent_audio):
        what = "consent_audio is missing" if source_audio else "source_audio is missing" if consent_audio else None
        raise ArgumentError(f"{what or 'It is not said how the voice is to sound'}; nothing was sent.", how)
    if base_voice and not designed:
        raise ArgumentError("base_voice is for voices that are designed from a prompt; nothing was sent.", how)
    if base_voice and api.config(base_voice) is None:
        raise ArgumentError(f"There is no voice {base_voice[:40]!r}; nothing was sent.", "list_voices shows them.")
    if designed and not store:
        raise ArgumentError("A designed voice is always stored; nothing was sent.", "Leave store out.")
    if language_code is not None and not is_language(language_code):
        raise ArgumentError("language_code is no language tag.", "Give one such as de-DE, or leave it out.")


def _bare(voice: str | None) -> str | None:
    return voice.strip().removeprefix("voices/") if voice else None


def _replicated(parts: list[Part]) -> ReplicatedVoice:
    source, consent = (_audio(part, name) for part, name in zip(parts, ("source_audio", "consent_audio"), strict=True))
    return ReplicatedVoice(source_audio=source, consent_audio=consent)


def _audio(part: Part, name: str) -> AudioData:
    inline = part.inline_data
    if inline is None:
        raise ArgumentError(
            f"The bytes of {name} have to be here; nothing was created.",
            "Give a path, gemini://artifacts/ID or a data: URI of at most 70 MB.",
        )
    if not inline.mime_type.startswith("audio/"):
        raise ArgumentError(f"{name} is no sound but {inline.mime_type}; nothing was created.", "Give a recording.")
    return AudioData(data=inline.data, mime_type=inline.mime_type)


async def _sample(call: Call, made: Voice, warnings: list[str]) -> ArtifactOut | None:
    heard = made.sample_audio
    if heard is None or not heard.data:
        return None
    sound, mime_type = heard.data, heard.mime_type or ""
    data, _ = await anyio.to_thread.run_sync(lambda: wrapped(decoded(sound), mime_type))
    if not data:
        warnings.append("The sample that came with the voice is no valid base64; it is lost.")
        return None
    return await saved(call, "voice", data, warnings)
