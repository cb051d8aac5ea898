"""The prebuilt voices as resources of `voices`.

Source: "Voice options" of the speech generation guide for the names and what they are like, `Voice` in the schema of
the official SDK for the fields. Which accent and context the service gives each of them is not documented.
"""

from __future__ import annotations

from .voices import PREBUILT, is_deep, pitch_of
from .wire import Object

_PERSONAS = (
    "Bright", "Upbeat", "Informative", "Firm", "Excitable", "Youthful", "Firm", "Breezy", "Easy-going", "Bright",
    "Breathy", "Clear", "Easy-going", "Smooth", "Smooth", "Clear", "Gravelly", "Informative", "Upbeat", "Soft", "Firm",
    "Even", "Mature", "Forward", "Friendly", "Casual", "Gentle", "Lively", "Knowledgeable", "Warm",
)  # fmt: skip
_CONTEXTS = {
    "Informative": "News", "Firm": "News", "Clear": "Education", "Knowledgeable": "Education", "Even": "Education",
    "Mature": "Audiobook", "Smooth": "Audiobook", "Warm": "Audiobook", "Gravelly": "Audiobook", "Gentle": "Audiobook",
    "Upbeat": "Commercial", "Bright": "Commercial", "Forward": "Commercial", "Lively": "Commercial",
    "Excitable": "Commercial",
}  # fmt: skip
_USUAL_CONTEXT = "Conversational"
_BRITISH = frozenset({"Algieba", "Despina", "Gacrux", "Rasalgethi", "Sadaltager", "Schedar"})
_AMERICAN = {"accent": "American", "language_code": "en-US", "region_code": "US"}
_ENGLISH = {"accent": "British", "language_code": "en-GB", "region_code": "GB"}
_LOW, _HIGH = 135, 215


def pitch_name(hertz: int) -> str:
    """The pitch in the words of the API."""
    return "low" if hertz < _LOW else "high" if hertz > _HIGH else "medium"


def _resource(name: str, persona: str) -> Object:
    gender = "male" if is_deep(name) else "female"
    pitch = pitch_name(pitch_of(name))
    return {
        "id": name,
        "type": "prebuilt",
        "display_name": name,
        "description": f"{persona} {gender} voice with a {pitch} pitch.",
        "gender": gender,
        "pitch": pitch,
        "persona": persona,
        "context": _CONTEXTS.get(persona, _USUAL_CONTEXT),
        **(_ENGLISH if name in _BRITISH else _AMERICAN),
    }


CATALOGUE: tuple[Object, ...] = tuple(
    _resource(name, persona) for name, persona in zip(PREBUILT, _PERSONAS, strict=True)
)
"""One resource for each prebuilt voice."""
