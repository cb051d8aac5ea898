"""Reports: numbered sources in the file, and as much of it in the result as that takes."""

from __future__ import annotations

from typing import Any

import pytest

from gemini_server.toolkit.research_report import SHOWN, report, shortened


def cited(end: int, uri: str, title: str = "") -> dict[str, Any]:
    return {"start": 0, "end": end, "uri": uri, "title": title}


@pytest.mark.parametrize(
    ("text", "citations", "expected"),
    [
        (
            "Foxes dig. They eat.",
            [cited(10, "https://a.example", "A"), cited(20, "https://b.example"), cited(20, "https://a.example")],
            "# Foxes?\n\nFoxes dig. [1] They eat. [1][2]\n\n## Sources\n\n1. A: https://a.example\n2. https://b.example\n",
        ),
        ("# Own title\n\nNothing.", [], "# Own title\n\nNothing.\n"),
        (
            "# T\n\nDig.\n\n**Sources:**\n\n1. [A] (https://a.example)",
            [cited(9, "https://a.example"), cited(9, "https://c.example")],
            "# T\n\nDig. [1][2]\n\n**Sources:**\n\n1. [A] (https://a.example)\n\n## Further sources\n\n2. https://c.example\n",
        ),
        (
            "# T\n\nDig [cite: 1].\n\n## References\n\n1. A https://a.example",
            [cited(6, "https://a.example")],
            "# T\n\nDig [cite: 1].\n\n## References\n\n1. A https://a.example\n",
        ),
    ],
)
def test_sources_have_numbers_and_those_of_the_report_stay(
    text: str, citations: list[dict[str, Any]], expected: str
) -> None:
    assert report("Foxes?", text, citations) == expected


def test_a_result_is_cut_at_a_paragraph_and_says_so() -> None:
    short = {"text": "Short.", "citations": [cited(5, "https://a.example")]}
    shortened(short)
    assert "warnings" not in short
    text = "x" * (SHOWN - 100) + "\n\n" + "y" * 5000
    result: dict[str, Any] = {"text": text, "citations": [cited(10, "https://a.example"), cited(SHOWN, "https://b")]}
    shortened(result)
    assert result["text"] == "x" * (SHOWN - 100) + "\n\n[…]"
    assert [one["uri"] for one in result["citations"]] == ["https://a.example"]
    assert "20,902 characters" in result["warnings"][0]
