"""A report in Markdown that grows paragraph by paragraph, and the places in it that cite a source.

The places are counted in bytes of UTF-8, as `start_index` and `end_index` of the Interactions API are; the text holds
characters of several bytes on purpose. Source: `URLCitation` and `FileCitation` of the API reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .wire import Object


@dataclass
class Report:
    """A text with annotations."""

    text: str = ""
    annotations: list[Object] = field(default_factory=list[Object])
    sources: list[Object] = field(default_factory=list[Object])

    def head(self, title: str, level: int = 2) -> None:
        """Begin a section."""
        self._begin()
        self.text += f"{'#' * level} {title}"

    def say(self, *claims: tuple[str, tuple[Object, ...]]) -> None:
        """A paragraph of sentences, each with the citations that it rests on; a citation is without its place."""
        self._begin()
        for number, (sentence, cited) in enumerate(claims):
            self.text += " " if number else ""
            start = len(self.text.encode())
            self.text += sentence
            where = {"start_index": start, "end_index": len(self.text.encode())}
            self.annotations += [{**one, **where} for one in cited]
            self.sources += [one for one in cited if one not in self.sources]

    def close(self) -> None:
        """Append the list of all sources."""
        self.head("Sources")
        lines = [f"{number}. {_listed(one)}" for number, one in enumerate(self.sources, 1)]
        self._begin()
        self.text += "\n".join(lines)

    def content(self) -> Object:
        """The text content of a model output."""
        return {
            "type": "text",
            "text": self.text,
            **({"annotations": self.annotations} if self.annotations else {}),
        }

    def _begin(self) -> None:
        if self.text:
            self.text += "\n\n"


def _listed(citation: Object) -> str:
    if citation["type"] == "url_citation":
        return f"[{citation['title']}]({citation['url']})"
    return f"{citation['file_name']}" + (f", page {citation['page_number']}" if "page_number" in citation else "")
