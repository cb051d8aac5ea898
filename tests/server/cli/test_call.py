from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from gemini_server.cli.drawing import circle_and_square
from gemini_server.cli.progress import Lines, Pieces
from tests.server.cli.conftest import DEADLINE, Shell

TOKEN = "a-token-of-more-than-sixteen-characters"


def test_the_answer_goes_to_stdout_and_nothing_else_does(shell: Shell) -> None:
    done = shell.run("call", "generate_text", "prompt=Reply with exactly: good morning", "--emulate")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[emulated] good morning\n[finish: STOP;")
    assert done.stderr == ""


def test_lists_and_files_reach_the_tool_and_json_is_the_structured_result_alone(shell: Shell) -> None:
    for name in ("a.png", "b.png"):
        (shell.home / name).write_bytes(circle_and_square())
    asked = ["prompt=What is this?", "attachments=a.png", "attachments=b.png", "--output", "json"]
    done = shell.run("call", "generate_text", *asked, GEMINI_TOOLSERVER_EMULATE="1")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["text"].count("PNG image of 240×140 pixels") == 2
    assert result["usage"]["total_tokens"] > 0


def test_stdin_is_read_and_a_tool_outside_the_preset_is_switched_on_by_naming_it(shell: Shell) -> None:
    chat = ["prompt=-", "conversation=new", "--output", "json", "--state-dir", "state", "--emulate"]
    begun = shell.run("call", "generate_text", *chat, stdin="My name is Ada\n")
    assert begun.returncode == 0, begun.stderr
    assert "“My name is Ada”" in json.loads(begun.stdout)["text"]
    listed = shell.run("call", "list_conversations", "--state-dir", "state", "--emulate")
    assert listed.returncode == 0, listed.stderr
    assert json.loads(begun.stdout)["conversation"] in listed.stdout


def test_a_tool_that_fails_says_why_on_stderr_and_exits_1(shell: Shell) -> None:
    done = shell.run("call", "generate_text", "prompt=Hi", "--output", "json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "GEMINI_API_KEY" in done.stderr
    raw = shell.run("call", "generate_text", "prompt=Hi", "--raw")
    assert raw.returncode == 1
    assert json.loads(raw.stdout)["isError"] is True


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["generate_text", "promt=Hi", "--emulate"],
            "Did you mean prompt? generate_text takes: prompt (needed),",
        ),
        (
            ["generate_texts", "prompt=Hi"],
            "There is no tool 'generate_texts'. Did you mean generate_text or generate_video?",
        ),
        (["generate_text", "prompt=Hi", "--url", "ftp://x"], "is no http(s) URL"),
        (["server_status", "--url", "http://127.0.0.1:9/mcp"], "No MCP server answers at http://127.0.0.1:9/mcp"),
        (["server_status", "--url", "http://127.0.0.1:9/mcp", "--emulate"], "with its own settings"),
        ([], "Missing argument 'TOOL'"),
    ],
)
def test_what_cannot_be_called_exits_2_and_says_how_it_can(shell: Shell, arguments: list[str], complaint: str) -> None:
    done = shell.run("call", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_does_not_start_is_told_with_its_own_words(shell: Shell) -> None:
    done = shell.run("call", "server_status", "--emulate", GEMINI_TOOLSERVER_TOOLSETS="nonsense")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no nonsense" in done.stderr
    assert "could not be started" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_does_not_travel_in_the_clear(shell: Shell) -> None:
    done = shell.run("call", "server_status", "--url", "http://gateway.example/mcp", GEMINI_TOOLSERVER_TOKEN=TOKEN)
    assert done.returncode == 2
    assert "anyone on the way could read the token" in done.stderr
    assert TOKEN not in done.stderr


def test_a_server_at_a_url_is_called_with_a_token_from_a_file_or_the_environment(shell: Shell) -> None:
    tokens = shell.home / "tokens"
    tokens.write_text(f"# callers\nada:{TOKEN}\n")
    with shell.started("serve", "--http", "127.0.0.1:0", "--emulate", "--token-file", str(tokens)) as server:
        assert server.stderr is not None
        url = server.stderr.readline().split()[-1]
        asked = ["call", "generate_text", "prompt=Reply with exactly: hello", "--url", url]
        allowed = shell.run(*asked, "--token-file", str(tokens))
        assert allowed.returncode == 0, allowed.stderr
        assert allowed.stdout.startswith("[emulated] hello\n")
        refused = shell.run(*asked, GEMINI_TOOLSERVER_TOKEN=f"wrong-{TOKEN}")
        assert refused.returncode == 2
        assert "refuses the caller (HTTP 401). Check the token." in refused.stderr
        assert TOKEN not in refused.stderr


def children(pid: int) -> list[int]:
    """The processes that a process started, on Linux."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


@pytest.mark.skipif(
    signal.getsignal(signal.SIGINT) == signal.SIG_IGN, reason="a shell has started this in its background"
)
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the server through /proc")
def test_ctrl_c_ends_the_call_with_130_and_the_server_with_it(shell: Shell) -> None:
    log = shell.home / "requests.jsonl"
    os.mkfifo(log)
    with shell.started("emulator", "--port", "0", "--log", str(log)) as emulator, log.open() as requests:
        assert emulator.stdout is not None
        url = emulator.stdout.readline().partition(" listens at ")[2].split()[0]
        slow = ["call", "generate_text", "prompt=Hi [emulate: stall=headers]"]
        with shell.started(*slow, GEMINI_API_KEY="any", GEMINI_BASE_URL=url) as call:
            assert "generateContent" in requests.readline().replace("streamGenerateContent", "generateContent")
            servers = children(call.pid)
            assert len(servers) == 1
            call.send_signal(signal.SIGINT)
            out, err = call.communicate(timeout=10)
            assert (call.returncode, out) == (130, "")
            assert "Traceback" not in err
            assert not Path(f"/proc/{servers[0]}").exists()


def test_pieces_of_the_answer_are_told_from_remarks() -> None:
    pieces = Pieces()
    assert not pieces.is_text(0.001, None, "uploading a.png")
    assert pieces.is_text(5.001, None, "Hello")
    assert pieces.is_text(12.001, None, " world!")
    assert not pieces.is_text(13, 20, "x")
    assert not pieces.is_text(14, None, None)


async def test_without_a_terminal_remarks_are_short_lines_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Lines() as shown:
        await shown.report(1, 4, "making the video")
        await shown.report(2, 4, "making the video")
        await shown.report(3, 4, "downloading")
        await shown.report(8, None, "Hello")
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["… making the video (25%)", "… downloading (75%)"]
    assert captured.out == ""


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_on_a_terminal_the_bar_is_gone_before_the_answer_comes(shell: Shell) -> None:
    import pty

    from tests.server.cli.conftest import COMMAND

    ours, theirs = pty.openpty()
    command = [*COMMAND, "call", "generate_text", "prompt=Tell me of foxes", "--emulate"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env={**shell.environment, "TERM": "xterm"}
    ) as process:
        os.close(theirs)
        out, _ = process.communicate(timeout=DEADLINE)
        screen = os.read(ours, 65536).decode()
        os.close(ours)
    assert process.returncode == 0
    assert out.decode().startswith("[emulated] You asked")
    assert "generate_text" in screen
    # Show the cursor, go up and erase: what a transient display ends with.
    assert screen.rstrip().endswith("\x1b[2K")
