"""What a broken connection means for the bill: nothing sent, sent and lost, or begun and lost.

**When a body has left.** An attempt's body counts as left once its last byte has been handed to the transport, and not
before: every request carries an exact Content-Length, so a server that lacks one byte of it has no request to work on.
httpx2 asks for the body only after the connection is open and the headers are written, and asks for the next piece only
after the one before is written; `Outbound` sees those steps, without tracing. Hence:

- no connection, no TLS, no free connection in the pool, a proxy that refuses, a header that cannot be written, or a cut
  in the middle of a streamed body: not left, nothing was billed, the request is repeated whatever it is;
- a kept-alive connection that the server closed unnoticed: when its end has arrived, httpx2 opens another one before
  anything is written; when it crosses with the request, nobody can tell it from a server that died at work, and it
  counts as left. Connections are kept for 30 s only, far less than Google keeps them, so that this is rare.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator

import httpx2

from gemini_server.errors import BadAnswer, Busy, ConnectionFailed, MayHaveBeenBilled, ToolserverError

from .answer import CutError
from .body import Payload
from .complaint import clean
from .endpoint import Repeat
from .retry import Fault

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
ON_PURPOSE = "Call it again to repeat it on purpose; it may then be billed twice."
LOOK_FIRST = "Look whether the job exists before you start it again: a second start may be a second bill."


class Outbound(httpx2.AsyncByteStream):
    """The body of one attempt, which notes when its last byte is handed over.

    Attributes:
        left: whether it was.
        detour: the host and port that a redirect led to, while the attempt is away from the base URL's own.
    """

    __slots__ = ("_body", "detour", "left")

    def __init__(self, body: Payload | None) -> None:
        self._body = body
        self.left = False
        self.detour = ""

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """The bytes, from the start each time."""
        body = self._body
        whole = body.whole if body is not None else b""
        if whole is not None:
            self.left = True
            if whole:
                yield whole
            return
        assert body is not None  # noqa: S101 - told by `whole`
        handed = 0
        self.left = False
        chunks = body.chunks()
        try:
            async for chunk in chunks:
                handed += len(chunk)
                self.left = handed >= body.length
                yield chunk
        finally:
            await chunks.aclose()


def broken(exc: httpx2.TransportError, host: str, *, left: bool, repeat: Repeat) -> Fault:
    """The connection failed before a status came.

    Args:
        exc: what httpx2 said.
        host: whom it was to, for the message.
        left: whether the body had left.
        repeat: what the endpoint allows.
    """
    if isinstance(exc, _NEVER_SENT) or not left:
        return _never_sent(exc, host)
    if repeat == "read":
        return Fault(
            ConnectionFailed(
                f"The connection to {host} broke while Gemini was answering ({_reason(exc)}).",
                "Nothing was changed or billed: call again.",
            ),
            again=True,
        )
    what = f"The connection to {host} broke ({_reason(exc)}) after the request had left"
    return Fault(lost(what, repeat), again=False)


def lost(what: str, repeat: Repeat, *, code: str = "", status: int | None = None) -> MayHaveBeenBilled:
    """The error for billed work whose answer is gone."""
    if repeat == "background":
        return MayHaveBeenBilled(
            f"{what}. Gemini may have started the job, and it is not known under which name.",
            LOOK_FIRST,
            code="unknown",
            status=status,
        )
    return MayHaveBeenBilled(f"{what}. Gemini may have done and billed the work.", ON_PURPOSE, code=code, status=status)


def late(seconds: float, host: str, *, left: bool, repeat: Repeat) -> Fault:
    """The deadline passed before a complete answer came."""
    if left and repeat != "read":
        what = f"Gemini did not answer within {seconds:g} s, and the request had left"
        return Fault(lost(what, repeat, code="deadline_exceeded"), again=False)
    return Fault(
        ConnectionFailed(
            f"{host} did not answer within {seconds:g} s.",
            "Nothing was billed: call again, or allow more time.",
            code="deadline_exceeded",
        ),
        again=False,
    )


def cut(why: CutError, status: int, repeat: Repeat) -> Fault:
    """A good status came, and the body after it broke off."""
    how = "stopped in the middle" if why.why == "idle" else "was cut off"
    if repeat == "read":
        error: ToolserverError = BadAnswer(f"Gemini's answer {how}.", "Call again.", code="answer_cut", status=status)
        return Fault(error, again=True)
    return Fault(lost(f"Gemini's answer {how}", repeat, code="answer_cut", status=status), again=False)


def _never_sent(exc: httpx2.TransportError, host: str) -> Fault:
    if isinstance(exc, (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)):
        return Fault(ConnectionFailed(f"The request to {host} could not be formed ({_reason(exc)})."), again=False)
    if isinstance(exc, httpx2.PoolTimeout):
        return Fault(
            Busy(
                f"All connections that this server may have to {host} at once are in use by its own calls; nothing was "
                "sent or billed.",
                "Call again in a few seconds, with fewer calls at once.",
            ),
            again=True,
        )
    if _certificate(exc):
        return Fault(untrusted_certificate(host, _reason(exc)), again=False)
    return Fault(unreachable("connection", host, _reason(exc)), again=True)


def untrusted_certificate(host: str, reason: str) -> ConnectionFailed:
    """The error for a server that cannot show who it is."""
    return ConnectionFailed(
        f"The certificate of {host} is not trusted ({reason}); nothing was sent.",
        "If a company proxy re-signs the traffic, the person who runs this server sets SSL_CERT_FILE to its "
        "certificate.",
        code="certificate",
    )


def unreachable(what: str, host: str, reason: str) -> ConnectionFailed:
    """The error for a connection or a WebSocket that could not be opened."""
    return ConnectionFailed(
        f"No {what} to {host} ({reason}); nothing was sent or billed.",
        "Call again in a minute; if it stays, check the network, the proxy and GEMINI_BASE_URL.",
    )


def _certificate(exc: BaseException) -> bool:
    seen: BaseException | None = exc
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _reason(exc: httpx2.TransportError) -> str:
    name = type(exc).__name__
    text = clean(str(exc), 150)
    return f"{name}: {text}" if text else name
