"""Research as it is asked for: the question, what is to be read, where is looked, and what it may cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from gemini_server.api.catalogue import Catalogue
from gemini_server.api.interaction_agent import CreateAgentInteraction, DeepResearch
from gemini_server.api.interaction_content import Content
from gemini_server.api.interaction_request import Asked, CreateInteraction
from gemini_server.api.interaction_tools import (
    AllowedTools,
    CodeExecution,
    FileSearch,
    GoogleSearch,
    InteractionTool,
    McpServer,
    UrlContext,
)
from gemini_server.errors import ArgumentError
from gemini_server.toolkit import sniff
from gemini_server.toolkit.clips import YOUTUBE
from gemini_server.toolkit.file_search_names import store_names
from gemini_server.toolkit.files import HOST
from gemini_server.toolkit.interaction_input import turn

FAMILY = "deep-research"
TYPICAL = {"": (250_000, 60_000), "deep-research-max": (900_000, 80_000)}
"""Tokens in and out of a typical task, by how an agent's id begins; some of those that come in are cached, and cheaper.
Searches are billed on top."""
PLAN = (20_000, 4_000)
"""Likewise of a plan."""
FOLLOW_UP = (60_000, 3_000)
"""Likewise of a question about a report, which is read again for it."""


class McpServerIn(BaseModel):
    """A remote MCP server that Google's agent may call."""

    model_config = ConfigDict(extra="forbid")

    name: str
    url: str
    headers: Annotated[dict[str, str] | None, Field(description="e.g. Authorization", repr=False)] = None
    allowed_tools: list[str] | None = None


def check_question(question: str) -> str:
    """The question, which must say something.

    Raises:
        ArgumentError: it is empty.
    """
    if not question.strip():
        raise ArgumentError("question is empty; nothing was sent.", "Say what is to be found out.")
    return question.strip()


def split(sources: Sequence[str]) -> tuple[list[str], list[str]]:
    """Media sources, and addresses of pages, which the agent reads itself."""
    pages = [one for one in sources if _is_page(one)]
    return [one for one in sources if one not in pages], pages


def _is_page(source: str) -> bool:
    parts = _split(source, "sources") if source[:8].lower().startswith(("https://", "http://")) else None
    if parts is None or parts.hostname in YOUTUBE or source.startswith(HOST):
        return False
    media = (sniff.by_name(parts.path) or "").startswith(("image/", "audio/", "video/", "application/pdf"))
    return parts.scheme == "http" or not media


def _split(address: str, argument: str) -> SplitResult:
    """The parts of an address.

    Raises:
        ArgumentError: it is none, such as `https://[`; not repeated, because it may hold a password.
    """
    try:
        return urlsplit(address)
    except ValueError:
        raise ArgumentError(
            f"{argument} has an address that cannot be read; nothing was sent.", "Correct it."
        ) from None


def words(question: str, pages: Sequence[str]) -> str:
    """What is said: the question, and the pages to read."""
    if not pages:
        return question
    listed = "\n".join(f"- {page}" for page in pages)
    return f"{question}\n\nRead these pages too, and use them as sources:\n{listed}"


def tools(stores: Sequence[str], servers: Sequence[McpServerIn], *, web: bool | None) -> list[InteractionTool] | None:
    """Where the agent looks; None for what it does by itself: the web, pages, and code for what it finds.

    Args:
        stores: File Search stores.
        servers: remote MCP servers.
        web: False keeps it off the web.

    Raises:
        ArgumentError: there is nowhere to look, or a server's address is none.
    """
    own: list[InteractionTool] = []
    if stores:
        own.append(FileSearch(file_search_store_names=store_names(stores)))
    for server in servers:
        address = _split(server.url, "mcp_servers")
        if address.scheme != "https" or not address.hostname:
            raise ArgumentError(
                f"The MCP server {server.name[:60]!r} has no https:// address.", "Google calls it there."
            )
        allowed = [AllowedTools(tools=server.allowed_tools)] if server.allowed_tools else None
        own.append(McpServer(name=server.name, url=server.url, headers=server.headers, allowed_tools=allowed))
    if web is False:
        if not own:
            raise ArgumentError(
                "Off the web there is nowhere to look.", "Give stores or mcp_servers, or leave web out."
            )
        return own
    return [GoogleSearch(), UrlContext(), CodeExecution(), *own] if own else None


def task(
    agent: str,
    said: str,
    contents: Sequence[Content],
    looks: list[InteractionTool] | None,
    *,
    plan: bool | None,
    charts: bool | None = None,
    previous: str | None = None,
) -> CreateAgentInteraction:
    """The request.

    Args:
        agent: the agent's id.
        said: from `words`.
        contents: media to read.
        looks: from `tools`.
        plan: whether it writes a plan first; False goes on with one that was written.
        charts: whether it may draw.
        previous: the interaction that it goes on from.
    """
    config = DeepResearch(
        thinking_summaries="auto",
        collaborative_planning=plan,
        visualization=None if charts is None else "auto" if charts else "off",
    )
    return CreateAgentInteraction(
        agent=agent,
        input=turn(said, contents, []),
        agent_config=config,
        tools=looks,
        previous_interaction_id=previous,
        background=True,
        store=True,
    )


def question_about(model: str, said: str, previous: str) -> Asked:
    """The request for an answer from a report that is there."""
    return CreateInteraction(model=model, input=said, previous_interaction_id=previous, background=True, store=True)


def estimate(catalogue: Catalogue, name: str, on: Any, *, plan: bool) -> Decimal | None:
    """What a task costs as a rule, in US dollars without its searches; None where no price is known."""
    if not name.startswith(FAMILY):
        read, written = FOLLOW_UP
    elif plan:
        read, written = PLAN
    else:
        read, written = next(TYPICAL[begin] for begin in sorted(TYPICAL, reverse=True) if name.startswith(begin))
    cost, _ = catalogue.cost(name, on=on, input_tokens=read, output_tokens=written)
    return cost
