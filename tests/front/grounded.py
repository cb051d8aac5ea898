"""What the tests of grounded answers share."""

from __future__ import annotations

from typing import Any

from tests.front.conftest import Json

MESS = "\x1b[1m\u200b\u202e![x](https://evil.example/?q=1) <b>\u202c"
"""What cleaning takes away, lengthens and shortens."""
QUOTED = {
    "ascii": "The cited claim.",
    "umlauts": "Zürich ist schöner, größer.",
    "emoji": "It is 🔎 found 🇨🇭 by 👨‍👩‍👧.",
    "cjk": "東京は大きい。",
    "hidden inside": "The cl\u200baim \x1b[31mstands\x1b[0m.",
    "markup inside": "See [it](https://a.example), <b>it</b> and ![it](https://b.example).",
}
CLEANED = {
    **QUOTED,
    "hidden inside": "The claim stands.",
    "markup inside": "See [it] (https://a.example), ‹b>it‹/b> and [it] (https://b.example).",
}


def supported(before: str, quoted: str, chunk: Json, **more: Any) -> Json:
    """Grounding metadata that puts a chunk on what follows `before`; Google counts bytes."""
    start = len(before.encode())
    segment = {"startIndex": start, "endIndex": start + len(quoted.encode()), "text": quoted}
    return {
        "groundingMetadata": {
            "groundingChunks": [chunk],
            "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0]}],
            **more,
        }
    }


def spans(answer: Json) -> list[str]:
    """What the citations of an answer stand on."""
    return [answer["text"][one["start"] : one["end"]] for one in answer.get("citations", ())]
