"""Refusals of the Interactions family: a string code and a message.

Source: "API errors" of the Gemini API (the codes of the Interactions API) and its streaming guide (`event: error`).
"""

from __future__ import annotations

import re

from .errors import ApiError
from .wire import Object

_PLACE = re.compile(r"^\* GenerateContentRequest\.?", re.MULTILINE)
_FRONT_END = (401, 403)


class InteractionError(ApiError):
    """A refusal with one of the family's codes.

    Args:
        status: the HTTP status.
        code: such as `invalid_request`.
        message: what is wrong.
        headers: further response headers.
    """

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, message, headers=headers)
        self.code = code

    def interactions_body(self) -> Object:
        """The error as the family writes it."""
        return {"error": {"code": self.code, "message": self.message}}


def refused(message: str) -> InteractionError:
    """400 for a request that makes no sense."""
    return InteractionError(400, "invalid_request", message)


def unknown(name: str, place: str) -> InteractionError:
    """400 for a field that the API does not have."""
    return InteractionError(400, "parameter_unknown", f"Unknown parameter '{name}'{_at(place)}.")


def unsupported(value: object, name: str, place: str) -> InteractionError:
    """400 for a value that a field does not take."""
    return refused(f"The value '{value}' is not supported for '{name}'{_at(place)}.")


def missing(name: str, place: str = "") -> InteractionError:
    """400 for a required field."""
    return refused(f"Missing required parameter '{name}'{_at(place)}.")


def unready(message: str) -> InteractionError:
    """400 for something that comes too early or too late."""
    return InteractionError(400, "failed_precondition", message)


def not_found(message: str) -> InteractionError:
    """404 for an interaction that does not exist, or no longer."""
    return InteractionError(404, "not_found", message)


def taken(what: str, ident: str) -> InteractionError:
    """409 for an id that exists already."""
    return InteractionError(409, "already_exists", f"{what} '{ident}' already exists.")


def _at(place: str) -> str:
    return f" at '{place}'" if place else ""


def of_family(error: ApiError) -> InteractionError:
    """A refusal of the generateContent family in the words of this one."""
    if isinstance(error, InteractionError):
        return error
    message = _PLACE.sub("", error.message).strip()
    if "thought_signature" in message or "thought signature" in message:
        return InteractionError(400, "missing_thought_signature", message)
    if message.startswith("Invalid JSON payload received. Unknown name"):
        return InteractionError(400, "parameter_unknown", message)
    if error.status == 404 and message.startswith("models/"):
        return InteractionError(404, "model_not_found", message)
    code: str = error.interactions_body()["error"]["code"]
    return InteractionError(error.status, code, message, error.headers)


def of_front_end(error: ApiError) -> bool:
    """Whether Google's front end refused a call before the family saw it: then the format is the other one."""
    if isinstance(error, InteractionError):
        return False
    return error.status in _FRONT_END or any("ErrorInfo" in str(detail.get("@type")) for detail in error.details)
