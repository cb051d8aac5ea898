"""How finely media are looked at: for each part where the family takes it so, for the whole request elsewhere."""

from __future__ import annotations

from datetime import date

from gemini_server.api.catalogue import Catalogue
from gemini_server.api.content import Content, Part, PartResolution
from gemini_server.toolkit.clips import type_of
from gemini_server.toolkit.generation.options import Options


def applied(
    turn: Content, options: Options, model: str, catalogue: Catalogue, on: date
) -> tuple[Content, Options, list[str]]:
    """The turn and the options with `part_resolution` in the form that the model takes, and what was changed.

    Args:
        turn: the new turn.
        options: what was said.
        model: the model id.
        catalogue: what is known of the models.
        on: the day; a model that is rerouted on it takes what the answering one takes.
    """
    level = options.part_resolution
    if level is None:
        return turn, options, []
    if not any(map(_seen, turn.parts)):
        return turn, options, ["media_resolution has no effect: there is no picture, video or PDF."]
    if catalogue.family(catalogue.answering(model, on)).media_resolution_per_part:
        detail = PartResolution(level=f"MEDIA_RESOLUTION_{level.upper()}")
        parts = [part.model_copy(update={"media_resolution": detail}) if _seen(part) else part for part in turn.parts]
        return turn.model_copy(update={"parts": parts}), options, []
    if level != "ultra_high":
        return turn, options.model_copy(update={"media_resolution": level}), []
    return (
        turn,
        options.model_copy(update={"media_resolution": "high"}),
        [f"{model} does not take the media_resolution ultra_high; high was used."],
    )


def _seen(part: Part) -> bool:
    """Whether a part is looked at, or may be: only Google knows the type of some files."""
    if part.inline_data is None and part.file_data is None:
        return False
    kind = type_of(part)
    return not kind or kind.startswith(("image/", "video/")) or kind == "application/pdf"
