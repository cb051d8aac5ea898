"""Google's OpenAI compatibility layer: chat, embeddings, pictures and models below `/v1beta/openai`.

Every call becomes one of the Gemini API, and its answer is told in the other words. The same functions serve a gateway,
in its own manner. Source: "OpenAI compatibility" of the Gemini API, and OpenAI's API reference.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from dataclasses import replace

from . import openai_batches, openai_videos
from .embedding_service import batch_embed_contents
from .errors import bad_fields
from .exchange import Call, Reply, Route, Service
from .image_rules import nearest_ratio
from .model_service import generate_content, stream_generate_content
from .models import ModelCard
from .openai_answer import Teller
from .openai_errors import refused
from .openai_manner import COMPATIBLE, Manner
from .openai_request import checked, generate_request, wants_usage
from .predict_service import predict
from .wire import Object, is_list, is_object

VERSION = "v1main"
"""What Google's layer calls the version of the API in its messages."""

_EMBEDDING = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
_BETA = "v1beta"
_RATIOS = ("1:1", "3:4", "4:3", "9:16", "16:9")
_MOST_PICTURES = 10


def chat(service: Service, call: Call, manner: Manner) -> Reply:
    """`POST …/chat/completions`."""
    body = checked(call.body, manner)
    stream = body.get("stream") is True
    card = model_of(service, body["model"], "streamGenerateContent" if stream else "generateContent")
    request = generate_request(body, card, manner)
    direct = replace(call, version=_BETA, names={"model": card.id}, query={"alt": "sse"}, body=request)
    teller = Teller(manner, service.options.picture_form, created(service))
    if not stream:
        reply = generate_content(service, direct)
        return Reply(teller.completion(reply.body), directive=reply.directive)
    reply = stream_generate_content(service, direct)
    chunks = teller.chunks(reply.events or [], usage=wants_usage(body))
    return Reply(events=chunks, directive=reply.directive)


def embeddings(service: Service, call: Call) -> Reply:
    """`POST …/embeddings`: one vector for each text."""
    body: Object = call.body if is_object(call.body) else {}
    unknown = [name for name in body if name not in _EMBEDDING]
    if unknown:
        text = f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.'
        raise bad_fields([("", text)])
    given: object = body.get("input")
    texts: list[object] = given if is_list(given) else [given]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise refused("Invalid value at 'input': a text or a non-empty array of texts is expected.", "input")
    card = model_of(service, body.get("model"), "batchEmbedContents")
    size: Object = {"outputDimensionality": body["dimensions"]} if body.get("dimensions") is not None else {}
    requests = [{"model": f"models/{card.id}", "content": {"parts": [{"text": text}]}, **size} for text in texts]
    reply = batch_embed_contents(
        service, replace(call, version=_BETA, names={"model": card.id}, body={"requests": requests})
    )
    packed = body.get("encoding_format", "float") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(one["values"]) if packed else one["values"]}
        for index, one in enumerate(reply.body["embeddings"])
    ]
    count = reply.body["usageMetadata"]["promptTokenCount"]
    usage = {"prompt_tokens": count, "total_tokens": count}
    return Reply({"object": "list", "data": data, "model": card.id, "usage": usage}, directive=reply.directive)


def images(service: Service, call: Call) -> Reply:
    """`POST …/images/generations`; what is not known is ignored without a word, as Google does."""
    body: Object = call.body if is_object(call.body) else {}
    prompt, count = body.get("prompt"), body.get("n", 1)
    if not isinstance(prompt, str) or not prompt:
        raise refused("Invalid value at 'prompt': a text is expected.", "prompt")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= _MOST_PICTURES:
        raise refused(f"Invalid value at 'n': it must be from 1 to {_MOST_PICTURES}.", "n")
    if body.get("response_format", "b64_json") != "b64_json":
        raise refused("Invalid value at 'response_format': only b64_json is supported.", "response_format")
    name = str(body.get("model", "")).removeprefix("models/")
    draw = _imagen if name.startswith("imagen") else _drawn
    method = "predict" if name.startswith("imagen") else "generateContent"
    card = model_of(service, body.get("model"), method)
    pictures, reply = draw(service, call, card, prompt, _ratio(body.get("size"), card), count)
    data = [{"b64_json": picture} for picture in pictures]
    return Reply({"created": created(service), "data": data}, directive=reply.directive)


def list_models(service: Service, call: Call) -> Reply:
    """`GET …/models`."""
    listed = service.catalogue.listed(_BETA, legacy=service.options.legacy_media)
    return Reply({"object": "list", "data": [_model(one["name"], one["displayName"]) for one in listed]})


def get_model(service: Service, call: Call) -> Reply:
    """`GET …/models/{model}`, with or without `models/` in front of the name."""
    card = model_of(service, call.names["model"], "")
    return Reply(_model(f"models/{card.id}", card.title))


def model_of(service: Service, name: object, method: str) -> ModelCard:
    """The model of a body.

    Raises:
        ApiError: 400 for none, 404 for one that is not there or does not have the method.
    """
    if not isinstance(name, str) or not name:
        raise refused("You must provide a model parameter.", "model")
    return service.catalogue.get(name, VERSION, method, legacy=service.options.legacy_media)


def created(service: Service) -> int:
    """The emulator's time in seconds since 1970."""
    return int(service.clock().timestamp())


def _chat(service: Service, call: Call) -> Reply:
    return chat(service, call, COMPATIBLE)


def _packed(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def _ratio(size: object, card: ModelCard) -> str | None:
    width, cross, height = str(size or "").partition("x")
    if not cross or not width.isdecimal() or not height.isdecimal() or not int(width) or not int(height):
        return None
    if not card.legacy:
        return nearest_ratio(int(width), int(height), card)
    asked = int(width) / int(height)
    return min(_RATIOS, key=lambda one: abs(int(one.split(":")[0]) / int(one.split(":")[1]) - asked))


def _imagen(
    service: Service, call: Call, card: ModelCard, prompt: str, ratio: str | None, count: int
) -> tuple[list[str], Reply]:
    parameters: Object = {"sampleCount": count, **({"aspectRatio": ratio} if ratio else {})}
    body = {"instances": [{"prompt": prompt}], "parameters": parameters}
    reply = predict(service, replace(call, names={"model": card.id}, body=body))
    return [one["bytesBase64Encoded"] for one in reply.body.get("predictions", [])], reply


def _drawn(
    service: Service, call: Call, card: ModelCard, prompt: str, ratio: str | None, count: int
) -> tuple[list[str], Reply]:
    """Pictures of an image model, which draws one at a time; a dot more in the prompt makes each another one."""
    config: Object = {"responseModalities": ["IMAGE"], **({"imageConfig": {"aspectRatio": ratio}} if ratio else {})}
    pictures: list[str] = []
    reply = Reply()
    for number in range(count):
        contents = [{"role": "user", "parts": [{"text": prompt + "." * number}]}]
        body = {"contents": contents, "generationConfig": config}
        reply = generate_content(service, replace(call, names={"model": card.id}, body=body))
        parts = [part for one in reply.body.get("candidates", []) for part in one.get("content", {}).get("parts", [])]
        pictures += [part["inlineData"]["data"] for part in parts if "inlineData" in part and not part.get("thought")]
    return pictures, reply


def _model(name: str, title: str) -> Object:
    return {"id": name, "object": "model", "owned_by": "google", "display_name": title}


def _completed(service: Service, call: Call) -> Callable[[Object], Object]:
    """What answers one request of a batch."""
    return lambda body: chat(service, replace(call, body={**body, "stream": None}), COMPATIBLE).body


def _create_batch(service: Service, call: Call) -> Reply:
    return openai_batches.create(service, call, _completed(service, call))


ROUTES = (
    Route("POST", "openai/chat/completions", _chat, slow=True),
    Route("POST", "openai/embeddings", embeddings, slow=True),
    Route("POST", "openai/images/generations", images, slow=True),
    Route("GET", "openai/models", list_models),
    Route("GET", "openai/models/{model}", get_model),
    Route("GET", "openai/models/models/{model}", get_model),
    Route("POST", "openai/batches", _create_batch, slow=True),
    *openai_batches.ROUTES,
    *openai_videos.ROUTES,
)
