"""Environments: workspaces at Google in which agents run code."""

from __future__ import annotations

from gemini_server.api import environments as api
from gemini_server.toolkit.resource_tools import Name, ResourceTools
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("platform", "Workspaces of agents.")

_ENVIRONMENTS = ResourceTools(TOOLSET, "environment", api.Environment, Name("id", "environments/*", "environment id"))

create_environment = _ENVIRONMENTS.created(
    api.CREATE,
    "Create a workspace at Google in which agents run code: empty, from sources, or as a copy of another. Free; only "
    "what agents do in it costs. Returns it; its id goes into create_interaction, create_agent and create_trigger.",
    body=api.NewEnvironment,
)
list_environments = _ENVIRONMENTS.listed(
    api.LIST, "List workspaces of agents, or show one: state, files, size. Free. Returns environments.", get=api.GET
)
delete_environment = _ENVIRONMENTS.deleted(
    api.DELETE, "Delete a workspace with all files in it for good. Free. Returns its id."
)
