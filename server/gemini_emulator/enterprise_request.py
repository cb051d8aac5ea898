"""A request of the Enterprise platform as one of the Developer API.

Source: the reference of `projects.locations.publishers.models`; field by field it is nearly the same. What the platform
has beyond the Developer API is passed over where it changes nothing here, and what it lacks is refused.
"""

from __future__ import annotations

import base64
from dataclasses import replace

from .errors import ApiError, bad_fields, invalid
from .exchange import Call, Service
from .file_references import name_of
from .models import ModelCard
from .schema import camel, check
from .wire import Object, is_list, is_object

_ALIASES = {
    "veo-3.1-generate-001": "veo-3.1-generate-preview",
    "veo-3.1-fast-generate-001": "veo-3.1-fast-generate-preview",
    "veo-3.1-lite-generate-001": "veo-3.1-lite-generate-preview",
}
"""Models that have another name here."""

_BEYOND: dict[str, frozenset[str]] = {
    "": frozenset({"modelArmorConfig"}),
    "generationConfig": frozenset({"audioTimestamp", "routingConfig", "modelSelectionConfig", "modelConfig"}),
    "imageConfig": frozenset({"personGeneration", "prominentPeople", "imageOutputOptions"}),
    "safetySettings": frozenset({"method"}),
    "googleSearch": frozenset({"excludeDomains", "blockingConfidence"}),
}
_NOT_FOUND = (
    "Publisher Model `{}` was not found or your project does not have access to it. Please ensure you are using a "
    "valid model version. For more information, see: "
    "https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions"
)


def place_of(service: Service, call: Call) -> str:
    """The `projects/…/locations/…` of a call.

    Raises:
        ApiError: 403 for a project, 404 for a location that is not that of the options.
    """
    project, location = call.names["project"], call.names["location"]
    place = f"projects/{project}/locations/{location}"
    own = service.options.enterprise or (project, location)
    if project != own[0]:
        what = f"//aiplatform.googleapis.com/{place}"
        raise ApiError(
            403, f"Permission 'aiplatform.endpoints.predict' denied on resource '{what}' (or it may not exist)."
        )
    if location != own[1]:
        raise ApiError(404, f"Location {location} is not found or access is unauthorized.")
    return place


def model_of(service: Service, call: Call, method: str) -> ModelCard:
    """The model of a call; Imagen and Veo are still served here.

    Raises:
        ApiError: 403 and 404 as `place_of`; 404 for a model that is not there or lacks the method.
    """
    name = f"{place_of(service, call)}/publishers/google/models/{call.names['model']}"
    return found(service, name, method)


def found(service: Service, name: str, method: str) -> ModelCard:
    """The model of a name, of which the last word counts.

    Raises:
        ApiError: 404 for one that is not there or lacks the method.
    """
    ident = name.rpartition("/")[2]
    try:
        return service.catalogue.get(_ALIASES.get(ident, ident), "v1beta", method, legacy=True)
    except ApiError:
        raise ApiError(404, _NOT_FOUND.format(name)) from None


def direct(call: Call, card: ModelCard, body: object) -> Call:
    """The same call to the Developer API."""
    return replace(call, version="v1beta", names={"model": card.id}, body=body)


def generate_request(service: Service, body: object, place: str) -> Object:
    """The generateContent request of a body.

    Raises:
        ApiError: 400 for what the platform refuses; 404 for a cache of another place.
    """
    plain = _without(body, "")
    request = check("GenerateContentRequest", plain)
    absent = ["store"] if "store" in request else []
    absent += ["fileSearch" for tool in request.get("tools", []) if "fileSearch" in tool]
    if absent:
        raise bad_fields([("", f'Invalid JSON payload received. Unknown name "{absent[0]}": Cannot find field.')])
    request.pop("model", None)
    contents: list[Object] = request.get("contents", [])
    if any(content.get("role") not in ("user", "model") for content in contents):
        raise invalid("Please use a valid role: user, model.")
    if "contents" in request:
        request["contents"] = with_objects(service, contents)
    if request.get("cachedContent"):
        request["cachedContent"] = cache_name(service, request["cachedContent"], place)
    return request


def with_objects(service: Service, contents: list[Object]) -> list[Object]:
    """Contents in which the objects of Cloud Storage that are there have their data.

    Raises:
        ApiError: 400 for a file of the Developer API.
    """
    return [{**content, "parts": [_opened(service, part) for part in content.get("parts", [])]} for content in contents]


def cache_name(service: Service, name: str, place: str) -> str:
    """The short name of a cache.

    Raises:
        ApiError: 404 for one that is not in this place.
    """
    ident = name.rpartition("/")[2]
    if not name.startswith(f"{place}/cachedContents/") or service.projects.caches.get(ident) != place:
        raise ApiError(404, f"Not found: cached content metadata for {name}.")
    return f"cachedContents/{ident}"


def _opened(service: Service, part: Object) -> Object:
    reference: Object | None = part.get("fileData")
    if reference is None:
        return part
    uri = reference["fileUri"]
    if name_of(uri):
        raise invalid(f"Unsupported file URI type: {uri}. It must be one of Cloud Storage, or a public address.")
    if not reference.get("mimeType"):
        raise invalid("Missing mimeType parameter in request: fileData needs one.")
    held = service.projects.objects.get(uri)
    if held is None:
        return part
    rest = {key: value for key, value in part.items() if key != "fileData"}
    return {**rest, "inlineData": {"mimeType": reference["mimeType"], "data": base64.b64encode(held.data).decode()}}


def _without(value: object, inside: str) -> object:
    """A body without what the platform alone has."""
    if is_list(value):
        return [_without(item, inside) for item in value]
    if not is_object(value):
        return value
    kept: Object = {}
    for name, item in value.items():
        field = camel(name)
        if field in _BEYOND.get(inside, ()):
            continue
        if field == "enterpriseWebSearch":
            kept["googleSearch"] = {}
        elif field in ("contents", "systemInstruction", "functionDeclarations", "responseSchema", "responseJsonSchema"):
            kept[name] = item
        else:
            kept[name] = _without(item, field)
    return kept
