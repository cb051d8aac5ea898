"""Which names stand in what a caller says; and a ledger that fails costs nobody what was made."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from gemini_server import settings
from gemini_server.toolkit import owners
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.runtime import Runtime

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("cachedContents/a", ["cachedContents/a"]),
        ("fileSearchStores/a/documents/b", ["fileSearchStores/a"]),
        ("environments/e/files/a.txt", ["environments/e"]),
        ("https://any.example/v1beta/files/a:download?alt=media", ["files/a"]),
        ({"a": [{"b": "files/x"}, 1, None]}, ["files/x"]),
        ({"environment": "env_1"}, ["environments/env_1"]),
        ({"environment": {"environment_id": "env_1"}}, ["environments/env_1"]),
        ({"network": {"allowlist": [{"domain": "a.example", "credential": "key"}]}}, ["credentials/key"]),
        ("a sentence about files / and folders", []),
        ("x" * 500 + "/files/a", []),
        ({"environment": ""}, []),
        ({"environment": " env_1 ", "previousInteractionId": "i"}, ["environments/env_1", "interactions/i"]),
        ({"voiceConfig": {"voice": "voice_1"}}, ["voices/voice_1"]),
        ("https://generativelanguage.googleapis.com/v1beta/files%2Fa", ["files/a"]),
        ("https://generativelanguage.googleapis.com/files/a#x", ["files/a"]),
        ("projects/p/locations/l/cachedContents/a", ["cachedContents/a"]),
        ("environments/e/files/" + "a/" * 400, ["environments/e"]),
        ("https://github.example/acme/agents/writer", []),
        ("https://any.example/files/report?raw=1", []),
        ("files/a: what is that?", []),
        ("Compare https://any.example/v1/files/a with the other one", []),
        ({"labels": {"environment": "prod"}, "functionCall": {"args": {"agent": "writer"}}}, []),
    ],
)
def test_names_are_found_wherever_they_stand(said: Any, names: list[str]) -> None:
    assert list(owners.names_in(said)) == names


async def test_a_ledger_that_fails_is_logged_and_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("a file where the directory should be")
    runtime = Runtime(settings.read({}, key="test-key", state_dir=tmp_path / "state"))
    with caplog.at_level(logging.WARNING):
        await owners.claim(Call(runtime, "anna"), "cachedContents/a")
    assert "cachedContents/a is not known as the caller's" in caplog.text
    await runtime.aclose()


async def test_a_single_user_needs_no_ledger(tmp_path: Path) -> None:
    runtime = Runtime(settings.read({}, key="test-key", state_dir=tmp_path / "state"))
    await owners.claim(Call(runtime), "cachedContents/a")
    assert await owners.theirs(Call(runtime), ["cachedContents/a"]) == set()
    await runtime.aclose()
    assert not (tmp_path / "state").exists()
