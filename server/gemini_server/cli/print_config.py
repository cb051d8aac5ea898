"""`gemini-toolserver print-config`: the JSON that adds this server to a client, without the key in it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gemini_server.cli.choices import Choices, python_command
from gemini_server.settings import APP, platform_directory

NAME = "gemini"
KEY = "GEMINI_API_KEY"
_INPUT = "gemini-api-key"


@dataclass(frozen=True, slots=True)
class Client:
    """A client: where its configuration is, and how it writes a variable of the environment.

    Attributes:
        where: the file, for people.
        variable: what the client replaces by the key; empty when it replaces nothing.
        hint: what else is to be done.
    """

    where: str
    variable: str = ""
    hint: str = ""


def _desktop_file() -> str:
    if sys.platform == "darwin":
        return "~/Library/Application Support/Claude/claude_desktop_config.json"
    return (
        r"%APPDATA%\Claude\claude_desktop_config.json"
        if os.name == "nt"
        else "~/.config/Claude/claude_desktop_config.json"
    )


def clients() -> dict[str, Client]:
    """Every client that is known."""
    exported = f"Have {KEY} exported where the client is started."
    return {
        "claude-desktop": Client(_desktop_file(), "", "Restart Claude Desktop afterwards."),
        # With the default after `:-` the client starts without the variable too, and the key file counts.
        "claude-code": Client(".mcp.json in the project", f"${{{KEY}:-}}", f"{exported} Or use the key file."),
        "cursor": Client("~/.cursor/mcp.json, or .cursor/mcp.json in the project", f"${{env:{KEY}}}", exported),
        "vscode": Client(
            ".vscode/mcp.json in the project", f"${{input:{_INPUT}}}", "VS Code asks for the key once and keeps it."
        ),
        "gemini-cli": Client("~/.gemini/settings.json", f"${KEY}", exported),
    }


def server_command() -> list[str]:
    """The absolute command that starts this installation: its console script, or Python with the module."""
    script = Path(sys.executable).parent / (f"{APP}.exe" if os.name == "nt" else APP)
    if script.exists():
        return [str(script)]
    return python_command()


def config(name: str, choices: Choices) -> dict[str, Any]:
    """The configuration for a client."""
    absolute = replace(choices, allow_dirs=tuple(path.expanduser().resolve() for path in choices.allow_dirs))
    command, *rest = server_command()
    entry: dict[str, Any] = {"command": command, "args": [*rest, "serve", *absolute.flags()]}
    variable = "" if choices.emulate else clients()[name].variable
    if variable:
        entry["env"] = {KEY: variable}
    if name != "vscode":
        return {"mcpServers": {NAME: entry}}
    asked = {"type": "promptString", "id": _INPUT, "description": "Gemini API key", "password": True}
    return {"servers": {NAME: {"type": "stdio", **entry}}, **({"inputs": [asked]} if variable else {})}


def run(name: str, choices: Choices) -> int:
    """Print the configuration; the exit status."""
    # A wrong flag should be refused here and not in a client that hides what its servers say.
    from gemini_server import surface

    surface.load().enabled(choices.settings())
    print(json.dumps(config(name, choices), indent=2, ensure_ascii=False))
    for line in _hints(name, choices):
        print(line, file=sys.stderr)
    return 0


def _hints(name: str, choices: Choices) -> list[str]:
    client = clients()[name]
    hints = [f"Put it into {client.where}; if there are other servers in it, add the entry {NAME!r} beside them."]
    if name == "claude-code":
        added = json.dumps(config(name, choices)["mcpServers"][NAME], separators=(",", ":"))
        hints.append(f"Or: claude mcp add-json {NAME} {shlex.quote(added)}")
    if not choices.emulate and not client.variable:
        path = platform_directory("config") / "key"
        file, directory = shlex.quote(str(path)), shlex.quote(str(path.parent))
        hints.append("This client passes no variables on, so put the key into the key file:")
        hints.append(f"  mkdir -p {directory} && (umask 077 && cat > {file})    then paste the key, Enter, Ctrl-D")
    if client.hint and not (choices.emulate and client.variable):
        hints.append(client.hint)
    if not choices.allow_dirs:
        hints.append("Add --allow-dir DIR to choose the directories whose files the tools may read.")
    return hints
