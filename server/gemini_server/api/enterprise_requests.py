"""Requests of the Developer API as the Enterprise backend takes them.

Source: the request bodies of `projects.locations.publishers.models` and `projects.locations.cachedContents`.
"""

from __future__ import annotations

import re
from typing import Any, cast

from gemini_server.api.enterprise_place import Place
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject

_ABSENT = ("model", "store")
"""Members that say nothing there: the model is in the path, and the platform keeps no requests."""
_FILE = re.compile(r"(?:https://generativelanguage\.googleapis\.com/(?:\w+/)*?)?(?:v\d\w*/)?files/[\w-]+")
_YOUTUBE = re.compile(r"https://(?:(?:www|m)\.)?(?:youtube\.com|youtu\.be)/")
_COUNTED = ("contents", "systemInstruction", "tools", "generationConfig")


def generate(place: Place, name: str, body: JsonObject) -> JsonObject:
    """A request of `generateContent`.

    Raises:
        ArgumentError: it asks for what the platform lacks.
    """
    tier = body.get("serviceTier")
    if tier not in (None, "standard"):
        raise _lacking(f"service tier {tier} for a single request", "Leave the tier out.")
    for tool in body.get("tools") or ():
        if "fileSearch" in tool:
            raise _lacking("File Search stores", "Give documents as gs://bucket/object, or ground answers with search.")
    kept = {key: value for key, value in body.items() if key not in (*_ABSENT, "serviceTier", "continuationToken")}
    if "contents" in kept:
        kept["contents"] = contents(kept["contents"])
    if kept.get("cachedContent"):
        kept["cachedContent"] = place.long(kept["cachedContent"])
    return kept


def counted(place: Place, name: str, body: JsonObject) -> JsonObject:
    """A request of `countTokens`: the whole request is its body, as far as it is counted."""
    wrapped = cast(JsonObject, body.get("generateContentRequest") or body)
    made = generate(place, name, wrapped)
    return {key: made[key] for key in _COUNTED if key in made}


def plain(place: Place, name: str, body: JsonObject) -> JsonObject:
    """A request that names its model no second time."""
    kept = {key: value for key, value in body.items() if key != "model"}
    if isinstance(kept.get("content"), dict):
        [kept["content"]] = contents([kept["content"]])
    return kept


def cache(place: Place, name: str, body: JsonObject) -> JsonObject:
    """A cache that is wanted; its model has its long name."""
    kept: JsonObject = {**body, "model": place.long(str(body.get("model", "")))}
    if "contents" in kept:
        kept["contents"] = contents(kept["contents"])
    return kept


def film(place: Place, name: str, body: JsonObject) -> JsonObject:
    """A request for videos; those that are there already lie in Cloud Storage, or come along."""
    made: JsonObject = {key: value for key, value in body.items() if key != "webhookConfig"}
    made["instances"] = [_instance(one) for one in body.get("instances") or ()]
    if place.storage:
        made["parameters"] = {**(body.get("parameters") or {}), "storageUri": f"{place.storage}/"}
    return made


def contents(given: list[Any]) -> list[Any]:
    """Contents, each with its role, and none with a file of the Developer API.

    Raises:
        ArgumentError: one has.
    """
    return [
        {**one, "role": one.get("role") or "user", "parts": [_part(part) for part in one.get("parts") or ()]}
        for one in given
    ]


def _part(part: JsonObject) -> JsonObject:
    data: JsonObject | None = part.get("fileData")
    if not data:
        return part
    uri = str(data.get("fileUri", ""))
    if _FILE.match(uri):
        raise _lacking("Files API", "Give media by their path while they are small, or as gs://bucket/object.")
    if not data.get("mimeType") and _YOUTUBE.match(uri):
        return {**part, "fileData": {**data, "mimeType": "video/mp4"}}
    return part


def _instance(one: JsonObject) -> JsonObject:
    video: JsonObject | None = one.get("video")
    if not video:
        return one
    if video.get("encodedVideo"):
        known = {"bytesBase64Encoded": video["encodedVideo"], "mimeType": video.get("encoding", "video/mp4")}
        return {**one, "video": known}
    uri = str(video.get("uri", ""))
    if not uri.startswith("gs://"):
        raise ArgumentError(
            "The Enterprise backend goes on from no video of another place; nothing was sent.",
            "Give the video as gs://bucket/object, a path or an artifact.",
        )
    return {**one, "video": {"gcsUri": uri, "mimeType": "video/mp4"}}


def _lacking(what: str, remedy: str) -> ArgumentError:
    return ArgumentError(f"The Enterprise backend has no {what}; nothing was sent.", remedy, code="not_on_backend")
