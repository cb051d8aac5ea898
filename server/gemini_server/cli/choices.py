"""The flags of `serve` that other commands take too: how they are described, passed on and read."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gemini_server import settings
from gemini_server.settings import Settings

_KNOBS: dict[str, Any] = {spec.name: spec.metadata for spec in fields(Settings)}


def flag(name: str) -> str:
    """The flag of a knob."""
    found: str = _KNOBS[name]["flag"]
    return found


def described(name: str) -> str:
    """What a knob means, as `serve --help` says it."""
    found: str = _KNOBS[name]["doc"]
    return found


def python_command() -> list[str]:
    """The command that starts this very installation.

    `-P` keeps the working directory off the import path: a folder that is being worked in must not bring code along.
    """
    return [sys.executable, "-P", "-m", "gemini_server"]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the caller of a command chose for the server behind it."""

    emulate: bool = False
    allow_dirs: tuple[Path, ...] = ()
    output_dir: Path | None = None
    state_dir: Path | None = None
    toolsets: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    exclude_tools: tuple[str, ...] = ()
    read_only: bool = False

    def given(self) -> dict[str, Any]:
        """What was chosen, by the name of the knob; the rest is left to the environment."""
        return {spec.name: value for spec in fields(self) if (value := getattr(self, spec.name))}

    def settings(self) -> Settings:
        """The settings in force.

        Raises:
            UnsafeSetting: a variable or a file that cannot be understood.
        """
        return settings.read(os.environ, **self.given())

    def flags(self) -> list[str]:
        """The same choices as arguments of `serve`."""
        arguments: list[str] = []
        for name, value in self.given().items():
            if value is True:
                arguments.append(flag(name))
            elif name == "allow_dirs":
                arguments += [word for directory in value for word in (flag(name), str(directory))]
            elif name in ("toolsets", "tools", "exclude_tools"):
                arguments += [flag(name), ",".join(value)]
            else:
                arguments += [flag(name), str(value)]
        return arguments
