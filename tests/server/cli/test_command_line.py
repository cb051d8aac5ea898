from __future__ import annotations

import pytest

from tests.server.cli.conftest import Shell

COMMANDS = ("serve", "call", "tools", "doctor", "emulator", "print-config", "demo")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(shell: Shell, command: str) -> None:
    done = shell.run(command, "--help")
    assert done.returncode == 0, done.stderr
    examples = done.stdout.lower().partition("examples:")[2].splitlines()
    assert any(line.startswith(f"gemini-toolserver {command}") for line in map(str.strip, examples))


def test_the_help_lists_every_command(shell: Shell) -> None:
    done = shell.run("--help")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.partition("Commands:\n")[2].split("\n\n")[0].splitlines()] == [
        *COMMANDS
    ]


def test_the_version_is_printed(shell: Shell) -> None:
    done = shell.run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("gemini-toolserver ")


def test_an_unknown_command_is_refused_with_the_one_that_was_meant(shell: Shell) -> None:
    done = shell.run("docter")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such command 'docter'. Did you mean 'doctor'?" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--emulate"], ["serve", "--emulate"]])
def test_without_a_command_it_serves_and_ends_with_its_client(shell: Shell, arguments: list[str]) -> None:
    done = shell.run(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_setting_that_cannot_be_understood_is_said_without_a_traceback(shell: Shell) -> None:
    for command in ("serve", "tools", "demo", "doctor"):
        done = shell.run(command, GEMINI_TOOLSERVER_EMULATE="perhaps")
        assert (done.returncode, done.stdout) == (2, "")
        assert "GEMINI_TOOLSERVER_EMULATE must be 1 or 0" in done.stderr
        assert "Traceback" not in done.stderr
