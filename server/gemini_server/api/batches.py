"""The resource `batches`: many requests at half the price, done within 24 hours, gone after 48.

    PENDING ──> RUNNING ──> SUCCEEDED     its requests have answers or errors of their own
                   ├──────> FAILED
                   ├──────> CANCELLED     what was answered by then may be there
                   └──────> EXPIRED       likewise

A batch is an operation whose metadata is the batch. Requests come inline (20 MB) or as a file of JSON lines (2 GB), and
their answers come back the same way; those of a file in any order, known by their keys.

Source: https://ai.google.dev/api/batch-api, /gemini-api/docs/batch-api, and the v1beta discovery document of August
2026. That the answers are in `metadata.output` is what google-genai 3.4 reads; they are taken from `response` as well.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import SkipValidation

from gemini_server.api.config import Written
from gemini_server.api.embeddings import EmbedContentRequest
from gemini_server.api.models import GenerateContentRequest
from gemini_server.api.operations import Status
from gemini_server.rest.answer import parse_value
from gemini_server.rest.endpoint import Empty, Endpoint, JsonObject, Wire

INLINE_BYTES = 20_000_000
"""Bytes of a request that holds its requests itself."""
FILE_BYTES = 2 * 1024**3
"""Bytes of a file of requests."""
KEPT_HOURS = 48
"""Hours after which a batch that has not ended expires."""
FILE_TYPE = "application/jsonl"

AnyRequest = Annotated[GenerateContentRequest | EmbedContentRequest, SkipValidation]


class InlinedRequest(Written):
    """A request of a batch; `metadata` comes back with its answer."""

    request: AnyRequest
    metadata: dict[str, str] | None = None


class RequestLine(Written):
    """The same as a line of a file."""

    key: str
    request: AnyRequest


class InlinedRequests(Written):
    """The requests of a batch that is sent with them."""

    requests: list[InlinedRequest]


class InputConfig(Written):
    """Where the requests are: one of these."""

    requests: InlinedRequests | None = None
    file_name: str | None = None


class NewBatch(Written):
    """A batch that is wanted; a higher `priority` comes before a lower one."""

    display_name: str
    input_config: InputConfig
    priority: int | None = None


class CreateBatchRequest(Written):
    """The body of both methods that begin a batch."""

    batch: NewBatch


class BatchChange(Written):
    """What may be changed of a batch."""

    display_name: str | None = None
    priority: int | None = None


class BatchStats(Wire):
    """How far it is; a count that is 0 is left out."""

    request_count: int = 0
    successful_request_count: int = 0
    failed_request_count: int = 0
    pending_request_count: int = 0


class InlinedResponses(Wire):
    """Answers that came with the operation: `response` or `error`, and `metadata` as it was sent."""

    inlined_responses: list[JsonObject] = []


class BatchOutput(Wire):
    """The answers: a file of them, or they themselves, for which google-genai knows a second name in embeddings."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"inlinedResponses", "inlinedEmbedContentResponses"})

    responses_file: str | None = None
    inlined_responses: InlinedResponses | None = None
    inlined_embed_content_responses: InlinedResponses | None = None

    @property
    def link(self) -> str:
        """What the file is asked for by; an object in Cloud Storage is its own link."""
        name = self.responses_file or ""
        return name if "://" in name else f"{name}:download"

    @property
    def inline(self) -> list[JsonObject] | None:
        """The answers that came along; None where they are in a file, or there are none."""
        found = self.inlined_responses or self.inlined_embed_content_responses
        return found.inlined_responses if found else None


class BatchInput(Wire):
    """Where the requests came from, as far as it is told."""

    file_name: str | None = None


class Batch(Wire):
    """A batch as Google describes it."""

    name: str = ""
    model: str = ""
    display_name: str | None = None
    state: str = ""
    create_time: str | None = None
    update_time: str | None = None
    end_time: str | None = None
    priority: int | None = None
    input_config: BatchInput | None = None
    batch_stats: BatchStats | None = None
    output: BatchOutput | None = None

    @property
    def is_embedding(self) -> bool:
        """Whether it makes vectors."""
        return "EmbedContent" in str((self.model_extra or {}).get("@type", ""))


class BatchOperation(Wire):
    """A batch as it stands; `error` is why it came to nothing."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"name"})

    name: str = ""
    done: bool = False
    metadata: Batch | None = None
    response: JsonObject | None = None
    error: Status | None = None

    @property
    def batch(self) -> Batch:
        """The batch itself."""
        return self.metadata or Batch(name=self.name)

    @property
    def state(self) -> str:
        """`PENDING`, `RUNNING`, `SUCCEEDED`, `FAILED`, `CANCELLED`, `EXPIRED`, or what Google adds to these."""
        named = self.batch.state.removeprefix("BATCH_STATE_").removeprefix("JOB_STATE_")
        if named and named != "UNSPECIFIED":
            return named
        if not self.done:
            return "RUNNING"
        return "FAILED" if self.error else "SUCCEEDED"

    @property
    def output(self) -> BatchOutput | None:
        """The answers, where there are any by now."""
        if self.batch.output is not None:
            return self.batch.output
        response = self.response or {}
        return parse_value(BatchOutput, response.get("output", response)) if response else None


class ListBatchesResponse(Wire):
    """A page of batches."""

    operations: list[BatchOperation] = []
    next_page_token: str | None = None


GENERATE = Endpoint("POST", "{version}/{model}:batchGenerateContent", BatchOperation, repeat="background")
EMBED = Endpoint("POST", "{version}/{model}:asyncBatchEmbedContent", BatchOperation, repeat="background")
LIST = Endpoint("GET", "{version}/batches", ListBatchesResponse, query=("filter", "pageSize", "pageToken"))
GET = Endpoint("GET", "{version}/{name}", BatchOperation, billed=True)
CANCEL = Endpoint("POST", "{version}/{name}:cancel", Empty)
DELETE = Endpoint("DELETE", "{version}/{name}", Empty)
UPDATE_GENERATE = Endpoint("PATCH", "{version}/{name}:updateGenerateContentBatch", Batch, query=("updateMask",))
UPDATE_EMBED = Endpoint("PATCH", "{version}/{name}:updateEmbedContentBatch", Batch, query=("updateMask",))


def answered(line: JsonObject) -> JsonObject:
    """A line of a file of answers, with its `error` or `response`; the Enterprise backend tells errors in `status`."""
    status = line.get("status")
    if isinstance(status, str) and status and not line.get("response") and "error" not in line:
        rest = {name: value for name, value in line.items() if name not in ("response", "request")}
        return {**rest, "error": {"message": status.removeprefix("Error: ")}}
    return line
