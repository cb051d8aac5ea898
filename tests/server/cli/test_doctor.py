from __future__ import annotations

import json
from pathlib import Path

import pytest

from gemini_server.cli import client_files
from gemini_server.cli.doctor import masked
from tests.server.cli.conftest import CANARY, Shell


def test_with_the_emulator_everything_works(shell: Shell) -> None:
    done = shell.run("doctor", "--emulate", "--state-dir", "state")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "Everything works."
    named = [line.split()[1] for line in done.stdout.split("\n\n")[0].splitlines()]
    assert {"version", "key", "gemini", "readable", "ledger", "tools", "stdio", "clients"} <= set(named)
    assert "nothing foreign on stdout" in done.stdout
    assert done.stderr == ""


def test_without_a_key_it_fails_and_says_where_one_comes_from(shell: Shell) -> None:
    done = shell.run("doctor", "--offline", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["ok"] is False
    checks = {check["name"]: check for check in told["checks"]}
    assert checks["key"]["status"] == "failed"
    assert "GEMINI_API_KEY" in checks["key"]["detail"]
    assert checks["stdio"]["status"] == "ok"
    assert "gemini" not in checks


def test_the_key_is_masked_and_a_refused_one_too(shell: Shell) -> None:
    with shell.started("emulator", "--port", "0") as emulator:
        assert emulator.stdout is not None
        url = emulator.stdout.readline().partition(" listens at ")[2].split()[0]
        good = shell.run("doctor", GEMINI_API_KEY=CANARY, GEMINI_BASE_URL=url)
        assert good.returncode == 0, good.stdout + good.stderr
        assert "AIza… (39 characters)" in good.stdout
        assert "clock" in good.stdout
        bad = shell.run("doctor", GEMINI_API_KEY=f"invalid-{CANARY}", GEMINI_BASE_URL=url)
        assert bad.returncode == 1
        assert "Failed: gemini." in bad.stdout
    for told in (good, bad):
        assert "CANARY" not in told.stdout + told.stderr


def test_settings_that_are_refused_fail_a_check_and_not_the_doctor(shell: Shell) -> None:
    done = shell.run("doctor", "--offline", GEMINI_API_KEY=CANARY, GEMINI_TOOLSERVER_TOOLSETS="txt")
    assert done.returncode == 1
    assert "there is no txt" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_misspelled_variable_is_named_by_the_doctor_and_by_the_server(shell: Shell) -> None:
    wrong = {"GEMINI_TOOLSERVER_READONLY": "1", "GEMINI_TOOLSERVER_XYZ": CANARY}
    done = shell.run("doctor", "--emulate", "--state-dir", "state", **wrong)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split(maxsplit=2)[2] for line in done.stdout.splitlines() if line.startswith("warning")]
    nothing = "is no setting of this server and has no effect"
    assert f"'GEMINI_TOOLSERVER_READONLY' {nothing}; did you mean GEMINI_TOOLSERVER_READ_ONLY?" in lines
    assert f"'GEMINI_TOOLSERVER_XYZ' {nothing}." in lines
    assert f"'GEMINI_TOOLSERVER_XYZ' {nothing}." in done.stderr, "the server that was started says it too"
    assert CANARY not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("key", "told"),
    [(CANARY, "AIza… (39 characters)"), ("AQ.secret", "AQ.… (9 characters)"), ("x" * 8, "… (8 characters)")],
)
def test_of_a_key_only_what_all_of_its_kind_share_is_told(key: str, told: str) -> None:
    assert masked(key) == told


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_no_configuration_that_mentions_the_server_is_no_failure(home: Path) -> None:
    write(home / ".cursor" / "mcp.json", '{"mcpServers": {"other": {"command": "other"}}}')
    assert [(check.name, check.status) for check in client_files.checks()] == [("clients", "ok")]


@pytest.mark.parametrize(
    ("file", "text", "client", "status", "told"),
    [
        (".cursor/mcp.json", '{"mcpServers": {"g": {"command": "/bin/sh", "args": ["gemini-toolserver"]}}}',
         "Cursor", "ok", "starts /bin/sh"),
        (".claude.json", '{"projects": {"/p": {"mcpServers": {"g": {"command": "/gone/gemini-toolserver"}}}}}',
         "Claude Code", "failed", "does not exist"),
        (".gemini/settings.json", '{"mcpServers": {"g": {"command": "sh", "args": ["-m", "gemini_server"]}}}',
         "Gemini CLI", "warning", "another PATH"),
        ("work/.mcp.json", '{"mcpServers": {"g": {"command": "/bin/sh", "args": ["gemini_server", "KEY"]}}}',
         "Claude Code", "warning", "holds the key itself"),
        ("work/.vscode/mcp.json", '{ // mine\n "servers": {"g": {"command": "gemini-toolserver"}}}',
         "VS Code", "ok", "not plain JSON"),
    ],
)  # fmt: skip
def test_a_configuration_that_mentions_the_server_is_looked_at(
    home: Path, file: str, text: str, client: str, status: str, told: str
) -> None:
    write(home / file, text.replace("KEY", CANARY))
    (check,) = client_files.checks()
    assert (check.name, check.status) == (client, status)
    assert told in check.detail
    assert CANARY not in check.detail
