"""Videos of Google's OpenAI compatibility layer: Veo as a job that is polled.

Without `Options.legacy_media` there is no model that could film, and so both answer 404, as they do since Veo was shut
down. Source: "OpenAI compatibility" of the Gemini API as of September 2026, and "Videos" of OpenAI's API reference.
"""

from __future__ import annotations

from dataclasses import replace

from .errors import ApiError
from .exchange import Call, Reply, Route, Service
from .openai_errors import refused
from .predict_service import predict_long_running
from .wire import Object, is_object

_SECONDS = ("4", "5", "6", "7", "8")
_SIZES: dict[str, Object] = {
    "1280x720": {"aspectRatio": "16:9", "resolution": "720p"},
    "720x1280": {"aspectRatio": "9:16", "resolution": "720p"},
    "1920x1080": {"aspectRatio": "16:9", "resolution": "1080p"},
    "1080x1920": {"aspectRatio": "9:16", "resolution": "1080p"},
}


def create(service: Service, call: Call) -> Reply:
    """`POST …/videos`: a form, or the same fields as JSON."""
    body: Object = call.body if is_object(call.body) else {}
    model = str(body.get("model") or "").removeprefix("models/")
    if not model:
        raise refused("You must provide a model parameter.", "model")
    service.catalogue.get(model, "v1main", "predictLongRunning", legacy=service.options.legacy_media)
    prompt, size, seconds = str(body.get("prompt") or ""), str(body.get("size") or ""), str(body.get("seconds") or "")
    if size and size not in _SIZES:
        raise refused(f"Invalid value at 'size': {size!r}. Supported are {', '.join(_SIZES)}.", "size")
    if seconds and seconds not in _SECONDS:
        raise refused(f"Invalid value at 'seconds': {seconds!r}.", "seconds")
    instance: Object = {"prompt": prompt}
    picture: object = body.get("input_reference")
    if is_object(picture):
        instance["image"] = {"bytesBase64Encoded": picture["data"], "mimeType": picture["content_type"]}
    parameters: Object = {**_SIZES.get(size, {}), **({"durationSeconds": int(seconds)} if seconds else {})}
    request = {"instances": [instance], "parameters": parameters}
    reply = predict_long_running(service, replace(call, names={"model": model}, body=request))
    ident = reply.body["name"].rpartition("/")[2]
    job: Object = {
        "id": f"video_{ident}",
        "object": "video",
        "model": model,
        "prompt": prompt,
        "created_at": int(service.clock().timestamp()),
        "size": size or "1280x720",
        "seconds": seconds or "8",
    }
    service.videos[job["id"]] = job
    return Reply({**job, "status": "processing"}, directive=reply.directive)


def retrieve(service: Service, call: Call) -> Reply:
    """`GET …/videos/{video}`: one poll; what is done has the `url` of its bytes."""
    job = service.videos.get(call.names["video"])
    if job is None:
        raise ApiError(404, f"Requested entity was not found: videos/{call.names['video']}")
    operation = service.operations.poll(job["model"], job["id"].removeprefix("video_"))
    if not operation.get("done"):
        return Reply({**job, "status": "processing"})
    videos: Object = operation.get("response", {}).get("generateVideoResponse", {})
    samples: list[Object] = videos.get("generatedSamples", [])
    if samples:
        return Reply({**job, "status": "completed", "progress": 100, "url": samples[0]["video"]["uri"]})
    reasons: list[str] = videos.get("raiMediaFilteredReasons", ["The video was filtered."])
    error: Object = operation.get("error", {"code": "content_filter", "message": reasons[0]})
    return Reply({**job, "status": "failed", "error": {"code": str(error["code"]), "message": error["message"]}})


ROUTES = (
    Route("POST", "openai/videos", create, slow=True),
    Route("GET", "openai/videos/{video}", retrieve, slow=True),
)
