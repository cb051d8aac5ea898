"""A span per call through the OpenTelemetry API, and the caller's trace context passed on to Gemini.

Without an SDK installed this costs a microsecond: the API's spans are empty then. Attributes follow the conventions for
generative AI clients and name no secret, no prompt and no URL.
"""

from __future__ import annotations

import re
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from gemini_server.errors import ToolserverError

from .endpoint import Endpoint

_tracer = trace.get_tracer("gemini_server.rest")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_operations: dict[tuple[str, str], str] = {}


def _operation(endpoint: Endpoint[Any]) -> str:
    """`generate_content` for `…:generateContent`; the verb and the template for a method without a name of its own."""
    key = (endpoint.method, endpoint.path)
    known = _operations.get(key)
    if known is None:
        name = endpoint.path.rpartition(":")[2] if ":" in endpoint.path else ""
        known = _CAMEL.sub("_", name).lower() if name else f"{endpoint.method} {endpoint.path}"
        _operations[key] = known
    return known


def begin(endpoint: Endpoint[Any], model: str | None, host: str) -> Span:
    """The span of one call; the caller ends it with `end`."""
    operation = _operation(endpoint)
    span = _tracer.start_span(operation, kind=SpanKind.CLIENT)
    if span.is_recording():
        span.set_attribute("gen_ai.provider.name", "gcp.gemini")
        span.set_attribute("gen_ai.operation.name", operation)
        span.set_attribute("server.address", host)
        if model:
            span.set_attribute("gen_ai.request.model", model.removeprefix("models/"))
    return span


def end(span: Span, retries: int, error: BaseException | None = None) -> None:
    """Ends the span with what came of the call."""
    if span.is_recording():
        span.set_attribute("http.request.resend_count", retries)
        if isinstance(error, ToolserverError):
            span.set_attribute("error.type", error.code)
            if error.status is not None:
                span.set_attribute("http.response.status_code", error.status)
            span.set_status(Status(StatusCode.ERROR, error.code))
        elif error is not None:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
    span.end()


def headers(span: Span) -> list[tuple[bytes, bytes]]:
    """`traceparent` and what belongs to it, when there is a trace to belong to."""
    if not span.get_span_context().is_valid:
        return []
    from opentelemetry import propagate

    carrier: dict[str, str] = {}
    propagate.inject(carrier, context=trace.set_span_in_context(span))
    return [(name.encode("ascii"), value.encode("ascii", "ignore")) for name, value in carrier.items()]
