"""The answer of a finished video on the Enterprise backend, in the terms of the Developer API.

    {"videos": [{"gcsUri" | "bytesBase64Encoded", "mimeType"}], "raiMediaFilteredCount"}
    {"generateVideoResponse": {"generatedSamples": [{"video": {"uri" | "video", "encoding"}}], "raiMediaFilteredCount"}}

Source: "Veo API" in the model reference of the platform.
"""

from __future__ import annotations

from gemini_server.rest.endpoint import JsonObject
from gemini_server.rest.json_values import objects_of

_NAMES = {"gcsUri": "uri", "bytesBase64Encoded": "video", "mimeType": "encoding"}


def finished(response: JsonObject | None) -> JsonObject | None:
    """The `response` of an operation; that of another sort of work stays as it is."""
    if not response or "generateVideoResponse" in response:
        return response
    if "videos" not in response and "raiMediaFilteredCount" not in response:
        return response
    samples = [
        {"video": {_NAMES.get(key, key): value for key, value in one.items()}}
        for one in objects_of(response.get("videos"))
    ]
    told = {key: value for key, value in response.items() if key.startswith("raiMedia")}
    return {"generateVideoResponse": {"generatedSamples": samples, **told}}
