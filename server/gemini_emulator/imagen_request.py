"""A request to Imagen: what it asks for, and what Imagen refuses. Source: the Imagen guide of mid-2026."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import invalid
from .free_json import (
    PEOPLE,
    among,
    checked,
    flag,
    instance_of,
    number,
    object_of,
    parameters_of,
    text,
    unsupported,
    word,
)
from .models import ModelCard
from .wire import Object

_RATIOS = frozenset({"1:1", "3:4", "4:3", "9:16", "16:9"})
_FILTERS = frozenset({"block_low_and_above", "block_medium_and_above", "block_only_high", "block_none"})
_LANGUAGES = frozenset({"auto", "en", "ja", "ko", "hi", "zh", "pt", "es"})
_PICTURES = frozenset({"image/png", "image/jpeg"})
_MOST = 4


@dataclass(frozen=True)
class PictureOrder:
    """What Imagen is asked for.

    Args:
        prompt: what to draw.
        count: how many pictures.
        aspect_ratio: one of five.
        size: `1K` or `2K`.
        mime_type: `image/png` or `image/jpeg`.
        quality: of a JPEG, from 0 to 100.
        reasons: whether the pictures that are held back are answered with a reason, instead of being left out.
        attributes: whether ratings of safety are wanted.
    """

    prompt: str
    count: int
    aspect_ratio: str
    size: str
    mime_type: str
    quality: int
    reasons: bool
    attributes: bool


def picture_order(request: Object, card: ModelCard) -> PictureOrder:
    """Read a request to Imagen.

    Raises:
        ApiError: 400 for what it does not take.
    """
    instance = instance_of(request, {"prompt": text})
    sizes = {"1K"} if "fast" in card.id else {"1K", "2K"}
    given = checked(
        parameters_of(request),
        {
            "sampleCount": among(range(1, _MOST + 1)), "aspectRatio": among(_RATIOS),
            "sampleImageSize": among(sizes), "imageSize": among(sizes), "personGeneration": word(PEOPLE),
            "safetySetting": word(_FILTERS), "language": word(_LANGUAGES), "guidanceScale": number,
            "includeRaiReason": flag, "includeSafetyAttributes": flag, "outputOptions": object_of,
        },
    )  # fmt: skip
    output = checked(
        given.get("outputOptions", {}), {"mimeType": among(_PICTURES), "compressionQuality": among(range(101))}
    )
    mime: str = output.get("mimeType", "image/png")
    if "compressionQuality" in output and mime != "image/jpeg":
        raise unsupported("compressionQuality")
    if not instance.get("prompt"):
        raise invalid("A text prompt is required: `prompt` must not be empty.")
    size: str = given.get("sampleImageSize") or given.get("imageSize") or "1K"
    return PictureOrder(
        instance["prompt"],
        given.get("sampleCount", _MOST),
        given.get("aspectRatio", "1:1"),
        size,
        mime,
        output.get("compressionQuality", 75),
        given.get("includeRaiReason", False),
        given.get("includeSafetyAttributes", False),
    )
