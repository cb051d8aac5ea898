"""Where a call goes: the path template filled with checked values, under the base URL, with its query.

Rows 46 and 47 of the attack list end here: a model or file name reaches the path only if it looks like one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Any
from urllib.parse import quote, urlencode

import httpx2

from gemini_server.errors import ArgumentError

from .config import DEFAULT_VERSION, VERSION
from .endpoint import Endpoint

QueryValue = str | int | bool | list[str] | None

_NAME = re.compile(r"[A-Za-z0-9][\w.\-/]{0,255}", re.ASCII)
_VERSION_AT_END = re.compile(rf"/({VERSION})\Z", re.ASCII)


class FilePath(str):
    """A path of a file in a workspace, as the value of a path template: any characters, relative to the root.

    Steps that climb and control characters are refused; everything else is quoted. Empty is the root.
    """

    __slots__ = ()


_LONGEST_PATH = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


def check_path(argument: str, value: str) -> str:
    """`value`, a path of a file, fit for a path of a URL.

    Args:
        argument: the name of the argument, for the message.
        value: the path.

    Raises:
        ArgumentError: it climbs, or is no path; nothing was sent.
    """
    steps = value.split("/")
    climbs = ".." in steps or "." in steps
    if climbs or "//" in value or value.startswith("/") or len(value) > _LONGEST_PATH or _CONTROL.search(value):
        raise ArgumentError(
            f"The argument {argument!r} is no path inside a workspace: {value[:80]!r}. Nothing was sent.",
            "Pass one relative to its root, such as 'src/main.py'.",
        )
    return quote(value, safe="/")


def check_name(argument: str, value: str) -> str:
    """`value`, fit for a path.

    Args:
        argument: the name of the argument, for the message.
        value: a resource name such as `models/gemini-3.8-flash`: letters, digits, `_ . - /`, at most 256 characters.

    Raises:
        ArgumentError: it is anything else; nothing was sent.
    """
    if not _NAME.fullmatch(value) or "//" in value or value.endswith("/") or _has_dots(value):
        raise ArgumentError(
            f"The argument {argument!r} is not a resource name: {value[:80]!r}.",
            "Pass a name as the API gives it, such as 'models/gemini-3.8-flash' or 'files/abc-123': letters, digits, "
            "and _ . - / only.",
        )
    # The pattern lets nothing through that needs quoting; quoting stays as the second lock.
    return quote(value, safe="/")


def _has_dots(value: str) -> bool:
    return ("/." in value or "./" in value or ".." in value) and any(
        segment in (".", "..") for segment in value.split("/")
    )


class Routes:
    """Builds the URLs of one client.

    Args:
        base: the base URL. An API version at its end is not repeated: `https://gw/x/v1beta` serves
            `https://gw/x/v1beta/models` and `https://gw/x/upload/v1beta/files`.
        version: the API version of endpoints that do not name their own. One at the end of `base` wins over the
            default version, and gives way to another.
        default: the version of the backend where none is set; it stands in for the Developer API's.

    Attributes:
        root: scheme, host, port and prefix without an API version; no slash at its end.
        version: the API version of endpoints that do not name their own.
    """

    def __init__(self, base: httpx2.URL, version: str, default: str = DEFAULT_VERSION) -> None:
        version = default if version == DEFAULT_VERSION else version
        prefix = base.raw_path.decode("ascii").rstrip("/")
        found = _VERSION_AT_END.search(prefix)
        if found:
            prefix = prefix[: found.start()]
            version = found[1] if version == default else version
        self.root = f"{base.scheme}://{base.netloc.decode('ascii')}{prefix}"
        self.version = version

    def url(
        self, endpoint: Endpoint[Any], names: Mapping[str, str], query: Mapping[str, QueryValue] | None, *, sse: bool
    ) -> str:
        """The complete URL of one call.

        Raises:
            ArgumentError: a value is not a resource name.
            TypeError: the endpoint does not know a name or a query parameter, or misses one: a bug of the caller.
        """
        version = endpoint.version or self.version
        try:
            path = endpoint.path.format(
                version=version, **{name: _checked(name, value) for name, value in names.items()}
            )
        except KeyError as exc:
            raise TypeError(f"{endpoint.path} needs the path parameter {exc}") from exc
        if not names.keys() <= (known := _fields(endpoint.path)):
            raise TypeError(f"{endpoint.path} has no path parameter {sorted(names.keys() - known)}")
        pairs = _pairs(endpoint, query) if query else []
        if sse:
            pairs.append(("alt", "sse"))
        tail = f"?{urlencode(pairs)}" if pairs else ""
        return f"{self.root}/{path}{tail}"


def _checked(name: str, value: str) -> str:
    return check_path(name, value) if isinstance(value, FilePath) else check_name(name, value)


_templates: dict[str, frozenset[str]] = {}


def _fields(template: str) -> frozenset[str]:
    known = _templates.get(template)
    if known is None:
        known = _templates[template] = frozenset(name for _, name, _, _ in Formatter().parse(template) if name)
    return known


def _pairs(endpoint: Endpoint[Any], query: Mapping[str, QueryValue]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        if name not in endpoint.query:
            raise TypeError(f"{endpoint.path} takes no query parameter {name!r}")
        if value is None:
            continue
        if isinstance(value, list):
            pairs += [(name, one) for one in value]
            continue
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        pairs.append((name, text))
    return pairs
