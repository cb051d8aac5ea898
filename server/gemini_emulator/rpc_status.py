"""A refusal as a `google.rpc.Status` inside a resource, where the code is a number of its own and not HTTP's.

Source: `google.rpc.Code`, and `Status` in the API reference of long-running operations.
"""

from __future__ import annotations

from .errors import ApiError
from .faults import Directive
from .wire import Object

CODES = {
    "CANCELLED": 1, "UNKNOWN": 2, "INVALID_ARGUMENT": 3, "DEADLINE_EXCEEDED": 4, "NOT_FOUND": 5, "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7, "RESOURCE_EXHAUSTED": 8, "FAILED_PRECONDITION": 9, "ABORTED": 10, "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12, "INTERNAL": 13, "UNAVAILABLE": 14, "UNAUTHENTICATED": 16,
}  # fmt: skip


def status_of(error: ApiError) -> Object:
    """The error that one request of a batch ends with.

    Seen of the service: it comes without details, and the official SDK could not read any.
    """
    return {"code": CODES.get(error.name, CODES["UNKNOWN"]), "message": error.message}


def asked_status(directive: Directive, usual: str) -> Object | None:
    """The error of `outcome=failed`, with its `code=` and `message=`; None when it was not asked for.

    Args:
        directive: what a test wants to happen.
        usual: the message without `message=`.
    """
    if directive.get("outcome") != "failed":
        return None
    message = directive.get("message").replace("_", " ") or usual
    return {"code": CODES.get(directive.get("code").upper(), CODES["INTERNAL"]), "message": message}
