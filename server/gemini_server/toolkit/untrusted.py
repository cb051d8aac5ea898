"""Text that came from the web, a page, a file or a recording: shown as data, never as instructions.

The text is defanged character by character (what is invisible goes, what a renderer would load or run is spelled so
that it is only read), and marked: in structured results by a field, in text by a boundary with a random tag that the
text cannot forge. This lowers the risk of prompt injection; it is no security boundary: what an agent does with text is
its own.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass, field

_KEPT = {"\n", "\t", "\u200d", "\ufe0f"}
"""White space of ordinary text, and what holds emoji together."""

_RULES = re.compile(
    r"""
    (?P<image>!(?=\[))                  # a Markdown picture would be fetched by whoever renders it
    | (?P<link>(?<=\])\((?=\s*<?[a-zA-Z][\w+.-]*:))  # a link that shows other words than its address
    | (?P<tag><(?=[A-Za-z/!?]))         # HTML
    | (?P<ansi>\x1b\[[0-9;?]*[ -/]*[@-~] | \x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?)
    | (?P<other>[^\n\t\x20-\x7e\xa1-\u02ff])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Defanged text, and where its characters were before.

    Attributes:
        text: safe to show.
        changes: (begin and end in the raw text, begin and end in this one) of what has another length now, in order.
    """

    text: str
    changes: tuple[tuple[int, int, int, int], ...] = field(default=())

    def position(self, raw: int) -> int:
        """Where the character at an offset of the raw text is now."""
        at = bisect_left(self.changes, raw, key=lambda change: change[0])
        if not at:
            return raw
        _, end, new_begin, new_end = self.changes[at - 1]
        return new_end + raw - end if raw >= end else new_begin


def clean(raw: str) -> Cleaned:
    """Defang a text: no control, bidi or zero-width characters, no escape sequences, links and HTML as plain words."""
    pieces: list[str] = []
    changes: list[tuple[int, int, int, int]] = []
    last = difference = 0
    for found in _RULES.finditer(raw):
        old = found.group()
        new = _spelled(found.lastgroup or "", old)
        if new == old:
            continue
        pieces += (raw[last : found.start()], new)
        last = found.end()
        if len(new) != len(old):
            begin = found.start() + difference
            changes.append((found.start(), found.end(), begin, begin + len(new)))
            difference += len(new) - len(old)
    pieces.append(raw[last:])
    return Cleaned("".join(pieces), tuple(changes))


def _spelled(rule: str, old: str) -> str:
    if rule == "tag":
        return "‹"
    if rule == "link":
        return " ("
    if rule in ("image", "ansi"):
        return ""
    # Cc control, Cf format (bidi, zero width, tags), Co private use, Cs surrogates, Zl and Zp separators.
    hidden = old not in _KEPT and unicodedata.category(old) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
    return ("\n" if old in "\u2028\u2029\r" else "") if hidden else old


def bounded(text: str, source: str) -> str:
    """A text between boundaries that it cannot forge, naming where it came from."""
    tag = f"untrusted-{secrets.token_hex(4)}"
    return f"<{tag} from={source!r}>\n{text}\n</{tag}>"
