"""The agents that an interaction can be with: Google's own, and those that a user has defined on top of them.

Source: the ids in the schema of `CreateAgentInteraction`, "Deep Research" and "Managed agents" of the Gemini API.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .interaction_errors import InteractionError
from .models import LEVELS_3, ModelCard
from .wire import Object

Work: TypeAlias = Literal["deep-research", "antigravity"]

Definitions: TypeAlias = Callable[[str], Object | None]
"""Looks up an agent that a user has defined, by its id; None for one that does not exist."""


@dataclass(frozen=True)
class Agent:
    """An agent.

    Args:
        ident: what `agent` says.
        work: what it does; also the type of its `agent_config`.
        model: what it is built on; only the rules and limits of requests hang on it.
        rounds: how often research searches before it writes.
        polls: how many polls usually find it at work.
        usual: after how many seconds it is done, whoever looks or not.
        defined: the definition of a user's agent.
    """

    ident: str
    work: Work
    model: ModelCard
    rounds: int = 1
    polls: int = 2
    usual: float = 120.0
    defined: Object = field(default_factory=dict[str, object])


def _card(ident: str, title: str) -> ModelCard:
    return ModelCard(ident, title, generation=3.8, levels=LEVELS_3, methods=())


def _research(ident: str, title: str, rounds: int, usual: float) -> Agent:
    return Agent(ident, "deep-research", _card(ident, title), rounds, 4, usual)


def _antigravity(ident: str) -> Agent:
    return Agent(ident, "antigravity", _card(ident, "Antigravity"))


_AGENTS = {
    agent.ident: agent
    for agent in (
        _research("deep-research-pro-preview-12-2025", "Deep Research Pro", 2, 300),
        _research("deep-research-preview-04-2026", "Deep Research", 2, 300),
        _research("deep-research-max-preview-04-2026", "Deep Research Max", 4, 900),
        _antigravity("antigravity-preview-05-2026"),
        _antigravity("antigravity-preview-09-2026"),
    )
}


def agent_named(ident: str, definitions: Definitions) -> Agent:
    """The agent with an id.

    Raises:
        InteractionError: 404 for one that does not exist.
    """
    ident = ident.removeprefix("agents/")
    if ident in _AGENTS:
        return _AGENTS[ident]
    defined = definitions(ident)
    if defined is None:
        raise InteractionError(404, "not_found", f"Agent '{ident}' was not found.")
    base = _AGENTS.get(defined.get("base_agent", ""), _AGENTS["antigravity-preview-09-2026"])
    return Agent(ident, base.work, base.model, base.rounds, base.polls, base.usual, defined)


def completed_body(body: Object, agent: Agent) -> Object:
    """A request with what the definition of a user's agent adds; what the request says itself comes first.

    The instructions are joined, the tools are those of the request where it names any.
    """
    if not agent.defined:
        return body
    texts = [one["system_instruction"] for one in (agent.defined, body) if one.get("system_instruction")]
    whole = {name: agent.defined[name] for name in ("tools", "agent_config") if agent.defined.get(name)}
    # A later turn goes on in the environment of the one before.
    if agent.defined.get("base_environment") and "previous_interaction_id" not in body:
        whole["environment"] = agent.defined["base_environment"]
    return {**whole, **body, **({"system_instruction": "\n".join(texts)} if texts else {})}
