"""What is imported before the first reply: nothing but the SDK and the few modules that serve the packaged surface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

OWN = ("gemini_server", "gemini_tools", "gemini_emulator")

OURS = "from gemini_server.cli import main; main()"

BARE = """
from mcp.server import MCPServer

server = MCPServer("bare")

@server.tool()
async def echo(text: str) -> str:
    "Return the text."
    return text

server.run()
"""

REPORTING = """
import os
import sys

def report(status):
    with open(os.environ["LOADED"], "w") as file:
        file.write("\\n".join(sys.modules))
    leave(status)

# The server leaves with os._exit, without the end of an ordinary program.
leave, os._exit = os._exit, report
exec(os.environ["PROGRAM"])
report(0)
"""

META: dict[str, Any] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
MODERN: list[dict[str, Any]] = [
    {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": META}},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {"_meta": META}},
]
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}
LEGACY: list[dict[str, Any]] = [
    {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
]


def loaded_by(program: str, messages: list[dict[str, Any]], directory: Path) -> set[str]:
    """The modules that a stdio server has loaded when it has listed its tools and its client is gone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GEMINI_", "GOOGLE_", "COV_"))}
    process = subprocess.Popen(
        [sys.executable, "-c", REPORTING, "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            **kept,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "server"), str(ROOT / "tools")]),
            "PROGRAM": program,
            "LOADED": str(directory / "loaded"),
            "HOME": str(directory),
            "GEMINI_API_KEY": "AIza" + "k" * 35,
        },
        cwd=directory,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        answer: dict[str, Any] = {}
        for message in messages:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
            if "id" in message:
                answer = json.loads(process.stdout.readline())
                assert "result" in answer, answer
        assert answer["result"]["tools"]
        process.stdin.close()
    return set((directory / "loaded").read_text(encoding="utf-8").split("\n"))


def inside(modules: set[str], *packages: str) -> set[str]:
    """Those of the modules that are one of the packages or belong to it."""
    return {module for module in modules if any(f"{module}.".startswith(f"{package}.") for package in packages)}


@pytest.fixture(scope="module", params=[MODERN, LEGACY], ids=["modern", "legacy"])
def messages(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    chosen: list[dict[str, Any]] = request.param
    return chosen


@pytest.fixture(scope="module")
def loaded(messages: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return loaded_by(OURS, messages, tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def bare(messages: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return loaded_by(BARE, messages, tmp_path_factory.mktemp("bare"))


def test_the_list_of_tools_is_served_by_these_modules_of_ours_alone(loaded: set[str]) -> None:
    assert inside(loaded, *OWN) == {
        "gemini_server",
        "gemini_server.app",
        "gemini_server.caller",
        "gemini_server.capabilities",
        "gemini_server.cli",
        "gemini_server.cli.serve",
        "gemini_server.errors",
        "gemini_server.log",
        "gemini_server.misspelled_settings",
        "gemini_server.news",
        "gemini_server.redaction",
        "gemini_server.rest",
        "gemini_server.rest.config",
        "gemini_server.setting_conflicts",
        "gemini_server.setting_values",
        "gemini_server.settings",
        "gemini_server.stdio",
        "gemini_server.subscriptions",
        "gemini_server.surface",
        "gemini_server.tasks",
        "gemini_server.toolkit",
        "gemini_server.toolkit.call",
        # Settings that could never work are refused at the start, directories among them: 3 ms.
        "gemini_server.toolkit.disk",
        "gemini_server.toolkit.mime_types",
        "gemini_server.toolkit.open_file",
        "gemini_server.toolkit.paths",
        "gemini_server.toolkit.progress",
        "gemini_server.toolkit.runtime",
        "gemini_server.version",
        "gemini_server.toolkit.sensitive",
        "gemini_server.toolkit.sniff",
        "gemini_server.toolkit.walk",
        "gemini_tools",
    }


def test_nothing_heavy_is_imported_before_it_is_needed(loaded: set[str], bare: set[str]) -> None:
    heavy = {"google", "PIL", "psycopg", "obstore", "typer", "rich", "sqlite3", "uvicorn", "jsonschema", "websockets"}
    assert inside(loaded - bare, *heavy) == set()
    later = ("gemini_emulator", "gemini_server.api", "gemini_server.jobs", "gemini_server.rest.client")
    assert inside(loaded, *later) == set()
    assert inside(loaded, "gemini_tools") == {"gemini_tools"}


def test_no_third_party_module_is_loaded_that_a_bare_server_does_not_load(loaded: set[str], bare: set[str]) -> None:
    # anyio imports it when signals are first received, which a bare server does not do.
    assert loaded - bare - inside(loaded, *OWN, *sys.stdlib_module_names) <= {"anyio._core._signals"}
