"""Decisions: three kinds of questions about one input, answered with probabilities that add up."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api
from .interacting import error_of

pytestmark = pytest.mark.anyio

INPUT = "The package arrived late and the box was broken. I want my money back."
QUESTIONS: dict[str, Any] = {
    "intent": {
        "type": "choice",
        "instructions": "What does the customer want?",
        "criteria": {"refund": "The customer wants money returned", "praise": "The customer is happy", "other": ""},
    },
    "anger": {
        "type": "score",
        "instructions": [{"type": "text", "text": "How bad is it?"}],
        "criteria": ["all is well", "arrived late", "a house burned down"],
    },
    "broken": {"type": "noul", "instructions": {"type": "text", "text": "Was the box broken?"}},
    "animals": {
        "type": "noul",
        "instructions": "Is it about animals?",
        "criteria": {"true_description": "dogs, cats and horses", "false_description": "a box that arrived late"},
    },
}


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "models/gemini-3.8-flash", "input": INPUT, "questions": QUESTIONS, **fields}


async def decide(api: Api, **fields: Any) -> dict[str, Any]:
    response = await api.http.post("/v1beta/decisions", json=body(**fields))
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_questions_are_answered_by_what_the_input_says(api: Api) -> None:
    decision = await decide(api)
    answers = decision["answers"]
    assert answers["intent"]["choice"] == "refund"
    assert answers["broken"]["noul"] > 0.7
    assert answers["animals"]["noul"] < 0.2
    assert answers["anger"]["legend"] == {"0": "all is well", "1": "arrived late", "2": "a house burned down"}
    for name in ("intent", "anger"):
        shares = answers[name]["probabilities"]
        assert sum(shares.values()) == pytest.approx(1)
        assert answers[name]["confidence"] == max(shares.values())
    score = sum(int(level) * share for level, share in answers["anger"]["probabilities"].items())
    assert (answers["anger"]["score"], max(answers["anger"]["probabilities"].items(), key=lambda one: one[1])[0]) == (
        pytest.approx(score, abs=0.001),
        "1",
    )
    usage = decision["usage"]
    assert usage["total_tokens"] == usage["total_input_tokens"] + usage["total_output_tokens"] > 50
    again = await decide(api, input=[{"type": "text", "text": INPUT}], model="gemini-3.8-flash")
    assert again["answers"] == answers


async def test_what_is_denied_is_not_so(api: Api) -> None:
    answers = (await decide(api, input="The box was not broken."))["answers"]
    assert answers["broken"]["noul"] < 0.3


async def test_a_blocked_input_is_not_answered(api: Api) -> None:
    decision = await decide(api, input="[emulate: block=SAFETY] How?")
    assert decision["prompt_feedback"]["block_reason"] == "safety"
    assert "answers" not in decision


@pytest.mark.parametrize(
    ("fields", "status", "code", "message"),
    [
        ({"input": ""}, 400, "invalid_request", "'input'"),
        ({"input": {"type": "user_input"}}, 400, "invalid_request", "'user_input'"),
        ({"questions": {}}, 400, "invalid_request", "At least one question"),
        ({"questions": {"a": {"type": "poll", "instructions": "?"}}}, 400, "invalid_request", "'poll'"),
        ({"questions": {"a": {"type": "noul"}}}, 400, "invalid_request", "'instructions' at 'questions.a'"),
        ({"questions": {"a": {"type": "noul", "instructions": []}}}, 400, "invalid_request", "'instructions'"),
        ({"questions": {"a": {"type": "noul", "instructions": "?", "weight": 1}}}, 400, "parameter_unknown", "weight"),
        (
            {"questions": {"a": {"type": "choice", "instructions": "?", "criteria": {"one": ""}}}},
            400,
            "invalid_request",
            "Between 2 and 255 options",
        ),
        (
            {"questions": {"a": {"type": "choice", "instructions": "?", "criteria": {"one ": "", "two": ""}}}},
            400,
            "invalid_request",
            "'one '",
        ),
        (
            {"questions": {"a": {"type": "score", "instructions": "?", "criteria": ["low", ""]}}},
            400,
            "invalid_request",
            "must not be empty",
        ),
        ({"model": "gemini-9"}, 404, "model_not_found", "gemini-9"),
        ({"model": "gemini-3.8-flash-tts"}, 400, "invalid_request", "not supported by the model"),
        ({"stream": True}, 400, "parameter_unknown", "'stream'"),
    ],
)
async def test_a_decision_that_makes_no_sense_is_refused(
    api: Api, fields: dict[str, Any], status: int, code: str, message: str
) -> None:
    found, text = error_of(await api.http.post("/v1beta/decisions", json=body(**fields)), status)
    assert (found, message in text) == (code, True), text
