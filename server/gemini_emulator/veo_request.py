"""A request to Veo: what it asks for, and what Veo refuses. Source: the Veo guide of mid-2026."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import invalid
from .free_json import (
    PEOPLE,
    SEE,
    Check,
    among,
    as_object,
    checked,
    decoded,
    flag,
    instance_of,
    list_of,
    number,
    object_of,
    parameters_of,
    text,
    unsupported,
    word,
    wrong,
)
from .models import ModelCard
from .wire import Object

_INPUT_PICTURES = frozenset({"image/png", "image/jpeg", "image/webp"})
_MOST = 4
_MOST_REFERENCES = 3
_LONG = 8
_FILE = re.compile(r"/files/([^/:?#]+)")


@dataclass(frozen=True)
class FilmOrder:
    """What Veo is asked for.

    Args:
        prompt: what the film shows.
        count: how many films.
        aspect_ratio: `16:9` or `9:16`.
        resolution: `720p`, `1080p` or `4k`.
        seconds: of each film.
        first: the picture that it begins with.
        last: the picture that it ends with.
        references: pictures of what is in it.
        video: the video that it extends.
        files: the generated files that it builds on, by name.
    """

    prompt: str
    count: int
    aspect_ratio: str
    resolution: str
    seconds: int
    first: bytes | None = None
    last: bytes | None = None
    references: tuple[bytes, ...] = ()
    video: bytes | None = None
    files: tuple[str, ...] = ()


def film_order(request: Object, card: ModelCard) -> FilmOrder:
    """Read a request to Veo.

    Raises:
        ApiError: 400 for what it does not take.
    """
    instance = instance_of(
        request,
        {"prompt": text, "image": object_of, "lastFrame": object_of, "referenceImages": list_of, "video": object_of},
    )
    given = _film_parameters(request, card)
    for name in ("lastFrame", "referenceImages", "video"):
        if name in instance and not card.id.startswith("veo-3.1"):
            raise unsupported(name)
    references = _references(instance.get("referenceImages", []), card)
    first, last = (_picture(instance[name], name) if name in instance else None for name in ("image", "lastFrame"))
    if last and not first:
        raise invalid(f"`lastFrame` needs an `image` to begin with. {SEE}")
    if references and (first or "video" in instance):
        raise invalid(f"`referenceImages` cannot be combined with `image`, `lastFrame` or `video`. {SEE}")
    if "video" in instance and first:
        raise invalid(f"`video` cannot be combined with `image`. {SEE}")
    if not instance.get("prompt") and not first and "video" not in instance:
        raise invalid("A text prompt is required: `prompt` must not be empty.")
    order = FilmOrder(
        instance.get("prompt", ""),
        given.get("sampleCount", 1),
        given.get("aspectRatio", "16:9"),
        given.get("resolution", "720p"),
        given.get("durationSeconds", _LONG),
        first,
        last,
        references,
        *_video(instance.get("video")),
    )
    _lengths(order, "video" in instance)
    return order


def _film_parameters(request: Object, card: ModelCard) -> Object:
    second = card.id.startswith("veo-2")
    resolutions = {"720p"} if second else {"720p", "1080p"}
    if card.id.startswith("veo-3.1") and "lite" not in card.id:
        resolutions.add("4k")
    known: dict[str, Check] = {
        "sampleCount": among(range(1, _MOST + 1)), "aspectRatio": among({"16:9", "9:16"}),
        "durationSeconds": among({5, 6, 7, 8} if second else {4, 6, 8}), "personGeneration": word(PEOPLE),
        "negativePrompt": text, "enhancePrompt": flag, "seed": number,
    }  # fmt: skip
    if not second:
        known["resolution"] = among(resolutions)
    return checked(parameters_of(request), known)


def _lengths(order: FilmOrder, extended: bool) -> None:
    """What only films of eight seconds may be."""
    for asked, what in (
        (order.resolution in ("1080p", "4k"), f"`resolution` {order.resolution}"),
        (bool(order.references), "`referenceImages`"),
        (extended, "`video`"),
    ):
        if asked and order.seconds != _LONG:
            raise invalid(f"{what} needs a `durationSeconds` of {_LONG}, not {order.seconds}. {SEE}")
    if extended and order.resolution != "720p":
        raise wrong("resolution", order.resolution)


def _references(items: list[object], card: ModelCard) -> tuple[bytes, ...]:
    if items and "lite" in card.id:
        raise unsupported("referenceImages")
    if len(items) > _MOST_REFERENCES:
        raise invalid(f"`referenceImages` takes at most {_MOST_REFERENCES} images, not {len(items)}. {SEE}")
    pictures: list[bytes] = []
    for item in items:
        one = checked(as_object("referenceImages", item), {"image": object_of, "referenceType": word({"asset"})})
        if "image" not in one or "referenceType" not in one:
            raise invalid("Each of `referenceImages` needs an `image` and a `referenceType`.")
        pictures.append(_picture(one["image"], "referenceImages"))
    return tuple(pictures)


def _picture(value: Object, name: str) -> bytes:
    one = checked(value, {"bytesBase64Encoded": text, "mimeType": among(_INPUT_PICTURES)})
    if not one.get("bytesBase64Encoded") or "mimeType" not in one:
        raise invalid(f"`{name}` needs `bytesBase64Encoded` and `mimeType`.")
    return decoded(one["bytesBase64Encoded"], name)


def _video(value: Object | None) -> tuple[bytes | None, tuple[str, ...]]:
    """The video to extend: its bytes, or the generated file that it is in."""
    if value is None:
        return None, ()
    one = checked(value, {"uri": text, "encodedVideo": text, "encoding": text, "gcsUri": text})
    if "uri" in one:
        found = _FILE.search(one["uri"])
        if not found:
            raise invalid(f"`video.uri` must be that of a generated video, not {one['uri']}.")
        return None, (f"files/{found[1]}",)
    if not one.get("encodedVideo"):
        raise invalid("`video` needs a `uri`, or an `encodedVideo` with its `encoding`.")
    return decoded(one["encodedVideo"], "video"), ()
