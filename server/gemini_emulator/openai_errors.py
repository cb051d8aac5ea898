"""Refusals in the words of the OpenAI dialect: `{"error": {"message", "type", "param", "code"}}`.

Source: the "Error codes" guide and the error object of OpenAI's API reference.
"""

from __future__ import annotations

import math

from .errors import ApiError
from .wire import Object

_TYPES = {
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("permission_error", None),
    404: ("invalid_request_error", "model_not_found"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}


class OpenaiError(ApiError):
    """A refusal that names the parameter it is about.

    Args:
        status: the HTTP status.
        message: what is wrong.
        param: the parameter, as a path (`messages.0.content`).
        code: a short word for programs; empty where there is none.
    """

    def __init__(self, status: int, message: str, param: str = "", code: str = "") -> None:
        super().__init__(status, message)
        self.param = param
        self.code = code


def refused(message: str, param: str = "", code: str = "") -> OpenaiError:
    """400 for a body that cannot be used."""
    return OpenaiError(400, message, param, code)


def openai_body(error: ApiError) -> Object:
    """The body of a refusal."""
    kind, code = _TYPES.get(error.status, ("invalid_request_error" if error.status < 500 else "server_error", None))
    param: str | None = None
    if isinstance(error, OpenaiError):
        param, code = error.param or None, error.code or code
    return {"error": {"message": error.message, "type": kind, "param": param, "code": code}}


def retry_after(error: ApiError) -> dict[str, str]:
    """The `Retry-After` header, in whole seconds, of a refusal that says when to come back."""
    delays = [str(detail["retryDelay"]).removesuffix("s") for detail in error.details if "retryDelay" in detail]
    return {"Retry-After": str(math.ceil(float(delays[0])))} if delays else {}
