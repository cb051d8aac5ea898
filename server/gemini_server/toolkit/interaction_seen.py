"""What others wrote that an interaction could read, by its steps and by its tools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gemini_server.api.interaction_content import Step
from gemini_server.toolkit.generation.sources import Source, Sources

_OF_TOOLS: dict[str, Source] = {
    "google_search": "web",
    "mcp_server": "web",
    "computer_use": "web",
    "google_maps": "maps",
    "url_context": "pages",
    "file_search": "documents",
    "retrieval": "documents",
    "processing": "attachments",
}
_OF_CITATIONS: dict[str, Source] = {"url_citation": "web", "file_citation": "documents", "place_citation": "maps"}
_ENDS = ("_call", "_result", "_tool")


def of_steps(steps: Sequence[Step] | None) -> Sources:
    """What the steps of an interaction show that was read."""
    names: set[Source] = set()
    for step in steps or ():
        kind = step.type
        for end in _ENDS:
            kind = kind.removesuffix(end)
        if kind in _OF_TOOLS:
            names.add(_OF_TOOLS[kind])
        if step.type == "model_output":  # an agent may have read by means that no step is named after
            cited = {note.type for said in step.content or () for note in said.annotations or ()}
            names |= {source for kind, source in _OF_CITATIONS.items() if kind in cited}
        if step.type in ("user_input", "function_result") and any(said.type != "text" for said in step.content or ()):
            names.add("attachments")
    return Sources(frozenset(names))


def of_tools(tools: Iterable[Any], *, media: bool = False) -> Sources:
    """What a turn with these tools, and perhaps with media, may read.

    Args:
        tools: as they are sent.
        media: whether media are given.
    """
    names: set[Source] = {_OF_TOOLS[tool.type] for tool in tools if tool.type in _OF_TOOLS}
    if media:
        names.add("attachments")
    return Sources(frozenset(names))


def together(*some: Sources) -> Sources:
    """All of them."""
    return Sources(frozenset(name for one in some for name in one.names))
