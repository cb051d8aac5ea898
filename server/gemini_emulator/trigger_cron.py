"""Cron schedules: five fields of a line, and when they come round next in a time zone.

Minute, hour, day of the month, month, day of the week; each `*`, a number, a name, a range, a step or a list of these.
As in cron, a day fits when either of the two day fields does, if both are given. Source: `schedule` and `time_zone` of
`Trigger` ("Standard cron format") and crontab(5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .interaction_errors import refused

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_ITEM = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_FARTHEST = 366 * 8
"""How many days are looked ahead; 29 February comes round within eight years."""


@dataclass(frozen=True)
class Schedule:
    """A schedule in a time zone.

    Args:
        minutes, hours, days, months, weekdays: the values that fit; weekdays count from Sunday, 0.
        either: whether a day fits by its date or by its weekday, for both are given.
        zone: the time zone.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """The first time after a moment, in UTC; None when there is none."""
        local = moment.astimezone(self.zone)
        for ahead in range(_FARTHEST):
            day = local.date() + timedelta(days=ahead)
            if day.month not in self.months or not self._fits(day):
                continue
            for hour in self.hours:
                for minute in self.minutes:
                    found = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone).astimezone(UTC)
                    if found > moment:
                        return found
        return None

    def _fits(self, day: date) -> bool:
        dated, weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return dated or weekday if self.either else dated and weekday


def schedule_of(line: str, zone: str) -> Schedule:
    """Read a schedule.

    Raises:
        InteractionError: 400 for a line or a time zone that cannot be read, or dates that do not exist.
    """
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refused(f"Invalid value '{zone}' at 'time_zone': expected an IANA time zone.") from None
    parts = line.split()
    if len(parts) != len(_FIELDS):
        raise refused(f"Invalid value '{line}' at 'schedule': expected five fields in cron format.")
    minutes, hours, days, months, weekdays = (_values(part, *field) for part, field in zip(parts, _FIELDS, strict=True))
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    weekdays = tuple(sorted({day % 7 for day in weekdays}))
    found = Schedule(minutes, hours, days, months, weekdays, either, place)
    if found.after(datetime(2026, 1, 1, tzinfo=UTC)) is None:
        raise refused(f"Invalid value '{line}' at 'schedule': this never comes round.")
    return found


def _values(text: str, name: str, low: int, high: int) -> tuple[int, ...]:
    found: set[int] = set()
    for item in text.split(","):
        read = _ITEM.fullmatch(item)
        if read is None or read[3] == "0":
            raise _unreadable(item, name)
        first, last = low, high
        if read[1]:
            first = _value(read[1], name)
            last = _value(read[2], name) if read[2] else high if read[3] else first
        if not low <= first <= last <= high:
            raise _unreadable(item, name)
        found |= set(range(first, last + 1, int(read[3] or 1)))
    return tuple(sorted(found))


def _value(text: str, name: str) -> int:
    names = {"month": _MONTHS, "day of week": _DAYS}.get(name, [])
    if text.lower() in names:
        return names.index(text.lower()) + (name == "month")
    if not text.isdecimal():
        raise _unreadable(text, name)
    return int(text)


def _unreadable(item: str, name: str) -> Exception:
    return refused(f"Invalid value '{item}' for the {name} at 'schedule'.")
