"""A document of a File Search store, and the operation that makes it.

The operation has the id of its document. It ends after a number of reads, of itself or of the document, so that tests
need no waiting; or it goes by the emulator's clock. Source: `fileSearchStores.documents` and the two kinds of
operations in the API reference, the guide "File Search", and answers of the live service as seen in 2026.
"""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass
from threading import RLock
from typing import Literal

from .retrieval_index import Entry
from .search_chunks import Chunking, passages_of
from .store import Clock, timestamp
from .wire import Object

_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main."
_LONGEST_SLUG = 27
_SUFFIX = 12

State = Literal["PENDING", "ACTIVE", "FAILED"]


@dataclass(frozen=True)
class Task:
    """How a document comes to be.

    Args:
        upload: whether it was uploaded into the store, or imported from a file.
        polls: how many reads find it unfinished.
        lasts: how many seconds it takes by the clock instead; 0 goes by reads.
        failure: the error that it ends with.
    """

    upload: bool
    polls: int
    lasts: float
    failure: Object | None


@dataclass(frozen=True)
class Source:
    """What a document is made of.

    Args:
        display_name: its title in citations.
        mime_type: the type of the bytes.
        raw: the bytes, as far as they are indexed.
        size: how many there are in all.
        chunking: how they are divided.
        metadata: `customMetadata`.
    """

    display_name: str
    mime_type: str
    raw: bytes
    size: int
    chunking: Chunking
    metadata: list[Object]


class Document:
    """A document of a store.

    Args:
        store: the name of the store.
        source: what it is made of.
        task: how it comes to be.
        clock: the emulator's time.

    Attributes:
        name: `fileSearchStores/{store}/documents/{document}`.
        entries: what it is found by, once it is active.
        picture: the bytes of a picture, which can be downloaded.
    """

    def __init__(self, store: str, source: Source, task: Task, clock: Clock) -> None:
        self.ident = unique(source.display_name)
        self.store = store
        self.name = f"{store}/documents/{self.ident}"
        self.display_name, self.mime_type, self.metadata = source.display_name, source.mime_type, source.metadata
        self.size = source.size
        self.task = task
        self.entries: list[Entry] = []
        self.picture = source.raw if source.mime_type.startswith("image/") else b""
        self.state: State = "PENDING"
        self._error: Object | None = None
        self._source: Source | None = source
        self._clock = clock
        self._created = self._updated = clock()
        self._reads = 0
        self._lock = RLock()

    @property
    def media_id(self) -> str:
        """The name of the picture."""
        return f"{self.store}/media/{self.ident}"

    def look(self) -> None:
        """Go one read further."""
        with self._lock:
            self._reads += 1
            self.go_on()

    def go_on(self) -> None:
        """Do what is due."""
        with self._lock:
            if self._source is None or not self._due():
                return
            source, self._source = self._source, None
            self._updated = self._clock()
            if self.task.failure is not None:
                self.state, self._error = "FAILED", self.task.failure
                return
            passages = passages_of(source.raw, source.mime_type, source.chunking)
            self.entries = [Entry(passage, self.display_name) for passage in passages]
            self.state = "ACTIVE"

    def resource(self) -> Object:
        """The `Document`."""
        shown: Object = {"name": self.name}
        if self.display_name:
            shown["displayName"] = self.display_name
        if self.metadata:
            shown["customMetadata"] = self.metadata
        times = {"updateTime": timestamp(self._updated), "createTime": timestamp(self._created)}
        shown |= {**times, "state": f"STATE_{self.state}", "sizeBytes": str(self.size), "mimeType": self.mime_type}
        return shown

    def operation(self) -> Object:
        """The operation that makes the document, as it is."""
        kind = "upload/operations" if self.task.upload else "operations"
        shown: Object = {"name": f"{self.store}/{kind}/{self.ident}"}
        if self.state == "PENDING":
            return shown
        return {**shown, "done": True, **({"error": self._error} if self._error else {"response": self.response()})}

    def response(self) -> Object:
        """What the operation ends with.

        Seen of the service: an upload has full names, and has them at once; an import has bare ids.
        """
        if self.task.upload:
            names = {"parent": self.store, "documentName": self.name}
            about = {"mimeType": self.mime_type, "sizeBytes": str(self.size)}
            return {"@type": f"{_TYPE}UploadToFileSearchStoreResponse", **names, **about}
        parent = self.store.partition("/")[2]
        return {"@type": f"{_TYPE}ImportFileResponse", "parent": parent, "documentName": self.ident}

    def _due(self) -> bool:
        if self.task.lasts:
            return (self._clock() - self._created).total_seconds() >= self.task.lasts
        return self._reads > self.task.polls


def unique(display_name: str) -> str:
    """An id that begins like a display name: at most 40 lower-case letters, digits and dashes."""
    slug = re.sub(r"[^a-z0-9-]", "", re.sub(r"\s+", "-", display_name.strip().lower()))[:_LONGEST_SLUG].strip("-")
    return f"{slug or _random()}-{_random()}"


def _random() -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(_SUFFIX))
