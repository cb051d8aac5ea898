"""Uploads that are under way: what has arrived, what is still to come, and what becomes of it.

Source: "Resumable uploads" of Google's APIs (the `X-Goog-Upload-…` protocol, as Photos, Street View and the Gemini
API speak it), and the messages of the live service. Chunks come in whole granules, all but the last: whatever breaks,
what counts as received is a multiple of the granularity, or everything.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

from anyio import to_thread

from .blob import Blob
from .errors import ApiError
from .faults import Directive
from .store import Clock
from .wire import Object

GRANULARITY = 256 * 1024
KEPT = timedelta(days=7)
_AT_ONCE = 1024 * 1024


@dataclass(frozen=True)
class Announced:
    """What a client says about its bytes before it sends them.

    Args:
        size: how many there are; None when it does not say.
        mime_type: their type, empty when it does not say.
        file_name: `X-Goog-Upload-File-Name`.
        directive: what a test wants to become of the upload.
    """

    size: int | None = None
    mime_type: str = ""
    file_name: str = ""
    directive: Directive = field(default_factory=Directive)


@dataclass(frozen=True)
class Received:
    """An upload that is complete.

    Args:
        blob: the bytes; whoever finishes the upload keeps them or closes them.
        announced: what was said about them; its directive is that of the last request too.
    """

    blob: Blob
    announced: Announced


Finish: TypeAlias = Callable[[Received], Object]
"""Makes the answer to a complete upload; called once, in a thread. It may raise ApiError."""

State: TypeAlias = Literal["active", "final", "cancelled"]


class ProtocolError(Exception):
    """A refusal by the upload protocol, which speaks plain text.

    Args:
        status: the HTTP status.
        message: what is wrong.
        session: whose state goes into the headers.
    """

    def __init__(self, status: int, message: str, session: Session | None = None) -> None:
        self.status = status
        self.message = message
        self.session = session
        super().__init__(message)


class Session:
    """One resumable upload.

    Args:
        path: where it was started, with the API version.
        announced: what the client said at the start.
        finish: what becomes of the bytes.
        largest: how many bytes there may be.
        clock: what its expiry goes by.

    Attributes:
        ident: its secret id: whoever has it needs no key.
        state: whether bytes may still come.
        result: what the last command was answered, once the upload is final: a message, or a refusal.
    """

    def __init__(self, path: str, announced: Announced, finish: Finish, largest: int, clock: Clock) -> None:
        self.ident = secrets.token_urlsafe(48)
        self.path = path
        self.announced = announced
        self.state: State = "active"
        self.result: Object | ApiError | None = None
        self.granularity = max(1, announced.directive.number("granularity", GRANULARITY))
        self.expires = clock() + KEPT
        self._finish = finish
        self._largest = largest
        self._blob = Blob()
        self._turn = object()
        self._lock = asyncio.Lock()
        self._fired = 0

    @property
    def received(self) -> int:
        """How many bytes count as received."""
        return self._blob.size

    def headers(self) -> dict[str, str]:
        """What every answer says about the upload."""
        return {"X-Goog-Upload-Status": self.state, "X-Goog-Upload-Size-Received": str(self.received)}

    def wish(self, commands: list[str]) -> Directive:
        """What the directive in the display name wants for a request with these commands, while its times last."""
        directive = self.announced.directive
        if directive.get("on", "upload") not in commands:
            return Directive()
        self._fired += 1
        return directive if "times" not in directive or self._fired <= directive.number("times", 1) else Directive()

    async def receive(self, pieces: AsyncIterator[bytes], offset: int, *, last: bool, kept: bool) -> None:
        """Take a chunk.

        Args:
            pieces: its bytes; when they break off, the whole granules among them count.
            offset: where they belong.
            last: whether they may end anywhere.
            kept: whether they count at all.

        Raises:
            ProtocolError: for bytes that do not belong here; none of them counts.
        """
        async with self._lock:
            turn = self._turn = object()
            mark = self._blob.mark()
        pending = bytearray()
        excess = complete = False
        try:
            self._expect(offset)
            async for piece in pieces:
                excess = excess or self.received + len(pending) + len(piece) > self._room()
                if excess:
                    continue
                pending += piece
                if len(pending) >= max(_AT_ONCE, self.granularity):
                    await self._append(turn, pending, len(pending) // self.granularity * self.granularity)
            if self._turn is not turn:
                raise self._taken_over()
            if excess:
                raise self._too_many()
            size = self.received + len(pending) - mark.size
            if size % self.granularity and not last and mark.size + size != self.announced.size:
                raise ProtocolError(400, _UNEVEN.format(self.granularity, size), self)
            await self._append(turn, pending, len(pending))
            complete = kept
        except ProtocolError:
            kept = False
            raise
        finally:
            # A newer request has the upload for itself; what this one did not finish is lost.
            if not complete and self._turn is turn and self.state == "active":
                if kept:
                    self._blob.append(bytes(pending[: len(pending) // self.granularity * self.granularity]))
                else:
                    self._blob.rewind(mark)

    async def finalize(self, directive: Directive) -> None:
        """End the upload and make its result.

        Raises:
            ProtocolError: when it has ended before, or bytes are missing; then it stays as it is.
        """
        self._expect(self.received)
        if self.announced.size is not None and self.received != self.announced.size:
            raise ProtocolError(400, _MISSING.format(self.received, self.announced.size), self)
        self.state = "final"
        wishes = self.announced.directive.merged(directive)
        said = Announced(self.announced.size, self.announced.mime_type, self.announced.file_name, wishes)
        try:
            self.result = await to_thread.run_sync(self._finish, Received(self._blob, said))
        except ApiError as refused:
            self._blob.close()
            self.result = refused

    def cancel(self) -> None:
        """Give the upload up.

        Raises:
            ProtocolError: it is final.
        """
        if self.state == "final":
            raise ProtocolError(400, _TERMINATED, self)
        self.close()
        self.state = "cancelled"

    def close(self) -> None:
        """Let go of the bytes of an upload that is not final."""
        if self.state == "active":
            self._blob.close()

    def _expect(self, offset: int) -> None:
        if self.state != "active":
            raise ProtocolError(400, _TERMINATED, self)
        if offset != self.received:
            raise ProtocolError(409, _OFFSET.format(offset, self.received), self)

    async def _append(self, turn: object, pending: bytearray, size: int) -> None:
        async with self._lock:
            if self._turn is not turn or self.state != "active":
                raise self._taken_over()
            data = bytes(pending[:size])
            await to_thread.run_sync(self._blob.append, data)
            del pending[:size]

    def _taken_over(self) -> ProtocolError:
        return ProtocolError(409, "Another request has taken over this upload.", self)

    def _room(self) -> int:
        return self._largest if self.announced.size is None else self.announced.size

    def _too_many(self) -> ProtocolError:
        if self.announced.size is None:
            return ProtocolError(413, f"The upload is larger than {self._largest} bytes.", self)
        return ProtocolError(400, f"More bytes than the {self.announced.size} that were announced.", self)


_TERMINATED = "Upload has already been terminated."
_OFFSET = "Invalid request.  X-Goog-Upload-Offset is {}, but {} bytes have been received."
_MISSING = "Invalid request.  {} bytes have been received, but X-Goog-Upload-Header-Content-Length announced {}."
_UNEVEN = (
    "Invalid request.  The number of bytes uploaded is required to be equal or greater than {0}, except for the final "
    "request (it's recommended to be the exact multiple of {0}).  The received request contained {1} bytes, which does "
    "not meet this requirement."
)
