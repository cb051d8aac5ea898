"""Corpora in memory: the collections of the Semantic Retriever, which File Search has replaced.

Source: `corpora` of the API reference, and the v1beta protos of the Semantic Retriever.
"""

from __future__ import annotations

from .corpus_document import CorpusDocument
from .errors import ApiError
from .permission_store import Permissions
from .search_document import unique
from .store import Clock, timestamp
from .wire import Object

_MOST = 10
_MOST_DOCUMENTS = 10_000


class Corpus:
    """A corpus.

    Args:
        name: `corpora/{corpus}`.
        display_name: its name for people.
        clock: the emulator's time.

    Attributes:
        permissions: who may do what with it.
    """

    def __init__(self, name: str, display_name: str, clock: Clock) -> None:
        self.name = name
        self.display_name = display_name
        self.permissions = Permissions(name)
        self._clock = clock
        self._created = self._updated = clock()
        self._documents: dict[str, CorpusDocument] = {}

    def __len__(self) -> int:
        return len(self._documents)

    def documents(self) -> list[CorpusDocument]:
        """All documents, oldest first."""
        return list(self._documents.values())

    def find(self, ident: str) -> CorpusDocument:
        """A document.

        Raises:
            ApiError: 404 for an unknown one.
        """
        if ident not in self._documents:
            raise ApiError(404, f"Requested entity was not found: {self.name}/documents/{ident}")
        return self._documents[ident]

    def add(self, ident: str, display_name: str, metadata: list[Object]) -> CorpusDocument:
        """Make an empty document; without an id it gets one from its display name.

        Raises:
            ApiError: 409 for an id that is taken, 400 when the corpus is full.
        """
        ident = ident or unique(display_name)
        name = f"{self.name}/documents/{ident}"
        if ident in self._documents:
            raise ApiError(409, f"Requested entity already exists: {name}", name="ALREADY_EXISTS")
        _check_room(len(self), _MOST_DOCUMENTS, "A Corpus", "Documents")
        self._documents[ident] = CorpusDocument(name, display_name, metadata, self._clock)
        return self._documents[ident]

    def delete(self, ident: str, *, force: bool) -> None:
        """Remove a document.

        Raises:
            ApiError: 400 without force when it has chunks, and as `find`.
        """
        _check_empty(len(self.find(ident)), "Document", "Chunks", force=force)
        del self._documents[ident]

    def rename(self, display_name: str) -> None:
        """Give the corpus another display name."""
        self.display_name, self._updated = display_name, self._clock()

    def resource(self) -> Object:
        """The `Corpus`."""
        shown: Object = {"name": self.name}
        if self.display_name:
            shown["displayName"] = self.display_name
        return {**shown, "createTime": timestamp(self._created), "updateTime": timestamp(self._updated)}


class Corpora:
    """The corpora of one emulator.

    Args:
        clock: the emulator's time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._items: dict[str, Corpus] = {}

    def all(self) -> list[Corpus]:
        """All corpora, oldest first."""
        return list(self._items.values())

    def find(self, ident: str) -> Corpus:
        """A corpus.

        Raises:
            ApiError: 404 for an unknown one.
        """
        if ident not in self._items:
            raise ApiError(404, f"Requested entity was not found: corpora/{ident}")
        return self._items[ident]

    def add(self, ident: str, display_name: str) -> Corpus:
        """Make an empty corpus; without an id it gets one from its display name.

        Raises:
            ApiError: 409 for an id that is taken, 400 when there are as many as a project may have.
        """
        ident = ident or unique(display_name)
        if ident in self._items:
            raise ApiError(409, f"Requested entity already exists: corpora/{ident}", name="ALREADY_EXISTS")
        _check_room(len(self._items), _MOST, "A project", "Corpora")
        self._items[ident] = Corpus(f"corpora/{ident}", display_name, self._clock)
        return self._items[ident]

    def delete(self, ident: str, *, force: bool) -> None:
        """Remove a corpus with its permissions.

        Raises:
            ApiError: 400 without force when it has documents, and as `find`.
        """
        _check_empty(len(self.find(ident)), "Corpus", "Documents", force=force)
        del self._items[ident]


def _check_room(count: int, most: int, owner: str, things: str) -> None:
    if count >= most:
        raise ApiError(400, f"{owner} can have at most {most} {things}.", name="FAILED_PRECONDITION")


def _check_empty(count: int, owner: str, things: str, *, force: bool) -> None:
    if count and not force:
        message = f"Cannot delete non-empty {owner}: it has {count} {things}. Set force to delete them too."
        raise ApiError(400, message, name="FAILED_PRECONDITION")
