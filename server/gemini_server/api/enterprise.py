"""The Enterprise backend (Gemini Enterprise, formerly Vertex AI): where it differs from the Developer API.

    models/M:…                  projects/P/locations/L/publishers/google/models/M:…
    models/M/operations/O       asked for by models/M:fetchPredictOperation
    cachedContents/C            projects/P/locations/L/cachedContents/C
    batches/B                   projects/P/locations/L/batchPredictionJobs/B

Names are short on this side and long on the other. What is not in the table below the platform has not, and is refused
with what to use instead.

Source: `projects.locations` of the reference of aiplatform.googleapis.com v1beta1, and its guides to text embeddings,
Imagen, Veo and batch inference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from pydantic import BaseModel

from gemini_server.api import caches, enterprise_batches, enterprise_embeddings, models, operations
from gemini_server.api.enterprise_place import Place
from gemini_server.api.enterprise_requests import cache, counted, film, generate, plain
from gemini_server.api.enterprise_videos import finished
from gemini_server.errors import ArgumentError
from gemini_server.rest.backend import Asked, Backend
from gemini_server.rest.endpoint import Endpoint, JsonObject, Wire
from gemini_server.rest.route import check_name

VERSION = "v1beta1"
STORAGE = "https://storage.googleapis.com"
MOST_LISTED = 100
"""Items of one page."""

_DEVELOPER = "The Developer API has it: a server with GEMINI_BACKEND=developer and GEMINI_API_KEY."
_FILES = "Give media by their path while they are small, as gs://bucket/object, or as a public https:// address."
_INTERACTIONS = (
    "Use generate_text for text, generate_image for pictures, and a Veo model such as veo-3.1-generate-001 with "
    "generate_video."
)
_LACKS: Mapping[str, tuple[str, str]] = {
    "files": ("Files API", _FILES),
    "fileSearchStores": ("File Search stores", "Give documents as gs://bucket/object, or ground answers with search."),
    "interactions": ("Interactions API", _INTERACTIONS),
    "live": ("Live sessions that this server knows", _DEVELOPER),
    "auth_tokens": ("tokens for Live sessions", _DEVELOPER),
    "tunedModels": ("tuned models under this name", _DEVELOPER),
    "corpora": ("Semantic Retriever", "Ground answers with search, or give documents as gs://bucket/object."),
    "endpoints": ("endpoints that this server knows", "Name a model of Google, such as gemini-3.8-flash."),
    "publishers": ("models of other publishers that this server knows", "Name one of Google: gemini-3.8-flash."),
    "batches": ("change of a batch that is there", "Stop it with cancel_batch, and create it anew."),
    "projects": ("access to another project or location than its own", "Give the plain id, such as gemini-3.8-flash."),
    "models/*:asyncBatchEmbedContent": ("batches of vectors", "Make them with embed, which takes as many texts."),
}
"""What the platform lacks, by the first word of its resource or its shape: how it is called, and what to do instead."""


class PublisherModel(Wire):
    """A model as the platform describes it: without limits and prices."""

    name: str = ""
    version_id: str | None = None


class PublisherModels(Wire):
    """A page of models."""

    publisher_models: list[PublisherModel] = []
    next_page_token: str | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How one method is made here.

    Attributes:
        path: its template; `{place}` is the project and location, the other names are the caller's.
        method: its verb, where it is another.
        read: the type of the answer, where it is another.
        told: makes the caller's answer of it; only where the caller reads the type `of`.
        of: the caller's type.
        body: makes the body that is sent.
    """

    path: str
    method: str = ""
    read: type[BaseModel] | None = None
    told: Callable[[Place, Any], Any] | None = None
    of: type[BaseModel] | None = None
    body: Callable[[Place, str, JsonObject], JsonObject] | None = None


_MODEL = "{version}/{place}/publishers/google/{name}"
_OWN = "{version}/{place}/{name}"


def _cache(place: Place, told: caches.CachedContent) -> caches.CachedContent:
    return told.model_copy(update={"name": place.short(told.name), "model": place.short(told.model)})


def _caches(place: Place, told: caches.ListCachedContentsResponse) -> caches.ListCachedContentsResponse:
    return told.model_copy(update={"cached_contents": [_cache(place, one) for one in told.cached_contents]})


def _model(place: Place, told: PublisherModel) -> models.Model:
    return models.Model(name=place.short(told.name), version=told.version_id)


def _models(place: Place, told: PublisherModels) -> models.ListModelsResponse:
    listed = [_model(place, one) for one in told.publisher_models]
    return models.ListModelsResponse(models=listed, next_page_token=told.next_page_token)


def _operation(place: Place, told: operations.Operation) -> operations.Operation:
    return told.model_copy(update={"name": place.short(told.name), "response": finished(told.response)})


_CACHE, _OPERATION, _JOB = caches.CachedContent, operations.Operation, enterprise_batches.Job
_BATCH = enterprise_batches.BatchOperation

WAYS: Mapping[tuple[str, str], Way] = {
    ("GET", "models"): Way("{version}/publishers/google/models", "", PublisherModels, _models,
                           models.ListModelsResponse),
    ("GET", "models/*"): Way("{version}/publishers/google/{name}", "", PublisherModel, _model, models.Model),
    ("POST", "models/*:generateContent"): Way(f"{_MODEL}:generateContent", body=generate),
    ("POST", "models/*:streamGenerateContent"): Way(f"{_MODEL}:streamGenerateContent", body=generate),
    ("POST", "models/*:countTokens"): Way(f"{_MODEL}:countTokens", body=counted),
    ("POST", "models/*:embedContent"): Way(f"{_MODEL}:embedContent", body=plain),
    ("POST", "models/*:batchEmbedContents"): Way(f"{_MODEL}:batchEmbedContents",
                                                 body=enterprise_embeddings.requests),
    ("POST", "models/*:predict"): Way(f"{_MODEL}:predict"),
    ("POST", "models/*:predictLongRunning"): Way(f"{_MODEL}:predictLongRunning", told=_operation, of=_OPERATION,
                                                 body=film),
    ("GET", "models/*/operations/*"): Way(f"{_MODEL}:fetchPredictOperation", "POST", None, _operation, _OPERATION),
    ("POST", "models/*/operations/*:cancel"): Way(f"{_MODEL}:cancel"),
    ("GET", "cachedContents"): Way("{version}/{place}/cachedContents", told=_caches,
                                   of=caches.ListCachedContentsResponse),
    ("POST", "cachedContents"): Way("{version}/{place}/cachedContents", told=_cache, of=_CACHE, body=cache),
    ("GET", "cachedContents/*"): Way(_OWN, told=_cache, of=_CACHE),
    ("PATCH", "cachedContents/*"): Way(_OWN, told=_cache, of=_CACHE),
    ("DELETE", "cachedContents/*"): Way(_OWN),
    ("POST", "models/*:batchGenerateContent"): Way(
        "{version}/{place}/batchPredictionJobs", "", _JOB, enterprise_batches.operation, _BATCH,
        enterprise_batches.request),
    ("GET", "batches"): Way("{version}/{place}/batchPredictionJobs", "", enterprise_batches.Jobs,
                            enterprise_batches.listed, enterprise_batches.ListBatchesResponse),
    ("GET", "batches/*"): Way(_OWN, "", _JOB, enterprise_batches.operation, _BATCH),
    ("POST", "batches/*:cancel"): Way(f"{_OWN}:cancel"),
    ("DELETE", "batches/*"): Way(_OWN),
}  # fmt: skip
"""What the platform has, by the verb and the shape of the resource's name."""

_VERB = re.compile(r"(?P<name>[^:]*)(?P<verb>:[A-Za-z]+)?")


def enterprise(project: str, location: str, storage: str | None = None) -> Backend:
    """The Enterprise backend of a project.

    Args:
        project: its id.
        location: a region such as `us-central1`, `us`, `eu` or `global`.
        storage: a folder of Cloud Storage for videos and the answers of batches, `gs://bucket/folder`; without it
            videos come inline, and the answers of a batch lie beside its requests.
    """
    place = Place(project, location, storage)
    return Backend(
        "enterprise",
        f"Gemini Enterprise, project {project}, location {location}",
        version=VERSION,
        way=lambda call: _asked(place, call),
        stops=("models/",),
        storage=STORAGE,
        batch_files="gs://",
        at_once=enterprise_embeddings.at_once,
    )


def address(location: str) -> str:
    """The base URL of a location."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _asked(place: Place, call: Asked) -> Asked:
    endpoint = call.endpoint
    resource = place.own(_resource(endpoint, call.names))
    found = _VERB.fullmatch(resource)
    name, verb = (found["name"], found["verb"] or "") if found else (resource, "")
    words = name.split("/")
    shape = "/".join("*" if at % 2 else word for at, word in enumerate(words)) + verb
    way = WAYS.get((endpoint.method, shape))
    if way is None:
        check_name("name", words[0])
        raise _lacking(shape if shape in _LACKS else words[0], resource)
    if endpoint.method == "POST" and shape == "models/*:batchEmbedContents" and enterprise_embeddings.by_predict(name):
        predicted = enterprise_embeddings.PREDICTIONS.get(endpoint.answer)
        if predicted is not None:
            way = replace(way, path=f"{_MODEL}:predict", body=enterprise_embeddings.instance, read=predicted,
                          told=enterprise_embeddings.vectors, of=endpoint.answer)  # fmt: skip
    return _made(place, way, call, check_name("name", name))


def _made(place: Place, way: Way, call: Asked, name: str) -> Asked:
    endpoint, body = call.endpoint, None
    # `place` is checked where it is set, and a template is filled once: names cannot reach beyond their place in it.
    path = way.path.replace("{place}", place.name)
    names = {"name": name.replace("batches/", "batchPredictionJobs/", 1)} if "{name}" in path else {}
    if way.path.endswith(":fetchPredictOperation"):
        names, body = {"name": name.partition("/operations/")[0]}, {"operationName": place.long(name)}
    elif way.path.endswith(":cancel") and name.startswith("models/"):
        names = {"name": name}
    known = way.of is None or issubclass(endpoint.answer, way.of)
    answer = way.read if way.read is not None and known else endpoint.answer
    query = {key: min(int(value), MOST_LISTED) if key == "pageSize" and value else value
             for key, value in call.query.items()}  # fmt: skip
    made, told = way.body, way.told
    return Asked(
        replace(endpoint, method=way.method or endpoint.method, path=path, answer=cast(type[Wire], answer),
                version=None),
        names,
        query,
        body,
        None if made is None else lambda given: made(place, name, given),
        None if told is None or not known else lambda came: told(place, came),
    )  # fmt: skip


def _resource(endpoint: Endpoint[Any], names: Mapping[str, str]) -> str:
    """What is asked for, without the API version."""
    path = endpoint.path.format(version="", **names)
    return path.removeprefix("upload/").strip("/")


def _lacking(kind: str, resource: str) -> ArgumentError:
    named, remedy = _LACKS.get(kind, (f"{resource!r}"[:100], _DEVELOPER))
    return ArgumentError(f"The Enterprise backend has no {named}; nothing was sent.", remedy, code="not_on_backend")
