"""Any endpoint of the API by its name, for what no other tool does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote

import anyio.to_thread
from pydantic import Field

from gemini_server.api import reference
from gemini_server.api.reference import Method
from gemini_server.errors import ArgumentError
from gemini_server.jobs.job import Job, Json, Request
from gemini_server.rest.body import RawJson
from gemini_server.toolkit import background_cost, interaction_known, job_result, jobs, uploads
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.endpoint_answer import booked, shaped
from gemini_server.toolkit.endpoint_body import check_body
from gemini_server.toolkit.endpoint_call import Asked, Version, ask, check_kind, encoded, remember_secrets
from gemini_server.toolkit.endpoint_owner import check_owner, claim, without_others
from gemini_server.toolkit.endpoint_path import path_of
from gemini_server.toolkit.job_result import Pending
from gemini_server.toolkit.jobs import Reuse, WaitSeconds
from gemini_server.toolkit.performed import performing
from gemini_server.toolkit.results import ArtifactOut, Result, Usage
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.untrusted import bounded, json_text, label

TOOLSET = Toolset("api", "Any endpoint of the API by its name.")

SOURCE = "api"
VOICE = "voices.create"
"""The one change that is billed at once, by token."""
PAID_LATER = frozenset(
    {"auth_tokens.create", "cachedContents.create", "cachedContents.patch", "triggers.create", VOICE}
)
"""Changes that are billed, or begin what is."""
BATCHES = {"batchGenerateContent": "generate", "asyncBatchEmbedContent": "embed"}
"""What the requests of a batch ask for, by the method that begins it."""


class Answered(Result):
    """The answer of an endpoint."""

    endpoint: str | None = None
    answer: Annotated[dict[str, Any] | None, Field(description="as the API gives it; media are artifact URIs")] = None
    events: Annotated[list[dict[str, Any]] | None, Field(description="of a stream")] = None
    text: str | None = None
    incomplete: str | None = None
    artifacts: list[ArtifactOut] | None = None
    usage: Usage | None = None
    untrusted: str | None = None
    job: Pending = None
    warnings: list[str] | None = None

    def as_text(self) -> str:
        """The answer as JSON, marked as data."""
        if self.job is not None:
            return self.job.as_text()
        lines: list[str] = []
        shown = self.events if self.events is not None else self.answer
        if shown is not None:
            lines.append(bounded(json_text(shown), SOURCE))
        if self.text:
            lines.append(bounded(self.text, self.untrusted or SOURCE))
        lines += [f"[artifact] {one}" for one in self.artifacts or ()]
        lines += [f"[incomplete] {self.incomplete}"] if self.incomplete else []
        lines += [f"[usage] {self.usage}"] if self.usage else []
        lines += [f"warning: {warning}" for warning in self.warnings or ()]
        return "\n".join(lines) or "Done."


async def finish_call(call: Call, job: Job, warnings: Sequence[str] = ()) -> Answered:
    """What came of it, or the job while it goes on."""
    answered = await job_result.finished(call, job, Answered, warnings)
    if answered.job is None and job.work in ("interaction", "veo"):
        # Works of other tools too: what they say beside the text has no member of its own here.
        beside = {name: value for name, value in job.result.items() if name not in Answered.model_fields}
        answered.endpoint, answered.answer = job.wish.get("endpoint"), beside or None
    return answered


@TOOLSET.tool(
    read_only=False, destructive=True, idempotent=False, open_world=True, finish=finish_call, guards_itself=True
)
async def call_endpoint(
    call: Call,
    endpoint: Annotated[
        str, Field(description="as in gemini://endpoints: models.generateContent, interactions.create")
    ],
    path: Annotated[
        str | dict[str, str] | None, Field(description='resource name, or values: {"model": "gemini-3.8-flash"}')
    ] = None,
    query: Annotated[dict[str, str | int | bool] | None, Field(description="query parameters")] = None,
    body: Annotated[dict[str, Any] | None, Field(description="the request as Google's reference has it")] = None,
    version: Annotated[Version | None, Field(description="API version, where not the usual one")] = None,
    check: Annotated[bool, Field(description="false: send the body unchecked")] = True,
    reuse: Reuse = True,
    wait_seconds: WaitSeconds = jobs.WAIT,
) -> Answered:
    """Call any endpoint of the Gemini API by its name, for what no other tool does: they check more, keep more and
    cost the same. gemini://endpoints lists them, gemini://endpoints/{name} has the schema of the body, which is
    checked before anything is sent. Billed as the endpoint is. Returns its answer; media and long answers become
    artifacts, what goes on at Google becomes a job.
    """
    method = reference.find(endpoint)
    remember_secrets(method, body)
    asked = Asked(method, path_of(method, path), _query(method, query), body, version)
    check_kind(call, asked)
    if check:
        await anyio.to_thread.run_sync(check_body, method, body)
    if body is not None:
        asked = replace(asked, sent=await encoded(body))
    await check_owner(call, asked)
    if asked.background:
        return await _begun(call, asked, reuse, wait_seconds)
    if _is_download(asked):
        return await _fetched(call, asked, wait_seconds)
    if method.kind != "generate":
        return await _answered(call, asked)
    plan = jobs.Plan("answer", "call_endpoint", "perform", asked.model)
    begun = await jobs.begin(call, plan, perform=performing(call, "answer", lambda own: _answered(own, asked)))
    return await finish_call(call, await jobs.wait(call, begun.job, wait_seconds))


def _query(method: Method, given: dict[str, str | int | bool] | None) -> dict[str, str | int | bool]:
    """The query parameters.

    Raises:
        ArgumentError: the method takes no such parameter.
    """
    known = (*method.query, "alt") if method.kind == "download" else method.query
    unknown = sorted(set(given or {}) - set(known))
    if unknown:
        raise ArgumentError(
            f"{method.name} takes no query parameter {', '.join(unknown)[:80]}.",
            f"It takes {', '.join(known) or 'none'}.",
        )
    return dict(given or {})


async def _answered(call: Call, asked: Asked) -> Answered:
    warnings: list[str] = []
    if asked.method.name in PAID_LATER:
        await call.runtime.may_spend(call.principal)
    async with call.runtime.slot():
        answers, early = await ask(call, asked)
    await claim(call, asked, answers)
    usage = None
    if asked.method.kind == "generate" and asked.model:
        usage = booked(call, asked.model, answers)
    elif asked.method.name == VOICE:
        made_by = answers[0].get("model") or call.runtime.catalogue.default("speech")
        usage = booked(call, label(str(made_by).removeprefix("models/")), answers)
    if not asked.streams:
        await without_others(call, asked, answers[0])
    whole = await shaped(call, "answer", {"events": answers} if asked.streams else answers[0], warnings)
    return Answered(
        endpoint=asked.method.name,
        answer=None if asked.streams else whole.answer,
        events=whole.events if asked.streams else None,
        incomplete=early or None,
        artifacts=whole.artifacts or None,
        usage=usage,
        untrusted=SOURCE,
        warnings=warnings or None,
    )


def _is_download(asked: Asked) -> bool:
    if asked.method.name == "environments.files.get":
        return asked.query.get("alt") == "media"
    return asked.method.kind == "download"


async def _fetched(call: Call, asked: Asked, wait_seconds: float) -> Answered:
    name = quote(asked.resource, safe="/")
    wish: Json = {"uri": name, "mime_type": "", "bytes": None, "sha256": None}
    if asked.method.name == "files.download":
        wish["uri"] = f"{name}:download"
    new = uploads.free_job(call, "file", "call_endpoint", "download", [uploads.place_of(call.runtime), name], wish)
    job, _ = await call.runtime.runner.begin(new, Request())
    return await finish_call(call, await jobs.wait(call, job, wait_seconds))


async def _begun(call: Call, asked: Asked, reuse: bool, wait_seconds: float) -> Answered:
    method = asked.method
    kind, work, model = "operation", "endpoint", asked.model
    batches = BATCHES.get(method.name.rpartition(".")[2])
    if method.name == "models.predictLongRunning":
        kind, work = "video", "veo"
    elif method.family == "interactions":
        kind, work = "interaction", "interaction"
    elif batches:
        kind, work, model = "batch", "endpoint_batch", asked.resource.removeprefix("models/")
    if asked.version and work in ("veo", "interaction"):
        raise ArgumentError(f"{method.name} in the background goes by the usual version.", "Leave version out.")
    wish: Json = {
        "endpoint": method.name,
        "path": dict(asked.path),
        "query": dict(asked.query),
        "version": asked.version,
    }
    if batches:
        wish["kind"] = batches
    if work == "interaction":
        wish["sources"] = sorted(interaction_known.UNKNOWN.names)  # what it reads is for the agent or the body to say
        wish["makes_environment"] = (asked.body or {}).get("environment") == "remote"
    estimate = None
    if work == "interaction":
        estimate = background_cost.of_interaction(call, model, (asked.body or {}).get("response_format"))
    elif work == "veo":
        estimate = background_cost.of_operation(call, model, asked.body)
    plan = jobs.Plan(kind, "call_endpoint", work, model, identity=[wish, asked.body], wish=wish, estimate=estimate)
    body = None if asked.sent is None else RawJson(asked.sent)
    begun = await jobs.begin(call, plan, body=body, reuse=reuse)
    job = await jobs.wait(call, begun.job, wait_seconds)
    return await finish_call(call, job, jobs.reused(begun))


class EndpointLine(Result):
    """An endpoint in a line."""

    name: str
    method: str
    path: str
    kind: str
    status: str | None = None


class EndpointList(Result):
    """Every endpoint."""

    endpoints: list[EndpointLine]


class EndpointOut(Result):
    """An endpoint with what it takes."""

    name: str
    method: str
    path: str
    kind: str
    status: str
    family: str
    parameters: list[str]
    query: list[str]
    body: Annotated[dict[str, Any] | None, Field(description="JSON Schema")] = None
    answer: str | None = None
    version: str | None = None


async def _names(call: Call, prefix: str) -> list[str]:
    return [name for name in reference.methods() if name.lower().startswith(prefix.lower())]


@TOOLSET.resource("gemini://endpoints", description="Every endpoint of the API: name, verb, path, what it does.")
async def endpoints(call: Call) -> EndpointList:
    """All endpoints."""
    return EndpointList(
        endpoints=[
            EndpointLine(
                name=one.name,
                method=one.verb,
                path=one.path,
                kind=one.kind,
                status=None if one.status == "current" else one.status,
            )
            for one in reference.methods().values()
        ]
    )


@TOOLSET.resource(
    "gemini://endpoints/{name}",
    description="One endpoint, with the JSON Schema of its body.",
    complete={"name": _names},
)
async def endpoint_resource(call: Call, name: str) -> EndpointOut:
    """One endpoint."""
    found = reference.find(name)
    return EndpointOut(
        name=found.name,
        method=found.verb,
        path=found.path,
        kind=found.kind,
        status=found.status,
        family=found.family,
        parameters=list(found.parameters),
        query=list(found.query),
        body=found.schema(),
        answer=found.answer,
        version=found.version,
    )
