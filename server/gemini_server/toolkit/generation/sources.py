"""Which of others' words an answer may repeat, and how they are therefore shown.

What counts is what the model could read, not what it admits to have read: a stream that breaks before its metadata
rests on the web all the same, and so does the second turn of a conversation whose first one had searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from gemini_server.api.answer import GroundingMetadata, UrlContextMetadata
from gemini_server.api.content import Content
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit import untrusted
from gemini_server.toolkit.generation.options import Options
from gemini_server.toolkit.generation.transcript import Transcript
from gemini_server.toolkit.untrusted import Cleaned

Source = Literal["web", "maps", "pages", "documents", "attachments"]

_ORDER: tuple[Source, ...] = ("web", "maps", "pages", "documents", "attachments")
_OF_TOOLS: dict[str, Source] = {"search": "web", "maps": "maps", "urls": "pages", "file_search": "documents"}
_SHOWN: dict[Source, str] = {"documents": "files", "attachments": "files"}


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of an answer.

    Links and HTML are spelled out in what comes from the web, from maps, pages and stored documents. What comes from
    attachments alone keeps them: the caller chose the files, and may want just that (a page drawn on a picture, as
    HTML; a README from a PDF). What is invisible goes from both.
    """

    names: frozenset[Source] = frozenset()

    @property
    def shown(self) -> str | None:
        """The names as results show them, None when there are none."""
        shown = [_SHOWN.get(name, name) for name in _ORDER if name in self.names]
        return "+".join(dict.fromkeys(shown)) or None

    @property
    def markup(self) -> bool:
        """Whether links and HTML stay as they are."""
        return self.names <= {"attachments"}

    def clean(self, raw: str) -> Cleaned:
        """A text of the answer as it may be shown; without sources it is the model's own and stays as it is."""
        return untrusted.clean(raw, markup=self.markup) if self.names else Cleaned(raw)

    def json_value(self, value: Any) -> Any:
        """The same for JSON."""
        return untrusted.json_value(value, markup=self.markup) if self.names else value

    def output(self, raw: str) -> str:
        """What a program printed: escape sequences are nobody's wish."""
        return untrusted.clean(raw, markup=self.markup).text

    def found(self, grounding: GroundingMetadata | None, pages: UrlContextMetadata | None) -> Sources:
        """These and the ones that the answer names."""
        names: set[Source] = set(self.names)
        for chunk in (grounding.grounding_chunks if grounding else None) or []:
            if chunk.web or chunk.image:
                names.add("web")
            if chunk.maps:
                names.add("maps")
            if chunk.retrieved_context:
                names.add("documents")
        if pages and pages.url_metadata:
            names.add("pages")
        return Sources(frozenset(names))

    def kept(self, transcript: Transcript) -> list[str] | None:
        """The names for a conversation that goes on, with the ones that the answer names."""
        return sorted(self.found(transcript.grounding, transcript.pages).names) or None


def of_request(options: Options, contents: Sequence[Content | JsonObject]) -> Sources:
    """What the model may read for an answer: its tools, its attachments, and what earlier turns had.

    Args:
        options: the options in force.
        contents: all turns that are sent.
    """
    names: set[Source] = {_OF_TOOLS[name] for name in options.use or () if name in _OF_TOOLS}
    if options.stores:
        names.add("documents")
    if options.cache or any(map(_has_media, contents)):
        names.add("attachments")
    return Sources(frozenset(names) | of_names(options.sources or ()).names)


def of_names(names: Iterable[object]) -> Sources:
    """Sources as a conversation keeps them."""
    return Sources(frozenset(name for name in _ORDER if name in set(names)))


def _has_media(turn: Content | JsonObject) -> bool:
    if isinstance(turn, Content):
        return any(part.inline_data or part.file_data for part in turn.parts)
    if turn.get("role") == "model":
        return False
    parts = cast("list[JsonObject]", turn.get("parts") or [])
    return any("inlineData" in part or "fileData" in part for part in parts)
