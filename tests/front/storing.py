"""What the tests of File Search share: a handbook, a store that has it, and what the emulator was sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import error_of, structured

Json = dict[str, Any]

ON: Json = {"toolsets": ("all",), "poll": 0.02}
HANDBOOK = """Every employee has 28 vacation days a year. New employees get theirs pro rata.

Requests for vacation go to the team lead at least two weeks ahead.
The office in Zürich 🏔 is closed between Christmas and New Year.
Laptops are replaced after four years, telephones after three.
"""
GONE = "fileSearchStores/nowhere-0123456789ab"


async def store_of(client: Client, name: str = "Staff handbook", **more: Any) -> str:
    """The name of a new store."""
    made = structured(await client.call_tool("create_store", {"display_name": name, **more}))
    found: str = made["store"]["name"]
    return found


async def add(client: Client, store: str, source: str, **more: Any) -> Json:
    """The job of a document."""
    return structured(await client.call_tool("add_to_store", {"store": store, "source": source, **more}))


async def not_added(client: Client, store: str, source: str, **more: Any) -> str:
    return error_of(await client.call_tool("add_to_store", {"store": store, "source": source, **more}))


async def documents(client: Client, store: str, **more: Any) -> list[Json]:
    found: list[Json] = structured(await client.call_tool("list_documents", {"store": store, **more}))["documents"]
    return found


def handbook(tmp_path: Path, name: str = "handbook.md", text: str = HANDBOOK) -> str:
    """A file that may be read."""
    Path(tmp_path, "allowed", name).write_text(text, encoding="utf-8")
    return name


def paths(emulator: Emulator) -> list[str]:
    """Method and path of what the emulator was asked, with the ids of stores and operations named alike."""
    found: list[str] = []
    for one in emulator.requests:
        head, *rest = one["path"].split("/fileSearchStores", 1)
        if rest:
            found.append(f"{one['method']} {'/upload' if 'upload' in head else ''}{rest[0]}")
    return found


def commands(emulator: Emulator) -> list[str]:
    """The commands of the uploads."""
    return [one["headers"]["x-goog-upload-command"] for one in emulator.requests if one["path"].startswith("/upload/")]
