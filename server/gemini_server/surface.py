"""The packaged surface: what the tools look like, written down so that the start need not import them.

`make docs` writes `surface.json` from the capabilities; a test holds it fresh.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from gemini_server.errors import UnsafeSetting
from gemini_server.settings import Settings

FILE = Path(__file__).with_name("surface.json")

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolEntry:
    """A tool of the surface: where it lives, what it belongs to, what clients see, whether it can be had as a task.

    One that `guards_itself` refuses by itself what read-only mode does not allow.
    """

    module: str
    toolset: str
    default: bool
    shown: JsonObject
    task: bool = False
    guards_itself: bool = False

    @property
    def name(self) -> str:
        """The tool's name."""
        name: str = self.shown["name"]
        return name

    @property
    def read_only(self) -> bool:
        """Whether nothing at Google or in the user's files changes."""
        return bool(self.shown["annotations"]["readOnlyHint"])


@dataclass(frozen=True, slots=True)
class ResourceEntry:
    """A resource or template of the surface."""

    module: str
    uri: str
    shown: JsonObject
    completes: tuple[str, ...] = ()
    pattern: re.Pattern[str] = field(default=re.compile(""), compare=False)

    @property
    def is_template(self) -> bool:
        """Whether the URI has parameters."""
        return "{" in self.uri

    def match(self, uri: str) -> dict[str, str] | None:
        """The parameters with which a URI is this resource's."""
        found = self.pattern.fullmatch(uri)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


@dataclass(frozen=True, slots=True)
class PromptEntry:
    """A prompt of the surface; `tools` are those that it is about, `one|other` where either will do."""

    module: str
    tools: tuple[str, ...]
    shown: JsonObject

    @property
    def name(self) -> str:
        """The prompt's name."""
        name: str = self.shown["name"]
        return name

    def fits(self, enabled: Container[str]) -> bool:
        """Whether the tools that it is about are on."""
        return all(any(name in enabled for name in needed.split("|")) for needed in self.tools)


@dataclass(frozen=True, slots=True)
class Surface:
    """Everything that can be published."""

    tools: tuple[ToolEntry, ...]
    resources: tuple[ResourceEntry, ...]
    prompts: tuple[PromptEntry, ...] = ()

    @property
    def toolsets(self) -> tuple[str, ...]:
        """The names of the toolsets."""
        return tuple(dict.fromkeys(tool.toolset for tool in self.tools))

    def enabled(self, settings: Settings) -> tuple[ToolEntry, ...]:
        """The tools that the settings switch on, in the order of the surface.

        Raises:
            UnsafeSetting: a toolset or tool that does not exist; a typing error must not widen or narrow what is on.
        """
        names = {tool.name for tool in self.tools}
        for setting, given, known in (
            ("--toolsets", settings.toolsets, {*self.toolsets, "default", "all"}),
            ("--tools", settings.tools, names),
            ("--exclude-tools", settings.exclude_tools, names),
        ):
            unknown = [name for name in given if name not in known]
            if unknown:
                raise UnsafeSetting(
                    f"{setting}: there is no {', '.join(unknown)}.", f"There are: {', '.join(sorted(known))}."
                )
        sets = set(settings.toolsets)
        return tuple(
            tool
            for tool in self.tools
            if tool.name not in settings.exclude_tools
            and not (settings.read_only and not (tool.read_only or tool.guards_itself))
            and (
                "all" in sets
                or tool.toolset in sets
                or ("default" in sets and tool.default)
                or tool.name in settings.tools
            )
        )


def build() -> JsonObject:
    """The surface of the capabilities as they are now."""
    from gemini_tools import all_toolsets

    toolsets = all_toolsets()
    tools = [
        {
            "module": module,
            "toolset": tool.toolset,
            "default": tool.default,
            "shown": tool.surface(),
            **({"task": True} if tool.finish else {}),
            **({"guards_itself": True} if tool.guards_itself else {}),
        }
        for module, toolset in toolsets.items()
        for tool in toolset.tools.values()
    ]
    resources: list[JsonObject] = []
    for module, toolset in toolsets.items():
        for resource in toolset.resources.values():
            key = "uriTemplate" if "{" in resource.uri else "uri"
            shown = {key: resource.uri, "name": resource.name, "description": resource.description}
            if resource.mime_type is not None:
                shown["mimeType"] = resource.mime_type
            resources.append(
                {
                    "module": module,
                    "uri": resource.uri,
                    "shown": shown,
                    "completes": sorted(resource.complete),
                }
            )
    prompts = [
        {"module": module, "tools": prompt.tools, "shown": prompt.surface()}
        for module, toolset in toolsets.items()
        for prompt in toolset.prompts.values()
    ]
    return {"tools": sorted(tools, key=_order), "resources": resources, "prompts": prompts}


def _order(tool: JsonObject) -> tuple[bool, str, str]:
    return (not tool["default"], tool["toolset"], tool["shown"]["name"])


def dumps(surface: JsonObject) -> str:
    """The surface as the text of its file."""
    return json.dumps(surface, indent=1, ensure_ascii=False) + "\n"


@lru_cache(maxsize=1)
def load() -> Surface:
    """The packaged surface."""
    return parse(json.loads(FILE.read_text(encoding="utf-8")))


def parse(raw: JsonObject) -> Surface:
    """A surface from what `build` gives."""
    return Surface(
        tuple(ToolEntry(**tool) for tool in raw["tools"]),
        tuple(
            ResourceEntry(r["module"], r["uri"], r["shown"], tuple(r["completes"]), _pattern(r["uri"]))
            for r in raw["resources"]
        ),
        tuple(PromptEntry(p["module"], tuple(p["tools"]), p["shown"]) for p in raw["prompts"]),
    )


def _pattern(uri: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", uri)
    return re.compile(
        "".join(f"(?P<{piece}>[^/?#]+)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces))
    )
