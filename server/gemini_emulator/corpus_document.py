"""A document of a corpus, and the chunks that the client has divided it into.

Source: `Document` and `Chunk` of the Semantic Retriever in the v1beta protos.
"""

from __future__ import annotations

import secrets
import string
from datetime import datetime
from functools import cached_property

from .errors import ApiError
from .retrieval_index import Entry
from .search_chunks import Passage
from .store import Clock, timestamp
from .wire import Object

_IDENT_LENGTH = 12


class CorpusChunk:
    """A chunk; it is pending in the answer that creates or changes it, and active from then on.

    Args:
        name: `corpora/{corpus}/documents/{document}/chunks/{chunk}`.
        text: what is found and quoted.
        metadata: `customMetadata`.
        moment: when it is made.
    """

    def __init__(self, name: str, text: str, metadata: list[Object], moment: datetime) -> None:
        self.name = name
        self.text = text
        self.metadata = metadata
        self._created = self._updated = moment

    @cached_property
    def entry(self) -> Entry:
        """What it is found by."""
        return Entry(Passage(self.text), "")

    def change(self, text: str | None, metadata: list[Object] | None, moment: datetime) -> None:
        """Give it another text or other metadata; None leaves either as it is."""
        if text is not None:
            self.text = text
            self.__dict__.pop("entry", None)
        if metadata is not None:
            self.metadata = metadata
        self._updated = moment

    def resource(self, *, pending: bool = False) -> Object:
        """The `Chunk`.

        Args:
            pending: whether it has just been made or changed.
        """
        shown: Object = {"name": self.name, "data": {"stringValue": self.text}}
        if self.metadata:
            shown["customMetadata"] = self.metadata
        shown |= {"createTime": timestamp(self._created), "updateTime": timestamp(self._updated)}
        return {**shown, "state": "STATE_PENDING_PROCESSING" if pending else "STATE_ACTIVE"}


class CorpusDocument:
    """A document.

    Args:
        name: `corpora/{corpus}/documents/{document}`.
        display_name: its name for people.
        metadata: `customMetadata`.
        clock: the emulator's time.
    """

    def __init__(self, name: str, display_name: str, metadata: list[Object], clock: Clock) -> None:
        self.name = name
        self.display_name = display_name
        self.metadata = metadata
        self.clock = clock
        self._created = self._updated = clock()
        self._chunks: dict[str, CorpusChunk] = {}

    def __len__(self) -> int:
        return len(self._chunks)

    def chunks(self) -> list[CorpusChunk]:
        """All chunks, oldest first."""
        return list(self._chunks.values())

    def find(self, ident: str) -> CorpusChunk:
        """A chunk.

        Raises:
            ApiError: 404 for an unknown one.
        """
        if ident not in self._chunks:
            raise ApiError(404, f"Requested entity was not found: {self.name}/chunks/{ident}")
        return self._chunks[ident]

    def check_free(self, ident: str) -> None:
        """Refuse an id that a chunk has.

        Raises:
            ApiError: 409 for that.
        """
        if ident in self._chunks:
            name = f"{self.name}/chunks/{ident}"
            raise ApiError(409, f"Requested entity already exists: {name}", name="ALREADY_EXISTS")

    def add(self, ident: str, text: str, metadata: list[Object]) -> CorpusChunk:
        """Make a chunk, with any id when none is given."""
        ident = ident or "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(_IDENT_LENGTH))
        chunk = CorpusChunk(f"{self.name}/chunks/{ident}", text, metadata, self.clock())
        self._chunks[ident] = chunk
        return chunk

    def delete(self, ident: str) -> None:
        """Remove a chunk.

        Raises:
            ApiError: as `find`.
        """
        self.find(ident)
        del self._chunks[ident]

    def touch(self) -> None:
        """Note a change of the document itself."""
        self._updated = self.clock()

    def resource(self) -> Object:
        """The `Document`."""
        shown: Object = {"name": self.name}
        if self.display_name:
            shown["displayName"] = self.display_name
        if self.metadata:
            shown["customMetadata"] = self.metadata
        return {**shown, "updateTime": timestamp(self._updated), "createTime": timestamp(self._created)}
