"""How bytes get to Gemini: the resumable protocol, one request at a time.

    start     announces the bytes; the answer names the session, a URL
    push      sends a chunk, once: whatever becomes of it, `query` tells what has arrived
    query     how much has arrived, or what became of the whole
    cancel    gives the upload up

Who has the URL of a session may write to it without a key, so it is a credential: it is checked like every link before
anything is connected to it, hidden wherever text is redacted, and never logged. The key does not go to it.

Source: "Resumable uploads" of Google's APIs (the headers `X-Goog-Upload-…`), and what google-genai sends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx2
from pydantic import BaseModel

from gemini_server.errors import BadAnswer, ToolserverError
from gemini_server.redaction import forget_secret, remember_secret

from . import answer, backend, connection, failure
from .attempts import Attempts, OnRetry, read_refusal
from .body import encode
from .complaint import complaint_of
from .config import MIB, ClientConfig
from .connection import Outbound
from .credentials import Header
from .endpoint import AnswerT, Endpoint
from .exchange import Exchange, Order
from .link import GOOGLE
from .retry import AttemptError, Fault
from .route import QueryValue, Routes
from .upload_chunk import Chunk, OnBytes, Source

GRANULARITY = 256 * 1024
"""Of this many bytes every chunk but the last is a multiple, where the server does not say otherwise."""
_ANSWER_BYTES = MIB
_LARGEST_GRANULARITY = 256 * MIB
_GONE = frozenset({404, 410})
_STATUSES: Mapping[str, Status] = {"active": "active", "final": "final", "cancelled": "gone"}
_DIGITS = 15

Status = Literal["active", "final", "gone", "unsaid"]
"""`active` waits for more, `final` has all bytes, `gone` takes none any more; `unsaid`: the protocol's headers lack."""


@dataclass(frozen=True, slots=True)
class Session:
    """An upload that has been announced.

    Attributes:
        url: where its bytes go; a credential.
        granularity: the length of every chunk but the last is a multiple of this many bytes.
    """

    url: str = field(repr=False)
    granularity: int = GRANULARITY


@dataclass(frozen=True, slots=True)
class Received:
    """What the server says of an upload.

    Attributes:
        status: how it stands.
        size: how many bytes have arrived; None where it does not say.
        answer: what was made of the whole, as JSON; empty until it is final, and where that answer is lost.
        refusal: why nothing was made of it; then the bytes are lost.
    """

    status: Status
    size: int | None = None
    answer: bytes = b""
    refusal: ToolserverError | None = None


class Uploads:
    """Uploads with the connections, the limits and the retries of a client.

    Args:
        config: the limits.
        routes: the prefix and the API version of the base URL.
        exchange: what sends.
        attempts: what repeats.
        wall: seconds since 1970.
    """

    def __init__(
        self, config: ClientConfig, routes: Routes, exchange: Exchange, attempts: Attempts, wall: Callable[[], float]
    ) -> None:
        self._config = config
        self._routes = routes
        self._exchange = exchange
        self._attempts = attempts
        self._wall = wall

    async def start(
        self,
        endpoint: Endpoint[Any],
        *,
        body: BaseModel | None,
        size: int,
        mime_type: str,
        query: Mapping[str, QueryValue] | None = None,
        on_retry: OnRetry | None = None,
        **path: str,
    ) -> Session:
        """Announce bytes.

        Args:
            endpoint: what takes them; its path begins with `upload/`.
            body: the description of what they are.
            size: how many there are.
            mime_type: of the bytes.
            query: parameters that the endpoint knows.
            on_retry: is told before each wait. Repeating does no harm: nothing exists until all bytes are there.
            **path: the values of the path template.

        Raises:
            BadAnswer: the answer names no session, or one that this server does not follow.
            ToolserverError: any other of the tree.
        """
        backend.of(self._config).asked(endpoint, path, query)
        self._exchange.require_key()
        headers = [
            (b"x-goog-upload-protocol", b"resumable"),
            (b"x-goog-upload-command", b"start"),
            (b"x-goog-upload-header-content-length", b"%d" % size),
            (b"x-goog-upload-header-content-type", mime_type.encode("ascii", "ignore")),
        ]
        url = self._routes.url(endpoint, path, query, sse=False)
        order = Order(endpoint.method, url, None if body is None else encode(body), "read", headers)
        session, _ = await self._attempts.run(order, self._begun, None, on_retry)
        return session

    async def _begun(self, response: httpx2.Response, deadline: float) -> Session:
        given = response.headers.get("x-goog-upload-url", "").strip()
        try:
            await answer.read(response, cap=_ANSWER_BYTES, idle=self._config.idle_timeout)
        except (answer.CutError, BadAnswer):
            await response.aclose()  # all that matters stood in its headers
        if not given:
            raise AttemptError(Fault(_nameless(response.status_code), again=True))
        stated = response.headers.get("x-goog-upload-chunk-granularity", "")
        granularity = (
            int(stated) if stated.isdecimal() and 0 < int(stated[:12]) <= _LARGEST_GRANULARITY else GRANULARITY
        )
        return Session(self._placed(given), granularity)

    def _placed(self, given: str) -> str:
        """The URL of a session, asked of the base URL where it is Google's own host, and hidden from now on."""
        try:
            url = httpx2.URL(given).copy_with(fragment=None)
        except (httpx2.InvalidURL, ValueError) as exc:
            raise _nameless(None) from exc
        if url.scheme == "https" and url.port == 443:
            url = url.copy_with(port=None)
        if (url.scheme, url.host, url.port, url.userinfo) == ("https", GOOGLE, None, b""):
            root, path = self._routes.root, url.raw_path.decode("ascii")
            prefix = httpx2.URL(root).raw_path.decode("ascii").rstrip("/")
            there = prefix and path.startswith(f"{prefix}/")
            url = httpx2.URL(f"{root.removesuffix(prefix) if there else root}{path}")
        self._exchange.gate.admit(url)
        self.remember(str(url))
        return str(url)

    def remember(self, url: str) -> None:
        """Hide the credential in a session's URL wherever text is redacted; one that was kept needs that too."""
        remember_secret(_credential(url))

    def forget(self, url: str) -> None:
        """A session is over: its URL opens nothing any more."""
        forget_secret(_credential(url))

    async def push(
        self, session: Session, source: Source, offset: int, length: int, *, on_bytes: OnBytes | None = None
    ) -> Received:
        """Send a chunk, and with the last one end the upload. It is sent once: after a failure, `query` and go on.

        Args:
            session: the upload.
            source: what the bytes are read from, a piece at a time.
            offset: where the chunk begins: what has arrived so far.
            length: its bytes; a multiple of the granularity, unless it is the last chunk. 0 only ends the upload.
            on_bytes: is told of each piece.

        Raises:
            FileRefused: the source has changed; the connection is dropped, and the upload is not ended.
            ConnectionFailed: it broke, or the server was silent.
            ToolserverError: the server refuses it; `retry_after` where it said when it may be asked again.
        """
        last = offset + length >= source.size
        command = (b"upload, finalize" if length else b"finalize") if last else b"upload"
        headers = [(b"x-goog-upload-command", command), (b"x-goog-upload-offset", b"%d" % offset)]
        chunk = Chunk(source, offset, length, on_bytes) if length else None
        order = Order("POST", session.url, chunk, "read", headers, link=True, keyless=True)
        outbound = Outbound(chunk)
        try:
            response = await self._exchange.open(order, outbound, self._config.timeout)
            try:
                return await self._judged(response)
            finally:
                await response.aclose()
        except httpx2.TransportError as exc:
            raise connection.broken(exc, self._config.url.host, left=True, repeat="read").error from exc
        except AttemptError as failed:
            raise failed.fault.error from failed.__cause__

    async def query(self, session: Session, *, on_retry: OnRetry | None = None) -> Received:
        """How much has arrived, or what became of the whole; repeated like any read.

        Raises:
            ToolserverError: it could not be asked.
        """
        return await self._command(session, b"query", on_retry)

    async def cancel(self, session: Session) -> None:
        """Give an upload up; one that has ended already is left as it is.

        Raises:
            ToolserverError: the server could not be told.
        """
        await self._command(session, b"cancel", None)
        self.forget(session.url)

    async def parsed(self, kind: type[AnswerT], received: Received) -> AnswerT | None:
        """What was made of the bytes; None where the answer that said it is lost, and it has to be asked for.

        Raises:
            ToolserverError: nothing was made of them, and they are lost.
        """
        if received.refusal is not None:
            raise received.refusal
        error = answer.refusal(kind, received.answer)
        if error is not None:
            raise failure.fault_of(complaint_of(error), {}, repeat="read", wall=self._wall).error
        try:
            return await answer.parse(kind, received.answer) if received.answer else None
        except BadAnswer:
            return None

    async def _command(self, session: Session, command: bytes, on_retry: OnRetry | None) -> Received:
        async def take(response: httpx2.Response, deadline: float) -> Received:
            received = await self._judged(response)
            await response.aclose()
            return received

        headers: list[Header] = [(b"x-goog-upload-command", command)]
        order = Order("POST", session.url, None, "read", headers, link=True, keyless=True)
        received, _ = await self._attempts.run(order, take, None, on_retry)
        return received

    async def _judged(self, response: httpx2.Response) -> Received:
        """What an answer says of the upload.

        Raises:
            AttemptError: nothing: it is a refusal.
        """
        headers, status = response.headers, response.status_code
        said = _STATUSES.get(headers.get("x-goog-upload-status", "").strip().lower())
        stated = headers.get("x-goog-upload-size-received", "").strip()
        size = int(stated) if stated.isdecimal() and len(stated) <= _DIGITS else None
        if 200 <= status < 300:
            try:
                data = (await answer.read(response, cap=_ANSWER_BYTES, idle=self._config.idle_timeout)).strip()
            except answer.CutError as cut:
                if said is None:
                    raise AttemptError(connection.cut(cut, status, "read")) from cut
                data = b""
            made = data[:1] == b"{" and data != b"{}"
            # Where a proxy has taken the header away, what was made of the bytes shows that they are all there.
            return Received(said or ("final" if made else "unsaid" if size is None else "active"), size, data)
        complaint = await read_refusal(response, self._config)
        if status in _GONE:
            return Received("gone", size)
        fault = failure.fault_of(complaint, headers, repeat="read", wall=self._wall)
        # The protocol refuses in plain text, and says how it stands; an error object is the word of the API.
        if said == "final" and complaint.recognised:
            return Received("final", size, refusal=fault.error)
        if said is not None and not fault.again and not complaint.recognised:
            return Received(said, size)
        raise AttemptError(fault)


def _credential(url: str) -> str:
    """What nobody may read of a session's URL."""
    return httpx2.URL(url).params.get("upload_id") or url


def _nameless(status: int | None) -> BadAnswer:
    return BadAnswer(
        "Gemini took the announcement of the file, but its answer names no address for the bytes.",
        "If a proxy or gateway stands between, it takes the header X-Goog-Upload-URL away: the person who runs this "
        "server corrects it, or GEMINI_BASE_URL. Otherwise call again.",
        code="no_upload_url",
        status=status,
    )
