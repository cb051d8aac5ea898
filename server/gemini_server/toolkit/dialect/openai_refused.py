"""What the OpenAI dialect has not, said before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gemini_server.errors import SetupError
from gemini_server.rest.backend import Asked
from gemini_server.rest.endpoint import Endpoint

REMEDY = "The person who runs this server sets GEMINI_DIALECT=google where Gemini's own API can be reached."
_NOT_CARRIED = (
    (":countTokens", "counts no tokens"),
    (":embedContent", "embeds no media"),
    (":batchGenerateContent", "has no batches"),
    (":asyncBatchEmbedContent", "has no batches"),
    ("batches", "has no batches"),
    (":predictLongRunning", "makes no videos"),
    (":predict", "has no Imagen method (generate_image with a Gemini image model works)"),
    ("cachedContents", "has no caches"),
    ("fileSearchStores", "has no File Search stores"),
    ("files", "has no files at Google: media go inline"),
    ("interactions", "has no interactions (nor what rests on them: video, music, research, agents)"),
    ("operations", "has no operations"),
    ("authTokens", "has no tokens for Live"),
    ("auth_tokens", "has no tokens for Live"),
)


def not_carried(what: str) -> SetupError:
    """The refusal of something that the dialect has not."""
    return SetupError(
        f"The openai dialect (GEMINI_DIALECT) {what}; nothing was sent.", REMEDY, code="not_in_this_dialect"
    )


def unknown(endpoint: Endpoint[Any], names: Iterable[object] = ()) -> SetupError:
    """The refusal of a method, by what it belongs to.

    Args:
        endpoint: the method.
        names: the values of its path template.
    """
    # Some methods have the resource in their template, others in the name that is put there.
    where = " ".join([endpoint.path, *map(str, names)])
    what = next((words for mark, words in _NOT_CARRIED if mark in where), "")
    return not_carried(what or f"does not have {endpoint.path.rpartition('}/')[2]}")


def no_socket(asked: Asked) -> Asked:
    """The way of a backend that has no WebSockets.

    Raises:
        SetupError: always.
    """
    raise not_carried("has no Live API and no live music")
