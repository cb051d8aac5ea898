"""Which quota a 429 is about, and when it opens again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .complaint import Complaint, clean
from .json_values import object_of, objects_of

_LIMIT_ZERO = re.compile(r"\blimit: ?0\b", re.ASCII)
_PER_DAY = re.compile(r"per[ _-]?day", re.IGNORECASE)
_PACIFIC = "America/Los_Angeles"


@dataclass(frozen=True, slots=True)
class Quota:
    """The quota that a 429 names.

    Attributes:
        name: what to call it: id, metric, limit and model as far as they are known; may be empty.
        daily: whether it opens at the next midnight in California, and not sooner.
        none: whether the limit is 0: the plan of the key does not include this at all.
    """

    name: str
    daily: bool
    none: bool

    @property
    def spent(self) -> bool:
        """Whether waiting seconds is no use."""
        return self.daily or self.none


def quota_of(complaint: Complaint) -> Quota:
    """The quota in a 429 of either format; of several the one that lasts longest."""
    violations = [v for failure in complaint.of_type("QuotaFailure") for v in objects_of(failure.get("violations"))]
    zero = [v for v in violations if str(v.get("quotaValue", "")) == "0"]
    day = [v for v in violations if _PER_DAY.search(str(v.get("quotaId", "")))]
    worst = next(iter(zero or day or violations), None)
    return Quota(
        name=_name(worst) if worst else "",
        daily=bool(day) or complaint.code.lower() == "quota_exceeded",
        none=bool(zero) or bool(_LIMIT_ZERO.search(complaint.message)),
    )


def _name(violation: Mapping[str, Any]) -> str:
    model = object_of(violation.get("quotaDimensions")).get("model")
    facts = [str(violation.get("quotaMetric") or "").rpartition("/")[2]]
    if limit := violation.get("quotaValue"):
        facts.append(f"limit {limit}")
    if model:
        facts.append(f"model {model}")
    inside = ", ".join(f for f in facts if f)
    name = str(violation.get("quotaId") or "")
    return clean(f"{name} ({inside})" if name and inside else name or inside, 200)


def seconds_to_reset(now: float) -> float | None:
    """Seconds until the daily quotas open again, at midnight in California; None where time zones are not installed.

    Args:
        now: seconds since 1970.
    """
    try:
        pacific = ZoneInfo(_PACIFIC)
    except ZoneInfoNotFoundError:
        return None
    today = datetime.fromtimestamp(now, pacific)
    midnight = datetime.combine(today.date() + timedelta(days=1), datetime.min.time(), pacific)
    return (midnight.astimezone(UTC) - today.astimezone(UTC)).total_seconds()
