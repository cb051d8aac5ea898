"""Reading lists out of what a model wrote as JSON, also where it is fenced, wrapped or cut off."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, cast

from gemini_server.toolkit.generation.json_answer import DEPTH, refuse_constant, within
from gemini_server.toolkit.progress import Progress
from gemini_server.toolkit.untrusted import clean

MOST = 5000
"""Items of one list that are read."""

_OPENING = re.compile(r"[\[{]")
_KEPT = 200


def items(text: str) -> tuple[list[Any], dict[str, Any], bool]:
    """The list in an answer, the object around it, and whether the JSON was whole.

    Args:
        text: the answer: a list, an object with a list in it, either of them in a fence or between words, or the
            beginning of one of these. Run it in a thread when it may be long.
    """
    decoder = json.JSONDecoder(parse_constant=refuse_constant)
    opening = _OPENING.search(text)
    if opening is None:
        return [], {}, False
    try:
        value, _ = decoder.raw_decode(text, opening.start())
    except (ValueError, RecursionError):
        return _rescued(text, decoder), {}, False
    if isinstance(value, list):
        return _bounded(cast("list[object]", value)), {}, True
    around = cast("dict[str, Any]", value)
    lists = [cast("list[object]", member) for member in around.values() if isinstance(member, list)]
    inside = next((found for found in lists if not found or any(isinstance(item, dict) for item in found)), [around])
    return _bounded(inside), around, True


def _bounded(found: Sequence[object]) -> list[Any]:
    return [item for item in found[:MOST] if within(item, DEPTH)]


def _rescued(text: str, decoder: json.JSONDecoder) -> list[Any]:
    """The objects that are complete in a list that is not."""
    found: list[Any] = []
    start = text.find("[")
    at = text.find("{", start) if start >= 0 else -1
    while at >= 0 and len(found) < MOST:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        if within(value, DEPTH):
            found.append(value)
        at = text.find("{", end)
    return found


class MemberProgress(Progress):
    """Passes on the values of one member of streamed JSON, so that people see words and no braces.

    Args:
        inner: where they go.
        name: the member; empty when the answer is plain text.
    """

    def __init__(self, inner: Progress, name: str = "") -> None:
        super().__init__(None)
        self._inner = inner
        self._rest = ""
        self._key = f'"{name}"' if name else ""
        self._member = re.compile(rf'"{re.escape(name)}"\s*:\s*("(?:[^"\\]|\\.)*")')

    @property
    def wanted(self) -> bool:
        """Whether the caller asked for progress."""
        return self._inner.wanted

    async def note(self, message: str, *, value: float | None = None, total: float | None = None) -> None:
        """Say what is going on."""
        await self._inner.note(message, value=value, total=total)

    async def text(self, piece: str) -> None:
        """Take a piece of the answer."""
        if not self._key:
            await self._inner.text(clean(piece).text)
            return
        self._rest += piece
        end = 0
        for found in self._member.finditer(self._rest):
            end = found.end()
            try:
                await self._inner.text(clean(str(json.loads(found[1]))).text + "\n")
            except ValueError:
                continue
        begun = self._rest.find(self._key, end)
        # Only what may still become a member is kept: a mask can be long.
        self._rest = self._rest[begun:] if begun >= 0 else self._rest[max(end, len(self._rest) - _KEPT) :]
