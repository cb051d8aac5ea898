"""What is refused in a well-formed request to an agent.

Source: "Deep Research" (background, tools, limits), "Managed agents" (environments) and "Webhooks" (background) of the
Gemini API.
"""

from __future__ import annotations

from .interaction_agents import Agent, Work
from .interaction_errors import refused
from .interaction_input import user_contents
from .wire import Object, is_list, is_object

_TOOLS: dict[Work, tuple[str, ...]] = {
    "deep-research": ("google_search", "url_context", "code_execution", "mcp_server", "file_search"),
    "antigravity": (
        "google_search", "url_context", "code_execution", "mcp_server", "file_search", "function", "google_maps",
        "computer_use",
    ),
}  # fmt: skip


def check_agent_order(body: Object, agent: Agent, fresh: list[Object]) -> None:
    """Refuse what an agent does not take.

    Raises:
        InteractionError: 400 for the first rule that is broken.
    """
    config: Object = body.get("agent_config", {})
    kinds = (agent.work, "dynamic") if agent.defined else (agent.work,)
    if config.get("type", agent.work) not in kinds:
        raise refused(f"The agent_config type '{config['type']}' is not supported by the agent {agent.ident}.")
    for tool in body.get("tools", []):
        if tool["type"] not in _TOOLS[agent.work]:
            raise refused(f"The tool '{tool['type']}' is not supported by the agent {agent.ident}.")
        if tool["type"] == "mcp_server" and not str(tool.get("url", "")).startswith(("https://", "http://")):
            raise refused("A tool of type 'mcp_server' needs the 'url' of the server.")
    most = str(config.get("max_total_tokens", 1))
    if not most.isdecimal() or int(most) < 1:
        raise refused(f"Invalid value '{most}' at 'agent_config.max_total_tokens': expected a positive integer.")
    if agent.work == "deep-research":
        _research(body, agent, fresh)


def _research(body: Object, agent: Agent, fresh: list[Object]) -> None:
    if not body.get("background"):
        raise refused(f"background=true is required for the agent {agent.ident}.")
    if body.get("store") is False:
        raise refused("Background interactions must be stored: 'background' requires 'store' to be true.")
    if "environment" in body:
        raise refused(f"Environments are not supported by the agent {agent.ident}.")
    given: object = body.get("response_format", [])
    formats: list[object] = given if is_list(given) else [given]
    schemas = [one for one in formats if is_object(one) and ("schema" in one or "json" in str(one.get("mime_type")))]
    if schemas or body.get("response_mime_type") == "application/json":
        raise refused(f"Structured output is not supported by the agent {agent.ident}.")
    if any(one["type"] in ("audio", "video") for one in user_contents(fresh)):
        raise refused(f"The agent {agent.ident} takes text, images and documents only.")
