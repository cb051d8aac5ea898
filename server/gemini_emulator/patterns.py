"""A string that matches a regular expression, for the constructs that schemas use."""

from __future__ import annotations

import random
import re

_CLASSES = {"d": "0123456789", "w": "abcdefghijklmnopqrstuvwxyz", "s": " ", "D": "abc", "W": "-", "S": "abc"}
_PRINTABLE = "".join(chr(code) for code in range(33, 127))


def matching(pattern: str, rng: random.Random) -> str:
    """A matching string; plain `emulated` where the expression is beyond this generator."""
    try:
        for _ in range(20):
            text = _Generator(pattern, rng).alternatives()
            if re.search(pattern, text):
                return text
    except (ValueError, IndexError, re.error):
        pass
    return "emulated"


class _Generator:
    """Reads an expression from left to right, writing one choice for each piece."""

    def __init__(self, pattern: str, rng: random.Random) -> None:
        self.pattern = pattern
        self.rng = rng
        self.at = 0

    def alternatives(self) -> str:
        options = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            options.append(self.sequence())
        return self.rng.choice(options)

    def sequence(self) -> str:
        written = ""
        while self.peek() not in ("", "|", ")"):
            start = self.at
            piece = self.piece()
            end = self.at
            count = self.quantifier()
            resume = self.at
            pieces: list[str] = []
            for position in range(count):
                self.at = start
                pieces.append(piece if not position else self.piece())
            self.at = max(resume, end)
            written += "".join(pieces)
        return written

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def piece(self) -> str:
        character = self.take()
        if character in "^$":
            return ""
        if character == ".":
            return self.rng.choice("abcdefgh")
        if character == "[":
            return self.rng.choice(self.members())
        if character == "(":
            return self.group()
        if character == "\\":
            name = self.take()
            if name in "bB":
                return ""
            return self.rng.choice(_CLASSES[name]) if name in _CLASSES else {"n": "\n", "t": "\t"}.get(name, name)
        return character

    def group(self) -> str:
        if self.peek() == "?":
            marker = re.match(r"\?(?::|P?<\w+>)", self.pattern[self.at :])
            if not marker:
                raise ValueError("lookaround")
            self.at += marker.end()
        text = self.alternatives()
        self.at += 1
        return text

    def members(self) -> str:
        negated = self.peek() == "^"
        self.at += negated
        members = ""
        while self.peek() != "]" or not members:
            character = self.take()
            if character == "\\":
                name = self.take()
                members += _CLASSES.get(name, name)
            elif self.peek() == "-" and self.pattern[self.at + 1] != "]":
                self.at += 1
                members += "".join(chr(code) for code in range(ord(character), ord(self.take()) + 1))
            else:
                members += character
        self.at += 1
        return "".join(one for one in _PRINTABLE if one not in members) if negated else members

    def quantifier(self) -> int:
        found = re.match(r"\*\??|\+\??|\?|\{(\d+)(,(\d*))?\}", self.pattern[self.at :])
        if not found:
            return 1
        self.at += found.end()
        if found[1]:
            least = int(found[1])
            return self.rng.randint(least, int(found[3])) if found[3] else least
        return {"?": 1, "*": 2, "+": 3}[found.group()[0]]
