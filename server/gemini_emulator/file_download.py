"""Generated files over HTTP: their resources, and their bytes in whole or in part.

Source: "Files" of the API reference; ranges and validators as in RFC 9110, sections 13 and 14. Like the real service,
a download may be redirected to another address, where no key is needed; here that is `/emulator-cdn/`.
"""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from .errors import ApiError
from .exchange import Call, Download, Reply, Route, Service
from .faults import Directive
from .generated_files import Content

CDN = "/emulator-cdn/"
_SIGNED = "sig"
_PAGES = frozenset({"pageSize", "pageToken", "page_size", "page_token"})


def list_files(service: Service, call: Call) -> Reply:
    """`files.list`."""
    files, token = service.files.list_page(
        call.integer("pageSize", "page_size"), call.query.get("pageToken", call.query.get("page_token", ""))
    )
    return Reply({**({"files": files} if files else {}), **({"nextPageToken": token} if token else {})})


def get_file(service: Service, call: Call) -> Reply:
    """`files.get`; with `alt=media`, which guides append to a file's address, the bytes."""
    if call.query.get("alt") == "media":
        return download(service, call)
    _grown(service, call)
    return Reply(service.files.get(_name(call)))


def delete_file(service: Service, call: Call) -> Reply:
    """`files.delete`."""
    service.files.delete(_name(call))
    return Reply()


def download_file(service: Service, call: Call) -> Reply:
    """`media.download`; without `alt=media` it answers an empty message."""
    return download(service, call) if call.query.get("alt") == "media" else Reply()


def download(service: Service, call: Call) -> Reply:
    """The bytes of a file, or where to get them.

    Raises:
        ApiError: 403 for an unknown or expired file, 400 for an uploaded one, 416 for a range behind the end.
    """
    _grown(service, call)
    name = _name(call)
    service.files.check_download(name)
    file, content = service.files.content(name)
    target = call.directive.get("redirect")
    if target.startswith("cdn"):
        return Reply(download=Download(302, {"Location": _elsewhere(call, name, target)}))
    return Reply(download=answer(content, file["mimeType"], call.headers, call.directive))


def from_cdn(service: Service, call: Call) -> Reply:
    """The bytes behind a signed address; no key is asked for.

    Raises:
        ApiError: 403 when the signature is not that of the file, and as `download`.
    """
    name = f"files/{call.path.removeprefix(CDN)}"
    if call.query.get(_SIGNED) != _signature(name):
        raise ApiError(403, "The signature of this address is wrong.")
    file, content = service.files.content(name)
    return Reply(download=answer(content, file["mimeType"], call.headers, call.directive))


def answer(content: Content, mime_type: str, headers: dict[str, str], directive: Directive) -> Download:
    """What is sent for a request with these headers.

    Raises:
        ApiError: 416 for a range behind the end.
    """
    version = content.sha256()[:16] if "changed" not in directive else "changed"
    fields = {
        "Content-Type": directive.get("content_type", mime_type),
        "ETag": f'"{version}"',
        "Accept-Ranges": "none" if "no_range" in directive else "bytes",
        "Cache-Control": "private, max-age=0",
    }
    wanted = headers.get("range")
    # A range of another version is of no use: the whole file is sent instead.
    if wanted and "no_range" not in directive and headers.get("if-range", fields["ETag"]) == fields["ETag"]:
        span = span_of(wanted, content.size)
        if span is not None:
            start, end = span
            fields["Content-Range"] = f"bytes {start}-{end - 1}/{content.size}"
            return Download(206, fields, content, start, end)
    return Download(200, fields, content, 0, content.size)


def span_of(header: str, size: int) -> tuple[int, int] | None:
    """The first byte that a `Range` header asks for and the one behind its last; None where it is to be ignored.

    Raises:
        ApiError: 416 for a range that begins behind the end.
    """
    unit, _, ranges = header.partition("=")
    first, dash, last = ranges.strip().partition("-")
    if unit.strip() != "bytes" or not dash or not first + last or not (first + last).isdecimal():
        return None
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        raise ApiError(416, "The requested range is not satisfiable.", headers={"Content-Range": f"bytes */{size}"})
    return start, end


def _name(call: Call) -> str:
    return f"files/{call.names['file']}"


def _grown(service: Service, call: Call) -> None:
    """Make the file as large as a fault wants it."""
    size = call.directive.number("bytes", 0)
    if size:
        service.files.grow(_name(call), size)


def _elsewhere(call: Call, name: str, target: str) -> str:
    """The address on the emulator's second host: `cdn` is the same one, `cdn:HOST` or `cdn:HOST:PORT` another."""
    own = urlsplit(f"//{call.headers.get('host', 'localhost')}")
    host = target.partition(":")[2]
    if not host:
        host = own.netloc
    elif ":" not in host and own.port:
        host = f"{host}:{own.port}"
    return f"http://{host}{CDN}{name.removeprefix('files/')}?{_SIGNED}={_signature(name)}"


def _signature(name: str) -> str:
    return hashlib.sha256(f"emulator-cdn {name}".encode()).hexdigest()[:24]


ROUTES = (
    Route("GET", "files", list_files, _PAGES),
    Route("GET", "files/{file}", get_file, slow=True),
    Route("DELETE", "files/{file}", delete_file),
    Route("GET", "files/{file}:download", download_file, slow=True),
)
