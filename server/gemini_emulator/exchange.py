"""One call to the API and the reply to it, free of HTTP machinery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from .batch_store import Batches
from .cached_contents import Caches
from .clock import EmulatorClock
from .errors import invalid
from .faults import Directive, Faults
from .generated_files import Content
from .interaction_store import Interactions
from .live_store import Conversations, Tokens
from .models import Catalogue
from .operations import Operations
from .options import Options
from .requestlog import RequestLog
from .search_store import SearchStores
from .uploaded_files import Files
from .uploads import Uploads
from .wire import Object

_NOTHING = Content(b"", 0)


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

    def base_url(self, prefix: str) -> str:
        """Where the client reaches this emulator, with the API version.

        Args:
            prefix: the path prefix of the options.
        """
        return f"http://{self.headers.get('host', 'localhost')}{prefix}/{self.version}"

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


@dataclass(frozen=True)
class Download:
    """Bytes to send, or where to get them.

    Args:
        status: 200, 206 or a redirect.
        headers: all but the length.
        content: the file.
        start: the first byte that is sent.
        end: the byte behind the last one.
    """

    status: int
    headers: dict[str, str]
    content: Content = _NOTHING
    start: int = 0
    end: int = 0


@dataclass
class Reply:
    """A successful reply: one JSON object, the events of a stream, or a file.

    Args:
        body: the object.
        events: the events; when set, there is no body.
        sse: whether the events go out as server-sent events, or else as one JSON array.
        directive: what is to happen on the way out.
        download: the bytes of a file; when set, there is no body.
    """

    body: Object = field(default_factory=dict[str, object])
    events: list[Object] | None = None
    sse: bool = True
    directive: Directive = field(default_factory=Directive)
    download: Download | None = None


@dataclass
class Service:
    """What the handlers of one emulator share."""

    options: Options
    catalogue: Catalogue
    faults: Faults
    log: RequestLog
    clock: EmulatorClock
    files: Files
    interactions: Interactions
    operations: Operations = field(default_factory=Operations)
    batches: Batches = field(init=False)
    caches: Caches = field(init=False)
    uploads: Uploads = field(init=False)
    search_stores: SearchStores = field(init=False)
    conversations: Conversations = field(init=False)
    tokens: Tokens = field(init=False)

    def __post_init__(self) -> None:
        self.batches = Batches(self.clock)
        self.caches = Caches(self.clock)
        self.uploads = Uploads(self.clock)
        self.search_stores = SearchStores(self.clock)
        self.conversations = Conversations(self.clock)
        self.tokens = Tokens(self.clock)


Handler: TypeAlias = Callable[[Service, Call], Reply]


@dataclass(frozen=True)
class Route:
    """An endpoint as a value.

    Args:
        method: the HTTP method.
        template: the path behind the version; `{name}` captures one segment up to a colon.
        handler: what answers.
        query: the query parameters that the request message has.
        slow: whether the handler takes a while, and so runs in a thread.
    """

    method: str
    template: str
    handler: Handler
    query: frozenset[str] = frozenset()
    slow: bool = False
