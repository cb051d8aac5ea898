"""What a request for an upload asks for: its command, its protocol, its endpoint, and the description of the bytes.

Source: "Uploading files" of the Gemini API and "Resumable uploads" of Google's APIs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from starlette.requests import Request

from .errors import bad_fields, invalid
from .exchange import Call, Service
from .faults import Directive
from .requestlog import body_of
from .upload_body import Body
from .upload_session import Announced, Finish, ProtocolError, Session
from .wire import is_object

_VERSIONS = "v1|v1beta|v1alpha"
_FATE = ("polls", "outcome", "message", "code", "digest", "granularity")
_ACCEPTED = frozenset({"upload", "finalize", "upload,finalize", "query", "cancel"})


@dataclass(frozen=True)
class UploadRoute:
    """An endpoint that takes bytes, as a value.

    Args:
        method: the HTTP method that starts an upload.
        template: the path behind `/upload/` and the version; `{name}` captures one segment up to a colon, and
            `{name=**}` all that follows.
        begin: checks the description (the call's body, None when there is none) and says what becomes of the bytes.
    """

    method: str
    template: str
    begin: Callable[[Service, Call, Announced], Finish]


class UploadRequest:
    """One request to a path of uploads.

    Args:
        request: the request.
        path: its path, with the API version, without the prefix.
        service: whose faults it may meet.

    Attributes:
        commands: what `X-Goog-Upload-Command` asks for.
        protocol: how the bytes come: `resumable`, `multipart` or `raw`.
        ident: the secret id in the URL of an upload that is under way; None where one begins.
        directive: what a test wants to happen. Faults match the path with the command and the offset behind it:
            `/upload/v1beta/files#start`, `…#upload@0`, `…#upload,finalize@8388608`, `…#query`, `…#multipart`, `…#raw`.
        body: the bytes.
        description: the JSON that describes them, once it has been read.
    """

    def __init__(self, request: Request, path: str, service: Service) -> None:
        self.request = request
        self.method, self.path = request.method, path
        self.query, self.headers = dict(request.query_params), dict(request.headers)
        self.ident = self.query.get("upload_id")
        header = self.headers.get("x-goog-upload-command", "")
        self.commands = [word.strip().lower() for word in header.split(",") if word.strip()]
        self.protocol = "resumable" if self.ident is not None else _protocol(self.query, self.headers)
        what = ",".join(self.commands) if self.protocol == "resumable" else self.protocol
        offset = self.headers.get("x-goog-upload-offset", "")
        self.directive = service.faults.take(self.method, f"{path}#{what}" + (f"@{offset}" if offset else ""))
        self.body = Body(request, self.directive)
        self.description: object = None
        self._service = service
        self._began = service.log.began
        self._logged = False

    def log(self) -> None:
        """Record the request, once: a description as it is, bytes as their number."""
        if self._logged:
            return
        self._logged = True
        size = f"<{self.body.size} bytes>" if self.body.size else None
        body = size if self.description is None else self.description
        self._service.log.add(self.method, self.path, self.query, self.headers, body, began=self._began)

    def use(self, directive: Directive) -> None:
        """Let a directive that was not known at first have its way."""
        self.directive = directive
        self.body = Body(self.request, directive)

    def describe(self, raw: bytes | bytearray) -> None:
        """Read the description.

        Raises:
            ApiError: 400 when it is not JSON.
        """
        try:
            self.description = body_of(raw) if raw.strip() else None
        except (ValueError, RecursionError) as error:
            raise bad_fields([("", f"Invalid JSON payload received. {str(error)[:200]}")]) from None

    def announced(self, *, size: int | None = None, mime_type: str = "") -> Announced:
        """What the client says about its bytes.

        Args:
            size: how many there are, where they have come already.
            mime_type: what a part of the body says.

        Raises:
            ApiError: 400 for a length that is no number.
        """
        given = self.headers.get("x-goog-upload-header-content-length", "")
        if given and not given.isdecimal():
            raise invalid("X-Goog-Upload-Header-Content-Length is not a number.")
        fate = Directive({name: value for name, value in self.directive.items.items() if name in _FATE})
        return Announced(
            int(given) if given and size is None else size,
            mime_type or self.headers.get("x-goog-upload-header-content-type", ""),
            self.headers.get("x-goog-upload-file-name", ""),
            self._written().merged(fate),
        )

    def offset(self, session: Session) -> int:
        """Where the bytes of a chunk belong.

        Raises:
            ProtocolError: the client does not say.
        """
        given = self.headers.get("x-goog-upload-offset", "")
        if not given.isdecimal():
            raise ProtocolError(400, "Invalid request.  X-Goog-Upload-Offset is missing or no number.", session)
        return int(given)

    def check_commands(self, session: Session) -> None:
        """Refuse what is no command to an upload that is under way.

        Raises:
            ProtocolError: 400.
        """
        if ",".join(self.commands) not in _ACCEPTED:
            raise ProtocolError(400, "Invalid request.  X-Goog-Upload-Command is missing or unknown.", session)

    def call(self, names: dict[str, str], directive: Directive) -> Call:
        """The same as a call of the API."""
        names = dict(names)
        version = names.pop("version")
        return Call(
            self.method, self.path, version, names, self.query, self.headers, self.description, directive
        )  # fmt: skip

    def url(self, session: Session) -> str:
        """The address of an upload: whoever has it needs no key."""
        host, prefix = self.headers.get("host", "localhost"), self._service.options.path_prefix
        return f"http://{host}{prefix}{quote(self.path, safe='/:')}?upload_id={session.ident}&upload_protocol=resumable"

    def _written(self) -> Directive:
        """The directive in the display name; one for the start only while its times last."""
        texts = [text for text in _display_names(self.description) if "[emulate:" in text]
        wish = Directive.in_text("\n".join(texts))
        return self._service.faults.from_prompt(texts, self.path) if wish.get("on") == "start" else wish


def find(routes: tuple[UploadRoute, ...], method: str, path: str) -> tuple[UploadRoute, dict[str, str]]:
    """The endpoint of a path, and what its template captures.

    Raises:
        LookupError: there is none.
    """
    for route in routes:
        found = _pattern(route.template).fullmatch(path)
        if found and route.method == method:
            return route, found.groupdict()
    raise LookupError(path)


def _protocol(query: dict[str, str], headers: dict[str, str]) -> str:
    said = headers.get("x-goog-upload-protocol") or query.get("upload_protocol") or query.get("uploadType") or "raw"
    # Bare bytes need no header; the older name of the protocol is `uploadType=media`.
    return {"media": "raw"}.get(said.strip().lower(), said.strip().lower())


def _display_names(description: object) -> list[str]:
    """The names for people in a description: that is where directives may be written."""
    if not is_object(description):
        return []
    inner: object = description.get("file")
    found = [*description.items(), *(inner.items() if is_object(inner) else ())]
    return [value for name, value in found if name in ("displayName", "display_name") and isinstance(value, str)]


@lru_cache(64)
def _pattern(template: str) -> re.Pattern[str]:
    path = re.sub(r"\\{(\w+)=\\\*\\\*\\}", r"(?P<\1>.+)", re.escape(template))
    return re.compile(rf"/upload/(?P<version>{_VERSIONS})/" + re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", path))
