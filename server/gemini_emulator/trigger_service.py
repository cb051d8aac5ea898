"""The methods of `triggers` and of their executions.

Source: the schema of the official SDK of November 2026 (`CreateTrigger`, `UpdateTrigger`, `RunTrigger` and the others).
"""

from __future__ import annotations

from .exchange import Call, Reply, Route, Service
from .interaction_agent_rules import check_agent_order
from .interaction_agents import agent_named, completed_body
from .interaction_environment import definition_of
from .interaction_errors import refused, unsupported
from .interaction_input import steps_of
from .interaction_pages import PAGES, listed
from .interaction_schema import check
from .trigger_cron import schedule_of
from .trigger_runs import catch_up, run
from .trigger_store import Trigger
from .wire import Object

_NUMBERS = ("execution_timeout_seconds", "max_consecutive_failures")


def create_trigger(service: Service, call: Call) -> Reply:
    """`triggers.create`."""
    body = check("TriggerCreateParams", call.body)
    schedule = schedule_of(body["schedule"], body["time_zone"])
    for name in _NUMBERS:
        if body.get(name, 1) < 1:
            raise refused(f"Invalid value '{body[name]}' at '{name}': expected a positive integer.")
    _check_interaction(service, body["interaction"])
    if "environment_id" in body:
        body["environment_id"] = body["environment_id"].removeprefix("environments/")
        service.environments.get(body["environment_id"])
    return Reply(service.triggers.create(body, schedule, (call.headers, call.version)).view())


def list_triggers(service: Service, call: Call) -> Reply:
    """`triggers.list`; the language of `filter` is not documented, so only an empty one is taken."""
    if call.query.get("filter"):
        raise refused(f"Invalid value '{call.query['filter']}' at 'filter'.")
    catch_up(service)
    return listed(call, [one.view() for one in service.triggers.all()], "triggers")


def get_trigger(service: Service, call: Call) -> Reply:
    """`triggers.get`."""
    return Reply(_found(service, call.names["id"]).view())


def update_trigger(service: Service, call: Call) -> Reply:
    """`triggers.update`: another name, a pause, or the end of one."""
    trigger = _found(service, call.names["id"])
    body = check("TriggerUpdate", call.body)
    now = service.clock()
    status: str = body.get("status", trigger.status)
    if "status" in body and status == "error":
        raise unsupported(status, "status", "")
    if "display_name" in body:
        trigger.body["display_name"] = body["display_name"]
    if status != trigger.status:
        trigger.times["last_pause_time" if status == "paused" else "last_resume_time"] = now
        trigger.status = status
        trigger.failures = 0 if status == "active" else trigger.failures
        trigger.wait_from(now)
    trigger.updated = now
    return Reply(trigger.view())


def delete_trigger(service: Service, call: Call) -> Reply:
    """`triggers.delete`."""
    service.triggers.delete(call.names["id"])
    return Reply()


def list_executions(service: Service, call: Call) -> Reply:
    """`triggers.list_executions`, newest first."""
    trigger = _found(service, call.names["id"])
    return listed(call, [one.view() for one in reversed(trigger.executions)], "trigger_executions")


def run_trigger(service: Service, call: Call) -> Reply:
    """`triggers.run`: now, whatever the schedule says."""
    check("RunTriggerRequest", {} if call.body is None else call.body)
    return Reply(run(service, _found(service, call.names["id"]), service.clock()).view())


def _found(service: Service, ident: str) -> Trigger:
    catch_up(service)
    return service.triggers.find(ident)


def _check_interaction(service: Service, given: Object) -> None:
    """Refuse an interaction that could never be made."""
    if given.get("stream"):
        raise refused("The interaction of a trigger cannot be streamed.")
    agent = agent_named(given["agent"], lambda ident: definition_of(service, ident))
    body = {**completed_body(given, agent), "background": True}
    check_agent_order(body, agent, steps_of(body.get("input")))


ROUTES = (
    Route("POST", "triggers", create_trigger),
    Route("GET", "triggers", list_triggers, PAGES | {"filter"}),
    Route("GET", "triggers/{id}", get_trigger),
    Route("PATCH", "triggers/{id}", update_trigger),
    Route("DELETE", "triggers/{id}", delete_trigger),
    Route("GET", "triggers/{id}/executions", list_executions, PAGES),
    Route("POST", "triggers/{id}/executions", run_trigger),
)
