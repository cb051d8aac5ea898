"""Pictures that are made: what may be asked of a model, and what a caller is shown of what came."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple

import anyio.to_thread

from gemini_server.api.catalogue import Catalogue
from gemini_server.api.content import Part
from gemini_server.errors import ArgumentError, ToolserverError
from gemini_server.toolkit import preview
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.clips import type_of
from gemini_server.toolkit.exchange import PICTURE_LIMIT
from gemini_server.toolkit.results import ArtifactOut, Picture

Mode = Literal["none", "thumbnail", "full"]

PREVIEWS = 200 * 1024
"""Characters of base64 of all previews of a result together."""
LARGEST = 128 * 1024 * 1024
"""Bytes of a picture that is looked at here."""

_RATIO = re.compile(r"[1-9]\d{0,2}:[1-9]\d{0,2}")
_SIZE = re.compile(r"\d{3,4}|\d{1,2}K")
_QUALITIES = (70, 50, 30)


class Shape(NamedTuple):
    """Aspect ratio and size as Gemini takes them; None leaves them to the model."""

    aspect_ratio: str | None
    size: str | None


def is_imagen(model: str) -> bool:
    """Whether a model is asked through `predict`."""
    return model.rpartition("/")[2].startswith("imagen")


def check_model(catalogue: Catalogue, model: str) -> None:
    """Refuse a model that is known to make no pictures.

    Raises:
        ArgumentError: naming those that do.
    """
    facts = catalogue.get(model)
    if facts is not None and "image" not in facts.capabilities:
        raise ArgumentError(f"{model} makes no pictures.", f"Use {catalogue.default('image')}, or leave the model out.")


def shape_of(catalogue: Catalogue, model: str, on: date, aspect_ratio: str | None, size: str | None) -> Shape:
    """What is wanted, in Gemini's spelling.

    Raises:
        ArgumentError: the model does not make it; the message lists what it makes.
    """
    rules = catalogue.family(catalogue.answering(model, on))
    ratio = (aspect_ratio or "").strip().lower().replace("x", ":").replace("/", ":") or None
    large = (size or "").strip().upper().removesuffix("PX") or None
    if ratio and not (ratio in rules.aspect_ratios if rules.aspect_ratios else _RATIO.fullmatch(ratio)):
        known = ", ".join(rules.aspect_ratios) or "a ratio such as 16:9"
        raise ArgumentError(f"{model} does not take the aspect_ratio {ratio[:20]!r}.", f"It takes {known}.")
    if large and not (large in rules.image_sizes if rules.image_sizes else _SIZE.fullmatch(large)):
        known = ", ".join(rules.image_sizes) or "a size such as 1K"
        raise ArgumentError(f"{model} does not make the size {large[:20]!r}.", f"It makes {known}.")
    # Models of one size know no parameter for it.
    return Shape(ratio, None if large in rules.image_sizes and len(rules.image_sizes) == 1 else large)


def check_references(catalogue: Catalogue, model: str, parts: Sequence[Part]) -> None:
    """Refuse what a model is known not to look at, as far as its type is known here.

    Raises:
        ArgumentError: naming what it takes.
    """
    facts = catalogue.get(model)
    taken = facts.inputs if facts is not None and facts.inputs else ("image", "video", "pdf")
    for part in parts:
        family, _, kind = type_of(part).partition("/")
        if family and family not in taken and kind not in taken:
            raise ArgumentError(
                f"{model} takes no {type_of(part)} as a reference.",
                f"It takes: {', '.join(name for name in taken if name != 'text')}.",
            )


async def beside(call: Call, found: Sequence[ArtifactOut], mode: Mode) -> tuple[list[Picture], list[str]]:
    """Pictures to show beside a result, and what could not be shown.

    Args:
        call: the call that is answered.
        found: the pictures.
        mode: small copies, or the pictures themselves where these fit.
    """
    shown: list[Picture] = []
    warnings: list[str] = []
    room = PICTURE_LIMIT - (PREVIEWS if len(found) > 1 else 0)
    small: list[preview.Preview] = []
    for artifact in found if mode != "none" else ():
        if not artifact.mime_type.startswith("image/") or artifact.bytes > LARGEST:
            warnings.append(f"{artifact.id} is not shown: {artifact.mime_type}, {artifact.bytes} bytes.")
            continue
        try:
            kept = await call.runtime.artifacts.get(call.principal, artifact.id)
            data = await call.runtime.artifacts.read(kept, limit=LARGEST)
        except ToolserverError as error:
            warnings.append(f"{artifact.id} is not shown: {error.what}")
            continue
        copy = await preview.preview(data)
        if copy is None:  # nor shown whole: a client that cannot decode it may refuse the whole result
            warnings.append(f"{artifact.id} cannot be shown: it is broken, or has too many pixels.")
            continue
        length = (len(data) + 2) // 3 * 4
        if mode == "full" and length <= room:
            room -= length
            text = await anyio.to_thread.run_sync(base64.b64encode, data)
            shown.append(Picture(artifact.mime_type, text.decode("ascii")))
            continue
        if mode == "full":
            warnings.append(f"{artifact.id} is too large to be shown whole ({len(data)} bytes): this is a small copy.")
        small.append(copy)
    most = PREVIEWS // 4 * 3
    each = most if sum(len(copy.data) for copy in small) <= most else most // len(small)
    for copy in small:
        data = copy.data if len(copy.data) <= each else await anyio.to_thread.run_sync(_smaller, copy.data, each)
        if data:
            shown.append(Picture(copy.mime_type, base64.b64encode(data).decode("ascii")))
    return shown, warnings


def _smaller(data: bytes, limit: int) -> bytes:
    """A small copy made smaller still; empty where that does not work."""
    picture = preview.decoded(data)
    while picture is not None and max(picture.size) >= 16:
        for quality in _QUALITIES:
            buffer = io.BytesIO()
            picture.save(buffer, "WEBP", quality=quality, method=4)
            if buffer.tell() <= limit:
                return buffer.getvalue()
        picture = picture.reduce(2)
    return b""
