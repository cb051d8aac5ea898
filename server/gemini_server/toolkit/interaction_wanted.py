"""An interaction as a caller wants it: whether that makes sense, and how it is said to the API.

store       given        background, previous     functions offered      neither
none                     kept                     kept                   not kept
true                     kept                     kept                   kept
false                    refused                  not kept               not kept

An agent works in the background unless `background` or `store` is false.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from gemini_server.api.interaction_agent import CreateAgentInteraction
from gemini_server.api.interaction_content import Content
from gemini_server.api.interaction_request import (
    Asked,
    CreateInteraction,
    GenerationConfig,
    ThinkingLevel,
    Tier,
)
from gemini_server.api.interaction_tools import InteractionTool
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit import interaction_forms as forms
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation import json_answer
from gemini_server.toolkit.generation.options import check_writing, model_id
from gemini_server.toolkit.interaction_input import checked, results_of, turn
from gemini_server.toolkit.interaction_use import declares, tools_of
from gemini_server.toolkit.served import check_served

OWN_AGENTS = "antigravity"
"""Google's agents that work in a sandbox: in a new one where none is named."""
ALWAYS_LATER = "deep-research"
"""Agents that Google runs in the background alone."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller wants, as the tool was told; attachments are opened by the tool."""

    input: str | Sequence[Any] | None = None
    model: str | None = None
    agent: str | None = None
    agent_config: JsonObject | None = None
    attachments: Sequence[str] = ()
    system: str | None = None
    tools: Sequence[Any] = ()
    tool_choice: Literal["auto", "any", "none", "validated"] | None = None
    json_schema: JsonObject | None = None
    response_format: Any = None
    thinking: ThinkingLevel | None = None
    thoughts: bool | None = None
    max_output_tokens: int | None = None
    stop: Sequence[str] = ()
    seed: int | None = None
    function_results: Sequence[JsonObject] = ()
    background: bool | None = None
    store: bool | None = None
    previous: str | None = None
    environment: str | JsonObject | None = None
    continuation: str | None = None
    service_tier: Tier | None = None
    labels: dict[str, str] | None = None
    safety: dict[str, str] | None = None
    webhook: JsonObject | None = None


@dataclass(slots=True)
class Checked:
    """What makes sense of it.

    Attributes:
        name: the model or agent.
        body: the request without its input.
        background: whether it goes on at Google after the answer.
        warnings: what is done otherwise than was said.
    """

    name: str
    body: Asked
    background: bool
    warnings: list[str] = field(default_factory=list[str])

    @property
    def tools(self) -> list[InteractionTool]:
        """The tools."""
        return self.body.tools or []

    def said(self, wanted: Wanted, contents: Sequence[Content]) -> Asked:
        """The request with its input."""
        if wanted.input is not None and not isinstance(wanted.input, str):
            given = checked(wanted.input)
            return self.body.model_copy(update={"input": [*contents, *given] if contents else given})
        given_words = wanted.input if wanted.input and wanted.input.strip() else None
        said = turn(given_words, contents, results_of(wanted.function_results))
        return self.body.model_copy(update={"input": said})


def check(call: Call, wanted: Wanted) -> Checked:
    """See whether it makes sense.

    Raises:
        ArgumentError: it does not; nothing was sent.
        NotFound: the model was shut down.
    """
    if wanted.model and wanted.agent:
        raise ArgumentError("Give either model or agent.", "An agent chooses its model itself.")
    _check_said(wanted)
    name = wanted.agent.strip() if wanted.agent else model_id(wanted.model or call.runtime.text_model(None))
    if not name:
        raise ArgumentError("agent is blank.", "list_agents shows the agents of this key; without one a model answers.")
    check_served(call, name)
    background = _background(wanted, name)
    if wanted.webhook and not background:
        raise ArgumentError("webhook is for work in the background.", "Give background=true, or leave it out.")
    tools = tools_of(wanted.tools)
    if wanted.tool_choice and not tools:
        raise ArgumentError("tool_choice needs tools.", "Give tools.")
    warnings: list[str] = []
    shared: dict[str, Any] = {
        "system_instruction": wanted.system or None,
        "tools": tools,
        "response_format": forms.response_format(wanted.json_schema, wanted.response_format),
        "previous_interaction_id": wanted.previous,
        "store": _store(wanted, background=background, functions=declares(tools)),
        "background": True if background else None,
        "service_tier": wanted.service_tier,
        "safety_settings": [forms.safety(*pair) for pair in (wanted.safety or {}).items()] or None,
        "webhook_config": forms.webhook(wanted.webhook),
        "labels": wanted.labels or None,
        "environment": forms.sandbox(wanted.environment),
        "continuation_token": wanted.continuation or None,
    }
    if wanted.agent:
        body: Asked = CreateAgentInteraction(agent=name, agent_config=_agent_config(wanted, name), **shared)
    else:
        body = CreateInteraction(model=name, generation_config=_config(call, name, wanted, warnings), **shared)
    return Checked(name, body, background, warnings)


def makes_environment(wanted: Wanted, name: str) -> bool:
    """Whether the turn has a sandbox of its own made, which then lies at Google beside those of all callers.

    Nobody can say it of one whose agent has a sandbox set: that may be a shared one.
    """
    if isinstance(wanted.environment, dict):
        return not wanted.environment.get("environment_id")
    if wanted.environment and wanted.environment.strip():
        return wanted.environment.strip() == "remote"
    return bool(wanted.agent) and not wanted.previous and name.startswith(OWN_AGENTS)


def _check_said(wanted: Wanted) -> None:
    words = wanted.input.strip() if isinstance(wanted.input, str) else wanted.input
    if not (words or wanted.attachments or wanted.function_results or wanted.continuation):
        raise ArgumentError("There is nothing to say: input is empty.", "Give input.")
    if wanted.function_results and not isinstance(wanted.input, str | None):
        raise ArgumentError("function_results go beside an input in words alone.", "Put the results into its steps.")
    if wanted.function_results and not wanted.previous:
        raise ArgumentError(
            "function_results answer the calls of an earlier interaction, and none is named.",
            "Give its id as previous, the same model or agent, and the tools again.",
        )
    check_writing(wanted.max_output_tokens, wanted.stop, wanted.seed)
    if wanted.json_schema is not None:
        json_answer.check_schema(wanted.json_schema)
        if wanted.response_format is not None:
            raise ArgumentError("Give either json_schema or response_format.")


def _background(wanted: Wanted, name: str) -> bool:
    if wanted.agent and name.startswith(ALWAYS_LATER):
        if wanted.background is False:
            raise ArgumentError(f"{name} works in the background alone.", "Leave background out.")
        return True
    if wanted.background is None:
        # An agent works for minutes, and clients give a call up after one.
        return bool(wanted.agent) and wanted.store is not False
    return wanted.background


def _store(wanted: Wanted, *, background: bool, functions: bool) -> bool:
    needs = ["background"] if background else []
    needs += ["previous"] if wanted.previous else []
    if wanted.store is False and needs:
        raise ArgumentError(
            f"store=false does not go with {' and '.join(needs)}: Google goes on only with what it keeps.",
            "Leave store out, or true: Google then keeps the turn, 55 days with billing and a day without; "
            "delete_interaction removes it.",
        )
    return bool(needs or functions) if wanted.store is None else wanted.store


def _config(call: Call, model: str, wanted: Wanted, warnings: list[str]) -> GenerationConfig | None:
    if wanted.agent_config is not None:
        raise ArgumentError("agent_config is for agents.", "Give an agent, or leave it out.")
    config = GenerationConfig(
        max_output_tokens=wanted.max_output_tokens,
        thinking_level=_thinking(call, model, wanted.thinking, warnings),
        thinking_summaries=None if wanted.thoughts is None else "auto" if wanted.thoughts else "none",
        stop_sequences=list(wanted.stop) or None,
        seed=wanted.seed,
        tool_choice=wanted.tool_choice,
    )
    return config if config.model_fields_set and config.model_dump(exclude_none=True) else None


def _thinking(call: Call, model: str, wanted: ThinkingLevel | None, warnings: list[str]) -> ThinkingLevel | None:
    if wanted is None or wanted == "xhigh":
        return wanted
    style = call.runtime.catalogue.family(model).thinking.style
    taken, notes = call.runtime.catalogue.thinking(model, wanted, on=call.runtime.today())
    if style == "budget":
        return wanted  # this family of methods has levels alone
    warnings += notes
    level = taken.get("thinkingLevel")
    return cast("ThinkingLevel", level.lower()) if isinstance(level, str) else None


def _agent_config(wanted: Wanted, name: str) -> Any:
    given = {
        "thinking": wanted.thinking, "thoughts": wanted.thoughts, "max_output_tokens": wanted.max_output_tokens,
        "stop": wanted.stop or None, "seed": wanted.seed, "tool_choice": wanted.tool_choice,
    }  # fmt: skip
    odd = [argument for argument, value in given.items() if value is not None]
    if odd:
        raise ArgumentError(f"An agent takes no {', '.join(odd)}.", "Leave that out; agent_config is for agents.")
    if wanted.agent_config is None:
        return None
    return forms.agent_config(name, wanted.agent_config)
