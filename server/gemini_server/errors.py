"""Every failure this project anticipates, sorted by who can mend it.

    ToolserverError                 str(e) is what the model reads: what happened, why, what to do next
    ├── SetupError                  the person who runs the server
    │   ├── KeyMissing              no API key was found
    │   ├── KeyRefused              Google does not accept the key (400 API_KEY_INVALID, 401, 403)
    │   ├── PaymentRequired         402: the account has no credit
    │   └── UnsafeSetting           a setting that would leak the key or open the server; refused at start
    ├── ArgumentError               the model: a call with other arguments can succeed
    │   ├── FileRefused             a path outside the allowed directories, a credential, a device …
    │   ├── NotFound                404: no such model, file, conversation …
    │   └── RequestRefused          400 and other 4xx: Gemini names the field it does not take
    ├── Blocked                     Gemini declined the prompt or the answer (safety, recitation …)
    ├── GeminiError                 Gemini: the same call may succeed later
    │   ├── RateLimited             429 within a minute window; `retry_after` says when
    │   ├── QuotaExhausted          429 for a day or a plan; not retried
    │   ├── Overloaded              500, 502, 503, 504 after all retries
    │   └── BadAnswer               an answer that is not what the API promises (HTML, broken JSON, cut)
    ├── ConnectionFailed            the network: nothing was billed
    ├── MayHaveBeenBilled           the network, after the request had left: Gemini may have done the work
    ├── Busy                        this server: too many calls at once; nothing was sent
    └── LocalError                  this machine: disk full, ledger not writable

Anticipated failures speak; everything else is a crash, which the model sees as one generic sentence and stderr as a
traceback. `toolkit` translates the tree to MCP in one place.
"""

from __future__ import annotations

from typing import Any


class ToolserverError(Exception):
    """An anticipated failure.

    Args:
        what: what happened and why, one or two sentences, fit for the model to read.
        remedy: what to do next; empty when there is nothing to do.
        code: a short machine-readable reason (`quota_exhausted`, or Google's own status).
        status: the HTTP status that Gemini gave, if one came.
        retry_after: seconds after which the same call may succeed.
        retries: how many further attempts were made before giving up.

    Attributes:
        usage: tokens and cost, where the failure was billed.
    """

    default_code = "error"

    def __init__(
        self,
        what: str,
        remedy: str = "",
        *,
        code: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        retries: int = 0,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.code = code or self.default_code
        self.status = status
        self.retry_after = retry_after
        self.retries = retries
        self.usage: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class SetupError(ToolserverError):
    """Only the person who runs the server can mend it."""

    default_code = "setup"


class KeyMissing(SetupError):
    """No API key was found anywhere; nothing was sent."""

    default_code = "key_missing"


class KeyRefused(SetupError):
    """Google does not accept the key, or the key may not do this."""

    default_code = "key_refused"


class PaymentRequired(SetupError):
    """HTTP 402: the prepaid credit is used up."""

    default_code = "payment_required"


class UnsafeSetting(SetupError):
    """A setting that would leak the key or open the server to others; refused before anything starts."""

    default_code = "unsafe_setting"


class ArgumentError(ToolserverError):
    """The call is wrong as it stands; other arguments can succeed. Nothing was sent or billed."""

    default_code = "invalid_argument"


class FileRefused(ArgumentError):
    """A path that this server does not read."""

    default_code = "file_refused"


class NotFound(ArgumentError):
    """No such model, file, conversation or job; a foreign one gives the same answer as an unknown one."""

    default_code = "not_found"


class RequestRefused(ArgumentError):
    """Gemini refused the request itself (HTTP 400 or another 4xx); it is not retried."""

    default_code = "request_refused"


class Blocked(ToolserverError):
    """Gemini declined the prompt or withheld the answer."""

    default_code = "blocked"


class GeminiError(ToolserverError):
    """Gemini failed; the same call may succeed later."""

    default_code = "gemini_error"


class RateLimited(GeminiError):
    """HTTP 429 in a short window, still there after the retries."""

    default_code = "rate_limited"


class QuotaExhausted(GeminiError):
    """HTTP 429 for a day or for the plan; waiting seconds does not help, so it is not retried."""

    default_code = "quota_exhausted"


class Overloaded(GeminiError):
    """HTTP 408 or 5xx, still there after the retries."""

    default_code = "overloaded"


class BadAnswer(GeminiError):
    """An answer that the API does not promise: HTML, broken JSON, a stream that broke before anything useful came."""

    default_code = "bad_answer"


class ConnectionFailed(ToolserverError):
    """No connection, or it broke before the request had left; nothing was billed."""

    default_code = "connection_failed"


class MayHaveBeenBilled(ToolserverError):
    """The connection died after the request had left and before a status came."""

    default_code = "may_have_been_billed"


class Busy(ToolserverError):
    """This server has as many calls under way as it takes; nothing was sent."""

    default_code = "busy"


class LocalError(ToolserverError):
    """This machine failed: no space, a ledger that cannot be written."""

    default_code = "local_error"
