from __future__ import annotations

import json

import pytest

from gemini_server import surface
from gemini_server.cli import tools
from gemini_server.cli.choices import Choices
from gemini_server.settings import Settings
from tests.server.cli.conftest import Shell
from tests.test_conventions import compact, seen


def test_the_totals_are_those_of_the_surface(capsys: pytest.CaptureFixture[str]) -> None:
    preset = [tool.shown for tool in surface.load().enabled(Settings())]
    assert tools.run(Choices(), as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model_bytes"] == sum(seen(shown) for shown in preset)
    assert told["total_bytes"] == sum(compact(shown) for shown in preset)
    assert [tool["name"] for tool in told["tools"]] == [shown["name"] for shown in preset]
    assert {tool["name"] for tool in told["tools"]}.isdisjoint(told["off"])


def test_the_table_shows_what_is_on_and_names_what_is_off(shell: Shell) -> None:
    done = shell.run("tools", "--toolsets", "text", "--read-only", "--exclude-tools", "count_tokens")
    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.split("\n\n")[0].splitlines()
    assert header.split() == ["TOOL", "TOOLSET", "DEFAULT", "READ-ONLY", "BYTES", "SEEN", "BYTES", "IN", "ALL"]
    names = [row.split()[0] for row in rows[:-1]]
    assert "generate_text" in names
    assert not {"count_tokens", "delete_conversation", "list_models"} & set(names)
    assert "delete_conversation" in done.stdout.partition("Off: ")[2]
    total = sum(int(row.split()[-1]) for row in rows[:-1])
    assert rows[-1].split()[:2] == [str(len(names)), "tools"]
    assert rows[-1].split()[-1] == str(total)


def test_a_toolset_that_does_not_exist_is_refused_with_those_that_do(shell: Shell) -> None:
    done = shell.run("tools", "--toolsets", "txt")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--toolsets: there is no txt. There are: all, " in done.stderr
