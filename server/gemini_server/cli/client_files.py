"""The configuration files of MCP clients on this machine, and what they say of this server. Read, never written."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gemini_server.cli.shapes import is_list, is_object
from gemini_server.toolkit.health import Check

MENTION = re.compile(r"gemini[-_](?:tool)?server")
_LITERAL_KEY = re.compile(r"AIza[\w-]{35}|\bAQ\.[\w-]{10,}")
_LARGEST = 20_000_000


def candidates() -> list[tuple[str, Path]]:
    """Where clients keep their configuration: the client's name and the file, whether it exists or not."""
    home, here = Path.home(), Path.cwd()
    if sys.platform == "darwin":
        applications = home / "Library" / "Application Support"
    elif sys.platform == "win32":
        applications = Path(os.environ.get("APPDATA", home / "AppData" / "Roaming"))
    else:
        applications = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return [
        ("Claude Desktop", applications / "Claude" / "claude_desktop_config.json"),
        ("Claude Code", here / ".mcp.json"),
        ("Claude Code", home / ".claude.json"),
        ("Cursor", here / ".cursor" / "mcp.json"),
        ("Cursor", home / ".cursor" / "mcp.json"),
        ("VS Code", here / ".vscode" / "mcp.json"),
        ("VS Code", applications / "Code" / "User" / "mcp.json"),
        ("Gemini CLI", here / ".gemini" / "settings.json"),
        ("Gemini CLI", home / ".gemini" / "settings.json"),
    ]


def checks() -> list[Check]:
    """One check for each file that mentions this server; one that says so when none does."""
    # The home directory may be the working directory.
    found = [_check(name, path) for path, name in {path: name for name, path in candidates()}.items()]
    mentioned = [check for check in found if check is not None]
    none = Check("clients", "ok", "no client's configuration mentions this server; print-config CLIENT prints one")
    return mentioned or [none]


def _check(client: str, path: Path) -> Check | None:
    try:
        if path.stat().st_size > _LARGEST:
            return None
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        return Check(client, "warning", f"{path} cannot be read ({type(error).__name__})")
    if not MENTION.search(text):
        return None
    try:
        entries = list(_entries(json.loads(text)))
    except (ValueError, RecursionError):
        # VS Code allows comments in its files.
        return Check(client, "ok", f"{path} mentions this server (the file is not plain JSON, so only that is known)")
    if not entries:
        return None
    for entry in entries:
        command = str(entry["command"])
        if shutil.which(Path(command).expanduser()) is None:
            return Check(
                client, "failed", f"{path} starts {command}, which does not exist; print-config prints it anew"
            )
        if _LITERAL_KEY.search(json.dumps(entry)):
            return Check(client, "warning", f"{path} holds the key itself; use a variable or the key file")
        if not Path(command).is_absolute():
            return Check(client, "warning", f"{path} starts {command}; clients with another PATH will not find it")
    return Check(client, "ok", f"{path} starts {entries[0]['command']}")


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    """Every object that starts this server, at any depth."""
    if is_list(value):
        for item in value:
            yield from _entries(item)
    elif is_object(value):
        given: object = value.get("args")
        started = [value.get("command"), *(given if is_list(given) else ())]
        if isinstance(started[0], str) and any(MENTION.search(str(word)) for word in started):
            yield value
            return
        for item in value.values():
            yield from _entries(item)
