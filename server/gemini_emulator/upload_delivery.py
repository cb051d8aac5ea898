"""How the answers to uploads go out: with the headers of the protocol, in plain text where the protocol refuses.

Source: "Resumable uploads" of Google's APIs, and the answers of the live service.
"""

from __future__ import annotations

from .delivery import Delivery
from .errors import ApiError
from .faults import Directive
from .interaction_errors import InteractionError
from .upload_session import ProtocolError
from .wire import Object, dump

_JSON = "application/json; charset=UTF-8"
_TEXT = "text/plain; charset=utf-8"
_STATUS = "X-Goog-Upload-Status"
_URLS = ("X-Goog-Upload-URL", "X-Goog-Upload-Control-URL")


def of_uploads(path: str) -> bool:
    """Whether a path, without the prefix, takes uploads."""
    return path.startswith("/upload/")


class UploadDelivery(Delivery):
    """The way out for one request of an upload."""

    async def answer(self, body: Object | None, headers: dict[str, str], directive: Directive) -> None:
        """Send a success, or what its directive makes of it.

        Args:
            body: the message; None for an answer that only has headers.
            headers: those of the protocol.
            directive: what a test wants to happen.
        """
        if directive.get("cut") == "answer":
            await self._cut()
            return
        shown = {name: value for name, value in headers.items() if not _hidden(name, directive)}
        text = "" if body is None else dump(body)
        if "broken_json" in directive:
            text = text[: len(text) * 2 // 3]
        await self._whole(200, text, _TEXT if body is None else _JSON, shown)

    async def refusal(self, error: ApiError, headers: dict[str, str], directive: Directive) -> None:
        """Send an error of the API itself; the upload that it ends is final."""
        if directive.get("cut") == "answer":
            await self._cut()
            return
        shown = {name: value for name, value in {**error.headers, **headers}.items() if not _hidden(name, directive)}
        body = error.interactions_body() if isinstance(error, InteractionError) else error.body()
        await self._whole(error.status, dump(body), _JSON, shown)

    async def protocol_error(self, error: ProtocolError) -> None:
        """Send an error of the protocol."""
        headers = error.session.headers() if error.session else {}
        await self._whole(error.status, error.message, _TEXT, headers)

    async def cut(self) -> None:
        """Close the connection without a further byte."""
        await self._cut()


def _hidden(name: str, directive: Directive) -> bool:
    return (name == _STATUS and "no_status" in directive) or (name in _URLS and "no_url" in directive)
