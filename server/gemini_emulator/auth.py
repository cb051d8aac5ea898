"""Who is calling: the four ways in which a key or token can arrive.

The Gemini API reads `x-goog-api-key`, `?key=` and `Authorization: Bearer`; gateways of the same dialect also take a raw
`Authorization` value. Source: "Using Gemini API keys" and "OAuth quickstart" of the Gemini API.
"""

from __future__ import annotations

from collections.abc import Mapping

from .errors import ApiError, error_info

_TOKENS = ("auth_tokens/", "Token auth_tokens/")
"""An ephemeral token opens a Live session, and is no key for anything else."""


def authenticate(headers: Mapping[str, str], query: Mapping[str, str], accepted: frozenset[str] | None) -> None:
    """Refuse a caller without a usable key, as Google words it."""
    authorization = headers.get("authorization", "").strip()
    scheme, _, token = authorization.partition(" ")
    bearer = scheme.lower() == "bearer"
    key = headers.get("x-goog-api-key") or query.get("key") or (token.strip() if bearer else authorization)
    if not key:
        raise ApiError(
            403,
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
            "other form of API consumer identity to call this API.",
        )
    if refused_key(key, accepted):
        only_bearer = bearer and not headers.get("x-goog-api-key") and not query.get("key")
        raise bad_token() if only_bearer else bad_key()


def refused_key(key: str, accepted: frozenset[str] | None) -> bool:
    """Whether a key or token opens nothing here."""
    return key.startswith(("invalid", *_TOKENS)) or (accepted is not None and key not in accepted)


def bad_key() -> ApiError:
    """400 for a key that is not known."""
    message = "API key not valid. Please pass a valid API key."
    localized = {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": message}
    return ApiError(400, message, details=[error_info("API_KEY_INVALID"), localized])


def bad_token() -> ApiError:
    """401 for a token that is not known."""
    return ApiError(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential.",
        details=[error_info("ACCESS_TOKEN_TYPE_UNSUPPORTED")],
    )
