"""Who may use Google's OpenAI compatibility layer: a bearer of an API key, and nobody else.

Source: "OpenAI compatibility" of the Gemini API, and the refusals of the live service.
"""

from __future__ import annotations

from collections.abc import Mapping

from .auth import bad_key, refused_key
from .errors import invalid
from .options import Options


def check_bearer(headers: Mapping[str, str], query: Mapping[str, str], options: Options) -> None:
    """Refuse a caller without a usable key behind `Bearer`.

    Raises:
        ApiError: 400 for no such header, a second credential, or a key that is not valid.
    """
    scheme, _, key = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise invalid("Missing or invalid Authorization header.")
    if headers.get("x-goog-api-key") or query.get("key"):
        raise invalid("Multiple authentication credentials received. Please pass only one.")
    if refused_key(key.strip(), options.keys):
        raise bad_key()
