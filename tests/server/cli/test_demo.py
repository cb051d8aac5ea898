from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client

from gemini_server.cli import demo, demo_agents, demo_context, demo_making
from gemini_server.cli.stage import Failed, Paper, Stage
from tests.server.cli.conftest import Shell


def test_without_a_key_it_shows_its_sections_against_the_emulator_and_keeps_what_it_made(shell: Shell) -> None:
    done = shell.run("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Against the embedded emulator" in done.stdout
    lines = done.stdout.splitlines()
    sections = (*demo.SECTIONS, *demo_making.SECTIONS, *demo_context.SLOW, *demo_agents.SECTIONS)
    for number, (title, _) in enumerate(sections, 1):
        assert f"{number}. {title}" in lines
    assert "it returns    {" in done.stdout
    assert '"name": "Anna Kowalska"' in done.stdout
    assert "[1] " in done.stdout
    assert f"{len(sections)} of {len(sections)} worked" in done.stdout
    assert "print-config" in done.stdout
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert not any(line != line.rstrip() or (len(line) > 100 and str(shell.home) not in line) for line in lines)
    (made,) = (shell.home / "tmp").iterdir()
    assert f"What was made lies in {made}" in done.stdout
    kinds = {path.name.partition("-")[0] for path in made.iterdir()}
    assert {"image", "video", "speech", "music", "boxes", "transcript"} <= kinds


def test_with_a_key_that_is_refused_it_says_so_once_and_fails(shell: Shell) -> None:
    with shell.started("emulator", "--port", "0") as emulator:
        assert emulator.stdout is not None
        url = emulator.stdout.readline().partition(" listens at ")[2].split()[0]
        done = shell.run("demo", GEMINI_API_KEY="invalid-key", GEMINI_BASE_URL=url, GEMINI_TOOLSERVER_TOOLS="x")
    assert done.returncode == 1
    assert f"Against Gemini at {url} (key from GEMINI_API_KEY)" in done.stdout
    assert done.stdout.count("It did not work:") == 1
    assert f"0 of {len(demo.SECTIONS)} worked" in done.stdout
    assert "doctor" in done.stderr
    assert "invalid-key" not in done.stdout + done.stderr


def test_streamed_text_breaks_between_words_wherever_its_pieces_do(capsys: pytest.CaptureFixture[str]) -> None:
    paper = Paper()
    paper.width = 20
    for piece in ("The qui", "ck brown", " fox ", "jumps", "\n\nover"):
        paper.flow(piece)
    paper.end_flow()
    assert capsys.readouterr().out == "   The quick brown\n   fox jumps\n   over\n"


@pytest.mark.anyio
async def test_a_live_turn_without_a_transcript_is_said_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def call(stage: Stage, tool: str, **arguments: Any) -> dict[str, Any]:
        return {"conversation": "c_x", "artifacts": []}

    monkeypatch.setattr(Stage, "call", call)
    with pytest.raises(Failed, match="no transcript"):
        await demo_agents.live(Stage(cast(Client, None), Paper(), tmp_path, emulated=True))
