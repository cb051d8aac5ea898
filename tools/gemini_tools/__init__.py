"""What Gemini can do, one capability a file. Dropping a file with a `TOOLSET` in here is all it takes to publish it."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gemini_server.toolkit.toolset import Toolset


def modules() -> list[str]:
    """The names of the capability modules, in the order of the alphabet."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(module: str) -> Toolset:
    """The toolset of one capability; imported when it is first wanted."""
    toolset: Toolset = importlib.import_module(f"{__name__}.{module}").TOOLSET
    return toolset


def all_toolsets() -> dict[str, Toolset]:
    """Every capability by module.

    Raises:
        ValueError: two capabilities publish a tool, resource or prompt under one name.
    """
    toolsets = {module: load(module) for module in modules()}
    seen: dict[str, str] = {}
    for module, toolset in toolsets.items():
        for name in [*toolset.tools, *toolset.resources, *(f"the prompt {name}" for name in toolset.prompts)]:
            if name in seen:
                raise ValueError(f"{module} and {seen[name]} both publish {name}")
            seen[name] = module
    return toolsets
