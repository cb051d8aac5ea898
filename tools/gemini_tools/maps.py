"""Answers from Google Maps, with the places that they rest on."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from gemini_server.api.tools import LatLng, RetrievalConfig
from gemini_server.errors import ArgumentError
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.dialogue import ask
from gemini_server.toolkit.generation.grounding import FoundPlace
from gemini_server.toolkit.generation.options import Options
from gemini_server.toolkit.generation.result import Answer
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("search", "Grounded answers from the web, maps and pages.")

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)


class MapsAnswer(Answer):
    """An answer from Google Maps."""

    places: list[FoundPlace] | None = None

    def findings(self) -> list[str]:
        """Citations and places."""
        lines = super().findings()
        for place in self.places or ():
            identifier = f" ({place.place_id})" if place.place_id else ""
            lines.append(f"[place] {place.name}{identifier} {place.uri or ''}".rstrip())
        return lines


@TOOLSET.tool(read_only=True, destructive=False, idempotent=False, open_world=True)
async def search_maps(
    call: Call,
    query: Annotated[str, Field(description="what to find")],
    latitude: Annotated[float | None, Field(description="with longitude")] = None,
    longitude: Annotated[float | None, Field(description="with latitude")] = None,
    language: Annotated[str | None, Field(description="such as de-CH")] = None,
    model: ModelName = None,
) -> MapsAnswer:
    """Ask Google Maps about places, near a point if given. Billed by token and search. Returns text, places (name, uri,
    place_id), citations, usage.
    """
    if not query.strip():
        raise ArgumentError("query is empty.", "Say what to find.")
    if (latitude is None) != (longitude is None):
        raise ArgumentError("latitude and longitude go together.", "Give both or none.")
    point = None
    if latitude is not None and longitude is not None:
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise ArgumentError("The point is not on Earth.", "latitude is -90 to 90, longitude -180 to 180.")
        point = LatLng(latitude=latitude, longitude=longitude)
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise ArgumentError("language is no language code.", "Write it like en, de-CH or zh-Hant-TW.")
    where = RetrievalConfig(lat_lng=point, language_code=language) if point or language else None
    options = Options(use=["maps"], retrieval=where)
    answer = await ask(call, model=model, prompt=query, attachments=(), options=options)
    return MapsAnswer(**answer.shared(), places=answer.grounding.places or None)
