"""What a chunk is found by: the words in it that carry meaning, and its vector.

Words come in a crude normal form or as the concept that they stand for, so that other words for the same thing, in
several languages, find it too. See `embedding` for the vectors.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from functools import lru_cache
from operator import mul

from .concepts import CONCEPTS
from .embedding import of_words, vector
from .facts import stem
from .search_chunks import Passage

_STOP_WEIGHT = 1
_CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_HIRAGANA = re.compile(r"[\u3040-\u309f]+")


class Entry:
    """One chunk of the index.

    Args:
        passage: the chunk.
        title: the name of its document, which helps to find it.
    """

    def __init__(self, passage: Passage, title: str) -> None:
        self.passage = passage
        self.terms = terms(passage.text)
        self.title_terms = terms(re.sub(r"[_\W]+", " ", title)) - self.terms
        self._vectors: dict[str, array[float]] = {}

    def likeness(self, text: str, model: str) -> float:
        """The cosine between a text and the chunk, as a model sees them."""
        if model not in self._vectors:
            self._vectors[model] = array("f", vector(of_words(self.passage.text).items(), model))
        products: map[float] = map(mul, self._vectors[model], _query(text, model))
        return sum(products)


def terms(text: str) -> frozenset[str]:
    """The words of a text that carry meaning."""
    found: set[str] = set()
    for name, weight in of_words(text).items():
        word = name.removeprefix("word:")
        if weight <= _STOP_WEIGHT:
            continue
        bare = stem(word)
        concept = CONCEPTS.get(word) or CONCEPTS.get(bare)
        if concept is None and _CJK.match(word):
            found |= _inside(word)
        else:
            found.add(concept or bare)
    return frozenset(found)


def _inside(run: str) -> set[str]:
    """What stands for the words of a text without blanks: what the thesaurus knows, and pairs of characters.

    Pairs of hiragana are left out; they are endings more often than words.
    """
    pairs = [run[at : at + 2] for at in range(len(run) - 1)]
    known = {CONCEPTS[piece] for piece in (*run, *pairs) if piece in CONCEPTS}
    return known | {pair for pair in pairs if pair not in CONCEPTS and not _HIRAGANA.fullmatch(pair)}


@lru_cache(16)
def _query(text: str, model: str) -> Sequence[float]:
    return array("f", vector(of_words(text).items(), model))
