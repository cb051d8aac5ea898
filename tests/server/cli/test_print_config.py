from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gemini_server.cli import print_config
from gemini_server.cli.choices import Choices
from tests.server.cli.conftest import CANARY, Shell

VARIABLES = {
    "claude-desktop": None,
    "claude-code": "${GEMINI_API_KEY:-}",
    "cursor": "${env:GEMINI_API_KEY}",
    "vscode": "${input:gemini-api-key}",
    "gemini-cli": "$GEMINI_API_KEY",
}


@pytest.mark.parametrize("client", VARIABLES)
def test_stdout_is_the_clients_json_with_an_absolute_command_and_without_the_key(shell: Shell, client: str) -> None:
    done = shell.run("print-config", client, "--allow-dir", "pictures", "--read-only", GEMINI_API_KEY=CANARY)
    assert done.returncode == 0, done.stderr
    config = json.loads(done.stdout)
    entry: dict[str, Any] = config["servers" if client == "vscode" else "mcpServers"]["gemini"]
    assert Path(entry["command"]).is_absolute()
    assert os.access(entry["command"], os.X_OK)
    assert entry["args"][entry["args"].index("serve") :] == [
        "serve", "--allow-dir", str(shell.home / "pictures"), "--read-only",
    ]  # fmt: skip
    assert entry.get("env", {}).get("GEMINI_API_KEY") == VARIABLES[client]
    assert CANARY not in done.stdout + done.stderr
    assert "Put it into" in done.stderr


def test_vscode_asks_for_the_key_as_a_password(shell: Shell) -> None:
    config = print_config.config("vscode", Choices())
    assert config["servers"]["gemini"]["type"] == "stdio"
    assert [(asked["id"], asked["type"], asked["password"]) for asked in config["inputs"]] == [
        ("gemini-api-key", "promptString", True)
    ]


@pytest.mark.parametrize("client", VARIABLES)
def test_an_emulated_server_needs_no_key(client: str) -> None:
    text = json.dumps(print_config.config(client, Choices(emulate=True)))
    assert "--emulate" in text
    assert "API_KEY" not in text.upper()
    assert "inputs" not in text


def test_the_printed_command_starts_the_server(shell: Shell) -> None:
    done = shell.run("print-config", "claude-desktop", "--emulate")
    entry = json.loads(done.stdout)["mcpServers"]["gemini"]
    assert entry == {"command": entry["command"], "args": [*print_config.server_command()[1:], "serve", "--emulate"]}
    assert [entry["command"], *entry["args"]][: len(print_config.server_command())] == print_config.server_command()


def test_a_client_without_variables_is_told_how_to_make_the_key_file(shell: Shell) -> None:
    hint = shell.run("print-config", "claude-desktop").stderr
    assert "umask 077" in hint
    assert str(shell.home / ".config" / "gemini-toolserver" / "key") in hint


@pytest.mark.parametrize(
    ("arguments", "complaint"), [(["emacs"], "'emacs'"), (["cursor", "--toolsets", "txt"], "no txt")]
)
def test_an_unknown_client_or_toolset_is_refused(shell: Shell, arguments: list[str], complaint: str) -> None:
    done = shell.run("print-config", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
