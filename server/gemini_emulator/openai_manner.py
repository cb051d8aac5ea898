"""Where two services that speak the OpenAI dialect differ: Google's compatibility layer, and a gateway of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .wire import Object


@dataclass(frozen=True)
class Manner:
    """How one service speaks the dialect.

    Args:
        google: whether Google's additions are understood and given: `extra_body.google`, `extra_content.google`,
            `reasoning_effort: none`, and finish reasons with Google's own behind a colon.
        any_media: whether an `image_url` takes recordings, films and documents too; then there is no `input_audio`.
        hosted: the functions that the service runs itself, by name, and the tool that each of them is.
        in_pieces: whether the arguments of a function call are streamed in pieces.
    """

    google: bool
    any_media: bool
    hosted: Mapping[str, Object] = field(default_factory=dict[str, Object])
    in_pieces: bool = False


COMPATIBLE = Manner(google=True, any_media=False)
"""Google's own layer. Source: "OpenAI compatibility" of the Gemini API."""

GATEWAY = Manner(
    google=False,
    any_media=True,
    hosted={"codeExecution": {"codeExecution": {}}, "googleSearch": {"googleSearch": {}},
            "urlContext": {"urlContext": {}}},
    in_pieces=True,
)  # fmt: skip
"""A gateway that has one address for everything, `…/v1/chat/completions`, and tools of Gemini as functions by name."""
