"""The methods of `agents`: create, list, get and delete. An agent cannot be changed.

Source: "Agents" of the Gemini API and `CreateAgent` in the schema of the official SDK of November 2026.
"""

from __future__ import annotations

from .environment_rules import check_environment
from .errors import ApiError
from .exchange import Call, Reply, Route, Service
from .interaction_errors import not_found, of_family, refused
from .interaction_pages import PAGES, check_ident, listed
from .interaction_schema import check
from .wire import Object, is_object

_PLACE = "agent_config"
_RUNTIME = "antigravity"


def create_agent(service: Service, call: Call) -> Reply:
    """`agents.create`."""
    agent = check("Agent", call.body)
    if "id" in agent:
        check_ident(agent["id"])
    base: str = agent.get("base_agent", "")
    if base and not service.agents.known(base):
        raise not_found(f"Agent '{base}' was not found.")
    _check_config(service, call, agent)
    names = [tool.get("name", "") for tool in agent.get("tools", []) if tool["type"] == "function"]
    if "" in names:
        raise refused("A tool of type 'function' needs a 'name'.")
    if len(set(names)) < len(names):
        raise refused("Duplicate function declaration found.")
    _check_base(service, agent.get("base_environment"))
    return Reply(service.agents.create(agent))


def list_agents(service: Service, call: Call) -> Reply:
    """`agents.list`; `parent` is for projects of the Enterprise platform and says nothing here."""
    return listed(call, service.agents.all(), "agents")


def get_agent(service: Service, call: Call) -> Reply:
    """`agents.get`."""
    return Reply(service.agents.get(call.names["id"]))


def delete_agent(service: Service, call: Call) -> Reply:
    """`agents.delete`."""
    service.agents.delete(call.names["id"])
    return Reply()


def _check_config(service: Service, call: Call, agent: Object) -> None:
    """Refuse a configuration that does not suit the agent that is extended."""
    config: Object | None = agent.get("agent_config")
    if config is None:
        return
    base: str = service.agents.base_of(agent.get("base_agent", ""))
    if base and not base.startswith(_RUNTIME):
        raise refused(f"'{_PLACE}' of type '{_RUNTIME}' is not supported by the agent '{base}'.")
    most = str(config.get("max_total_tokens", "1"))
    if not most.isdecimal() or int(most) < 1:
        raise refused(f"Invalid value '{most}' at '{_PLACE}.max_total_tokens': expected a positive integer.")
    if "max_total_tokens" in config:
        config["max_total_tokens"] = int(most)
    if "model" in config:
        try:
            service.catalogue.get(config["model"], call.version, "generateContent")
        except ApiError as error:
            raise of_family(error) from None


def _check_base(service: Service, given: object) -> None:
    """Refuse an environment that does not exist; `remote` asks for a new one with each interaction."""
    if isinstance(given, str) and given != "remote":
        service.environments.get(given.removeprefix("environments/"))
    elif is_object(given):
        if "environment_id" in given:
            service.environments.get(given["environment_id"].removeprefix("environments/"))
        check_environment(given, service.credentials, "base_environment")


ROUTES = (
    Route("POST", "agents", create_agent),
    Route("GET", "agents", list_agents, PAGES | {"parent"}),
    Route("GET", "agents/{id}", get_agent),
    Route("DELETE", "agents/{id}", delete_agent),
)
