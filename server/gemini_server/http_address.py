"""Where the server listens over HTTP, and under which names callers may use it."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request

from gemini_server.errors import UnsafeSetting
from gemini_server.settings import Settings

ENDPOINT = "/mcp"
_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, `[::1]:PORT` or `:PORT` (loopback).

    Raises:
        UnsafeSetting: it is neither.
    """
    host, colon, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not colon or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        raise UnsafeSetting(f"--http {address!r} is not HOST:PORT.", "Write for example --http 127.0.0.1:8765.")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        UnsafeSetting: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UnsafeSetting(f"{host}:{port} cannot be bound: {error.strerror}.", "Choose another port.") from None
    listener.listen(512)
    return listener


def security(host: str, settings: Settings) -> TransportSecuritySettings:
    """Which Host and Origin headers are accepted: what is bound, what is allowed by name, the public URL."""
    names = {host, *settings.allowed_hosts}
    if is_loopback(host):
        names |= {"127.0.0.1", "localhost", "[::1]"}
    names -= _WILDCARDS  # which are no names that a caller uses
    names = {
        f"[{name}]" if ":" in name and not name.startswith("[") and name.count(":") > 1 else name for name in names
    }
    hosts = [entry for name in sorted(names) for entry in (name, f"{name}:*")]
    origins = [f"http://{entry}" for entry in hosts]
    if settings.public_url:
        parts = urlsplit(settings.public_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise UnsafeSetting("--public-url is no http(s) URL of the form https://host/path.")
        hosts.append(parts.netloc)
        origins.append(f"{parts.scheme}://{parts.netloc}")
    if not hosts:
        raise UnsafeSetting(
            f"--http {settings.http} is bound to every address, and no name is known under which callers may use it.",
            "Give --allowed-host NAME, or --public-url URL where a proxy publishes the server.",
        )
    return TransportSecuritySettings(enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins)


def base_url(settings: Settings, host: str, port: int) -> str:
    """The URL under which callers reach the server, without a slash at its end, for links.

    Args:
        settings: the public URL, and the host names that are allowed.
        host: that is bound; for all addresses, the first allowed name stands in the links.
        port: that is bound.
    """
    if settings.public_url:
        return settings.public_url.rstrip("/").removesuffix(ENDPOINT)
    if host in _WILDCARDS:
        host = next(iter(settings.allowed_hosts), "127.0.0.1")
    if host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"
    # An allowed name may come with the port at which a proxy listens.
    return f"http://{host}" if re.search("[^:]:[0-9]+$", host) else f"http://{host}:{port}"


def by_address(request: Request) -> bool:
    """Whether a caller without an Origin names the server by its address."""
    try:
        ip_address(urlsplit(f"//{request.headers.get('host', '')}").hostname or "")
    except ValueError:
        return False
    return "origin" not in request.headers
