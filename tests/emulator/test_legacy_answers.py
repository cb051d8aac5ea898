"""AQA: answers that rest on passages or on a corpus, and how sure they are."""

from __future__ import annotations

from typing import Any

import pytest

from .bygone import OFFICE, Bygone
from .conftest import ask

pytestmark = pytest.mark.anyio

AQA = "models/aqa:generateAnswer"


def passages(*parts: list[str]) -> dict[str, Any]:
    return {"passages": [
        {"id": f"p{number}", "content": {"parts": [{"text": text} for text in texts]}}
        for number, texts in enumerate(parts)
    ]}  # fmt: skip


INLINE = passages(list(OFFICE["handbook"].values()), list(OFFICE["menu"].values()))


def question(text: str, style: str = "EXTRACTIVE", **fields: Any) -> dict[str, Any]:
    return {**ask(text), "answerStyle": style, **(fields or {"inlinePassages": INLINE})}


def said(answer: dict[str, Any]) -> str:
    return str(answer["answer"]["content"]["parts"][0]["text"])


async def test_an_answer_quotes_the_passage_that_it_rests_on(old: Bygone) -> None:
    answer = await old.call("POST", AQA, question("How long until laptops are replaced?"))
    assert said(answer) == "[emulated] Laptops are replaced after four years, telephones after three."
    (source,) = answer["answer"]["groundingAttributions"]
    assert source["sourceId"] == {"groundingPassage": {"passageId": "p0", "partIndex": 1}}
    assert source["content"]["parts"] == [{"text": OFFICE["handbook"]["laptops"]}]
    assert answer["answer"]["finishReason"] == "STOP"
    assert 1 > answer["answerableProbability"] > 0.6


@pytest.mark.parametrize(
    ("style", "begins"), [("ABSTRACTIVE", "According to the passages: The canteen"), ("VERBOSE", "The canteen")]
)
async def test_the_style_decides_how_it_is_said(old: Bygone, style: str, begins: str) -> None:
    assert said(await old.call("POST", AQA, question("Which soup is served?", style))).startswith(
        f"[emulated] {begins}"
    )


async def test_what_the_passages_do_not_say_has_a_low_probability(old: Bygone) -> None:
    answer = await old.call("POST", AQA, question("Who painted the Mona Lisa?"))
    assert answer["answerableProbability"] < 0.2
    assert "groundingAttributions" not in answer["answer"]
    blocked = await old.call("POST", AQA, question("Soup? [emulate: block=OTHER]"))
    assert blocked["inputFeedback"]["blockReason"] == "OTHER"
    assert "answer" not in blocked


async def test_the_sources_can_be_chunks_of_a_corpus_or_of_a_document(old: Bygone) -> None:
    corpus = await old.corpus()
    asked = "How many vacation days?"
    for source, sure in ((corpus, True), (f"{corpus}/documents/handbook", True), (f"{corpus}/documents/menu", False)):
        config = {"source": source, "query": ask(asked)["contents"][0], "maxChunksCount": 2}
        answer = await old.call("POST", AQA, question(asked, semanticRetriever=config))
        assert (answer["answerableProbability"] > 0.5) is sure
        if sure:
            (found,) = answer["answer"]["groundingAttributions"]
            chunk = f"{corpus}/documents/handbook/chunks/vacation"
            assert found["sourceId"] == {"semanticRetrieverChunk": {"source": source, "chunk": chunk}}
    strict = {"source": corpus, "query": ask(asked)["contents"][0], "minimumRelevanceScore": 1}
    assert (await old.call("POST", AQA, question(asked, semanticRetriever=strict)))["answerableProbability"] < 0.1


@pytest.mark.parametrize(
    ("body", "message", "status"),
    [
        ({"answerStyle": "EXTRACTIVE", "inlinePassages": INLINE}, "contents is not specified", 400),
        (question("x", "ANSWER_STYLE_UNSPECIFIED"), "answer_style is required", 400),
        (question("x", temperature=0), "one of inline_passages and semantic_retriever", 400),
        (question("x", inlinePassages=INLINE, semanticRetriever={}), "oneof field 'grounding_source'", 400),
        (question("x", inlinePassages=passages()), "passages must not be empty", 400),
        (question("x", inlinePassages=passages([])), "content must have parts", 400),
        (question("x", inlinePassages=INLINE, temperature=2), "temperature must be in the range [0, 1]", 400),
        (question("x", semanticRetriever={"source": "files/x"}), "is not of the form corpora/{id}", 400),
        (question("x", semanticRetriever={"source": "corpora/none"}), "was not found", 404),
    ],
)
async def test_what_makes_no_sense_is_refused(old: Bygone, body: dict[str, Any], message: str, status: int) -> None:
    assert message in await old.refused("POST", AQA, body, status=status)
