"""The resource `agents`: an agent of Google's with instructions, tools and a workspace of one's own.

An agent is used by its id where an interaction names an agent. It cannot be changed: delete it and create another.
Source: the schemas Agent, AgentListResponse of the Interactions API, November 2026.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gemini_server.api.interaction_agent import Antigravity
from gemini_server.api.interaction_environment import Sandbox
from gemini_server.api.interaction_tools import CodeExecution, Function, GoogleSearch, McpServer, UrlContext
from gemini_server.api.interaction_wire import Read, Told
from gemini_server.rest.endpoint import Empty, Endpoint, JsonObject

AgentTool = Annotated[CodeExecution | Function | GoogleSearch | McpServer | UrlContext, Field(discriminator="type")]
"""What an agent of one's own may use."""


class NewAgent(Told):
    """An agent that is wanted."""

    id: str = Field(description="of your choice: lower-case letters, digits, dashes")
    base_agent: str | None = Field(None, description="that it is made of, e.g. antigravity-preview-09-2026")
    system_instruction: str | None = Field(None, description="what it is and how it works")
    description: str | None = Field(None, description="for people")
    tools: list[AgentTool] | None = Field(None, description="that it may use")
    base_environment: str | Sandbox | None = Field(None, description="remote, an environment id, or what it has")
    agent_config: Antigravity | None = Field(None, description="model, and tokens after which it stops")


class Agent(Read):
    """An agent as Google has it."""

    id: str | None = None
    base_agent: str | None = None
    description: str | None = None
    system_instruction: str | None = None
    tools: list[JsonObject] | None = None
    base_environment: JsonObject | str | None = None
    agent_config: JsonObject | None = None


class AgentListResponse(Read):
    """A page of agents."""

    agents: list[Agent] | None = None
    next_page_token: str | None = None


# A second create would be refused, as the id is taken; but nobody would know whose agent it is.
CREATE = Endpoint("POST", "{version}/agents", Agent, repeat="background", family="interactions")
LIST = Endpoint(
    "GET",
    "{version}/agents",
    AgentListResponse,
    query=("page_size", "page_token", "parent"),
    family="interactions",
)
GET = Endpoint("GET", "{version}/agents/{id}", Agent, family="interactions")
DELETE = Endpoint("DELETE", "{version}/agents/{id}", Empty, family="interactions")
