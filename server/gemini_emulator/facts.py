"""What a prompt mentions: the raw material of believable arguments, JSON values and sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

STOP = frozenset({
    "das", "der", "die", "ist", "summarise", "summarize", "three", "two", "und", "von", "word", "words",
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "before", "being", "but", "by", "can", "could", "describe", "did", "do", "does", "each", "every", "exactly",
    "explain", "find", "for", "from", "get", "give", "had", "has", "have", "hello", "hi", "how", "i", "if", "in",
    "into", "is", "it", "its", "just", "kindly", "know", "let", "like", "list", "look", "make", "me", "more",
    "most", "my", "name", "no", "not", "now", "of", "on", "one", "only", "or", "other", "our", "out", "please",
    "reply", "return", "say", "set", "should", "show", "so", "some", "such", "tell", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "to", "today", "tomorrow", "up", "use", "using",
    "was", "we", "were", "what", "whats", "when", "where", "which", "while", "who", "why", "will", "with",
    "would", "write", "yes", "you", "your",
})  # fmt: skip
_WORD = re.compile(r"[^\W\d_]{2,}(?:['’][^\W\d_]+)?")
_NAME = r"[A-ZÀ-ÞŁŚŻ][\w’'-]+"
_NAMES = re.compile(rf"{_NAME}(?:\s+(?:de|da|von|van|of|la)?\s*{_NAME})*")
_CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]{2,}")
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_TIME = re.compile(r"\b\d{1,2}:\d\d\b")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+\.[\w.]*\w")
_URL = re.compile(r"https?://[^\s<>\"')\]]*[^\s<>\"')\].,;:!?]")
_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?(?![\w-])")
_LONGEST_NUMBER = 300
_QUOTED = re.compile(r"[\"“«‘`]([^\"”»’`]{1,200})[\"”»’`]")


@dataclass(frozen=True)
class Facts:
    """Things named in a text, each in order of appearance."""

    text: str
    words: list[str] = field(default_factory=list[str])
    names: list[str] = field(default_factory=list[str])
    numbers: list[float] = field(default_factory=list[float])
    dates: list[str] = field(default_factory=list[str])
    times: list[str] = field(default_factory=list[str])
    emails: list[str] = field(default_factory=list[str])
    urls: list[str] = field(default_factory=list[str])
    quoted: list[str] = field(default_factory=list[str])

    @classmethod
    def of(cls, text: str) -> Facts:
        """Read a text."""
        urls, emails = _URL.findall(text), _EMAIL.findall(text)
        bare = _DATE.sub(" ", _TIME.sub(" ", _EMAIL.sub(" ", _URL.sub(" ", text))))
        return cls(
            text=text,
            words=keywords(bare),
            names=_unique([*_names(bare), *_CJK.findall(bare)]),
            numbers=[float(number) for number in _NUMBER.findall(bare) if len(number) < _LONGEST_NUMBER],
            dates=_DATE.findall(text),
            times=_TIME.findall(text),
            emails=emails,
            urls=urls,
            quoted=_QUOTED.findall(text),
        )

    def topic(self, position: int = 0) -> str:
        """The word that the prompt seems to be about; others by position."""
        words = self.words if len(self.words) > 1 else [*(self.words or ["the question"]), "its context"]
        return words[position % len(words)]


def keywords(text: str) -> list[str]:
    """The distinct words of a text that carry meaning, lower-cased unless they are names."""
    return _unique([word for word in _WORD.findall(text) if word.lower() not in STOP])


def stems(text: str) -> set[str]:
    """Words in a crude normal form, for comparing a prompt with a description."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).replace("_", " ").replace("-", " ")
    found = {word.lower() for word in _WORD.findall(spaced)}
    return {stem(word) for word in found if word not in STOP}


def stem(word: str) -> str:
    """A word without its ending."""
    for ending in ("ies", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def _names(text: str) -> list[str]:
    names: list[str] = []
    for sentence in re.split(r"(?<=[.!?:])\s+|\n", text):
        for found in _NAMES.finditer(sentence):
            words = found.group().split()
            while words and words[0].lower().rstrip("'’s") in STOP | {"compare", "weather", "convert", "translate"}:
                words.pop(0)
            # The first word of a sentence is capitalised anyway; alone it is a name only if nothing follows it.
            opening = found.start() == 0 and len(found.group().split()) == 1 < len(sentence.split())
            if words and not opening:
                names.append(" ".join(words).removesuffix("'s").removesuffix("’s"))
    return names


def _unique(items: list[str]) -> list[str]:
    return list(dict.fromkeys(items))
