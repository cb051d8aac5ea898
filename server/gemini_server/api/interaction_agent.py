"""How an agent of Google's, or one that was made from these, is asked: a task, what it may use, where it works.

Source: the schema CreateAgentInteraction of the Interactions API, November 2026, without its deprecated members.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from gemini_server.api.interaction_request import Asked
from gemini_server.api.interaction_wire import Told


class DeepResearch(Told):
    """How Deep Research works.

    Attributes:
        thinking_summaries: whether what it thinks is shown.
        collaborative_planning: it writes a plan first, and researches when a further turn says so.
        visualization: whether it may draw charts.
        enable_bigquery_tool: whether it may ask BigQuery.
    """

    type: Literal["deep-research"] = "deep-research"
    thinking_summaries: Literal["auto", "none"] | None = None
    collaborative_planning: bool | None = None
    visualization: Literal["off", "auto"] | None = None
    enable_bigquery_tool: bool | None = None


class Antigravity(Told):
    """How the Antigravity agent works: with which model, and with how many tokens at most."""

    type: Literal["antigravity"] = "antigravity"
    model: str | None = None
    max_total_tokens: int | None = None


class CodeFile(Told):
    """A file of a code base."""

    path: str | None = None
    content: str | None = None


class FindRequest(Told):
    """A search for vulnerabilities."""

    mode: Literal["scan", "verify"] | None = None
    description: str | None = None
    finding_id: str | None = None
    source_files: list[CodeFile] | None = None


class FixRequest(Told):
    """A patch for a vulnerability."""

    description: str | None = None
    finding_id: str | None = None
    source_files: list[CodeFile] | None = None


class SessionConfig(Told):
    """How many rounds a session of CodeMender has."""

    max_rounds: int | None = None


class CodeMender(Told):
    """What CodeMender is to do."""

    type: Literal["code-mender"] = "code-mender"
    model: str | None = None
    session_id: str | None = None
    session_config: SessionConfig | None = None
    find_request: FindRequest | None = None
    fix_request: FixRequest | None = None


class DynamicAgent(Told):
    """How any other agent works: its own members, which the API leaves open."""

    model_config = ConfigDict(extra="allow")

    type: Literal["dynamic"] = "dynamic"


AgentConfig = Annotated[DeepResearch | Antigravity | CodeMender | DynamicAgent, Field(discriminator="type")]


class CreateAgentInteraction(Asked):
    """A task for an agent.

    Attributes:
        agent: one of Google's, or the id of one that was made.
        agent_config: how it works; its type is the agent's family.
    """

    agent: str
    agent_config: AgentConfig | None = None
