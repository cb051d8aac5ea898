"""The ASGI application: from bytes to a `Call`, through faults, authentication and a route, to a reply."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from . import (
    agent_service,
    auth_token_service,
    batch_service,
    cache_service,
    credential_service,
    decision_service,
    embedding_service,
    environment_service,
    file_download,
    file_service,
    interaction_service,
    legacy_routes,
    model_service,
    operation_service,
    predict_service,
    search_import_service,
    search_store_service,
    trigger_service,
    upload_service,
    voice_service,
    webhook_service,
    websocket,
)
from .auth import authenticate
from .control import control
from .delivery import Delivery, HangUp
from .doors import Door, door_of, streams_chunks
from .errors import ApiError, bad_fields, invalid
from .exchange import Call, Reply, Route, Service
from .faults import Directive
from .file_references import mentioned
from .interaction_delivery import InteractionDelivery, of_interactions, streams
from .openai_delivery import OpenaiDelivery
from .openai_form import form_of, is_form
from .options import Options
from .requestlog import body_of
from .upload_delivery import UploadDelivery, of_uploads
from .upload_request import UploadRequest
from .webhook_keys import jwks
from .wire import is_object

LARGEST_BODY = 100 * 1024 * 1024
_LARGE = 256 * 1024
_VERSIONS = "v1|v1beta|v1alpha"
_SYSTEM_QUERY = frozenset(
    {"key", "alt", "$alt", "fields", "$fields", "prettyPrint", "$prettyPrint", "quotaUser", "access_token",
     "oauth_token", "callback", "$callback", "$.xgafv", "$key", "uploadType", "upload_protocol"}
)  # fmt: skip

ROUTES: tuple[Route, ...] = (
    *model_service.ROUTES,
    *embedding_service.ROUTES,
    *interaction_service.ROUTES,
    *predict_service.ROUTES,
    *operation_service.ROUTES,
    *file_download.ROUTES,
    *file_service.ROUTES,
    *cache_service.ROUTES,
    *batch_service.ROUTES,
    *search_store_service.ROUTES,
    *search_import_service.ROUTES,
    *auth_token_service.ROUTES,
    *legacy_routes.ROUTES,
    *agent_service.ROUTES,
    *environment_service.ROUTES,
    *voice_service.ROUTES,
    *decision_service.ROUTES,
    *credential_service.ROUTES,
    *trigger_service.ROUTES,
    *webhook_service.ROUTES,
)

UPLOADS = (*file_service.UPLOADS, *search_import_service.UPLOADS, *environment_service.UPLOADS)

_UNBOUND = (
    "Invalid JSON payload received. Unknown name \"{0}\": Cannot bind query parameter. Field '{0}' could not be found "
    "in request message."
)

T = TypeVar("T")


def _authenticate(headers: Mapping[str, str], query: Mapping[str, str], options: Options) -> None:
    authenticate(headers, query, options.keys)


DEVELOPER = Door(_VERSIONS, ROUTES, _authenticate)


class App:
    """One emulator's application.

    Attributes:
        hang_up: closes the connection of a scope; the server that runs the application provides it.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self.hang_up: HangUp = _cannot_hang_up
        self._prefix = service.options.path_prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request or one WebSocket."""
        if scope["type"] == "websocket" and self._service.options.dialect != "google":
            await send({"type": "websocket.close"})
        elif scope["type"] == "websocket":
            await websocket.serve(self._service, scope, receive, send, self.hang_up)
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        delivery = self._way_out(scope["path"])(scope, receive, send, self.hang_up)
        try:
            await self._serve(request, delivery)
        except ClientDisconnect:
            return
        finally:
            self._service.clock.wake()

    def _way_out(self, path: str) -> type[Delivery]:
        door = door_of(path.removeprefix(self._prefix), self._service.options)
        if door is not None:
            return door.delivery
        if of_uploads(path.removeprefix(self._prefix)):
            return UploadDelivery
        return InteractionDelivery if of_interactions(path) else Delivery

    async def _serve(self, request: Request, delivery: Delivery) -> None:
        path: str = request.scope["path"]
        if path.startswith("/emulator/"):
            await control(self._service, request, delivery)
            return
        if path == f"{self._prefix}/.well-known/jwks.json":
            await delivery.json(200, jwks())
            return
        if path.startswith(file_download.CDN):
            await self._cdn(request, path, delivery)
            return
        if not path.startswith(f"{self._prefix}/"):
            await delivery.missing()
            return
        path = path.removeprefix(self._prefix)
        if isinstance(delivery, UploadDelivery):
            asked = UploadRequest(request, path, self._service)
            await upload_service.serve(self._service, UPLOADS, asked, delivery)
            return
        await self._api(request, path, delivery)

    async def _api(self, request: Request, path: str, delivery: Delivery) -> None:
        began = self._service.log.began
        query, headers = dict(request.query_params), dict(request.headers)
        beside = door_of(path, self._service.options)
        door = beside or DEVELOPER
        stream = path.endswith(":streamGenerateContent")
        array = stream and query.get("alt", query.get("$alt")) != "sse"
        model = (re.search(r"models/([^/:]+)", path) or ["", ""])[1]
        body, size, broken = await _read_json(request)
        if isinstance(delivery, OpenaiDelivery):
            stream = streams_chunks(body)
            model = str(body.get("model", "")).removeprefix("models/") if is_object(body) else ""
        stream = stream or (of_interactions(path) and streams(query, body))
        # What is no request of the Developer API has another schema; the file of a log keeps to one.
        alone = beside is None or self._service.options.dialect != "google"
        self._service.log.add(request.method, path, query, headers, body, began=began, in_file=alone)
        directive = self._service.faults.take(request.method, path)
        if directive and await delivery.failed_before(directive, model, stream=stream, array=array):
            return
        try:
            door.authenticate(headers, query, self._service.options)
            route, names = door.find(request.method, path)
            if size > LARGEST_BODY:
                raise invalid(f"Request payload size exceeds the limit: {LARGEST_BODY} bytes.")
            if broken:
                raise broken
            if not door.any_query:
                _check_query(route, query)
            version = names.pop("version")
            values = {name: request.query_params.getlist(name) for name in query}
            call = Call(request.method, path, version, names, query, headers, body, directive, values)
            slow = size > _LARGE or route.slow or self._service.catalogue.makes_media(model) or mentioned(body)
            reply = await _in_turn(slow, lambda: route.handler(self._service, call))
        except ApiError as error:
            await delivery.error(error, array=array)
            return
        except RecursionError:
            await delivery.error(
                invalid("Invalid JSON payload received. The message is nested too deeply."), array=array
            )
            return
        except LookupError:
            await delivery.missing()
            return
        await self._answer(reply, directive, model, delivery, array)

    async def _cdn(self, request: Request, path: str, delivery: Delivery) -> None:
        """The second address of downloads, which knows no keys."""
        query, headers = dict(request.query_params), dict(request.headers)
        log = self._service.log
        log.add(request.method, path, query, headers, None, began=log.began)
        directive = self._service.faults.take(request.method, path)
        if directive and await delivery.failed_before(directive, "", stream=False, array=False):
            return
        call = Call(request.method, path, "", {}, query, headers, None, directive)
        try:
            reply = await to_thread.run_sync(file_download.from_cdn, self._service, call)
        except ApiError as error:
            await delivery.error(error)
            return
        await self._answer(reply, directive, "", delivery, False)

    async def _answer(self, reply: Reply, directive: Directive, model: str, delivery: Delivery, array: bool) -> None:
        stream = reply.events is not None
        # A fault that came from outside has been tried already; one in the prompt is known only now.
        fresh = Directive({key: value for key, value in reply.directive.items.items() if key not in directive})
        if fresh and await delivery.failed_before(reply.directive, model, stream=stream, array=array):
            return
        if not reply.directive:
            reply.directive = directive
        await delivery.reply(reply, model)


def _cannot_hang_up(scope: Scope) -> None:
    raise NotImplementedError("this server cannot close a connection")


async def _read_json(request: Request) -> tuple[object, int, ApiError | None]:
    raw, size = await _read(request)
    form = request.headers.get("content-type", "")
    body, broken = await _in_turn(size > _LARGE, lambda: _parsed(raw, size, form))
    return body, size, broken


async def _read(request: Request) -> tuple[bytearray, int]:
    """The body and its size.

    One that is too large is read to its end, so that the client gets to see the refusal, but not kept.
    """
    raw = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            raw.clear()
        else:
            raw += chunk
    return raw, size


def _parsed(raw: bytearray, size: int, content_type: str) -> tuple[object, ApiError | None]:
    """The JSON of a body (or `<N bytes>` for the log), and the refusal where it is not JSON."""
    if not size:
        return None, None
    if size > LARGEST_BODY:
        return f"<{size} bytes>", None
    try:
        return form_of(content_type, raw) if is_form(content_type) else body_of(raw), None
    except (ValueError, RecursionError) as error:
        text = f"Invalid JSON payload received. {type(error).__name__}: {str(error)[:200]}"
        return f"<{size} bytes>", bad_fields([("", text)])


def _check_query(route: Route, query: dict[str, str]) -> None:
    unknown = [name for name in query if name not in route.query and name not in _SYSTEM_QUERY]
    if unknown:
        raise bad_fields([("", _UNBOUND.format(name)) for name in unknown])


async def _in_turn(slow: bool, work: Callable[[], T]) -> T:
    """Run work here, or in a thread when it would hold up the other requests."""
    return await to_thread.run_sync(work) if slow else work()
