"""What a film that is asked for by the API's own method is held to cost, whatever its length is said to be."""

from __future__ import annotations

from typing import Any

import pytest

from gemini_server import settings
from gemini_server.toolkit.background_cost import of_operation
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.runtime import Runtime

VEO = "veo-3.1-generate-preview"


@pytest.mark.parametrize("seconds", [-1_000_000, 0, 10**400, 1e308, "8", None])
def test_what_is_no_length_costs_what_a_usual_film_costs(seconds: Any) -> None:
    call = Call(Runtime(settings.read({}, key="test-key")))
    usual = of_operation(call, VEO, {"parameters": {}})
    assert usual is not None
    assert of_operation(call, VEO, {"parameters": {"durationSeconds": seconds}}) == usual
