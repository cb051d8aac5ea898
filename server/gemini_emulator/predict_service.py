"""Imagen over `:predict` and Veo over `:predictLongRunning`, for gateways that still serve them.

Without `Options.legacy_media` both answer 404, as the Developer API does since the models were shut down. Source: the
Imagen and Veo guides of the Gemini API as of mid-2026, and `PredictRequest` of its discovery document.
"""

from __future__ import annotations

import base64
from dataclasses import replace

from .exchange import Call, Reply, Route, Service
from .faults import Directive, without_directives
from .imagen_request import PictureOrder, picture_order
from .media import describe
from .media_output import draw, film
from .operations import USUAL_POLLS
from .schema import check
from .veo_request import FilmOrder, film_order
from .wire import Object

_SIZES = {"1:1": (1024, 1024), "3:4": (896, 1280), "4:3": (1280, 896), "9:16": (768, 1408), "16:9": (1408, 768)}
_BLOCKED_PICTURES = (
    "Unable to show generated images. All images were filtered out because they violated Gemini API's usage guidelines."
    " You will not be charged for blocked images. Try rephrasing the prompt. If you think this was an error, send "
    "feedback. Support codes: 42876398"
)
_BLOCKED_VIDEO = (
    "Sorry, we can't create videos that may violate Gemini API's usage guidelines. Try rephrasing the prompt. You will "
    "not be charged for blocked videos. Support codes: 58061214"
)
_RESPONSE = "type.googleapis.com/google.ai.generativelanguage.{}.PredictLongRunningResponse"
_FAILED = "Video generation failed due to an internal server issue. Please try again in a few minutes."
_CODES = {"CANCELLED": 1, "INVALID_ARGUMENT": 3, "DEADLINE_EXCEEDED": 4, "RESOURCE_EXHAUSTED": 8, "UNAVAILABLE": 14}
_ADDED_SECONDS = 7


def predict(service: Service, call: Call) -> Reply:
    """`models.predict`: pictures of Imagen."""
    card = service.catalogue.get(call.names["model"], call.version, "predict", legacy=service.options.legacy_media)
    order = picture_order(check("PredictRequest", call.body, call.version), card)
    directive = call.directive.merged(service.faults.from_prompt([order.prompt], call.path))
    return Reply(pictures(order, directive), directive=directive)


def predict_long_running(service: Service, call: Call) -> Reply:
    """`models.predictLongRunning`: an operation that ends with videos of Veo."""
    card = service.catalogue.get(
        call.names["model"], call.version, "predictLongRunning", legacy=service.options.legacy_media
    )
    order = film_order(check("PredictLongRunningRequest", call.body, call.version), card)
    for name in order.files:
        order = replace(order, video=service.files.content(name)[1].data)
    directive = call.directive.merged(service.faults.from_prompt([order.prompt], call.path))
    base_url = call.base_url(service.options.path_prefix)
    polls = directive.number("polls", USUAL_POLLS)
    operation = service.operations.begin(
        card.id, polls, lambda: _ended(service, order, directive, call.version, base_url)
    )
    return Reply(operation, directive=directive)


def pictures(order: PictureOrder, directive: Directive, seed: int = 0) -> Object:
    """The predictions of an order; another seed makes other pictures."""
    prompt = without_directives(order.prompt)
    blocked = _held_back(directive, order.count)
    width, height = (side * (2 if order.size == "2K" else 1) for side in _SIZES[order.aspect_ratio])
    predictions: list[Object] = []
    for number in range(order.count if "empty" not in directive else 0):
        if number < blocked:
            if order.reasons:
                predictions.append({"raiFilteredReason": _BLOCKED_PICTURES})
            continue
        # Several samples of one prompt differ; the seed of a picture is its text.
        data = draw(prompt + " " * (number + seed), width, height, mime_type=order.mime_type, quality=order.quality)
        one: Object = {"mimeType": order.mime_type, "bytesBase64Encoded": base64.b64encode(data).decode()}
        predictions.append({**one, **({"safetyAttributes": _attributes("Image")} if order.attributes else {})})
    response: Object = {"predictions": predictions} if predictions else {}
    if order.attributes:
        response["positivePromptSafetyAttributes"] = _attributes("Positive Prompt")
    return response


def _attributes(content: str) -> Object:
    return {"contentType": content, "categories": ["Death, Harm & Tragedy", "Violence"], "scores": [0.1, 0.0]}


def _held_back(directive: Directive, count: int) -> int:
    return min(count, directive.number("filtered", count)) if "filtered" in directive else 0


def failure(directive: Directive) -> Object | None:
    """What an operation has that is to fail; None when it is not."""
    if "outcome" not in directive:
        return None
    message = directive.get("message").replace("_", " ") or _FAILED
    return {"error": {"code": _CODES.get(directive.get("code").upper(), 13), "message": message}}


def films(order: FilmOrder, directive: Directive, seed: int = 0) -> tuple[list[bytes], list[str]]:
    """The videos of an order, and the reasons for those that are held back; another seed makes other videos."""
    blocked = _held_back(directive, order.count)
    seconds = float(order.seconds)
    if order.video is not None:
        seconds = describe("video/mp4", base64.b64encode(order.video).decode()).seconds + _ADDED_SECONDS
    made = [
        film(
            without_directives(order.prompt) + " " * (number + seed),
            seconds,
            order.aspect_ratio,
            order.resolution,
            first=order.first or (order.references[0] if order.references else None),
            last=order.last,
        )
        for number in range(blocked, order.count if "empty" not in directive else 0)
    ]
    return made, [_BLOCKED_VIDEO] * blocked


def _ended(service: Service, order: FilmOrder, directive: Directive, version: str, base_url: str) -> Object:
    """What the operation has when it is done: its error, or its videos."""
    failed = failure(directive)
    if failed:
        return failed
    made, reasons = films(order, directive)
    size = directive.number("bytes", 0) or None
    files = [service.files.add(data, "video/mp4", base_url=base_url, size=size) for data in made]
    samples = [{"video": {"uri": file["downloadUri"]}} for file in files]
    videos: Object = {"generatedSamples": samples} if samples else {}
    if reasons:
        videos |= {"raiMediaFilteredCount": len(reasons), "raiMediaFilteredReasons": reasons}
    return {"response": {"@type": _RESPONSE.format(version), "generateVideoResponse": videos}}


ROUTES = (
    Route("POST", "models/{model}:predict", predict, slow=True),
    Route("POST", "models/{model}:predictLongRunning", predict_long_running, slow=True),
)
