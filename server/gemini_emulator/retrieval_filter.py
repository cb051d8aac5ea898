"""`metadataFilter`: which documents a search looks at.

    author = "Robert Graves" AND (year >= 1930 OR NOT status = draft) AND tags:history

Source: AIP-160 "Filtering", and the guide "File Search". OR binds closer than AND; blanks alone mean AND. A document
without the key meets no comparison; text and numbers are compared as the document has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .wire import Object

Test = Callable[[dict[str, object]], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<sign><=|>=|!=|[<>=:()])|(?P<word>[^\s"'<>=!:(),]+)
    |(?P<end>$))""",
    re.VERBOSE | re.DOTALL,
)
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_COMPARATORS = ("<=", ">=", "!=", "<", ">", "=", ":")
_KEYWORDS = ("AND", "OR", "NOT")
_DEEPEST = 50


class FilterError(Exception):
    """A filter that cannot be read; the message says where and why."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def compiled(source: str) -> Test:
    """The test of a filter, for the metadata of one document by key.

    Raises:
        FilterError: when it cannot be read.
    """
    parser = _Parser(_tokens(source))
    if parser.here.kind == "end":
        return lambda _: True
    test = parser.expression()
    if parser.here.kind != "end":
        raise parser.unexpected()
    return test


def values_of(metadata: list[Object]) -> dict[str, object]:
    """The `customMetadata` of a document by key: text, a number, or a list of texts."""
    values: dict[str, object] = {}
    for one in metadata:
        if "stringListValue" in one:
            values[one["key"]] = list(one["stringListValue"].get("values", []))
        else:
            values[one["key"]] = one.get("stringValue", one.get("numericValue", ""))
    return values


def _tokens(source: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while not tokens or tokens[-1].kind != "end":
        found = _TOKEN.match(source, at)
        if found is None:
            rest = source[at:].lstrip()
            why = "a quotation mark is not closed" if rest[:1] in "\"'" else f"unexpected character '{rest[:1]}'"
            raise FilterError(f"{why} at position {len(source) - len(rest)}")
        kind = found.lastgroup or "end"
        text = found[kind]
        if kind == "string":
            text = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        tokens.append(_Token(kind, text, found.start(kind)))
        at = found.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    @property
    def here(self) -> _Token:
        return self._tokens[self._next]

    def expression(self) -> Test:
        tests = [self._sequence()]
        while self._take("AND"):
            tests.append(self._sequence())
        return _all(tests)

    def _sequence(self) -> Test:
        tests = [self._factor()]
        while self.here.kind != "end" and self.here.text not in ("AND", ")"):
            tests.append(self._factor())
        return _all(tests)

    def _factor(self) -> Test:
        tests = [self._term()]
        while self._take("OR"):
            tests.append(self._term())
        return lambda values: any(test(values) for test in tests)

    def _term(self) -> Test:
        if self._take("NOT") or self._minus():
            test = self._simple()
            return lambda values: not test(values)
        return self._simple()

    def _simple(self) -> Test:
        if not self._sign("("):
            return self._restriction()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise FilterError("it is nested too deeply")
        test = self.expression()
        if not self._sign(")"):
            raise FilterError(f"a parenthesis is not closed at position {self.here.at}")
        self._depth -= 1
        return test

    def _restriction(self) -> Test:
        key = self.here
        if key.kind not in ("word", "string") or key.text in _KEYWORDS:
            raise self.unexpected()
        self._next += 1
        sign = self.here
        if sign.kind != "sign" or sign.text not in _COMPARATORS:
            raise FilterError(f"expected a comparison after '{key.text}' at position {sign.at}")
        self._next += 1
        value = self.here
        if value.kind not in ("word", "string") or (value.kind == "word" and value.text in _KEYWORDS):
            raise FilterError(f"expected a value after '{key.text} {sign.text}' at position {value.at}")
        self._next += 1
        text = value.text if value.kind == "string" else " ".join([value.text, *self._more_words()])
        return lambda values: key.text in values and _compare(values[key.text], sign.text, text)

    def _more_words(self) -> list[str]:
        """Words that belong to a value without quotation marks, as in `author=Robert Graves` of the guide."""
        words: list[str] = []
        while self.here.kind == "word" and self.here.text not in _KEYWORDS:
            if self.here.text.upper() in _KEYWORDS:
                raise FilterError(f"'{self.here.text}' must be in capitals at position {self.here.at}")
            if self._tokens[self._next + 1].text in _COMPARATORS:
                break
            words.append(self.here.text)
            self._next += 1
        return words

    def _take(self, keyword: str) -> bool:
        found = self.here.kind == "word" and self.here.text == keyword
        self._next += found
        return found

    def _sign(self, sign: str) -> bool:
        found = self.here.kind == "sign" and self.here.text == sign
        self._next += found
        return found

    def _minus(self) -> bool:
        """The other way to write NOT: a dash right in front of a key or a parenthesis."""
        token = self.here
        if token.kind != "word" or not token.text.startswith("-"):
            return False
        if token.text == "-":
            self._next += 1
        else:
            self._tokens[self._next] = _Token("word", token.text[1:], token.at + 1)
        return True

    def unexpected(self) -> FilterError:
        if self.here.kind == "end":
            return FilterError("it ends too early")
        return FilterError(f"unexpected '{self.here.text}' at position {self.here.at}")


def _all(tests: list[Test]) -> Test:
    return lambda values: all(test(values) for test in tests)


def _compare(value: object, sign: str, text: str) -> bool:
    if isinstance(value, list):
        # Only "has" looks into a list; a list is neither equal to a text nor different from one.
        return sign == ":" and (text == "*" or text in value)
    if sign == ":" and text == "*":
        return True
    if isinstance(value, str):
        return _compare_text(value, sign, text)
    if not isinstance(value, int | float) or not _NUMBER.fullmatch(text):
        return False
    number = float(text)
    return {
        "<": value < number, "<=": value <= number, ">": value > number, ">=": value >= number,
        "=": value == number, ":": value == number, "!=": value != number,
    }[sign]  # fmt: skip


def _compare_text(value: str, sign: str, text: str) -> bool:
    if sign == ":":
        return text.lower() in value.lower()
    if sign in ("=", "!="):
        head, star, tail = text.partition("*")
        fits = value.startswith(head) and value.endswith(tail) and len(value) >= len(head) + len(tail)
        return (fits if star else value == text) == (sign == "=")
    return {"<": value < text, "<=": value <= text, ">": value > text, ">=": value >= text}[sign]
