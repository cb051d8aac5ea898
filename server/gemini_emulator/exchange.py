"""One call to the API and the reply to it, free of HTTP machinery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from .errors import invalid
from .faults import Directive, Faults
from .models import Catalogue
from .options import Options
from .requestlog import RequestLog
from .wire import Object


@dataclass
class Call:
    """A request, authenticated and parsed.

    Args:
        method: the HTTP method.
        path: with the API version, without the prefix.
        version: `v1`, `v1beta` or `v1alpha`.
        names: what the route's template captured.
        query: the query parameters.
        headers: lower-cased.
        body: the parsed JSON; None when there is none.
        directive: what the control API wants to happen to this call.
    """

    method: str
    path: str
    version: str
    names: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: object
    directive: Directive

    def integer(self, name: str, field_name: str) -> int | None:
        """An integer query parameter.

        Raises:
            ApiError: 400 when it is not one.
        """
        value = self.query.get(name, self.query.get(field_name))
        if value is None:
            return None
        if not value.removeprefix("-").isdecimal():
            raise invalid(f"Invalid value at '{field_name}' (TYPE_INT32), \"{value}\"")
        return int(value)


@dataclass
class Reply:
    """A successful reply: one JSON object, or the events of a stream.

    Args:
        body: the object.
        events: the events; when set, there is no body.
        sse: whether the events go out as server-sent events, or else as one JSON array.
        directive: what is to happen on the way out.
    """

    body: Object = field(default_factory=dict[str, object])
    events: list[Object] | None = None
    sse: bool = True
    directive: Directive = field(default_factory=Directive)


@dataclass
class Service:
    """What the handlers of one emulator share."""

    options: Options
    catalogue: Catalogue
    faults: Faults
    log: RequestLog


Handler: TypeAlias = Callable[[Service, Call], Reply]


@dataclass(frozen=True)
class Route:
    """An endpoint as a value.

    Args:
        method: the HTTP method.
        template: the path behind the version; `{name}` captures one segment up to a colon.
        handler: what answers.
        query: the query parameters that the request message has.
    """

    method: str
    template: str
    handler: Handler
    query: frozenset[str] = frozenset()
