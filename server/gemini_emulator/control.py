"""The emulator's own endpoints, beside the API: faults, requests that came, the clock, Cloud Storage, and health."""

from __future__ import annotations

import base64

from starlette.requests import Request

from .delivery import Delivery
from .enterprise_store import CloudObject
from .errors import ApiError, invalid
from .exchange import Service
from .requestlog import body_of
from .store import timestamp
from .wire import Object, is_object


async def control(service: Service, request: Request, delivery: Delivery) -> None:
    """Serve `/emulator/faults`, `/emulator/requests`, `/emulator/clock`, `/emulator/objects` and `/emulator/health`.

    They need no key and are not logged.
    """
    try:
        action = f"{request.method} {str(request.scope['path']).removeprefix('/emulator/')}"
        await delivery.json(200, await _act(service, action, request))
    except ApiError as error:
        await delivery.error(error)


async def _act(service: Service, action: str, request: Request) -> object:
    match action:
        case "GET health":
            return {"status": "ok", "emulator": "gemini", "date": service.options.date().isoformat()}
        case "GET requests":
            return {"requests": service.log.entries()}
        case "DELETE requests":
            service.log.clear()
            return {}
        case "POST faults":
            try:
                fault = service.faults.add_json(body_of(await request.body()))
            except (ValueError, TypeError) as error:
                raise invalid(f"The emulator cannot read this fault: {error}") from None
            return {"directive": " ".join(fault.directive.items), "times": fault.times}
        case "GET faults":
            return {
                "faults": [
                    {"match": {"method": one.method, "path": one.path}, "times": one.times, "hits": one.hits}
                    for one in service.faults.waiting()
                ]
            }
        case "POST clock":
            service.clock.advance(_seconds(await request.body()))
            return {"time": timestamp(service.clock())}
        case "DELETE clock":
            service.clock.reset()
            return {"time": timestamp(service.clock())}
        case "GET objects":
            return {"objects": [_described(uri, one) for uri, one in service.projects.objects.items()]}
        case "POST objects":
            uri, held = _object(await request.body())
            service.projects.objects[uri] = held
            return {"uri": uri}
        case "DELETE faults":
            service.faults.clear()
            return {}
        case _:
            raise ApiError(404, f"The emulator has no control endpoint {action}.")


def _described(uri: str, held: CloudObject) -> Object:
    return {"uri": uri, "mimeType": held.mime_type, "data": base64.b64encode(held.data).decode()}


def _object(raw: bytes) -> tuple[str, CloudObject]:
    """An object of Cloud Storage from `{"uri", "mimeType", "text" or "data"}`; data is base64."""
    try:
        body = body_of(raw)
        if is_object(body) and str(body["uri"]).startswith("gs://"):
            data = str(body["text"]).encode() if "text" in body else base64.b64decode(str(body["data"]), validate=True)
            return str(body["uri"]), CloudObject(data, str(body.get("mimeType", "application/octet-stream")))
    except (ValueError, LookupError):
        pass
    raise invalid('The emulator expects {"uri": "gs://bucket/object", "mimeType": "…", "text": "…" or "data": "…"}.')


def _seconds(raw: bytes) -> float:
    """What `{"advance": seconds}` says."""
    try:
        body = body_of(raw)
    except ValueError:
        body = None
    seconds: object = body.get("advance") if is_object(body) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise invalid('The emulator expects {"advance": seconds}.')
    return seconds
