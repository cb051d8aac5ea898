"""One attempt on the wire: the request with its headers, its redirects, and the answer opened."""

from __future__ import annotations

import logging
import math
import platform
from dataclasses import dataclass
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from . import backend, credentials, redirect
from .body import Payload
from .config import ClientConfig, default_user_agent
from .connection import Outbound
from .credentials import Header
from .endpoint import Repeat

KEEP_ALIVE_SECONDS = 30.0
_KEPT = 50  # idle connections
_HAS_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(slots=True)
class Order:
    """What every attempt of a call sends.

    Attributes:
        method: the HTTP verb.
        url: complete.
        body: what it carries, or None.
        repeat: what may be repeated by itself.
        headers: of this call alone, such as the trace context.
        sse: whether the answer is a stream.
        link: whether the URL came in an answer: the gate is asked before it is connected to, the answer is to be the
            bytes as they are, and every status is an answer.
        keyless: whether the URL itself is the credential, so that the key stays here whatever its host is.
    """

    method: str
    url: str
    body: Payload | None
    repeat: Repeat
    headers: list[Header]
    sse: bool = False
    link: bool = False
    keyless: bool = False


_parsed = lru_cache(maxsize=64)(httpx2.URL)


class Exchange:
    """The HTTP client and the headers that every request carries.

    The connection pool is made at the first request (SSL contexts are slow to make) and reused. Proxies and certificate
    files come from the environment as usual (`HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`), except for a plain http base
    URL on this machine, which a company's proxy cannot reach.

    Args:
        config: where Gemini is.
        transport: what sends instead of the network; proxies are not used then.
    """

    def __init__(self, config: ClientConfig, transport: httpx2.AsyncBaseTransport | None) -> None:
        # httpx2 logs every URL at INFO, httpcore2 the headers of every answer at DEBUG; a URL may be a credential.
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._transport = transport
        self._limits = httpx2.Limits(
            max_connections=config.max_connections,
            max_keepalive_connections=_KEPT,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
        )
        self._http: httpx2.AsyncClient | None = None
        home = config.url
        self.gate = redirect.Gate(home, backend.of(config).storage)
        self._trust_env = not (config.loopback and home.scheme == "http")
        self._common: list[Header] = [
            (b"user-agent", config.user_agent.encode("ascii", "replace")),
            (b"accept", b"*/*"),
            (b"x-goog-api-client", f"{default_user_agent()} gl-python/{platform.python_version()}".encode()),
        ]
        self._host: Header = (b"host", home.netloc)
        self.credential = credentials.of(config)
        # A billed answer that is not streamed is silent until it is finished: only the deadline bounds that wait.
        self._patient = {"connect": config.connect_timeout, "read": None, "write": config.idle_timeout}
        self._patient["pool"] = config.connect_timeout
        self._eager = {**self._patient, "read": config.idle_timeout}

    def require_key(self) -> None:
        """Raises `KeyMissing` when there is no key."""
        self.credential.check()

    async def open(self, order: Order, outbound: Outbound, remaining: float) -> httpx2.Response:
        """Sends the request, follows redirects, and returns the answer with its body still to be read.

        Args:
            order: what to send.
            outbound: the body of this attempt.
            remaining: seconds until the deadline, which the server is told.

        Raises:
            BadAnswer: a link or a redirect that is not followed.
            ToolserverError: there is no key, or no token can be had.
            httpx2.TransportError: no status came; `outbound.left` says how far it got.
        """
        url, keyed = (_parsed(order.url), True) if not order.link else self._linked(order.url)
        host = self._host if keyed else (b"host", url.netloc)
        http = self._http or self._make()
        timeouts = self._eager if order.sse or order.repeat == "read" else self._patient
        common = [*self._common, *order.headers]
        if order.link:
            common.append((b"accept-encoding", b"identity"))
        else:
            # How long a file takes is no business of the server that sends it.
            common += ((b"accept-encoding", b"gzip"), (b"x-server-timeout", b"%d" % max(1, math.ceil(remaining))))
        if order.body is not None:
            common += (
                (b"content-type", order.body.content_type),
                (b"content-length", b"%d" % order.body.length),
            )
        elif order.method in _HAS_BODY:
            common.append((b"content-length", b"0"))
        method = order.method
        for hops_left in range(redirect.MAX_HOPS, -1, -1):
            outbound.left, outbound.detour = False, "" if keyed else url.netloc.decode("ascii")
            headers = [host, *common]
            if keyed and not order.keyless:
                headers += await self.credential.headers()
            request = httpx2.Request(method, url, headers=headers, stream=outbound, extensions={"timeout": timeouts})
            response = await http.send(request, stream=True)
            if response.status_code not in redirect.STATUSES:
                return response
            await response.aclose()
            if not hops_left:
                raise redirect.too_many(response.status_code)
            method, url, keyed = self.gate.follow(response, method)
            host = (b"host", url.netloc)
        raise AssertionError("unreachable: the last hop returns or raises")

    def _linked(self, link: str) -> tuple[httpx2.URL, bool]:
        url = httpx2.URL(link)  # not remembered: it may be signed, which makes it a credential
        return url, self.gate.admits_link(url)

    def _make(self) -> httpx2.AsyncClient:
        self._http = httpx2.AsyncClient(
            transport=self._transport,
            limits=self._limits,
            follow_redirects=False,
            http2=False,
            trust_env=self._trust_env,
            timeout=None,
            # The API has no cookies; none are kept, so that none can be planted.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
        return self._http

    async def aclose(self) -> None:
        """Closes the connections; the next request opens new ones."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()


def refused_key(response: httpx2.Response) -> bytes | None:
    """The credential that the request of a response showed; None where it showed none."""
    headers = response.request.headers
    shown = headers.get("x-goog-api-key") or headers.get("authorization")
    return shown.encode("ascii") if shown else None
