"""One call of a method by its name: checked, sent once, its answer kept.

What is billed runs as a job, so that its answer is there even if the caller goes; what goes on at Google is a job
anyway; all else is asked at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import anyio.to_thread

from gemini_server.api.reference import Method
from gemini_server.errors import ArgumentError, NotFound, SetupError, ToolserverError
from gemini_server.redaction import remember_secret
from gemini_server.rest.body import RawJson
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.endpoint import Empty, Endpoint, JsonObject, Repeat, Wire
from gemini_server.rest.route import QueryValue
from gemini_server.rest.stream import StreamBroken
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.retired import AQA, PALM, RETRIEVER, TUNING

Version = Literal["v1", "v1beta", "v1alpha"]

MOST_EVENTS = 2000
"""Events of a stream that are kept, beside its last: that says what the whole of it cost."""
REPEATS: dict[str, Repeat] = {"generate": "foreground", "background": "background", "change": "background"}
_SECRETS = ("token", "client_secret", "refresh_token", "value")
"""Members of a credential."""
_UPLOADERS = {
    "media.upload": "upload_file (or media.create, for a description without bytes)",
    "media.uploadToFileSearchStore": "add_to_store",
    "environments.files.upload": "upload_environment_file",
}
_GONE = {"corpora": RETRIEVER, "tunedModels": TUNING, "models": PALM}


class Anything(Wire):
    """An answer of any shape; its members are all extra."""

    essential: ClassVar[frozenset[str] | None] = frozenset()

    def members(self) -> JsonObject:
        """The JSON object that came."""
        return self.model_extra or {}


class AnythingOrNothing(Anything, Empty):
    """The same, or nothing: what was changed or deleted need not answer, and is not asked for again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of a method, checked.

    Attributes:
        method: what is called.
        path: the values of its path.
        query: its query parameters.
        body: what is sent.
        version: another API version than the usual one.
        sent: the body as it travels (see `encoded`).
    """

    method: Method
    path: Mapping[str, str]
    query: Mapping[str, QueryValue]
    body: JsonObject | None
    version: Version | None = None
    sent: bytes | None = field(default=None, repr=False)

    @property
    def endpoint(self) -> Endpoint[Anything]:
        """The method as the client calls it."""
        method = self.method
        repeat = REPEATS.get(method.kind, "read") if method.verb == "POST" else "read"
        version = self.version or method.version
        answer = AnythingOrNothing if method.kind in ("change", "destroy") else Anything
        return Endpoint(method.verb, method.path, answer, repeat, (*method.query, "alt"), version, method.family)

    @property
    def resource(self) -> str:
        """The path without version and verb, filled: what Google calls the resource's name."""
        template = self.method.path.partition("{version}/")[2].partition(":")[0]
        return template.format(**self.path)

    @property
    def model(self) -> str:
        """The model that is billed; empty where there is none."""
        body = self.body or {}
        named = self.path.get("model") or body.get("model") or body.get("agent") or ""
        return str(named).removeprefix("models/")[:100]

    @property
    def streams(self) -> bool:
        """Whether the answer is a stream of events."""
        said = self.query.get("stream") in (True, "true") or (self.body or {}).get("stream") is True
        return self.method.name.endswith("streamGenerateContent") or said

    @property
    def background(self) -> bool:
        """Whether it goes on at Google after the answer."""
        return self.method.kind == "background" or (self.body or {}).get("background") is True


def check_kind(call: Call, asked: Asked) -> None:
    """Refuse what this server may not do, or what cannot be done by name.

    Raises:
        ArgumentError: it takes the bytes of a file.
        SetupError: it changes something, and the server is read-only.
    """
    method = asked.method
    if method.kind == "upload":
        raise ArgumentError(f"{method.name} takes the bytes of a file.", f"Use {_UPLOADERS[method.name]}.")
    if call.runtime.settings.read_only and not _only_asks(asked):
        raise SetupError(
            f"{method.name} changes something, and this server is read-only; nothing was sent.",
            "Start it without --read-only.",
            code="read_only",
        )


def _only_asks(asked: Asked) -> bool:
    kind, name = asked.method.kind, asked.method.name
    if name == "interactions.create":
        body = asked.body or {}
        # An agent acts, and what it finds in its sandbox it may change.
        return body.get("store") is False and not asked.background and not body.get("agent")
    if name in ("triggers.executions.run", "models.predict") or name.startswith("openai."):
        return kind == "read"
    if name == "environments.files.get":
        return asked.query.get("alt") is None
    return kind in ("read", "generate")


def explained(method: Method, error: NotFound) -> NotFound:
    """A 404 of a method that Google has given up, which says what to use instead."""
    if method.status == "current" and not method.name.startswith(("corpora", "tunedModels")):
        return error
    state = "has removed it" if method.status == "removed" else "calls it deprecated"
    what = f"{error.what} {method.name} is a method of the past: Google {state}."
    words = AQA if method.name == "models.generateAnswer" else _GONE[method.name.partition(".")[0]]
    return NotFound(what, words, code=error.code, status=error.status)


def client_for(call: Call, method: Method) -> GeminiClient:
    """What calls a method: Google's layer of the OpenAI dialect wants the key shown in another way."""
    by_layer = method.family == "openai" and call.runtime.settings.dialect == "google"
    return call.runtime.openai.http if by_layer else call.runtime.client


async def ask(call: Call, asked: Asked) -> tuple[list[JsonObject], str]:
    """Call the method.

    Returns:
        Its answer, or the events of its stream; and why the stream ended too early, empty where it did not.

    Raises:
        ToolserverError: any of the tree.
    """
    client = client_for(call, asked.method)
    sent = None if asked.sent is None else RawJson(asked.sent)
    arguments: dict[str, Any] = {"body": sent, "query": asked.query, "on_retry": call.progress.retry, **asked.path}
    try:
        if not asked.streams:
            reply = await client.call(asked.endpoint, **arguments)
            return [reply.value.members()], ""
        events: list[JsonObject] = []
        count = 0
        why = ""
        async with client.stream(asked.endpoint, **arguments) as stream:
            try:
                async for event in stream:
                    count += 1
                    # One beyond the most is the last so far: the stream is heard to its end, which has the costs.
                    events[MOST_EVENTS:] = [event.members()]
                    await call.progress.note(f"{count} events so far")
            except ToolserverError as error:
                if not events and not isinstance(error, StreamBroken):
                    raise
                why = str(error)
        if count > len(events):
            why = f"Only the first {MOST_EVENTS} events and the last are kept, of {count}. {why}".strip()
        return events, why
    except NotFound as error:
        raise explained(asked.method, error) from None


def remember_secrets(method: Method, body: JsonObject | None) -> None:
    """Hide the secrets of a credential wherever text is redacted, from now on."""
    if method.name.startswith("credentials."):
        for name in _SECRETS:
            remember_secret(str((body or {}).get(name) or ""))


async def encoded(body: JsonObject) -> bytes:
    """A body as it is sent.

    Raises:
        ArgumentError: it cannot be JSON; nothing was sent.
    """

    def work() -> bytes:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

    try:
        return await anyio.to_thread.run_sync(work)
    except (ValueError, RecursionError):
        raise ArgumentError(
            "The body cannot be written as JSON: it is nested too deeply, or has a number such as NaN or half of a "
            "character (a lone surrogate). Nothing was sent."
        ) from None
