"""How well a text fits a question, from 0 to 1: by the words that both have, and by their vectors.

What is embedded is embedded with the emulator's `embedding-gecko-001`. The weights are the emulator's own.
"""

from __future__ import annotations

from .retrieval_index import Entry, terms

SPACE = "embedding-gecko-001"
_WORDS = 0.5


def likeness(entry: Entry, question: str) -> float:
    """The score of a text for a question."""
    wanted = terms(question)
    covered = len(wanted & entry.terms) / len(wanted) if wanted else 0
    score = _WORDS * covered + (1 - _WORDS) * entry.likeness(question, SPACE)
    return round(min(1.0, max(0.0, score)), 6)
