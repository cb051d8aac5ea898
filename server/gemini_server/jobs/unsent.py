"""What it means for a job that its request failed on the way, or was never sent: above all whether it may be billed."""

from __future__ import annotations

import logging

from gemini_server.errors import BadAnswer, MayHaveBeenBilled, Overloaded, ToolserverError
from gemini_server.jobs.job import Job, Step, Work

_AGAIN = "It is not sent again by itself. To make it anyway, call the tool again, with reuse=false where it has that."

_log = logging.getLogger(__name__)

NEVER_SENT = ToolserverError(
    "The process that was to send this request ended before it did. Nothing was sent or billed.",
    "Call the tool again.",
    code="never_sent",
)


def lost(what: str) -> MayHaveBeenBilled:
    """The end of a job of which nobody knows whether Gemini has begun it."""
    return MayHaveBeenBilled(f"{what} Gemini may have begun the work, and may bill it.", _AGAIN, code="unknown")


def refused(job: Job, work: Work, failure: Exception) -> Step:
    """The end of a job whose request failed."""
    unclear = isinstance(failure, MayHaveBeenBilled) or not isinstance(failure, ToolserverError)
    if work.background and isinstance(failure, (Overloaded, BadAnswer)):
        unclear = True
    if not isinstance(failure, ToolserverError):
        _log.error("job %s: the request failed", job.id, exc_info=failure)
        failure = MayHaveBeenBilled(
            "The request failed because of a fault in this server; the details are in its log (stderr)."
        )
    if unclear:
        failure = MayHaveBeenBilled(failure.what, _AGAIN, code="unknown", status=failure.status)
    return Step(state="unknown" if unclear else "failed", error=failure)
