"""How the questions of a decision are answered: by how near the input lies to what each outcome is described as.

Nearness is that of embeddings, sentence by sentence, so that related words count; what lies equally near is told apart
by a fingerprint, and the same request brings the same answer. Source: `ChoiceAnswer`, `ScoreAnswer` and `NoulAnswer`
in the official SDK of November 2026; how the service calibrates its probabilities is not documented.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from operator import mul

from .embedding import of_words, vector
from .wire import Object, digest

_SPACE = "decisions"
_SENTENCE = re.compile(r"[^.!?;\n]+")
_MOST_SENTENCES = 24
_NEGATION = re.compile(r"\b(?:not|no|never|none|nobody|nothing|without|kein\w*|nicht|nie)\b|n['’]t\b", re.IGNORECASE)
_MOODS = {
    "positive": frozenset(
        {"amazing", "delighted", "enjoy", "excellent", "fantastic", "glad", "good", "great", "happy", "love", "nice",
         "perfect", "pleased", "positive", "praise", "satisfied", "thank", "thanks", "wonderful"}
    ),
    "negative": frozenset(
        {"angry", "annoyed", "awful", "bad", "broken", "complaint", "disappointed", "furious", "hate", "horrible",
         "late", "negative", "poor", "sad", "terrible", "unhappy", "useless", "worst", "wrong"}
    ),
}  # fmt: skip
_WORD = re.compile(r"[a-z]+")
_STEEP = 16.0
_ENOUGH = 0.22
_JITTER = 0.004
_PLACES = 4
_LEAST, _MOST = 0.01, 0.99


class Evidence:
    """What the input says.

    Args:
        text: all text of the input, and what can be told about the rest.
    """

    def __init__(self, text: str) -> None:
        found = [one.strip() for one in _SENTENCE.findall(text) if one.strip()]
        self._sentences = [text, *found[:_MOST_SENTENCES]]
        self._vectors = [_vector(one) for one in self._sentences]

    def near(self, text: str) -> tuple[float, str]:
        """How near the nearest sentence lies to a text, from 0 to about 1, and which one that is."""
        wanted = _vector(text)
        return max(
            (sum(map(mul, wanted, values)), sentence)
            for values, sentence in zip(self._vectors, self._sentences, strict=True)
        )


def answer_to(question: Object, instructions: str, evidence: Evidence) -> Object:
    """The answer to a checked question.

    Args:
        question: with its `type` and `criteria`.
        instructions: their text.
        evidence: the input.
    """
    match question["type"]:
        case "choice":
            return _choice(question["criteria"], evidence)
        case "score":
            return _score(question["criteria"], evidence)
        case _:
            return _noul(question.get("criteria", {}), instructions, evidence)


def _vector(text: str) -> list[float]:
    """The vector of a text, to which the word for its mood is added."""
    words = set(_WORD.findall(text.lower()))
    moods = [mood for mood, signs in _MOODS.items() if words & signs]
    return vector(of_words(" ".join([text, *moods])).items(), _SPACE)


def _choice(criteria: dict[str, str], evidence: Evidence) -> Object:
    texts = [f"{option.replace('_', ' ')}. {description}" for option, description in criteria.items()]
    shares = dict(zip(criteria, _shares(texts, evidence), strict=True))
    choice = max(shares, key=lambda option: shares[option])
    return {"type": "choice", "choice": choice, "confidence": shares[choice], "probabilities": shares}


def _score(criteria: list[str], evidence: Evidence) -> Object:
    shares = _shares(criteria, evidence)
    return {
        "type": "score",
        "score": round(sum(level * share for level, share in enumerate(shares)), _PLACES),
        "confidence": max(shares),
        "probabilities": {str(level): share for level, share in enumerate(shares)},
        "legend": {str(level): text for level, text in enumerate(criteria)},
    }


def _noul(criteria: Object, instructions: str, evidence: Evidence) -> Object:
    statement: str = criteria.get("true_description") or instructions
    likeness, sentence = evidence.near(statement)
    against = evidence.near(criteria["false_description"])[0] if criteria.get("false_description") else _ENOUGH
    truth = 1 / (1 + math.exp(-_STEEP * (likeness - against)))
    if "false_description" not in criteria and bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(statement)):
        truth = min(truth, 1 - truth)
    truth = round(max(_LEAST, min(_MOST, truth)), _PLACES)
    return {"type": "noul", "noul": truth, "confidence": round(max(truth, 1 - truth), _PLACES)}


def _shares(texts: Sequence[str], evidence: Evidence) -> list[float]:
    """Probabilities that add up to one."""
    heights = [evidence.near(text)[0] + _chance(text) for text in texts]
    top = max(heights)
    weights = [math.exp(_STEEP * (height - top)) for height in heights]
    shares = [round(weight / sum(weights), _PLACES) for weight in weights]
    first = heights.index(top)
    shares[first] = round(1 - sum(shares) + shares[first], _PLACES)
    return shares


def _chance(text: str) -> float:
    return digest(text)[0] / 255 * _JITTER
