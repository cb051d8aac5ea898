"""How a reply reaches the client, or fails to: the HTTP side of the fault directives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from starlette.types import Message, Receive, Scope, Send

from .errors import ApiError
from .exchange import Download, Reply
from .faults import Directive
from .wire import Object, dump

HangUp = Callable[[Scope], None]

_JSON = "application/json; charset=UTF-8"
_HTML = "text/html; charset=UTF-8"
_SSE = "text/event-stream"


class Delivery:
    """The way out for one request.

    Args:
        hang_up: closes the connection of a scope, without a further byte.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, hang_up: HangUp) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._hang_up = hang_up

    async def failed_before(self, directive: Directive, model: str, *, stream: bool, array: bool) -> bool:
        """Carry out a directive that leaves no room for an answer; False when an answer is still due."""
        if "slow" in directive and await self._left_within(directive.seconds("slow")):
            return True
        if directive.get("cut") == "before":
            await self._cut()
        elif "stall" in directive and directive.get("stall", "headers") != "inside":
            await self._start(200, _SSE if stream and not array else _JSON, {})
            await self._left()
        elif "html" in directive:
            await self.html(directive.number("status", 502))
        elif "redirect" in directive and not directive.get("redirect").startswith("cdn"):
            headers = {"Location": directive.get("redirect")}
            await self._whole(directive.number("status", 302), "", _HTML, headers)
        elif "error_in_stream" in directive and stream:
            return False
        elif any(name in directive for name in ("status", "error_interactions", "error_array", "error_in_stream")):
            await self.error(directive.error(model), directive, array=array)
        else:
            return False
        return True

    async def reply(self, reply: Reply, model: str) -> None:
        """Send a reply, with what its directive does to the body."""
        if reply.download is not None:
            await self._download(reply.download, reply.directive, model)
            return
        if reply.events is not None:
            await self._stream(reply.events, reply, model)
            return
        text = dump(reply.body)
        if "broken_json" in reply.directive:
            text = text[: max(1, len(text) * 2 // 3)]
        if reply.directive.get("cut") != "inside" and reply.directive.get("stall") != "inside":
            await self._whole(200, text, _JSON, {})
            return
        body = text.encode()
        await self._start(200, _JSON, {"Content-Length": str(len(body))})
        await self._body(body[: len(body) // 2], more=True)
        await (self._cut() if reply.directive.get("cut") else self._left())

    async def error(self, error: ApiError, directive: Directive | None = None, *, array: bool = False) -> None:
        """Send an error in the format that is asked for."""
        directive = directive or Directive()
        body: object = error.interactions_body() if "error_interactions" in directive else error.body()
        if array or "error_array" in directive:
            body = [body]
        text = dump(body)
        if "broken_json" in directive:
            text = text[: len(text) * 2 // 3]
        await self._whole(error.status, text, _JSON, error.headers)

    async def html(self, status: int) -> None:
        """Send a page as Google's front end does for a path that it does not know, or in trouble."""
        page = (
            f"<!DOCTYPE html>\n<html lang=en>\n<title>Error {status}</title>\n"
            f"<p><b>{status}.</b> <ins>That’s an error.</ins>\n<p>This page comes from an emulator.\n</html>\n"
        )
        await self._whole(status, page, _HTML, {})

    async def json(self, status: int, body: object) -> None:
        """Send any JSON."""
        await self._whole(status, dump(body), _JSON, {})

    async def _stream(self, events: Iterable[Object], reply: Reply, model: str) -> None:
        directive, sse = reply.directive, reply.sse
        after = directive.number("after", 1)
        pace = directive.seconds("pace")
        interrupted = directive.get("cut") == "inside" or directive.get("stall") == "inside"
        await self._start(200, _SSE if sse else _JSON, {})
        for sent, event in enumerate(events):
            if (interrupted or "error_in_stream" in directive or "broken_json" in directive) and sent >= after:
                break
            if pace and sent and await self._left_within(pace):
                return
            await self._body(self.event(dump(event), sse, first=not sent), more=True)
        if interrupted:
            await (self._cut() if directive.get("cut") else self._left())
            return
        await self._body(self.tail(directive, sse, directive.error(model)), more=False)

    async def _download(self, download: Download, directive: Directive, model: str) -> None:
        """Send a file piece by piece, as fast as the client reads."""
        if "error_body" in directive:
            await self._whole(200, dump(directive.error(model).body()), _JSON, {})
            return
        headers = dict(download.headers)
        size = download.end - download.start
        if "no_length" not in directive:
            headers["Content-Length"] = str(size)
        await self._start(download.status, headers.pop("Content-Type", _HTML), headers)
        interrupted = directive.get("cut") == "inside" or directive.get("stall") == "inside"
        stop = min(size, directive.number("after", size // 2)) if interrupted else size
        pace = directive.seconds("pace")
        for number, chunk in enumerate(download.content.chunks(download.start, download.start + stop)):
            if pace and number and await self._left_within(pace):
                return
            damaged = "corrupt" in directive and not number
            await self._body(bytes([chunk[0] ^ 1]) + chunk[1:] if damaged else chunk, more=True)
            # A client that reads fast would otherwise have the loop to itself.
            await asyncio.sleep(0)
        if interrupted:
            await (self._cut() if directive.get("cut") else self._left())
        else:
            await self._body(b"", more=False)

    async def missing(self) -> None:
        """Answer for a path that nobody knows."""
        await self.html(404)

    def event(self, text: str, sse: bool, *, first: bool) -> bytes:
        """One event of a stream."""
        if sse:
            return f"data: {text}\r\n\r\n".encode("utf-8", "replace")
        return (f"[{text}\n" if first else f",\r\n{text}\n").encode("utf-8", "replace")

    def tail(self, directive: Directive, sse: bool, error: ApiError) -> bytes:
        """What ends a stream: nothing in a healthy SSE stream, the bracket in an array, or what was asked for."""
        if "broken_json" in directive:
            return b'data: {"candidates": [{"content": {"par\r\n\r\n' if sse else b',\r\n{"candidates": [{"con'
        if "error_in_stream" in directive:
            text = dump(error.body())
            if not sse:
                return f",\r\n{text}\n]".encode()
            # The service writes the bare object into the stream; `error_in_stream=data` wraps it into an event.
            return (f"data: {text}" if directive.get("error_in_stream") == "data" else text).encode() + b"\r\n\r\n"
        return b"" if sse else b"]"

    async def _start(self, status: int, content_type: str, headers: dict[str, str]) -> None:
        pairs = {"Content-Type": content_type, "X-Gemini-Emulator": "1", **headers}
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def _body(self, body: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _whole(self, status: int, text: str, content_type: str, headers: dict[str, str]) -> None:
        body = text.encode("utf-8", "replace")
        await self._start(status, content_type, {"Content-Length": str(len(body)), **headers})
        await self._body(body, more=False)

    async def _cut(self) -> None:
        self._hang_up(self._scope)
        # Returning earlier would make the server write a 500 into the socket that is being closed.
        await self._left()

    async def _left(self) -> None:
        """Wait until the client has closed the connection, or the emulator stops."""
        message: Message = {"type": ""}
        while message["type"] != "http.disconnect":
            message = await self._receive()

    async def _left_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._left(), seconds)
        except TimeoutError:
            return False
        return True
