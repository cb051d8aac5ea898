"""Redirects, followed by hand: every popular client sends its own key headers along to whatever host it is pointed at.

A hop is checked before anything is connected:

- the base URL's own origin (scheme, host and port): followed, with the key;
- a public Google host (https, `*.googleapis.com` or `*.googleusercontent.com`, the default port): followed without key;
- loopback, while the base URL itself is on loopback: followed, without key unless the origin is the same;
- everything else is refused: other names, other addresses in any spelling, a fall from https to http.

Names are on a list, so a name that resolves to a private address does not help an attacker: no name of his is on it.
"""

from __future__ import annotations

import ipaddress
import re

import httpx2

from gemini_server.errors import BadAnswer

from .config import is_loopback

MAX_HOPS = 5
OBJECTS = "/storage/v1/b/"
"""The path of the objects in Cloud Storage: the JSON API of it, and nothing else there."""
STATUSES = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})
_GOOGLE = (".googleapis.com", ".googleusercontent.com")
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}\.?", re.IGNORECASE | re.ASCII)
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(net)
    for net in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "192.0.0.0/24",  # Python calls 192.0.0.192 global; clouds answer there
        "192.88.99.0/24",
        "198.18.0.0/15",
        "224.0.0.0/3",
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo and others
        "2002::/16",  # 6to4
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",  # site-local: Python calls it global
        "ff00::/8",
    )
)


def is_numeric(host: str) -> bool:
    """Whether `host` is an address in any spelling, also one that only the C library takes (`2130706433`, `0x7f.1`)."""
    return ":" in host or bool(_NUMERIC.fullmatch(host))


def is_private(host: str) -> bool:
    """Whether `host` is an address that is not a public one, or one that hides which it is.

    Python's own `is_global` says True for NAT64, 6to4, site-local and 192.0.0.192, so those are listed here.
    """
    if not is_numeric(host):
        return False
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return True  # 2130706433, 0177.0.0.1, 127.1: only an attacker writes an address like that
    return not address.is_global or any(address in net for net in _NOT_PUBLIC)


class Gate:
    """Decides where a redirect, or a link in an answer, may lead.

    Args:
        home: the base URL, the one origin that the key is meant for.
        storage: where Cloud Storage is, whose objects the same credential opens; empty where it does not. It goes
            there with a link that names an object (see `link`), never with a redirect.
    """

    def __init__(self, home: httpx2.URL, storage: str = "") -> None:
        self._home = home
        self._storage = httpx2.URL(storage) if storage else None
        self._home_loopback = is_loopback(home.host)

    def keyed(self, url: httpx2.URL) -> bool:
        """Whether the key goes along to `url`: only to the very scheme, host and port it is meant for."""
        home = self._home
        return url.scheme == home.scheme and url.host == home.host and url.port == home.port

    def stored(self, url: httpx2.URL) -> bool:
        """Whether a URL is of an object in Cloud Storage that the credential opens."""
        place = self._storage
        if place is None or (url.scheme, url.host, url.port) != (place.scheme, place.host, place.port):
            return False
        return url.raw_path.startswith(OBJECTS.encode())

    def admits_link(self, url: httpx2.URL) -> bool:
        """As `admit`, of a link that an answer named; the key goes to Cloud Storage as well, where it opens it."""
        return self.stored(url) or self.admit(url)

    def admit(self, url: httpx2.URL) -> bool:
        """Checks a target before anything is connected.

        Returns:
            Whether the key goes along.

        Raises:
            BadAnswer: the target is not one that this server follows.
        """
        if url.userinfo:
            raise _refused(url, "it carries a user name")
        if self.keyed(url):
            return True
        host = url.host
        if self._home_loopback and is_loopback(host):
            if url.scheme == "http" and self._home.scheme == "https":
                raise _refused(url, "it falls from https to http")
            if url.scheme in ("http", "https"):
                return False
        if is_private(host):
            raise _refused(url, "it is not a public address")
        if url.scheme != "https":
            raise _refused(url, "it is not https")
        if is_numeric(host) or not host.endswith(_GOOGLE) or url.port is not None:
            raise _refused(url, "it is not one of Google's hosts")
        return False

    def follow(self, response: httpx2.Response, method: str) -> tuple[str, httpx2.URL, bool]:
        """The next hop of a redirect.

        Args:
            response: the answer that redirects.
            method: the method that was used.

        Returns:
            The method to use next, where to, and whether the key goes along. GET means: without a body.

        Raises:
            BadAnswer: the hop is refused.
        """
        location = response.headers.get("location", "")
        try:
            url = response.request.url.join(location)
        except (httpx2.InvalidURL, ValueError) as exc:
            raise _bad(response.status_code, "its target is not a URL") from exc
        if not location or not url.host or "\\" in location:
            raise _bad(response.status_code, "it names no target")
        if response.status_code not in _KEEPS_METHOD and method != "GET":
            raise _bad(response.status_code, f"it would turn a {method} into a GET and lose the request")
        return method, url, self.admit(url)


def _refused(url: httpx2.URL, why: str) -> BadAnswer:
    return BadAnswer(
        f"The answer points to {url.host[:100]!r}, which this server does not follow: {why}. Nothing was sent there.",
        "If a proxy or gateway stands between, correct GEMINI_BASE_URL; otherwise do not use this link.",
        code="redirect_refused",
    )


def _bad(status: int, why: str) -> BadAnswer:
    return BadAnswer(
        f"Gemini's answer is a redirect ({status}) that cannot be followed: {why}.",
        "Correct GEMINI_BASE_URL if it points at a proxy or gateway.",
        code="redirect_refused",
        status=status,
    )


def too_many(status: int) -> BadAnswer:
    """The error after the fifth hop."""
    return _bad(status, f"there were more than {MAX_HOPS} in a row")
