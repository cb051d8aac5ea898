"""Which pictures the image models make: aspect ratios, sizes, and what each costs in tokens.

Source: "Aspect ratios and image size" of the image generation guide, and the prices of a picture over those of a token.
"""

from __future__ import annotations

from .media_output import ASPECT_RATIOS
from .models import ModelCard
from .wire import Object

MOST_REFERENCES = 14
_WIDE = frozenset({"1:4", "4:1", "1:8", "8:1"})
_RATIO_NAMES = {
    "ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5, "EIGHT": 8, "NINE": 9, "SIXTEEN": 16, "TWENTY_ONE": 21
}  # fmt: skip
_SIZE_NAMES = {"FIVE_TWELVE": "512", "ONE_K": "1K", "TWO_K": "2K", "FOUR_K": "4K"}


def ratios_of(card: ModelCard) -> tuple[str, ...]:
    """The aspect ratios of a model; the very long ones came with 3.1 Flash Image."""
    return tuple(ratio for ratio in ASPECT_RATIOS if card.generation >= 3.1 or ratio not in _WIDE)


def sizes_of(card: ModelCard) -> dict[str, int]:
    """The sizes of a model, and the tokens of a picture of each."""
    if card.generation < 3:
        return {"1K": 1290}
    if "lite" in card.id:
        return {"1K": 1120}
    if "pro" in card.id:
        return {"1K": 1120, "2K": 1120, "4K": 2000}
    if "nano-banana" in card.id:
        return {"1K": 1120, "2K": 1680, "4K": 3760}
    return {"512": 747, "1K": 1120, "2K": 1680, "4K": 2520}


def has_fixed_sampling(card: ModelCard) -> bool:
    """Whether a model refuses `temperature`, `topP`, `topK` and `seed`."""
    return "nano-banana" in card.id


def wanted(config: Object) -> tuple[str | None, str | None, str]:
    """Aspect ratio, size and MIME type that a `generationConfig` asks for, in either of its two spellings."""
    plain: Object = config.get("imageConfig", {})
    form: Object = config.get("responseFormat", {}).get("image", {})
    mime = "image/jpeg" if form.get("mimeType") == "IMAGE_JPEG" else "image/png"
    return (
        plain.get("aspectRatio") or _ratio(form.get("aspectRatio", "")),
        plain.get("imageSize") or _SIZE_NAMES.get(form.get("imageSize", "").removeprefix("IMAGE_SIZE_")),
        mime,
    )


def nearest_ratio(width: int, height: int, card: ModelCard) -> str:
    """The aspect ratio that comes closest to that of a picture."""

    def difference(ratio: str) -> float:
        own = ASPECT_RATIOS[ratio]
        one, other = own[0] * height, own[1] * width
        return max(one, other) / min(one, other)

    return min(ratios_of(card), key=difference)


def _ratio(name: str) -> str | None:
    """`ASPECT_RATIO_SIXTEEN_BY_NINE` as `16:9`."""
    across, _, down = name.removeprefix("ASPECT_RATIO_").partition("_BY_")
    return f"{_RATIO_NAMES[across]}:{_RATIO_NAMES[down]}" if down else None
