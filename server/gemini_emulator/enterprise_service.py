"""The Enterprise platform: generation, counting, embeddings and models under `projects/…/locations/…`.

Every call becomes one of the Developer API, with the differences of the platform. Source: the reference of
`projects.locations.publishers.models`, and the guides to text embeddings of the platform.
"""

from __future__ import annotations

from . import enterprise_batches, enterprise_caches, enterprise_operations, enterprise_videos
from .embedding_service import batch_embed_contents, embed_content
from .enterprise_predictions import predict
from .enterprise_request import direct, found, generate_request, model_of, place_of, with_objects
from .exchange import Call, Reply, Route, Service
from .model_service import count_tokens, generate_content, stream_generate_content
from .schema import check
from .store import page, timestamp
from .wire import Object, is_object

MODEL = "projects/{project}/locations/{location}/publishers/google/models/{model}"
_PAGES = frozenset({"pageSize", "pageToken", "page_size", "page_token", "filter", "view", "listAllVersions"})


def generate(service: Service, call: Call) -> Reply:
    """`generateContent`."""
    card = model_of(service, call, "generateContent")
    request = generate_request(service, call.body, place_of(service, call))
    reply = generate_content(service, direct(call, card, request))
    return Reply(_told(service, reply.body), directive=reply.directive)


def stream(service: Service, call: Call) -> Reply:
    """`streamGenerateContent`."""
    card = model_of(service, call, "streamGenerateContent")
    request = generate_request(service, call.body, place_of(service, call))
    reply = stream_generate_content(service, direct(call, card, request))
    reply.events = [_told(service, event) for event in reply.events or []]
    return reply


def count(service: Service, call: Call) -> Reply:
    """`countTokens`, which says the characters too."""
    card = model_of(service, call, "countTokens")
    request = generate_request(service, call.body, place_of(service, call))
    wrapped = {"generateContentRequest": {**request, "model": f"models/{card.id}"}}
    reply = count_tokens(service, direct(call, card, wrapped))
    parts = [part for content in request.get("contents", []) for part in content["parts"]]
    characters = sum(len("".join(part.get("text", "").split())) for part in parts)
    return Reply({**reply.body, "totalBillableCharacters": characters}, directive=reply.directive)


def embed(service: Service, call: Call) -> Reply:
    """`embedContent`: the vector of one content, media included."""
    card = model_of(service, call, "embedContent")
    request = check("EmbedContentRequest", call.body)
    reply = embed_content(service, direct(call, card, _embedded(service, request)))
    usage = _usage(reply.body["usageMetadata"])
    return Reply({"embedding": reply.body["embedding"], "usageMetadata": usage, "truncated": False},
                 directive=reply.directive)  # fmt: skip


def batch_embed(service: Service, call: Call) -> Reply:
    """`batchEmbedContents`; its requests need not name the model."""
    card = model_of(service, call, "batchEmbedContents")
    given = check("BatchEmbedContentsRequest", call.body).get("requests", [])
    requests = [{**_embedded(service, one), "model": f"models/{card.id}"} for one in given]
    reply = batch_embed_contents(service, direct(call, card, {"requests": requests}))
    return Reply({**reply.body, "usageMetadata": _usage(reply.body["usageMetadata"])}, directive=reply.directive)


def list_models(service: Service, call: Call) -> Reply:
    """`publishers.models.list`."""
    models, token = page(
        [_model(one) for one in service.catalogue.listed("v1beta", legacy=True)],
        call.integer("pageSize", "page_size"),
        call.query.get("pageToken", call.query.get("page_token", "")),
    )
    return Reply({"publisherModels": models, **({"nextPageToken": token} if token else {})})


def get_model(service: Service, call: Call) -> Reply:
    """`publishers.models.get`."""
    name = f"publishers/google/models/{call.names['model']}"
    return Reply({**_model(found(service, name, "").resource()), "name": name})


def _model(resource: Object) -> Object:
    name = resource["name"].removeprefix("models/")
    return {
        "name": f"publishers/google/models/{name}",
        "versionId": "default",
        "launchStage": "PUBLIC_PREVIEW" if "preview" in name else "GA",
        "publisherModelTemplate": "projects/{project}/locations/{location}/publishers/google/models/" + name,
    }


def _embedded(service: Service, request: Object) -> Object:
    content: object = request.get("content")
    return {**request, "content": with_objects(service, [content])[0]} if is_object(content) else request


def _usage(usage: Object) -> Object:
    return {"promptTokenCount": usage["promptTokenCount"], "promptTokensDetails": usage["promptTokenDetails"]}


def _told(service: Service, response: Object) -> Object:
    usage: Object = {**response.get("usageMetadata", {}), "trafficType": "ON_DEMAND"}
    usage.pop("serviceTier", None)
    return {**response, "usageMetadata": usage, "createTime": timestamp(service.clock())}


ROUTES = (
    Route("POST", MODEL + ":generateContent", generate, slow=True),
    Route("POST", MODEL + ":streamGenerateContent", stream, slow=True),
    Route("POST", MODEL + ":countTokens", count),
    Route("POST", MODEL + ":embedContent", embed, slow=True),
    Route("POST", MODEL + ":batchEmbedContents", batch_embed, slow=True),
    Route("POST", MODEL + ":predict", predict, slow=True),
    Route("GET", "publishers/google/models", list_models, _PAGES),
    Route("GET", "publishers/google/models/{model}", get_model, _PAGES),
    *enterprise_videos.ROUTES,
    *enterprise_operations.ROUTES,
    *enterprise_caches.ROUTES,
    *enterprise_batches.ROUTES,
)
