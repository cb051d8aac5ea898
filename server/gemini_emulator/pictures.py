"""The pictures of an answer: drawn from the prompt, or edited from what came before."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TypeAlias

from .image_rules import nearest_ratio, sizes_of, wanted
from .media import image_size, modality
from .media_output import draw, size_of_picture
from .prompt import Prompt
from .wire import Object

Publish: TypeAlias = Callable[[bytes, str], Object]
_SKETCH = "{} (a pencil sketch)"


def pictures(prompt: Prompt, publish: Publish | None, *, sketched: bool) -> tuple[list[Object], int]:
    """The parts of a picture, a sketch of it before where thoughts are shown, and the tokens of the picture.

    Args:
        prompt: the request.
        publish: makes a file of the picture when it is to be delivered as a URI.
        sketched: whether a thought comes before the picture.
    """
    ratio, size, mime = wanted(prompt.config)
    references = references_of(prompt)
    if ratio is None and references and (sides := image_size(references[0])) != (0, 0):
        ratio = nearest_ratio(*sides, prompt.card)
    width, height = size_of_picture(ratio, size)
    parts: list[Object] = []
    if sketched:
        sketch = draw(_SKETCH.format(prompt.text), width // 2, height // 2, references=references)
        parts.append({"inlineData": _inline(sketch, "image/png"), "thought": True})
    data = draw(prompt.text, width, height, mime_type=mime, references=references)
    delivery = prompt.config.get("responseFormat", {}).get("image", {}).get("delivery")
    parts.append(delivered(data, mime, publish if delivery == "URI" else None))
    return parts, tokens(prompt)


def tokens(prompt: Prompt) -> int:
    """What a picture of the size that is asked for costs."""
    return sizes_of(prompt.card)[wanted(prompt.config)[1] or "1K"]


def references_of(prompt: Prompt) -> list[bytes]:
    """The pictures to start from: the last one that the model drew, then those of the question."""
    drawn = [
        part
        for turn in prompt.turns
        if turn["role"] == "model"
        for part in turn["parts"]
        if _is_picture(part) and not part.get("thought")
    ]
    attached = [part for part in prompt.question["parts"] if _is_picture(part)]
    return [base64.b64decode(part["inlineData"]["data"]) for part in (*drawn[-1:], *attached)]


def delivered(data: bytes, mime: str, publish: Publish | None) -> Object:
    """A part with the data in it, or with the address of a file of them."""
    if publish is None:
        return {"inlineData": _inline(data, mime)}
    return {"fileData": {"mimeType": mime, "fileUri": publish(data, mime)["downloadUri"]}}


def _is_picture(part: Object) -> bool:
    return modality(part.get("inlineData", {}).get("mimeType", "")) == "IMAGE"


def _inline(data: bytes, mime: str) -> Object:
    return {"mimeType": mime, "data": base64.b64encode(data).decode()}
