"""`predict` on the Enterprise platform: pictures of Imagen, and vectors of `gemini-embedding-001`.

Source: "Imagen API" and "Text embeddings API" in the model reference of the platform.
"""

from __future__ import annotations

import base64
from dataclasses import replace

from .embedding_service import embed_content
from .enterprise_objects import check_folder, write
from .enterprise_request import direct, found, model_of, place_of
from .errors import ApiError, invalid
from .exchange import Call, Reply, Service
from .free_json import Check, as_object, checked, flag, number, parameters_of, text
from .imagen_request import picture_order
from .models import ModelCard
from .predict_service import pictures
from .schema import check
from .wire import Object, is_list

_SEEDS = 997
_BEYOND: dict[str, Check] = {
    "storageUri": text,
    "seed": number,
    "negativePrompt": text,
    "addWatermark": flag,
    "enhancePrompt": flag,
}


def predict(service: Service, call: Call) -> Reply:
    """`predict`, of whichever kind the model is."""
    place = place_of(service, call)
    if call.names["model"].startswith("imagen"):
        return _pictures(service, call, model_of(service, call, "predict"))
    name = f"{place}/publishers/google/models/{call.names['model']}"
    card = found(service, name, "")
    if card.id != "gemini-embedding-001":
        raise ApiError(400, f"{name} is not supported for predict.", name="FAILED_PRECONDITION")
    return _vectors(service, call, card)


def _pictures(service: Service, call: Call, card: ModelCard) -> Reply:
    body = check("PredictRequest", call.body)
    parameters = parameters_of(body)
    given = checked({name: value for name, value in parameters.items() if name in _BEYOND}, _BEYOND)
    if "seed" in given and given.get("addWatermark", True):
        raise invalid("Seed is not supported when watermark is enabled.")
    rest = {name: value for name, value in parameters.items() if name not in _BEYOND}
    order = picture_order({**body, "parameters": rest}, card)
    folder = check_folder(given["storageUri"]) if "storageUri" in given else ""
    directive = call.directive.merged(service.faults.from_prompt([order.prompt], call.path))
    answer = pictures(order, directive, int(given.get("seed", 0)) % _SEEDS)
    made: list[Object] = answer.get("predictions", [])
    if folder:
        # A folder of its own for each request, as the platform names it: by the time.
        folder = f"{folder}/{int(service.clock().timestamp() * 1000)}"
        answer["predictions"] = [_stored(service, one, f"{folder}/sample_{at}") for at, one in enumerate(made)]
    if given.get("enhancePrompt"):
        answer["predictions"] = [{**one, "prompt": order.prompt} for one in answer.get("predictions", [])]
    return Reply(answer, directive=directive)


def _stored(service: Service, prediction: Object, uri: str) -> Object:
    if "bytesBase64Encoded" not in prediction:
        return prediction
    mime = prediction["mimeType"]
    address = f"{uri}.{mime.rpartition('/')[2]}"
    rest = {name: value for name, value in prediction.items() if name != "bytesBase64Encoded"}
    return {**rest, "gcsUri": write(service, address, base64.b64decode(prediction["bytesBase64Encoded"]), mime)}


def _vectors(service: Service, call: Call, card: ModelCard) -> Reply:
    body = check("PredictRequest", call.body)
    instances: object = body.get("instances")
    if not is_list(instances) or len(instances) != 1:
        raise invalid(f"{card.id} takes exactly one instance in a request.")
    instance = checked(
        as_object("instances", instances[0]),
        {"content": text, "task_type": text, "taskType": text, "title": text, "mimeType": text},
    )
    if not instance.get("content"):
        raise invalid("The text content is empty.")
    given = checked(parameters_of(body), {"outputDimensionality": number, "autoTruncate": flag})
    task = instance.get("task_type") or instance.get("taskType")
    config: Object = {**given, **({"taskType": task} if task else {})}
    if "title" in instance:
        config["title"] = instance["title"]
    request = {"content": {"parts": [{"text": instance["content"]}]}, "embedContentConfig": config}
    reply = embed_content(service, replace(direct(call, card, request)))
    count: int = reply.body["usageMetadata"]["promptTokenCount"]
    statistics = {"truncated": count >= card.inputs, "token_count": count}
    prediction = {"embeddings": {"values": reply.body["embedding"]["values"], "statistics": statistics}}
    characters = len("".join(instance["content"].split()))
    return Reply(
        {"predictions": [prediction], "metadata": {"billableCharacterCount": characters}}, directive=reply.directive
    )
