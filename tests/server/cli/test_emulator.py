from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import httpx2

from tests.server.cli.conftest import Shell


def test_it_says_how_to_use_it_answers_and_ends_on_sigterm(shell: Shell) -> None:
    log = shell.home / "log.jsonl"
    with shell.started("emulator", "--port", "0", "--prefix", "/gemini", "--log", str(log)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().partition(" listens at ")[2].split()[0]
        assert url.endswith("/gemini")
        answer = httpx2.get(f"{url}/v1beta/models", headers={"x-goog-api-key": "any"}, timeout=10)
        assert answer.status_code == 200
        assert answer.json()["models"]
        ended = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert time.monotonic() - ended < 3
        assert process.stderr is not None
        out, err = process.stdout.read(), process.stderr.read()
        assert (process.returncode, err) == (0, "")
        for way in (f"curl {url}/v1beta/models", f'"base_url": "{url}"', f"GEMINI_BASE_URL={url}"):
            assert way in out
    assert json.loads(log.read_text().splitlines()[0])["path"].endswith("/v1beta/models")


def test_a_taken_port_is_said_and_exits_2(shell: Shell) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = shell.run("emulator", "--port", str(taken.getsockname()[1]))
    assert (done.returncode, done.stdout) == (2, "")
    assert "--port 0 takes a free port" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_others_reach_is_warned_of(shell: Shell) -> None:
    missing = Path("missing") / "log.jsonl"
    done = shell.run("emulator", "--host", "0.0.0.0", "--port", "0", "--log", str(missing))
    assert done.returncode == 2
    assert "everyone who reaches 0.0.0.0" in done.stderr
