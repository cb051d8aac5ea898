"""A paid answer is worth its text, whatever is wrong beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gemini_server.api.answer import GenerateContentResponse
from gemini_server.errors import BadAnswer
from gemini_server.rest.answer import parse_now

CONTENT = {"role": "model", "parts": [{"text": "good", "x": None}]}


def answer(candidate: dict[str, Any] | None = None, **members: Any) -> bytes:
    return json.dumps({"candidates": [{"content": CONTENT, **(candidate or {})}], **members}).encode()


ODD = [
    answer({"index": None}),
    answer({"groundingMetadata": {"groundingSupports": [{"segment": {"partIndex": None, "endIndex": 4}}]}}),
    answer(usageMetadata={"thoughtsTokenCount": None, "promptTokenCount": 7}),
    answer({"groundingMetadata": "none"}),
    answer({"groundingMetadata": {"groundingChunks": ["x", "y"], "webSearchQueries": [1, 2]}}),
    answer({"safetyRatings": {"category": "X"}, "citationMetadata": [], "finishReason": 7}),
    answer({"avgLogprobs": "x"}, usageMetadata=[], promptFeedback=1, modelStatus="x", modelVersion={}, responseId=7),
    answer(usageMetadata={name: {} for name in ("promptTokenCount", "totalTokenCount", "serviceTier")}),
    answer({"avgLogprobs": float("nan")}),
    answer({"safetyRatings": [{"blocked": "perhaps"}] * 50}),
]


@pytest.mark.parametrize("data", ODD)
def test_nothing_odd_beside_the_content_loses_it(data: bytes) -> None:
    (candidate,) = parse_now(GenerateContentResponse, data, billed=True).candidates
    assert candidate.content == CONTENT


def test_what_is_in_order_beside_it_stays(caplog: pytest.LogCaptureFixture) -> None:
    data = answer({"index": "x", "finishReason": "STOP"}, usageMetadata={"promptTokenCount": 7, "totalTokenCount": []})
    found = parse_now(GenerateContentResponse, data, billed=True)
    assert found.usage_metadata is not None
    assert (found.candidates[0].finish_reason, found.usage_metadata.prompt_token_count) == ("STOP", 7)
    assert "left out candidates.0.index, usageMetadata.totalTokenCount" in caplog.text


def test_a_list_with_a_wrong_element_goes_as_a_whole_because_others_count_its_elements() -> None:
    metadata = {"groundingChunks": [{"web": {"uri": "a"}}, 7], "webSearchQueries": ["q"]}
    found = parse_now(GenerateContentResponse, answer({"groundingMetadata": metadata}), billed=True)
    grounding = found.candidates[0].grounding_metadata
    assert grounding is not None
    assert (grounding.grounding_chunks, grounding.web_search_queries) == (None, ["q"])


def test_no_candidates_may_be_written_as_null() -> None:
    data = b'{"candidates":null,"promptFeedback":{"blockReason":"SAFETY"}}'
    assert parse_now(GenerateContentResponse, data).candidates == []


@pytest.mark.parametrize("candidates", ["x", ["x"], [{"content": "x"}], [{"content": ["x"]}], {}, [None]])
def test_a_misshapen_content_is_never_left_out(candidates: Any) -> None:
    with pytest.raises(BadAnswer, match="candidates"):
        parse_now(GenerateContentResponse, json.dumps({"candidates": candidates}).encode(), billed=True)


@pytest.mark.parametrize("data", ODD[3:])
def test_what_was_not_paid_for_is_refused(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse_now(GenerateContentResponse, data)
