"""Documents cut into chunks: what can be read in a file, and how it is divided.

A chunk is a run of words between blanks; the next one begins with the last words of the one before. Source:
`WhiteSpaceConfig` of the API reference, and the guide "File Search" for the types of files.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from .errors import invalid
from .media import describe, modality
from .office import OFFICE_TYPES, look_into
from .pdf_text import pages_of
from .wire import Object

_MOST_TOKENS = 512
_TOKENS = 200
_OVERLAP = 20
# Text without blanks must not become one endless word.
_WORD = re.compile(r"\S{1,100}")
_PICTURES = ("image/png", "image/jpeg", "image/jpg")
_OPAQUE = frozenset(
    {"application/msword", "application/vnd.ms-excel", "application/vnd.oasis.opendocument.text", "application/x-hwp",
     "application/x-hwp-v5", "application/zip"}
)  # fmt: skip
_SOURCE_CODE = frozenset(
    {"application/dart", "application/ecmascript", "application/ms-java", "application/vnd.curl",
     "application/vnd.dart", "application/vnd.jupyter", "application/x-csh", "application/x-latex", "application/x-php",
     "application/x-powershell", "application/x-sh", "application/x-shellscript", "application/x-tex",
     "application/x-zsh"}
)  # fmt: skip


@dataclass(frozen=True)
class Chunking:
    """How a text is divided.

    Args:
        tokens: at most how many words a chunk has.
        overlap: how many of them the next chunk has too.
    """

    tokens: int = _TOKENS
    overlap: int = _OVERLAP


@dataclass(frozen=True)
class Passage:
    """A chunk.

    Args:
        text: what is found by, and quoted.
        page: the page that it stands on, counted from 1; 0 where there are no pages.
        picture: whether it stands for a picture, of which the text is only a description.
    """

    text: str
    page: int = 0
    picture: bool = False


def chunking_of(config: Object, place: str) -> Chunking:
    """The `ChunkingConfig` of a request.

    Args:
        config: the message.
        place: its place in the request, for the refusal.

    Raises:
        ApiError: 400 for numbers out of range.
    """
    given: Object = config.get("whiteSpaceConfig", {})
    chunking = Chunking(given.get("maxTokensPerChunk", _TOKENS), given.get("maxOverlapTokens", _OVERLAP))
    place = f"* {place}.white_space_config"
    if not 1 <= chunking.tokens <= _MOST_TOKENS:
        raise invalid(f"{place}.max_tokens_per_chunk: must be in the range [1, {_MOST_TOKENS}].\n")
    if not 0 <= chunking.overlap < chunking.tokens:
        raise invalid(
            f"{place}.max_overlap_tokens: {chunking.overlap} must be less than max_tokens_per_chunk, which is "
            f"{chunking.tokens}.\n"
        )
    return chunking


def check_type(mime: str, *, pictures: bool) -> None:
    """Refuse a type of file that cannot be indexed.

    Args:
        mime: the type.
        pictures: whether the store takes pictures.

    Raises:
        ApiError: 400 for one that is not supported.
    """
    bare = mime.partition(";")[0].strip().lower()
    if bare in _PICTURES:
        if not pictures:
            raise invalid(f"Unsupported MIME type: {bare}. The embedding model of this store supports text only.")
    elif modality(bare) not in ("TEXT", "DOCUMENT") and bare not in _OPAQUE | _SOURCE_CODE:
        raise invalid(f"Unsupported MIME type: {bare or 'none'}")


def passages_of(raw: bytes, mime: str, chunking: Chunking) -> list[Passage]:
    """The chunks of a file; none where nothing can be read."""
    bare = mime.partition(";")[0].strip().lower()
    if bare in _PICTURES:
        return [Passage(describe(bare, base64.b64encode(raw).decode()).about, picture=True)]
    if bare in _OPAQUE:
        return []
    if bare == "application/pdf":
        pages = pages_of(raw)
        return [Passage(text, number) for number, page in enumerate(pages, 1) for text in divided(page, chunking)]
    text = look_into(bare, raw)[2] if bare in OFFICE_TYPES else raw.decode("utf-8", "replace")
    return [Passage(piece) for piece in divided(text, chunking)]


def divided(text: str, chunking: Chunking) -> list[str]:
    """The chunks of a text, with its own blanks and line breaks inside them."""
    words = [found.span() for found in _WORD.finditer(text)]
    chunks: list[str] = []
    first = 0
    while first < len(words):
        last = min(first + chunking.tokens, len(words))
        chunks.append(text[words[first][0] : words[last - 1][1]])
        if last == len(words):
            break
        first = last - chunking.overlap
    return chunks
