"""Uploads over HTTP: `/upload/{version}/…`, by the resumable protocol, as multipart, or as bare bytes.

What may be uploaded where, and what becomes of it, is a value: an `UploadRoute` checks the description and gives the
function that finishes the upload. Source: "Uploading files" of the Gemini API and "Resumable uploads" of Google's APIs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from anyio import to_thread

from .auth import authenticate
from .blob import Blob
from .errors import ApiError, invalid
from .exchange import Service
from .faults import Directive
from .multipart import Multipart
from .upload_body import CutShort
from .upload_delivery import UploadDelivery
from .upload_request import UploadRequest, UploadRoute, find
from .upload_session import Announced, ProtocolError, Received, Session

_LARGEST_DESCRIPTION = 10 * 1024 * 1024
_AT_ONCE = 1024 * 1024
_PROTOCOLS = ("resumable", "multipart", "raw")
_FAILS = ("status", "html", "redirect", "error_array", "error_interactions")
_FINAL = {"X-Goog-Upload-Status": "final"}


async def serve(
    service: Service, routes: tuple[UploadRoute, ...], asked: UploadRequest, delivery: UploadDelivery
) -> None:
    """Serve one request.

    Args:
        service: what the emulator has.
        routes: the endpoints.
        asked: the request.
        delivery: the way out.
    """
    try:
        if asked.ident is not None:
            await _go_on(service, asked, asked.ident, delivery)
        elif asked.protocol == "resumable":
            await _open(service, routes, asked, delivery)
        else:
            await _whole(service, routes, asked, delivery)
    except CutShort:
        await delivery.cut()
    except ProtocolError as refused:
        await asked.body.drain()
        await delivery.protocol_error(refused)
    except ApiError as refused:
        await asked.body.drain()
        await delivery.refusal(refused, _FINAL, asked.directive)
    except LookupError:
        await asked.body.drain()
        await delivery.html(404)
    finally:
        asked.log()


async def _go_on(service: Service, asked: UploadRequest, ident: str, delivery: UploadDelivery) -> None:
    """Obey a command on the URL of an upload; no key is asked for."""
    session = service.uploads.find(ident, asked.path)
    if not asked.directive:
        asked.use(session.wish(asked.commands))
    directive = asked.directive
    _cut_before(directive)
    asked.check_commands(session)
    fails = _fails(directive)
    if "upload" in asked.commands:
        kept = "lost" not in directive and ("kept" in directive or not fails)
        last = "finalize" in asked.commands
        await session.receive(aiter(asked.body), asked.offset(session), last=last, kept=kept)
    else:
        await asked.body.drain()
    if not fails and "cancel" in asked.commands:
        session.cancel()
    if not fails and "finalize" in asked.commands and "lost" not in directive:
        await session.finalize(directive)
    if await _failed(asked, delivery):
        return
    if session.state == "cancelled" and "query" in asked.commands:
        raise ProtocolError(410, "The upload has been cancelled.", session)
    await _tell(session, asked, delivery)


async def _tell(session: Session, asked: UploadRequest, delivery: UploadDelivery) -> None:
    if isinstance(session.result, ApiError):
        await delivery.refusal(session.result, session.headers(), asked.directive)
        return
    silent = "query" in asked.commands and "no_result" in asked.directive
    await delivery.answer(None if silent else session.result, session.headers(), asked.directive)


async def _open(
    service: Service, routes: tuple[UploadRoute, ...], asked: UploadRequest, delivery: UploadDelivery
) -> None:
    """Begin a resumable upload."""
    _cut_before(asked.directive)
    raw = await _all(aiter(asked.body))
    broken = _described(asked, raw)
    if await _failed(asked, delivery):
        return
    authenticate(asked.headers, asked.query, service.options.keys)
    route, names = find(routes, asked.method, asked.path)
    if broken:
        raise broken
    if asked.commands != ["start"]:
        raise invalid("X-Goog-Upload-Command must be start where an upload begins.")
    announced = asked.announced()
    if announced.directive.get("on") == "start" and not asked.directive:
        asked.directive = announced.directive
        _cut_before(asked.directive)
        if await _failed(asked, delivery):
            return
    finish = route.begin(service, asked.call(names, announced.directive), announced)
    session = service.uploads.begin(asked.path, announced, finish, service.options.largest_file)
    url = asked.url(session)
    headers = {
        "X-Goog-Upload-URL": url,
        "X-Goog-Upload-Control-URL": url,
        "X-Goog-Upload-Status": session.state,
        "X-Goog-Upload-Chunk-Granularity": str(session.granularity),
        "X-GUploader-UploadID": session.ident,
    }
    await delivery.answer(None, headers, asked.directive)


async def _whole(
    service: Service, routes: tuple[UploadRoute, ...], asked: UploadRequest, delivery: UploadDelivery
) -> None:
    """Take an upload in one request."""
    _cut_before(asked.directive)
    if _fails(asked.directive):
        await asked.body.drain()
        await _failed(asked, delivery)
        return
    authenticate(asked.headers, asked.query, service.options.keys)
    route, names = find(routes, asked.method, asked.path)
    if asked.protocol not in _PROTOCOLS:
        raise invalid(f"X-Goog-Upload-Protocol must be one of {', '.join(_PROTOCOLS)}, not {asked.protocol!r}.")
    blob = Blob()
    try:
        announced = await _filled(asked, blob, service.options.largest_file)
        await asked.body.drain()
        finish = route.begin(service, asked.call(names, announced.directive), announced)
        result = await to_thread.run_sync(finish, Received(blob, announced))
    except BaseException:
        blob.close()
        raise
    if not await _failed(asked, delivery):
        await delivery.answer(result, _FINAL, asked.directive)


async def _filled(asked: UploadRequest, blob: Blob, largest: int) -> Announced:
    """Read the bytes, and what is said about them."""
    content_type = asked.headers.get("content-type", "")
    if asked.protocol == "raw":
        await _pour(aiter(asked.body), blob, largest)
        said = asked.headers.get("x-goog-upload-header-content-type", content_type)
        return asked.announced(size=blob.size, mime_type=said)
    parts = Multipart(content_type, aiter(asked.body))
    await parts.headers()
    broken = _described(asked, await _all(parts.body()))
    if broken:
        raise broken
    said = (await parts.headers()).get("content-type", "")
    await _pour(parts.body(), blob, largest)
    return asked.announced(size=blob.size, mime_type=said)


async def _pour(pieces: AsyncIterator[bytes], blob: Blob, largest: int) -> None:
    pending = bytearray()
    async for piece in pieces:
        pending += piece
        if blob.size + len(pending) > largest:
            raise invalid(f"Request payload size exceeds the limit: {largest} bytes.")
        if len(pending) >= _AT_ONCE:
            await to_thread.run_sync(blob.append, bytes(pending))
            pending.clear()
    blob.append(bytes(pending))


async def _all(pieces: AsyncIterator[bytes]) -> bytearray:
    raw = bytearray()
    async for piece in pieces:
        raw += piece
        if len(raw) > _LARGEST_DESCRIPTION:
            raise invalid(f"Request payload size exceeds the limit: {_LARGEST_DESCRIPTION} bytes.")
    return raw


def _described(asked: UploadRequest, raw: bytearray) -> ApiError | None:
    """The refusal of a description that cannot be read; a key that is missing is told first."""
    try:
        asked.describe(raw)
    except ApiError as broken:
        return broken
    return None


def _cut_before(directive: Directive) -> None:
    if directive.get("cut") == "before":
        raise CutShort


def _fails(directive: Directive) -> bool:
    """Whether a directive leaves no room for an answer."""
    return any(name in directive for name in _FAILS) or ("stall" in directive and directive.get("stall") != "inside")


async def _failed(asked: UploadRequest, delivery: UploadDelivery) -> bool:
    """Carry out a fault, if there is one; whether it left no room for an answer."""
    asked.log()
    return bool(asked.directive) and await delivery.failed_before(asked.directive, "", stream=False, array=False)
