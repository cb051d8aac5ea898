"""What a caller says of a document and of a search, in Google's terms; checked before anything is sent."""

from __future__ import annotations

import math
import re
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from gemini_server.api import file_search as api
from gemini_server.api.file_search import ChunkingConfig, WhiteSpaceConfig
from gemini_server.api.metadata import CustomMetadata, StringList
from gemini_server.errors import ArgumentError
from gemini_server.rest.json_values import list_of

LONGEST_FILTER = 4000
DEEPEST = 20
EXAMPLE = 'author = "Ada" AND year >= 1843'

_FOREIGN = re.compile(r"==|&&|\|\||\bLIKE\b|\bIN\s*\(", re.IGNORECASE)
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""", re.DOTALL)


class Chunking(BaseModel):
    """How a document is divided."""

    model_config = ConfigDict(extra="forbid")

    max_tokens: int | None = None
    overlap: int | None = None


def custom_metadata(given: dict[str, Any] | None) -> list[CustomMetadata] | None:
    """What is said of a document, to filter by.

    Args:
        given: by key: a text, a number, or a list of texts.

    Raises:
        ArgumentError: too many, or values of another kind.
    """
    if not given:
        return None
    if len(given) > api.MOST_METADATA:
        raise ArgumentError(
            f"A document takes {api.MOST_METADATA} keys of metadata, not {len(given)}; nothing was sent.", "Give fewer."
        )
    return [_metadatum(key, value) for key, value in given.items()]


def _metadatum(key: str, value: object) -> CustomMetadata:
    if not key.strip():
        raise ArgumentError("metadata has an empty key; nothing was sent.", "Name it.")
    if isinstance(value, str):
        return CustomMetadata(key=key, string_value=value)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return CustomMetadata(key=key, numeric_value=value)
    texts = list_of(value)
    if texts and all(isinstance(text, str) for text in texts):
        return CustomMetadata(key=key, string_list_value=StringList(values=cast("list[str]", texts)))
    raise ArgumentError(
        f"The value of metadata {key[:60]!r} is neither a text nor a number nor a list of texts; nothing was sent.",
        'Write it as one of these, such as {"year": 1843, "tags": ["engine", "notes"]}.',
    )


def chunking_config(given: Chunking | None) -> ChunkingConfig | None:
    """How a document is divided.

    Raises:
        ArgumentError: numbers that Google does not take.
    """
    if given is None or (given.max_tokens is None and given.overlap is None):
        return None
    most, overlap = given.max_tokens, given.overlap
    if most is not None and not 1 <= most <= api.MOST_TOKENS:
        raise ArgumentError(f"chunking.max_tokens is 1 to {api.MOST_TOKENS}, not {most}; nothing was sent.")
    if overlap is not None and not 0 <= overlap < (most or api.MOST_TOKENS):
        raise ArgumentError(
            f"chunking.overlap is {overlap}; nothing was sent.", "It is at least 0 and less than max_tokens."
        )
    return ChunkingConfig(white_space_config=WhiteSpaceConfig(max_tokens_per_chunk=most, max_overlap_tokens=overlap))


def metadata_filter(given: str | None) -> str | None:
    """A filter by metadata, in the language of https://google.aip.dev/160; what it means, Google judges.

    Raises:
        ArgumentError: quotation marks or parentheses do not match, or it is of another language.
    """
    text = (given or "").strip()
    if not text:
        return None
    if len(text) > LONGEST_FILTER:
        raise _wrong(f"it has {len(text)} characters, more than {LONGEST_FILTER}")
    bare = _QUOTED.sub(" ", text)
    if '"' in bare:
        raise _wrong("a quotation mark is not closed")
    depth = 0
    for character in bare:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            raise _wrong("a parenthesis is closed that was not opened")
        if depth > DEEPEST:
            raise _wrong("it is nested too deeply")
    if depth:
        raise _wrong("a parenthesis is not closed")
    foreign = _FOREIGN.search(bare)
    if foreign:
        raise _wrong(f"{foreign.group().rstrip(' (')} is not of this language, which has =, :, AND, OR, NOT")
    return text


def _wrong(why: str) -> ArgumentError:
    return ArgumentError(
        f"metadata_filter cannot be read: {why}. Nothing was sent.",
        f"Compare keys with =, !=, <, <=, >, >= or, for lists and parts of texts, with a colon: {EXAMPLE}.",
    )
