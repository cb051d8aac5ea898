"""Text that came from the web, a page, a file or a recording: shown as data, never as instructions.

The text is defanged character by character (what is invisible goes, what a renderer would load or run is spelled so
that it is only read), and marked: in structured results by a field, in text by a boundary with a random tag that the
text cannot forge. This lowers the risk of prompt injection; it is no security boundary: what an agent does with text is
its own.

    clean(raw)                  everything: for text that others wrote on the web, in pages, in stored documents
    clean(raw, markup=True)     only what is invisible goes: for what was read off the caller's own attachments, where
                                HTML or Markdown may be just what was asked for
    label(raw)                  one short line: titles, names, queries
    link(raw)                   an address that is no script and cannot break out of its line
    json_text(value)            JSON whose strings are exact, with everything above escaped
"""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from gemini_server.redaction import redact

LONGEST_LABEL = 300
LONGEST_LINK = 4000

_KEPT = {"\n", "\t", "\u200d", "\ufe0f"}
"""White space of ordinary text, and what holds emoji together."""
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0d\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Letters and marks that show nothing, by which text is smuggled in; other categories than the invisible ones."""

_ADDRESS = r"\s*<?(?:[a-zA-Z][\w+.-]*:|[/\\]{2}|&)"
_HIDDEN = re.compile(
    r"""
    (?P<ansi>\x1b\[[0-9;?]*[ -/]*[@-~] | \x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?)
    | (?P<hidden>[^\n\t\x20-\x7e\xa1-\xac\xae-\u02ff])
    """,
    re.VERBOSE,
)
_MARKUP = re.compile(
    rf"""
    (?P<image>!+(?=\[))                    # a Markdown picture would be fetched by whoever renders it
    | (?P<link>(?<=\])\((?={_ADDRESS}))    # a link that shows other words than its address
    | (?P<definition>(?<=\]):(?={_ADDRESS}))  # the same in two places
    | (?P<tag><(?=[A-Za-z/!?]))            # HTML
    """,
    re.VERBOSE,
)
_SPELLED = {"image": "", "link": " (", "definition": " :", "tag": "‹"}
_REFUSED = re.compile(r"(?!(?:https?|gs)://[^/])[a-z][a-z0-9+.-]*:|[/\\]{2}|$", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_BREAKS_OUT = re.compile(r"""[\s<>"'`{}|\\^]|(?<=\])\(|!(?=\[)""")

_Change = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Defanged text, and where its characters were before.

    Attributes:
        text: safe to show.
        changes: for each pass over the text: (begin and end before, begin and end after) of what has another length
            now, in order.
    """

    text: str
    changes: tuple[tuple[_Change, ...], ...] = field(default=())

    def position(self, raw: int) -> int:
        """Where the character at an offset of the raw text is now."""
        for changes in self.changes:
            at = bisect_left(changes, raw, key=lambda change: change[0])
            if at:
                _, end, new_begin, new_end = changes[at - 1]
                raw = new_end + raw - end if raw >= end else new_begin
        return raw


def clean(raw: str, *, markup: bool = False) -> Cleaned:
    """Defang a text: no control, bidi or zero-width characters, no escape sequences, links and HTML as plain words.

    Args:
        raw: the text as it came.
        markup: leave links and HTML as they are.
    """
    # Two passes: what is invisible must not keep apart what becomes a link as soon as it is gone.
    text, hidden = _rewritten(raw, _HIDDEN, _visible)
    if markup:
        return Cleaned(text, (hidden,))
    text, spelled = _rewritten(text, _MARKUP, lambda found: _SPELLED[found.lastgroup or ""])
    return Cleaned(text, (hidden, spelled))


def _rewritten(
    raw: str, rules: re.Pattern[str], spell: Callable[[re.Match[str]], str]
) -> tuple[str, tuple[_Change, ...]]:
    pieces: list[str] = []
    changes: list[_Change] = []
    last = difference = 0
    for found in rules.finditer(raw):
        old, new = found.group(), spell(found)
        if new == old:
            continue
        pieces += (raw[last : found.start()], new)
        last = found.end()
        if len(new) != len(old):
            begin = found.start() + difference
            changes.append((found.start(), found.end(), begin, begin + len(new)))
            difference += len(new) - len(old)
    if not pieces:
        return raw, ()
    pieces.append(raw[last:])
    return "".join(pieces), tuple(changes)


def _visible(found: re.Match[str]) -> str:
    old = found.group()
    if found.lastgroup == "ansi":
        return ""
    # Cc control, Cf format (bidi, zero width, tags), Co private use, Cs surrogates, Zl and Zp separators.
    hidden = old not in _KEPT and unicodedata.category(old) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
    if not hidden and not _BLANK.match(old):
        return old
    return "\n" if old in "\u2028\u2029\r" else ""


_PLAIN = re.compile(r"[A-Z_]{1,40}|gemini-[0-9a-z.-]{1,40}")


def label(raw: str, longest: int = LONGEST_LABEL) -> str:
    """A title, a name, a query: cleaned, in one line, without secrets, cut to length."""
    if _PLAIN.fullmatch(raw):
        return raw  # every answer has a finish reason and a model, and these are nearly all of them
    text = redact(_SPACE.sub(" ", clean(raw[: longest * 8]).text)).strip()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def link(raw: str) -> str | None:
    """An address that may be shown; None for scripts, inline data, and what is too long.

    Shown are addresses of web pages and of objects in Google's storage, and names without a scheme, such as
    `fileSearchStores/x`.
    """
    text = clean(raw, markup=True).text.strip()
    if len(text) > LONGEST_LINK or _REFUSED.match(text):
        return None
    escaped = _BREAKS_OUT.sub(lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode()), text)
    return escaped if len(escaped) <= LONGEST_LINK else None


def json_value(value: Any, *, markup: bool = False) -> Any:
    """JSON with every string cleaned, the names of members too."""
    if isinstance(value, str):
        return clean(value, markup=markup).text
    if isinstance(value, list):
        return [json_value(item, markup=markup) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value).items()
        return {clean(name, markup=markup).text: json_value(item, markup=markup) for name, item in members}
    return value


def json_text(value: Any) -> str:
    """JSON that means exactly `value`; what is hidden or would act in a text is written as escapes."""
    text = json.dumps(value, ensure_ascii=False)
    # Structure is plain ASCII and never matches: a bracket before a bracket or a colon stands in a string.
    for rules in (_HIDDEN, _MARKUP):
        text = rules.sub(_escaped, text)
    return text


def _escaped(found: re.Match[str]) -> str:
    old = found.group()
    if found.lastgroup == "hidden" and _visible(found) == old:
        return old
    return re.sub("....", lambda unit: f"\\u{unit.group()}", old.encode("utf-16-be", "surrogatepass").hex())


def bounded(text: str, source: str | None) -> str:
    """A text between boundaries that it cannot forge, naming where it came from; unchanged when it is nobody else's."""
    if not source:
        return text
    tag = f"untrusted-{secrets.token_hex(4)}"
    return f"<{tag} from={source!r}>\n{text}\n</{tag}>"
