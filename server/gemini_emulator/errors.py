"""Refusals, in the two formats that the Gemini API uses.

generateContent and its family answer `google.rpc.Status` (`error.code` is the HTTP number, `error.status` a name);
the Interactions family answers a short string code. Source: the "Troubleshooting" and "API errors" pages of the
Gemini API, and the google.rpc definitions of `ErrorInfo`, `BadRequest`, `QuotaFailure`, `RetryInfo` and `Help`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from .wire import Object, dump

DOMAIN = "googleapis.com"
SERVICE = "generativelanguage.googleapis.com"
_RPC = "type.googleapis.com/google.rpc."

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    413: "INVALID_ARGUMENT",
    416: "OUT_OF_RANGE",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

INTERACTIONS_CODES = {
    400: "invalid_request",
    401: "authentication",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    409: "aborted",
    416: "out_of_range",
    429: "rate_limit_exceeded",
    499: "cancelled",
    500: "api_error",
    501: "not_implemented",
    503: "overloaded",
    504: "deadline_exceeded",
}

MESSAGES = {
    400: "Request contains an invalid argument.",
    401: "Request had invalid authentication credentials.",
    402: "Your prepayment credits are depleted. Please add credits to continue.",
    403: "The caller does not have permission",
    404: "Requested entity was not found.",
    408: "The request timed out.",
    409: "The operation was aborted.",
    429: "You exceeded your current quota, please check your plan and billing details.",
    499: "The operation was cancelled.",
    500: "An internal error has occurred. Please retry or report in the developer forum.",
    501: "Operation is not implemented, or supported, or enabled.",
    502: "The server is temporarily unavailable.",
    503: "The model is overloaded. Please try again later.",
    504: "Deadline expired before operation could complete.",
}


class ApiError(Exception):
    """A refusal in the words of the API.

    Args:
        status: the HTTP status.
        message: what `error.message` says.
        details: the `google.rpc` details.
        name: the canonical name, where it is not the usual one of the HTTP status.
        headers: further response headers.
    """

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        details: Sequence[Object] = (),
        name: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.status = status
        self.message = message or MESSAGES.get(status, "Unknown error.")
        self.details = list(details)
        self.name = name or STATUS_NAMES.get(status, "UNKNOWN")
        self.headers = headers or {}
        super().__init__(self.message)

    def body(self) -> Object:
        """The `google.rpc.Status` form."""
        error: Object = {"code": self.status, "message": self.message, "status": self.name}
        if self.details:
            error["details"] = self.details
        return {"error": error}

    def interactions_body(self) -> Object:
        """The form of the snake_case family: a string code and a message."""
        code = INTERACTIONS_CODES.get(self.status, "api_error")
        if any("PerDay" in dump(detail) for detail in self.details):
            code = "quota_exceeded"
        return {"error": {"code": code, "message": self.message}}


def invalid(message: str) -> ApiError:
    """400 INVALID_ARGUMENT."""
    return ApiError(400, message)


def bad_fields(violations: Sequence[tuple[str, str]]) -> ApiError:
    """400 for a body that does not fit the message: one line and one `fieldViolations` entry per finding."""
    entries = [{"field": field, "description": text} if field else {"description": text} for field, text in violations]
    return ApiError(
        400,
        "\n".join(text for _, text in violations),
        details=[{"@type": _RPC + "BadRequest", "fieldViolations": entries}],
    )


def error_info(reason: str, **metadata: str) -> Object:
    """A `google.rpc.ErrorInfo` of this service."""
    return {
        "@type": _RPC + "ErrorInfo",
        "reason": reason,
        "domain": DOMAIN,
        "metadata": {"service": SERVICE, **metadata},
    }


def quota_exceeded(model: str, window: Literal["PerMinute", "PerDay"], retry: str | None) -> ApiError:
    """429 with the details from which a client tells a minute's limit from a day's."""
    metric = f"{SERVICE}/generate_content_free_tier_requests"
    value = "10" if window == "PerMinute" else "250"
    message = (
        f"{MESSAGES[429]} For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
        f"\n* Quota exceeded for metric: {metric}, limit: {value}, model: {model}"
    )
    details: list[Object] = [
        {
            "@type": _RPC + "QuotaFailure",
            "violations": [
                {
                    "quotaMetric": metric,
                    "quotaId": f"GenerateRequests{window}PerProjectPerModel-FreeTier",
                    "quotaDimensions": {"location": "global", "model": model},
                    "quotaValue": value,
                }
            ],
        },
        {
            "@type": _RPC + "Help",
            "links": [
                {
                    "description": "Learn more about Gemini API quotas",
                    "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
                }
            ],
        },
    ]
    if retry:
        message += f"\nPlease retry in {retry}."
        details.append(retry_info(retry))
    return ApiError(429, message, details=details)


def retry_info(delay: str) -> Object:
    """A `google.rpc.RetryInfo`; `delay` is a protobuf Duration such as `2s`."""
    return {"@type": _RPC + "RetryInfo", "retryDelay": delay}
