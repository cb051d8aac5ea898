"""The voices that come with Gemini, how a voice is named in a request, and the resource `voices`.

Voices that were designed, replicated or found in the voice library go by an id (`voice_…`), replicated ones that Google
does not keep by a key (`voicekey_…`). Source: "Voice options" of the speech generation guide (ai.google.dev), whose
words are Google's, and the schemas VoiceInput, VoiceOutput and CreateVoiceRequest of the Interactions API, November
2026.
"""

from __future__ import annotations

import difflib
import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gemini_server.api.config import PrebuiltVoiceConfig, VoiceConfig
from gemini_server.api.interaction_wire import DISCLOSED, Read, Told
from gemini_server.api.interactions import Usage
from gemini_server.rest.body import InlineMedia
from gemini_server.rest.endpoint import Empty, Endpoint

DEFAULT = "Kore"

PREBUILT = {
    "Zephyr": "bright", "Puck": "upbeat", "Charon": "informative", "Kore": "firm", "Fenrir": "excitable",
    "Leda": "youthful", "Orus": "firm", "Aoede": "breezy", "Callirrhoe": "easy-going", "Autonoe": "bright",
    "Enceladus": "breathy", "Iapetus": "clear", "Umbriel": "easy-going", "Algieba": "smooth", "Despina": "smooth",
    "Erinome": "clear", "Algenib": "gravelly", "Rasalgethi": "informative", "Laomedeia": "upbeat",
    "Achernar": "soft", "Alnilam": "firm", "Schedar": "even", "Gacrux": "mature", "Pulcherrima": "forward",
    "Achird": "friendly", "Zubenelgenubi": "casual", "Vindemiatrix": "gentle", "Sadachbia": "lively",
    "Sadaltager": "knowledgeable", "Sulafat": "warm",
}  # fmt: skip
"""Each voice and its character."""

_BY_LOWER = {name.lower(): name for name in PREBUILT}
_ID = re.compile(r"(?:voices/)?([A-Za-z0-9][A-Za-z0-9_.\-]{0,4095})", re.ASCII)


def config(named: str) -> VoiceConfig | None:
    """A voice as a request names it; None where it is neither one of these nor an id."""
    known = _BY_LOWER.get(named.strip().removeprefix("voices/").lower())
    if known is not None:
        return VoiceConfig(prebuilt_voice_config=PrebuiltVoiceConfig(voice_name=known))
    found = _ID.fullmatch(named.strip())
    # An id has something that no name has; a mere word is a name that was mistaken.
    if found and (named.startswith("voices/") or not found[1].isalpha()):
        return VoiceConfig(voice=found[1])
    return None


def nearest(named: str) -> list[str]:
    """Voices that were perhaps meant: by their name, or by their character."""
    word = named.strip().lower()
    close = [_BY_LOWER[name] for name in difflib.get_close_matches(word, _BY_LOWER, n=3, cutoff=0.5)]
    alike = [name for name, character in PREBUILT.items() if word and word in character]
    return [*close, *(name for name in alike if name not in close)][:5]


class AudioData(Told):
    """Sound inside a request."""

    data: InlineMedia | str
    mime_type: str


class PromptedVoice(Told):
    """A voice that is designed from words."""

    input: str
    base_voice: str | None = None


class ReplicatedVoice(Told):
    """A voice that is made like that of a recording, whose speaker says in another that he agrees."""

    source_audio: AudioData
    consent_audio: AudioData


class VoiceInput(Told):
    """A voice that is wanted."""

    type: Literal["replicated", "prompted"]
    prompted: PromptedVoice | None = None
    replicated: ReplicatedVoice | None = None
    display_name: str | None = None
    description: str | None = None
    language_code: str | None = None
    region_code: str | None = None
    accent: str | None = None
    gender: str | None = None
    persona: str | None = None
    context: str | None = None
    pitch: Literal["low", "medium", "high"] | None = None
    model: str | None = None


class CreateVoice(Told):
    """A voice that is wanted, and whether Google keeps it (a year after its last use)."""

    voice: VoiceInput
    store: bool | None = None


class SampleAudio(Read):
    """How it sounds, base64."""

    data: str | None = Field(None, repr=False)
    mime_type: str | None = None


class DesignedBy(Read):
    """The words that a voice was designed from."""

    input: str | None = None
    base_voice: str | None = None


class Voice(Read):
    """A voice as Google has it; `type` is prebuilt, prompted or replicated."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"id", "key"})

    id: str | None = None
    type: str | None = None
    display_name: str | None = None
    description: str | None = None
    language_code: str | None = None
    region_code: str | None = None
    accent: str | None = None
    gender: str | None = None
    persona: str | None = None
    context: str | None = None
    pitch: str | None = None
    model: str | None = None
    prompted: DesignedBy | None = None
    expire_time: str | None = None
    # A key is the voice itself, and is all that its owner has of it.
    key: Annotated[str | None, DISCLOSED] = Field(None, repr=False)
    sample_audio: SampleAudio | None = Field(None, exclude=True)
    usage: Usage | None = Field(None, exclude=True)


class ListVoicesResponse(Read):
    """A page of voices."""

    voices: list[Voice] | None = None
    next_page_token: str | None = None


class VoiceFilter(Told):
    """What voices of a list have in common: one of the values of each member that is given."""

    type: list[Literal["prebuilt", "prompted", "replicated"]] | None = Field(None, description="how they came to be")
    search: str | None = Field(None, description="words of name or description")
    language_code: list[str] | None = Field(None, description="BCP 47, e.g. en-GB")
    region_code: list[str] | None = Field(None, description="e.g. GB")
    accent: list[str] | None = Field(None, description="e.g. British")
    gender: list[str] | None = Field(None, description="female, male, neutral")
    persona: list[str] | None = Field(None, description="e.g. Narrator")
    context: list[str] | None = Field(None, description="e.g. Audiobook")
    pitch: list[Literal["low", "medium", "high"]] | None = Field(None, description="of the voice")


# Designing and replicating are billed, and a second create would be a second voice.
CREATE = Endpoint("POST", "{version}/voices", Voice, repeat="background", family="interactions")
LIST = Endpoint(
    "GET",
    "{version}/voices",
    ListVoicesResponse,
    query=("page_size", "page_token", *VoiceFilter.model_fields),
    family="interactions",
)
GET = Endpoint("GET", "{version}/voices/{id}", Voice, family="interactions")
DELETE = Endpoint("DELETE", "{version}/voices/{id}", Empty, family="interactions")
