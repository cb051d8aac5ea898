"""Running triggers: at their time or on request, each run being an interaction with an agent in the background.

A run that comes due while the one before is still going on is skipped. A trigger whose runs fail too often in a row is
in error and runs no more. Source: `Trigger` and `TriggerExecution` in the schema of the official SDK of November 2026.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from .errors import ApiError
from .exchange import Call, Service
from .faults import Directive
from .interaction_delivery import LateReply
from .interaction_errors import InteractionError
from .interaction_service import create
from .trigger_store import Execution, Trigger
from .wire import Object

_MOST_AT_ONCE = 100
"""How many runs are made up for when the clock is put far forward; the others are passed over."""
_GOOD = "completed"
_REFUSING = ("status", "error_interactions", "error_array", "cut", "stall", "html", "redirect", "broken_json")


def catch_up(service: Service) -> datetime | None:
    """Do all that is due by now; the moment at which there is more to do, if there is."""
    now = service.clock()
    moments: list[datetime] = []
    for trigger in service.triggers.all():
        _settle(service, trigger)
        for _ in range(_MOST_AT_ONCE):
            due = trigger.next_run
            if due is None or due > now:
                break
            trigger.wait_from(due)
            run(service, trigger, due)
        if trigger.next_run is not None and trigger.next_run <= now:
            trigger.wait_from(now)
        moments += [trigger.next_run] if trigger.next_run else []
        moments += [end for end in (_limit(trigger, one) for one in _going(trigger)) if end]
    return min(moments, default=None)


def run(service: Service, trigger: Trigger, due: datetime) -> Execution:
    """Run a trigger once."""
    now = service.clock()
    execution = Execution(f"execution-{secrets.token_hex(8)}", trigger.ident, due, now)
    trigger.executions.append(execution)
    if _going(trigger)[:-1]:
        execution.status, execution.ended = "skipped", now
        return execution
    trigger.times["last_run_time"] = now
    try:
        begun = _interaction(service, trigger)
    except ApiError as error:
        _close(service, trigger, execution, "failed", error.message)
        return execution
    execution.interaction = trigger.last_interaction = begun["id"]
    execution.environment = begun.get("environment_id", "")
    return execution


def _interaction(service: Service, trigger: Trigger) -> Object:
    headers, version = trigger.caller
    body: Object = {**trigger.body["interaction"], "background": True}
    if "environment_id" in trigger.body:
        body["environment"] = trigger.body["environment_id"]
    call = Call("POST", f"/{version}/interactions", version, {}, {}, headers, body, Directive())
    reply = create(service, call)
    if any(name in reply.directive for name in _REFUSING):
        raise reply.directive.error(body["agent"])
    return reply.make() if isinstance(reply, LateReply) else reply.body


def _settle(service: Service, trigger: Trigger) -> None:
    """See what has become of the runs that were going on."""
    for execution in _going(trigger):
        try:
            interaction = service.interactions.find(execution.interaction)
        except InteractionError as error:
            _close(service, trigger, execution, "failed", error.message)
            continue
        limit = _limit(trigger, execution)
        if not interaction.running:
            status = interaction.status
            errors = [error["message"] for error in interaction.outcome.errors] if status == "failed" else []
            message = "" if status == _GOOD else (errors or [f"The interaction ended as {status}."])[0]
            _close(service, trigger, execution, "completed" if status == _GOOD else "failed", message)
        elif limit and service.clock() >= limit:
            interaction.cancel()
            _close(service, trigger, execution, "timed_out", "The execution took longer than it may.")


def _close(service: Service, trigger: Trigger, execution: Execution, status: str, error: str) -> None:
    execution.status, execution.error, execution.ended = status, error, service.clock()
    trigger.failures = 0 if status == "completed" else trigger.failures + 1
    most: int = trigger.body.get("max_consecutive_failures", 0)
    if most and trigger.failures >= most:
        trigger.status, trigger.updated = "error", service.clock()
        trigger.next_run = None


def _going(trigger: Trigger) -> list[Execution]:
    return [one for one in trigger.executions if one.status == "in_progress"]


def _limit(trigger: Trigger, execution: Execution) -> datetime | None:
    seconds: int = trigger.body.get("execution_timeout_seconds", 0)
    return execution.started + timedelta(seconds=seconds) if seconds else None
