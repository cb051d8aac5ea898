"""The words of an interaction: whose bytes are which characters, however many spans there are."""

from __future__ import annotations

import time

import pytest

from gemini_server.api.interaction_content import Said
from gemini_server.toolkit.generation.sources import Sources
from gemini_server.toolkit.interaction_words import Words, words_of

WEB = Sources(frozenset({"web"}))


def cited(text: str, *spans: tuple[int | None, int | None]) -> Words:
    notes = [
        {"type": "url_citation", "start_index": start, "end_index": end, "url": "https://a.example"}
        for start, end in spans
    ]
    return words_of([[Said.model_validate({"type": "text", "text": text, "annotations": notes})]], WEB)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((0, 7), (0, 5)),
        ((3, 9), (2, 6)),  # both within a character: before it
        ((8, 12), (6, 7)),
        ((-5, 99), (0, 12)),
        ((9, 2), (6, 6)),
        ((10**30, 10**31), (12, 12)),
        ((None, None), (0, 12)),
    ],
)
def test_bytes_become_characters(span: tuple[int | None, int | None], expected: tuple[int, int]) -> None:
    [found] = cited("Grüße 😀 Welt", span).citations
    assert (found["start"], found["end"]) == expected


def test_thousands_of_spans_of_a_large_text_take_no_time() -> None:
    text = "Füchse leben in Städten. " * 40_000
    began = time.process_time()
    found = cited(text, *((at * 200, at * 200 + 50) for at in range(5000)))
    assert time.process_time() - began < 3  # it took ten seconds to count each span from the start of the text
    assert len(found.citations) == 5000
