"""URL context: the pages that a prompt names, read by convention and never fetched.

A host with `missing` in its name cannot be reached, one with `paywall` or `unsafe` says so, and private hosts are
errors as they are for Google. Source: "URL context" of the Gemini API.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .prompt import Prompt
from .wire import Object

MOST = 20
_STATUS = "URL_RETRIEVAL_STATUS_"
_PRIVATE = (".invalid", ".local", ".internal")


def url_context(prompt: Prompt) -> tuple[str, Object] | None:
    """Sentences on the pages that the prompt names, and `urlContextMetadata`; None when it names none."""
    urls = list(dict.fromkeys(prompt.facts.urls))[:MOST]
    if not urls:
        return None
    statuses = [(url, retrieval(url)) for url in urls]
    sentences = [
        f"The page “{_title(url)}” ({url}) speaks about {prompt.facts.topic(position)}."
        if status == "SUCCESS"
        else f"The page {url} could not be read ({status.lower()})."
        for position, (url, status) in enumerate(statuses)
    ]
    entries = [{"retrievedUrl": url, "urlRetrievalStatus": _STATUS + status} for url, status in statuses]
    return " ".join(sentences), {"urlMetadata": entries}


def retrieval(url: str) -> str:
    """SUCCESS, ERROR, PAYWALL or UNSAFE."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return "ERROR"
    for word in ("paywall", "unsafe"):
        if word in host:
            return word.upper()
    private = host in ("localhost", "127.0.0.1", "") or host.endswith(_PRIVATE)
    return "ERROR" if private or "missing" in host else "SUCCESS"


def _title(url: str) -> str:
    """What such a page may be called."""
    address = urlsplit(url)
    last = re.sub(r"\.\w+$", "", address.path.rstrip("/").rpartition("/")[2])
    words = re.sub(r"[-_+%]+", " ", last).strip()
    return words.capitalize() if words else str(address.hostname)
