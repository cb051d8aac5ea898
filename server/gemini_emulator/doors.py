"""The doors of one emulator: which paths belong to which service, who may enter, and how a reply goes out.

Behind all of them are the same models. The Developer API has the widest door, and Google's OpenAI layer one within it;
the Enterprise platform is told by its paths, which begin with a project. `Options.dialect` shuts all but one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from . import enterprise_service, gateway_service, openai_service
from .delivery import Delivery
from .enterprise_auth import check_token
from .exchange import Route
from .gateway_service import check_license
from .openai_auth import check_bearer
from .openai_delivery import GatewayDelivery, OpenaiDelivery
from .options import Options
from .wire import is_object

Authenticate: TypeAlias = Callable[[Mapping[str, str], Mapping[str, str], Options], None]


@dataclass(frozen=True)
class Door:
    """One way in.

    Args:
        versions: what stands in front of the templates of the routes, as a regular expression.
        routes: what is behind it.
        authenticate: refuses who may not enter.
        delivery: the way out.
        any_query: whether query parameters that a route does not have are passed over.
    """

    versions: str
    routes: tuple[Route, ...]
    authenticate: Authenticate
    delivery: type[Delivery] = Delivery
    any_query: bool = False

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route of a path, and what its template captured.

        Raises:
            LookupError: there is none.
        """
        for pattern, route in self._compiled:
            found = pattern.fullmatch(path)
            if found and route.method == method:
                return route, found.groupdict()
        raise LookupError(path)

    @cached_property
    def _compiled(self) -> list[tuple[re.Pattern[str], Route]]:
        return [(self._pattern(route), route) for route in self.routes]

    def _pattern(self, route: Route) -> re.Pattern[str]:
        template = re.sub(r"\\{(\w+)=\\\*\\\*\\}", r"(?P<\1>.+)", re.escape(route.template))
        template = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", template)
        # Guides write the address of a download with a word in front of the version.
        media = "(?:/download)?" if route.template.endswith(":download") else ""
        return re.compile(rf"{media}/(?P<version>{self.versions})/{template}")


OPENAI = Door("v1beta", openai_service.ROUTES, check_bearer, OpenaiDelivery, any_query=True)
GATEWAY = Door("v1", gateway_service.ROUTES, check_license, GatewayDelivery, any_query=True)
ENTERPRISE = Door("v1|v1beta1", enterprise_service.ROUTES, check_token)

_OPENAI = re.compile(r"/v1beta/openai/")
_ENTERPRISE = re.compile(r"/(?:v1|v1beta1)/(?:projects|publishers)/")


def door_of(path: str, options: Options) -> Door | None:
    """The door that a path leads to; None is that of the Developer API.

    Args:
        path: without the prefix.
        options: those of the emulator.
    """
    if options.dialect == "openai":
        return GATEWAY
    if options.dialect == "enterprise" or _ENTERPRISE.match(path):
        return ENTERPRISE
    return OPENAI if _OPENAI.match(path) else None


def streams_chunks(body: object) -> bool:
    """Whether a body of the OpenAI dialect asks for a stream."""
    return is_object(body) and body.get("stream") is True
