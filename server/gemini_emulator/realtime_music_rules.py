"""What Lyria RealTime is told: prompts with weights, the configuration, playback; checked.

Source: the Live Music API reference of the Gemini API, and the guide to real-time music generation.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ApiError, invalid
from .schema import camel
from .wire import Object, dump, is_list, is_object

SCALES = (
    "C_MAJOR_A_MINOR", "D_FLAT_MAJOR_B_FLAT_MINOR", "D_MAJOR_B_MINOR", "E_FLAT_MAJOR_C_MINOR",
    "E_MAJOR_D_FLAT_MINOR", "F_MAJOR_D_MINOR", "G_FLAT_MAJOR_E_FLAT_MINOR", "G_MAJOR_E_MINOR",
    "A_FLAT_MAJOR_F_MINOR", "A_MAJOR_G_FLAT_MINOR", "B_FLAT_MAJOR_G_MINOR", "B_MAJOR_A_FLAT_MINOR",
)  # fmt: skip
"""The keys, from C upwards by semitones."""

CONTROLS = ("PLAY", "PAUSE", "STOP", "RESET_CONTEXT")
_MODES = ("QUALITY", "DIVERSITY", "VOCALIZATION")
_RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0, 3), "topK": (1, 1000), "seed": (-(2**31), 2**31 - 1), "guidance": (0, 6), "bpm": (60, 200),
    "density": (0, 1), "brightness": (0, 1),
}  # fmt: skip
_WHOLE = ("topK", "seed", "bpm")
_SWITCHES = ("muteBass", "muteDrums", "onlyBassAndDrums")
_ENUMS = {"scale": SCALES, "musicGenerationMode": _MODES}


@dataclass(frozen=True)
class Prompt:
    """A prompt and its share of the music, in whole percent of all weights."""

    text: str
    weight: float


def prompts_of(content: object) -> list[Prompt]:
    """The prompts of a `clientContent`.

    Raises:
        ApiError: 400 for what is no list of prompts with weights.
    """
    if not is_object(content):
        raise _mistyped("client_content", content)
    _known(content, ("weightedPrompts",), "client_content")
    items: object = next(iter(content.values()), None)
    if not is_list(items) or not items:
        raise invalid("client_content.weighted_prompts is required and must not be empty.")
    return [_prompt(item, f"client_content.weighted_prompts[{index}]") for index, item in enumerate(items)]


def _prompt(item: object, place: str) -> Prompt:
    if not is_object(item):
        raise _mistyped(place, item)
    _known(item, ("text", "weight"), place)
    text: object = item.get("text")
    weight: object = item.get("weight", 0)
    if not isinstance(text, str) or not text:
        raise invalid(f"{place}.text is required.")
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise _mistyped(f"{place}.weight", weight)
    if weight == 0:
        raise invalid(f"{place}.weight must not be 0.")
    return Prompt(text, float(weight))


def config_of(given: object) -> Object:
    """A `musicGenerationConfig`, in camelCase and without what is unspecified.

    Raises:
        ApiError: 400 for an unknown field, a wrong type, or a value out of its range.
    """
    if not is_object(given):
        raise _mistyped("music_generation_config", given)
    _known(given, (*_RANGES, *_SWITCHES, *_ENUMS), "music_generation_config")
    config: Object = {}
    for key, value in given.items():
        name, place = camel(key), f"music_generation_config.{key}"
        if value is None or (isinstance(value, str) and value.endswith("_UNSPECIFIED")):
            continue
        if name in _RANGES:
            _number(name, value, place)
        elif name in _SWITCHES:
            if not isinstance(value, bool):
                raise _mistyped(place, value)
        elif value not in _ENUMS[name]:
            raise _mistyped(place, value)
        config[name] = value
    return config


def _number(name: str, value: object, place: str) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole and (name in _WHOLE or not isinstance(value, float)):
        raise _mistyped(place, value)
    low, high = _RANGES[name]
    if isinstance(value, int | float) and not low <= value <= high:
        raise invalid(f"{place} must be in the range [{low:g}, {high:g}].")


def control_of(given: object) -> str:
    """A `playbackControl`.

    Raises:
        ApiError: 400 for another value.
    """
    if not isinstance(given, str) or given not in CONTROLS:
        raise _mistyped("playback_control", given)
    return given


def _known(given: Object, names: tuple[str, ...], place: str) -> None:
    for key in given:
        if camel(key) not in names:
            raise invalid(f"Invalid JSON payload received. Unknown name \"{key}\" at '{place}': Cannot find field.")


def _mistyped(place: str, value: object) -> ApiError:
    return invalid(f"Invalid value at '{place}', {dump(value)[:80]}")
