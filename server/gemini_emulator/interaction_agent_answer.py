"""The Antigravity agent at work: a look around its environment, then an answer as a model with the same tools gives it.

The answer is kept in the environment too, as a file that the next turn finds. Functions that the request declares are
called and wait for their results, and a budget of tokens ends the work. Source: "Managed agents" of the Gemini API and
`AntigravityAgentConfig` of its schema.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from . import interaction_answer, research_answer
from .environment_store import Environments
from .interaction_agents import Agent
from .interaction_answer import step_call, step_result
from .interaction_outcome import Order, Outcome, halved
from .interaction_usage import partly
from .wire import Object, digest

_LOOK = "ls -1A && python3 --version"
_KEPT_IN = "answer.md"


@dataclass
class Workplace:
    """The environment of a turn, once it is open.

    Attributes:
        environments: all there are.
        ident: the id; empty until the work begins, and for agents that need none.
    """

    environments: Environments
    ident: str = ""

    def names(self) -> list[str]:
        """The paths of the files in it."""
        return [str(one["path"]) for one in self.environments.listing(self.ident, "", recursive=True)]

    def keep(self, text: str) -> None:
        """Write an answer into it."""
        self.environments.put(self.ident, [(_KEPT_IN, text.encode("utf-8", "replace"))], overwrite=True)


def prepare(order: Order, agent: Agent, place: Workplace) -> Callable[[], Outcome]:
    """Check a request to an agent; the work is done later.

    Raises:
        InteractionError: for a request that makes no sense.
    """
    if agent.work == "deep-research":
        return research_answer.prepare(order, agent)
    answer = interaction_answer.prepare(order)
    config: Object = order.body.get("agent_config", {})
    goes_on = "continuation_token" in order.body or any(step["type"] == "function_result" for step in order.fresh)

    def make() -> Outcome:
        outcome = answer()
        if outcome.refused:
            return outcome
        if not goes_on:
            outcome = replace(outcome, steps=[*_look_around(order, place), *outcome.steps])
        outcome = _within(outcome, int(config.get("max_total_tokens", 0)))
        place.keep("".join(text_of(outcome.steps)))
        return outcome

    return make


def _look_around(order: Order, place: Workplace) -> list[Object]:
    tools = [tool["type"] for tool in order.body.get("tools", [])]
    if tools and "code_execution" not in tools:
        return []
    ident = digest([step.get("content") for step in order.fresh]).hex()[:10]
    printed = "".join(f"{name}\n" for name in [*place.names(), "Python 3.14.2"])
    return [
        step_call("code_execution", ident, {"language": "bash", "code": _LOOK}),
        {**step_result("code_execution", ident, printed), "is_error": False},
    ]


def text_of(steps: list[Object]) -> list[str]:
    """The texts of the output in some steps."""
    contents = [one for step in steps if step["type"] == "model_output" for one in step.get("content", [])]
    return [one["text"] for one in contents if one["type"] == "text"]


def _within(outcome: Outcome, budget: int) -> Outcome:
    """The outcome, or as much of it as the budget of tokens allows."""
    total: int = outcome.usage.get("total_tokens", 0)
    if not budget or total <= budget:
        return outcome
    return replace(
        outcome, status="budget_exceeded", steps=halved(outcome.steps), usage=partly(outcome.usage, 0.5), token=""
    )
