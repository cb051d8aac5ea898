"""One call to the API and the reply to it, free of HTTP machinery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from .agent_store import Agents
from .batch_store import Batches
from .cached_contents import Caches
from .clock import EmulatorClock
from .corpora_store import Corpora
from .credential_store import Credentials
from .enterprise_store import Projects
from .environment_store import Environments
from .errors import bad_fields, invalid
from .faults import Directive, Faults
from .generated_files import Content
from .interaction_store import Interactions
from .live_store import Conversations, Tokens
from .models import Catalogue
from .operations import Operations
from .options import Options
from .requestlog import RequestLog
from .search_store import SearchStores
from .trigger_store import Triggers
from .tuned_model_store import TunedModels
from .uploaded_files import Files
from .uploads import Uploads
from .voice_store import Voices
from .webhook_store import Webhooks
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
        values: every value of a query parameter that may be repeated.
    """

    method: str
    path: str
    version: str
    names: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: object
    directive: Directive
    values: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

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

    def boolean(self, name: str) -> bool:
        """A query parameter that is true or false, and false when it is absent.

        Raises:
            ApiError: 400 when it is neither.
        """
        value = self.query.get(name, "false").lower()
        if value not in ("true", "false", "1", "0"):
            raise bad_fields([(name, f"Invalid value at '{name}' (TYPE_BOOL), \"{self.query[name]}\"")])
        return value in ("true", "1")


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
    corpora: Corpora = field(init=False)
    tuned_models: TunedModels = field(default_factory=TunedModels)
    conversations: Conversations = field(init=False)
    tokens: Tokens = field(init=False)
    agents: Agents = field(default_factory=Agents)
    environments: Environments = field(init=False)
    voices: Voices = field(init=False)
    credentials: Credentials = field(init=False)
    triggers: Triggers = field(init=False)
    webhooks: Webhooks = field(init=False)
    videos: dict[str, Object] = field(default_factory=dict[str, Object])
    projects: Projects = field(default_factory=Projects)

    def __post_init__(self) -> None:
        self.batches = Batches(self.clock)
        self.caches = Caches(self.clock)
        self.uploads = Uploads(self.clock)
        self.search_stores = SearchStores(self.clock)
        self.corpora = Corpora(self.clock)
        self.conversations = Conversations(self.clock)
        self.tokens = Tokens(self.clock)
        self.environments = Environments(self.clock)
        self.voices = Voices(self.clock)
        self.credentials = Credentials(self.clock)
        self.triggers = Triggers(self.clock)
        self.webhooks = Webhooks(self.clock)


Handler: TypeAlias = Callable[[Service, Call], Reply]


@dataclass(frozen=True)
class Route:
    """An endpoint as a value.

    Args:
        method: the HTTP method.
        template: the path behind the version; `{name}` captures one segment up to a colon, and
            `{name=**}` all that follows.
        handler: what answers.
        query: the query parameters that the request message has.
        slow: whether the handler takes a while, and so runs in a thread.
    """

    method: str
    template: str
    handler: Handler
    query: frozenset[str] = frozenset()
    slow: bool = False
