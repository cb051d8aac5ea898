"""A voice that a method called by its name has made is paid for, whatever else Google says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gemini_server.toolkit.call import Call
from gemini_tools.endpoints import call_endpoint

from .working import Gemini, runtime_for

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("model", ["two words", {"odd": "one"}, "x" * 300])
async def test_an_odd_model_in_the_answer_does_not_cost_the_voice(tmp_path: Path, model: object) -> None:
    told = {"id": "voice_1", "model": model, "usage": {"total_input_tokens": 3, "total_tokens": 3}}
    runtime = runtime_for(Gemini([told]), tmp_path)
    answered = await call_endpoint(Call(runtime), endpoint="voices.create", body={}, check=False)
    assert answered.structured()["answer"]["id"] == "voice_1"
    await runtime.aclose()
