"""What a model puts out, and the `response_format` that was asked for.

Source: `ResponseFormat` of the Interactions API reference. An object without `type` is taken as the format that the
model puts out ("optional" in the video guide); an older request may give a bare JSON schema with `response_mime_type`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from .interaction_errors import InteractionError, refused
from .interaction_schema import check_union
from .models import ModelCard
from .wire import Object, is_list, is_object

Kind: TypeAlias = Literal["text", "image", "speech", "music", "video"]

_ALLOWED: dict[Kind, tuple[str, ...]] = {
    "text": ("text",),
    "image": ("image", "text"),
    "speech": ("audio",),
    "music": ("audio", "text"),
    "video": ("video",),
}
_TYPES = ("text", "image", "audio", "video")


def kind_of(card: ModelCard) -> Kind:
    """What a model puts out.

    Raises:
        InteractionError: 404 for a model that cannot be interacted with.
    """
    if "createInteraction" in card.methods:
        return "video" if card.modalities == ("VIDEO",) else "music"
    if "generateContent" not in card.methods:
        message = f"models/{card.id} is not found, or is not supported for interactions."
        raise InteractionError(404, "model_not_found", message)
    if "IMAGE" in card.modalities:
        return "image"
    return "speech" if card.modalities == ("AUDIO",) else "text"


def formats_of(body: Object, card: ModelCard, kind: Kind) -> dict[str, Object]:
    """The formats that were asked for, by type; none when it is left to the model.

    Raises:
        InteractionError: 400 for a format that the model does not put out.
    """
    given: object = body.get("response_format", [])
    items: list[Object] = given if is_list(given) else [given] if is_object(given) else []
    formats: dict[str, Object] = {}
    for index, item in enumerate(items):
        place = f"response_format[{index}]" if is_list(given) else "response_format"
        one = check_union("ResponseFormat", _typed(item, body, kind), place)
        if one["type"] not in _ALLOWED[kind]:
            raise refused(f"The model models/{card.id} does not support the response format '{one['type']}'.")
        if one["type"] in formats:
            raise refused(f"The response format '{one['type']}' is given more than once.")
        formats[one["type"]] = one
    for name in body.get("response_modalities", []):
        if name not in _ALLOWED[kind]:
            raise refused(f"The model models/{card.id} does not support the response modality '{name}'.")
        formats.setdefault(name, {"type": name})
    if not formats and "response_mime_type" in body:
        formats["text"] = check_union(
            "ResponseFormat", {"type": "text", "mime_type": body["response_mime_type"]}, "response_mime_type"
        )
    return formats


def _typed(item: Object, body: Object, kind: Kind) -> Object:
    if item.get("type") in _TYPES:
        return item
    if kind == "text" and body.get("response_mime_type") == "application/json":
        return {"type": "text", "mime_type": "application/json", "schema": item}
    return item if "type" in item else {"type": _ALLOWED[kind][0], **item}
