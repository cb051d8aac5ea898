"""Veo on the Enterprise platform: `predictLongRunning`, and `fetchPredictOperation` to ask for what became of it.

The videos come inline, or go into Cloud Storage where `storageUri` says so. Source: "Veo API" in the model reference of
the platform.
"""

from __future__ import annotations

import base64
from dataclasses import replace

from .enterprise_objects import check_folder, inlined, write
from .enterprise_request import model_of, place_of
from .errors import invalid
from .exchange import Call, Reply, Route, Service
from .faults import Directive
from .free_json import Check, checked, flag, instance_of, list_of, number, object_of, parameters_of, text
from .models import ModelCard
from .operations import USUAL_POLLS
from .predict_service import failure, films
from .schema import check
from .veo_request import FilmOrder, film_order
from .wire import Object, is_object

_MODEL = "projects/{project}/locations/{location}/publishers/google/models/{model}"
_RESPONSE = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"
_MP4 = "video/mp4"
_SEEDS = 997
_BEYOND: dict[str, Check] = {
    "storageUri": text, "fps": number, "generateAudio": flag, "pubsubTopic": text, "compressionQuality": text,
    "resizeMode": text,
}  # fmt: skip


def predict_long_running(service: Service, call: Call) -> Reply:
    """`predictLongRunning`."""
    card = model_of(service, call, "predictLongRunning")
    body = check("PredictLongRunningRequest", call.body)
    if "webhookConfig" in body:
        raise invalid("`webhookConfig` isn't supported here.")
    parameters = parameters_of(body)
    given = checked({name: value for name, value in parameters.items() if name in _BEYOND}, _BEYOND)
    rest = {name: value for name, value in parameters.items() if name not in _BEYOND}
    order = _ordered(service, {**body, "parameters": rest}, card)
    folder = check_folder(given["storageUri"]) if "storageUri" in given else ""
    directive = call.directive.merged(service.faults.from_prompt([order.prompt], call.path))
    seed = int(parameters.get("seed") or 0) % _SEEDS
    collection = f"{place_of(service, call)}/publishers/google/models/{call.names['model']}"
    operation = service.projects.operations.begin(
        collection,
        directive.number("polls", USUAL_POLLS),
        lambda: _ended(service, order, directive, seed, f"{folder}/{ident}" if folder else ""),
    )
    ident = operation["name"].rpartition("/")[2]
    return Reply(operation, directive=directive)


def fetch_predict_operation(service: Service, call: Call) -> Reply:
    """`fetchPredictOperation`: one poll."""
    collection = f"{place_of(service, call)}/publishers/google/models/{call.names['model']}/operations/"
    name: object = call.body.get("operationName") if is_object(call.body) else None
    if not isinstance(name, str) or not name.startswith(collection):
        raise invalid(f"The operationName must be that of an operation of this model: {collection}…")
    return Reply(service.projects.operations.poll(name))


def _ordered(service: Service, body: Object, card: ModelCard) -> FilmOrder:
    """The order of a body in which pictures and videos may lie in Cloud Storage."""
    instance = instance_of(
        body, {"prompt": text, "image": object_of, "lastFrame": object_of, "referenceImages": list_of,
               "video": object_of},
    )  # fmt: skip
    for name in ("image", "lastFrame"):
        if name in instance:
            instance[name] = inlined(service, instance[name])
    if "referenceImages" in instance:
        instance["referenceImages"] = [
            {**one, "image": inlined(service, one.get("image"))} if is_object(one) else one
            for one in instance["referenceImages"]
        ]
    video: Object | None = instance.pop("video", None)
    extended = b""
    if video is not None:
        held = service.projects.objects.get(str(video.get("gcsUri")))
        data = base64.b64encode(held.data).decode() if held else video.get("bytesBase64Encoded")
        if not data:
            raise invalid("`video` needs a `gcsUri` of a video that is there, or `bytesBase64Encoded`.")
        instance["video"] = {"encodedVideo": data, "encoding": _MP4}
        extended = base64.b64decode(data)
    order = film_order({**body, "instances": [instance]}, card)
    return replace(order, video=extended) if extended else order


def _ended(service: Service, order: FilmOrder, directive: Directive, seed: int, folder: str) -> Object:
    failed = failure(directive)
    if failed:
        return failed
    made, reasons = films(order, directive, seed)
    videos: list[Object] = [
        {"gcsUri": write(service, f"{folder}/sample_{at}.mp4", data, _MP4), "mimeType": _MP4}
        if folder
        else {"bytesBase64Encoded": base64.b64encode(data).decode(), "mimeType": _MP4}
        for at, data in enumerate(made)
    ]
    response: Object = {"@type": _RESPONSE, "raiMediaFilteredCount": len(reasons)}
    if reasons:
        response["raiMediaFilteredReasons"] = reasons
    return {"response": {**response, **({"videos": videos} if videos else {})}}


ROUTES = (
    Route("POST", _MODEL + ":predictLongRunning", predict_long_running, slow=True),
    Route("POST", _MODEL + ":fetchPredictOperation", fetch_predict_operation, slow=True),
)
