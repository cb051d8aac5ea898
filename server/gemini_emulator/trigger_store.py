"""The triggers of one emulator, and what became of each of their executions.

Source: `Trigger` and `TriggerExecution` in the schema of the official SDK of November 2026.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from .interaction_errors import not_found
from .store import Clock, timestamp
from .trigger_cron import Schedule
from .wire import Object


@dataclass
class Execution:
    """One execution.

    Args:
        ident: its id.
        trigger: the id of its trigger.
        scheduled: when it was due.
        started: when it began.
        status: `in_progress`, `completed`, `failed`, `skipped` or `timed_out`.
        interaction: the id of the interaction that it made.
        environment: the environment of that.
        error: why it failed.
        ended: when it was over.
    """

    ident: str
    trigger: str
    scheduled: datetime
    started: datetime
    status: str = "in_progress"
    interaction: str = ""
    environment: str = ""
    error: str = ""
    ended: datetime | None = None

    def view(self) -> Object:
        """The `TriggerExecution` resource."""
        shown: Object = {
            "id": self.ident,
            "trigger_id": self.trigger,
            "status": self.status,
            "scheduled_time": timestamp(self.scheduled),
            "start_time": timestamp(self.started),
        }
        more = {"interaction_id": self.interaction, "environment_id": self.environment, "error": self.error}
        shown |= {name: value for name, value in more.items() if value}
        return {**shown, **({"end_time": timestamp(self.ended)} if self.ended else {})}


@dataclass
class Trigger:
    """One trigger.

    Args:
        ident: its id.
        body: what it was made with.
        schedule: the same `schedule` and `time_zone`, understood.
        caller: the headers and the API version of the request that made it; its interactions have them too.
        created, updated: when it was made and last changed.
        next_run: when it is due; None while it does not run.
    """

    ident: str
    body: Object
    schedule: Schedule
    caller: tuple[dict[str, str], str]
    created: datetime
    updated: datetime
    next_run: datetime | None
    status: str = "active"
    failures: int = 0
    times: dict[str, datetime] = field(default_factory=dict[str, datetime])
    last_interaction: str = ""
    executions: list[Execution] = field(default_factory=list[Execution])

    def view(self) -> Object:
        """The `Trigger` resource."""
        shown: Object = {
            "id": self.ident,
            **self.body,
            "status": self.status,
            "create_time": timestamp(self.created),
            "update_time": timestamp(self.updated),
            "consecutive_failure_count": self.failures,
        }
        times = {**self.times, **({"next_run_time": self.next_run} if self.next_run else {})}
        shown |= {name: timestamp(moment) for name, moment in times.items()}
        return {**shown, **({"previous_interaction_id": self.last_interaction} if self.last_interaction else {})}

    def wait_from(self, moment: datetime) -> None:
        """Be due for the first time after a moment, or not at all while it does not run."""
        self.next_run = self.schedule.after(moment) if self.status == "active" else None


class Triggers:
    """The triggers of one emulator.

    Args:
        clock: the emulator's time.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._items: dict[str, Trigger] = {}

    def create(self, body: Object, schedule: Schedule, caller: tuple[dict[str, str], str]) -> Trigger:
        """Add a trigger."""
        now = self.clock()
        ident = f"trigger-{secrets.token_hex(8)}"
        self._items[ident] = Trigger(ident, body, schedule, caller, now, now, schedule.after(now))
        return self._items[ident]

    def find(self, ident: str) -> Trigger:
        """A trigger.

        Raises:
            InteractionError: 404.
        """
        if ident not in self._items:
            raise not_found(f"Trigger '{ident}' was not found.")
        return self._items[ident]

    def all(self) -> list[Trigger]:
        """All triggers, oldest first."""
        return list(self._items.values())

    def delete(self, ident: str) -> None:
        """Forget a trigger and its executions; what runs goes on.

        Raises:
            InteractionError: 404.
        """
        del self._items[self.find(ident).ident]
