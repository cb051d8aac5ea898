"""The text of a chat completion taken apart while it comes: words, pictures in Markdown, thoughts, programs that ran.

Everything that a chat completion brings may stand in one string. What may still become something else is held back
until it is clear, so that a reader never sees half a picture.

    ![image](data:image/png;base64,…)          a picture
    <thought>…</thought>                       thoughts, of Google's layer
    ```python … ``` and ```output … ```        a program and what it printed, where a gateway may run code
"""

from __future__ import annotations

import re

from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.dialect.openai_media import answered_part

_PICTURE = re.compile(r"!\[[^\]\n]{0,300}\]\(<?(data:)")
_PICTURE_BEGUN = re.compile(r"!(?:\[[^\]\n]{0,300}(?:\](?:\(<?(?:d|da|dat|data)?)?)?)?\Z")
_RAN = re.compile(
    r"```(?:python|py)[ \t]*\n(?P<code>.*?)\n?```[ \t]*\n\s*```(?:output|text|tool_output)?[ \t]*\n(?P<output>.*?)\n?"
    r"```(?:\n|\Z)",
    re.DOTALL,
)
_RAN_BEGUN = re.compile(
    r"```(?:p|py|pyt|pyth|pytho|python)?[ \t]*\Z|"
    r"```(?:python|py)[ \t]*\n(?:(?!\n```[ \t]*\n).)*"
    r"(?:\Z|\n```[ \t]*\n\s*(?:`{0,2}\Z|```(?:[a-z_]*\Z|(?:output|text|tool_output)?[ \t]*\n)))",
    re.DOTALL,
)
_FAILED = "Traceback (most recent call last)"
_OPEN, _CLOSE = "<thought>", "</thought>"


class TextReader:
    """Takes pieces of text, gives parts of a turn.

    Args:
        thoughts: whether thoughts stand between marks.
        code: whether programs may have run.
    """

    def __init__(self, *, thoughts: bool, code: bool) -> None:
        self._marks = [mark for mark, wanted in (("![", True), ("```", code), (_OPEN, thoughts)) if wanted]
        self._held = ""
        self._picture: list[str] | None = None
        self._thinks = False

    def feed(self, piece: str) -> list[JsonObject]:
        """What is clear with this piece."""
        return self._take(piece, last=False)

    def end(self) -> list[JsonObject]:
        """What was held back. Of a picture that did not come whole nothing is left."""
        return self._take("", last=True)

    def _take(self, piece: str, *, last: bool) -> list[JsonObject]:
        parts: list[JsonObject] = []
        if self._picture is not None:
            rest = self._drawn(piece, parts)
            if rest is None:
                return parts
            piece = rest
        self._held += piece
        while self._held and self._next(parts, last=last):
            pass
        return parts

    def _next(self, parts: list[JsonObject], *, last: bool) -> bool:
        """Take one more thing off what is held; False when all that is left has to wait."""
        if self._thinks:
            return self._thought(parts, last=last)
        found = [(at, mark) for mark in self._marks if (at := self._held.find(mark)) >= 0]
        if not found:
            kept = 0 if last else _beginning(self._held, self._marks)
            return self._say(parts, len(self._held) - kept, left=kept)
        at, mark = min(found)
        if at:
            return self._say(parts, at, left=-1)
        if mark == _OPEN:
            self._thinks, self._held = True, self._held[len(_OPEN) :]
            return True
        taken = self._shown(parts, last=last) if mark == "![" else self._ran(parts, last=last)
        return self._say(parts, len(mark), left=-1) if taken is None else taken

    def _say(self, parts: list[JsonObject], length: int, *, left: int) -> bool:
        if length:
            _add(parts, {"text": self._held[:length]})
            self._held = self._held[length:]
        return left < 0

    def _thought(self, parts: list[JsonObject], *, last: bool) -> bool:
        at = self._held.find(_CLOSE)
        kept = 0 if last or at >= 0 else _beginning(self._held, [_CLOSE])
        text = self._held[: at if at >= 0 else len(self._held) - kept]
        if text:
            _add(parts, {"text": text, "thought": True})
        self._held = self._held[len(text) + (len(_CLOSE) if at >= 0 else 0) :]
        self._thinks = at < 0
        return at >= 0

    def _shown(self, parts: list[JsonObject], *, last: bool) -> bool | None:
        """A picture; None where what begins like one is none."""
        found = _PICTURE.match(self._held)
        if found is None:
            return False if not last and _PICTURE_BEGUN.match(self._held) else None
        data, self._held, self._picture = self._held[found.start(1) :], "", []
        rest = self._drawn(data, parts)
        self._held = rest or ""
        return rest is not None

    def _drawn(self, piece: str, parts: list[JsonObject]) -> str | None:
        """More of a picture; what follows it, or None while it goes on."""
        pieces = self._picture or []
        end = piece.find(")")
        pieces.append(piece if end < 0 else piece[:end])
        if end < 0:
            self._picture = pieces
            return None
        self._picture = None
        parts.append(answered_part("".join(pieces)))
        return piece[end + 1 :]

    def _ran(self, parts: list[JsonObject], *, last: bool) -> bool | None:
        """A program and its output; None where a fence is only a fence."""
        found = _RAN.match(self._held)
        if found is None:
            return False if not last and _RAN_BEGUN.match(self._held) else None
        if not last and not found[0].endswith("\n"):
            return False
        # The dialect has no word for how a program ended: what Python prints when it dies has to tell.
        outcome = "OUTCOME_FAILED" if _FAILED in found["output"] else "OUTCOME_OK"
        parts.append({"executableCode": {"language": "PYTHON", "code": found["code"]}})
        parts.append({"codeExecutionResult": {"outcome": outcome, "output": found["output"]}})
        self._held = self._held[found.end() :]
        return True


def _add(parts: list[JsonObject], part: JsonObject) -> None:
    if parts and parts[-1].keys() == part.keys():
        parts[-1]["text"] += part["text"]
    else:
        parts.append(part)


def _beginning(text: str, marks: list[str]) -> int:
    """How many characters at the end may be the beginning of a mark."""
    longest = max(map(len, marks)) - 1
    for length in range(min(longest, len(text)), 0, -1):
        if any(mark.startswith(text[-length:]) for mark in marks):
            return length
    return 0
