"""Where Gemini is, how this client shows its key, and its limits."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

import httpx2
from pydantic import SecretStr

from gemini_server.errors import UnsafeSetting

if TYPE_CHECKING:
    from .backend import Backend
    from .credentials import Credential

MIB = 1024 * 1024

Auth = Literal["api-key", "bearer", "raw", "google"]
"""How the key travels: `x-goog-api-key: KEY`, `Authorization: Bearer KEY`, or `Authorization: KEY`. With `google` there
is none: a token of the application default credentials goes as a bearer."""

LOCALHOST = "localhost"

DEFAULT_VERSION = "v1beta"
VERSION = r"v\d+(?:alpha|beta)?\d*"
"""How an API version looks, as a regular expression."""

_PROJECT = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_METHODS = re.compile(rf"/{VERSION}/models(?:/|\Z)", re.ASCII)


@cache
def default_user_agent() -> str:
    """`gemini-toolserver/<version>`; the version is `0` when the package is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"gemini-toolserver/{version('gemini-toolserver')}"
    except PackageNotFoundError:
        return "gemini-toolserver/0"


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine: `localhost`, or an address of 127.0.0.0/8 or ::1 in its plain spelling."""
    if host in (LOCALHOST, "::1"):
        return True
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """What a `GeminiClient` needs to know.

    Attributes:
        base_url: scheme, host, port and any path prefix; a trailing slash is ignored; see `Routes` for an API version
            at its end.
        api_version: the version of every endpoint that does not name its own.
        auth: how the key travels.
        key: the credential; None is answered with `KeyMissing` at the first call, before anything is sent.
        project: the Google Cloud project that pays, where the key is an OAuth token.
        credential: what is shown (see `credentials.of`); None: what `key`, `auth` and `project` say.
        backend: whose API is at the base URL (see `backend.of`); None: the Developer API.
        allow_http: whether plain http may leave this machine (a gateway in the house).
        timeout: seconds that one call may take with all its retries.
        connect_timeout: seconds to open a connection, or to wait for a free one of the pool.
        idle_timeout: seconds without a byte of an answer, or without an event of a stream. Waiting for a billed,
            unstreamed answer to begin does not count: Gemini is silent until it has finished (see `timeout`).
        max_attempts: how often a request is sent at most, the first time included.
        max_connections: how many connections are open at once at most.
        max_answer_bytes: the largest answer that is read, counted after decompression.
        max_event_bytes: the largest single event of a stream.
        user_agent: how this client introduces itself.

    Raises:
        UnsafeSetting: a base URL, version or key that would leak the key or break the request.
    """

    base_url: str = "https://generativelanguage.googleapis.com"
    api_version: str = DEFAULT_VERSION
    auth: Auth = "api-key"
    key: SecretStr | None = None
    project: str | None = None
    credential: Credential | None = field(default=None, repr=False)
    backend: Backend | None = None
    allow_http: bool = False
    timeout: float = 600.0
    connect_timeout: float = 10.0
    idle_timeout: float = 120.0
    max_attempts: int = 5
    max_connections: int = 200
    max_answer_bytes: int = 256 * MIB
    max_event_bytes: int = 64 * MIB
    user_agent: str = field(default_factory=default_user_agent)

    def __post_init__(self) -> None:
        """Refuses what is unsafe, and takes the whitespace off the key."""
        _check_url(self.base_url, allow_http=self.allow_http)
        if not re.fullmatch(VERSION, self.api_version, re.ASCII):
            raise UnsafeSetting(
                f"{self.api_version[:40]!r} is not an API version.", "Set GEMINI_API_VERSION to v1beta, v1 or v1alpha."
            )
        if self.project is not None and not _PROJECT.fullmatch(self.project):
            raise UnsafeSetting(
                f"{self.project[:40]!r} is not a Google Cloud project.", "Set GOOGLE_CLOUD_PROJECT to its id."
            )
        if self.key is not None:
            value = check_key(self.key.get_secret_value())
            # A frozen dataclass has no other way to keep a cleaned value.
            object.__setattr__(self, "key", SecretStr(value) if value else None)

    @property
    def url(self) -> httpx2.URL:
        """The base URL, parsed."""
        return httpx2.URL(self.base_url)

    @property
    def loopback(self) -> bool:
        """Whether the base URL points at this machine."""
        return is_loopback(self.url.host)


def _check_url(base_url: str, *, allow_http: bool) -> None:
    try:
        url = httpx2.URL(base_url.strip())
    except httpx2.InvalidURL as exc:
        raise UnsafeSetting(f"The base URL is not a URL: {exc}.", "Set GEMINI_BASE_URL to https://host/path.") from exc
    if url.scheme not in ("http", "https") or not url.host:
        raise UnsafeSetting(
            "The base URL must begin with https:// and name a host.", "Set GEMINI_BASE_URL to https://host/path."
        )
    if url.port is not None and url.port > 65_535:
        raise UnsafeSetting(
            f"The base URL names the port {url.port}, and ports end at 65535.",
            "Set GEMINI_BASE_URL to https://host:port/path.",
        )
    if url.userinfo:
        raise UnsafeSetting(
            "The base URL contains a user name or password.",
            "Take it out of GEMINI_BASE_URL; the credential belongs in GEMINI_API_KEY, its form in GEMINI_AUTH.",
        )
    if url.query or url.fragment or "?" in base_url or "#" in base_url:
        raise UnsafeSetting(
            "The base URL contains a query or a fragment, which would be lost or would leak into logs.",
            "Set GEMINI_BASE_URL to https://host/path without ? and #.",
        )
    if _METHODS.search(url.path):
        raise UnsafeSetting(
            "The base URL ends in /models, which this server adds by itself.",
            "Leave /models, and what follows it, out of GEMINI_BASE_URL.",
        )
    if url.scheme == "http" and not allow_http and not is_loopback(url.host):
        raise UnsafeSetting(
            f"The base URL sends the API key over plain http to {url.host}.",
            "Use https, or set GEMINI_TOOLSERVER_ALLOW_HTTP=1 if that host is in your own network.",
        )


def check_key(value: str) -> str:
    """A key without the whitespace around it.

    Raises:
        UnsafeSetting: it could forge a header, or is none.
    """
    value = value.strip()
    if "\r" in value or "\n" in value:
        raise UnsafeSetting(
            "The API key contains a line break, which could forge a header.",
            "Set GEMINI_API_KEY to the key alone, on one line.",
        )
    if not value.isascii():
        raise UnsafeSetting(
            "The API key contains a character that is not ASCII; it was probably pasted with typographic quotes.",
            "Copy the key again and set GEMINI_API_KEY to it.",
        )
    if any(c.isspace() or not c.isprintable() for c in value):
        raise UnsafeSetting(
            "The API key contains a space or a control character.",
            "Set GEMINI_API_KEY to the key alone; a bearer token goes without the word Bearer (GEMINI_AUTH=bearer).",
        )
    return value
