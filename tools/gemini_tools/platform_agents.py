"""Agents of one's own, which interactions name by their id."""

from __future__ import annotations

from gemini_server.api import agents as api
from gemini_server.toolkit.resource_tools import Name, ResourceTools
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("platform", "Agents of your own.")

_AGENTS = ResourceTools(TOOLSET, "agent", api.Agent, Name("id", "agents/*", "agent id"))

create_agent = _AGENTS.created(
    api.CREATE,
    "Define an agent of your own at Google: a base agent with instructions, tools and a workspace, for "
    "create_interaction or create_trigger. It cannot be changed later. Free; only its runs cost. Returns it.",
    body=api.NewAgent,
)
list_agents = _AGENTS.listed(
    api.LIST, "List the agents that this key's project has defined, or show one. Free. Returns agents.", get=api.GET
)
delete_agent = _AGENTS.deleted(
    api.DELETE, "Delete an agent for good; triggers that run it fail from then on. Free. Returns its id."
)
