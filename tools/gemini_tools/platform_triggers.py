"""Triggers: agents that run by themselves at set times."""

from __future__ import annotations

from gemini_server.api import triggers as api
from gemini_server.toolkit.resource_tools import Name, ResourceTools
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("platform", "Agents that run at set times.")

_ID = Name("id", "triggers/*", "trigger id")
_TRIGGERS = ResourceTools(TOOLSET, "trigger", api.Trigger, _ID)
_EXECUTIONS = ResourceTools(TOOLSET, "execution", api.TriggerExecution, parent=_ID)

create_trigger = _TRIGGERS.created(
    api.CREATE,
    "Let Google run an agent by itself at set times, whether or not this server runs. Creating it is free; every run "
    "is billed by token until update_trigger pauses or delete_trigger ends it. Returns the trigger with its next run.",
    body=api.NewTrigger,
    billed=True,
)
list_triggers = _TRIGGERS.listed(
    api.LIST, "List triggers, or show one: schedule, state, last and next run. Free. Returns triggers.", get=api.GET
)
update_trigger = _TRIGGERS.updated(
    api.UPDATE,
    "Rename, pause or resume a trigger; anything else needs a new one. Free. Returns the trigger.",
    body=api.TriggerUpdate,
)
delete_trigger = _TRIGGERS.deleted(
    api.DELETE, "Delete a trigger for good, so that its agent runs no more. Free. Returns its id."
)
run_trigger = _TRIGGERS.acted(
    api.RUN,
    "Run the agent of a trigger once, now. Billed by token. Returns the execution, whose interaction_id is for "
    "get_interaction; list_trigger_executions tells how it ends.",
    tool="run_trigger",
    member="execution",
    billed=True,
)
list_trigger_executions = _EXECUTIONS.listed(
    api.EXECUTIONS,
    "List the runs of a trigger: state, times, interaction, error. Free. Returns executions.",
    tool="list_trigger_executions",
    items="trigger_executions",
)
