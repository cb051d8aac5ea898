"""Who may call the Enterprise platform: a bearer of an OAuth token; an API key is refused.

Source: "Authenticate" of the platform, and the refusals of the live service.
"""

from __future__ import annotations

from collections.abc import Mapping

from .auth import refused_key
from .errors import DOMAIN, ApiError
from .options import Options
from .wire import Object

SERVICE = "aiplatform.googleapis.com"
_EXPECTED = (
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_NO_KEYS = (
    "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that "
    "assert a principal. See https://cloud.google.com/docs/authentication"
)


def check_token(headers: Mapping[str, str], query: Mapping[str, str], options: Options) -> None:
    """Refuse a caller without a usable token; `x-goog-user-project` says who pays, and may be anything.

    Raises:
        ApiError: 401 for no token, for a key in its place, and for a token that is not known.
    """
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        if refused_key(token.strip(), options.keys):
            message = f"Request had invalid authentication credentials. {_EXPECTED}"
            raise ApiError(401, message, details=[_why("ACCESS_TOKEN_TYPE_UNSUPPORTED")])
        return
    if headers.get("x-goog-api-key") or query.get("key"):
        raise ApiError(401, _NO_KEYS, details=[_why("CREDENTIALS_MISSING")])
    message = f"Request is missing required authentication credential. {_EXPECTED}"
    raise ApiError(401, message, details=[_why("CREDENTIALS_MISSING")])


def _why(reason: str) -> Object:
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {"@type": kind, "reason": reason, "domain": DOMAIN, "metadata": {"service": SERVICE}}
