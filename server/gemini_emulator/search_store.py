"""File Search stores in memory.

Source: `fileSearchStores` in the API reference, the guide "File Search", and answers of the service as seen in 2026.
"""

from __future__ import annotations

from collections.abc import Iterator

from .errors import ApiError
from .search_document import Document, Source, Task, unique
from .store import Clock, page, timestamp
from .wire import Object

LARGEST_PAGE = 20


class SearchStore:
    """One store.

    Args:
        display_name: its name for people.
        embedding_model: `models/…`; it cannot be changed.
        clock: the emulator's time.
    """

    def __init__(self, display_name: str, embedding_model: str, clock: Clock) -> None:
        self.name = f"fileSearchStores/{unique(display_name)}"
        self.display_name = display_name
        self.embedding_model = embedding_model
        self._clock = clock
        self._created = self._updated = clock()
        self._documents: dict[str, Document] = {}

    def __len__(self) -> int:
        return len(self._documents)

    def add(self, source: Source, task: Task) -> Document:
        """Begin a document."""
        document = Document(self.name, source, task, self._clock)
        self._documents[document.ident] = document
        self._updated = self._clock()
        return document

    def find(self, ident: str) -> Document:
        """A document.

        Raises:
            ApiError: 404 for an unknown one.
        """
        document = self._documents.get(ident)
        if document is None:
            raise ApiError(404, f"Requested entity was not found: {self.name}/documents/{ident}")
        document.go_on()
        return document

    def operation(self, ident: str, *, upload: bool) -> Object:
        """An operation, one read further.

        Raises:
            ApiError: 404 for an unknown one, and for one whose document was deleted.
        """
        document = self._documents.get(ident)
        if document is None or document.task.upload != upload:
            raise ApiError(404, f"Requested entity was not found: operation {ident}")
        document.look()
        return document.operation()

    def documents(self) -> Iterator[Document]:
        """All documents, oldest first."""
        for document in list(self._documents.values()):
            document.go_on()
            yield document

    def delete(self, ident: str, *, force: bool) -> None:
        """Remove a document.

        Raises:
            ApiError: 400 without force when it has chunks, and as `find`.
        """
        if self.find(ident).entries and not force:
            raise ApiError(400, "Cannot delete non-empty Document", name="FAILED_PRECONDITION")
        del self._documents[ident]
        self._updated = self._clock()

    def resource(self) -> Object:
        """The `FileSearchStore`; a count of zero is left out, as the service does."""
        states = [document.state for document in self.documents()]
        counts = {
            "activeDocumentsCount": states.count("ACTIVE"),
            "pendingDocumentsCount": states.count("PENDING"),
            "failedDocumentsCount": states.count("FAILED"),
            "sizeBytes": sum(document.size for document in self.documents()),
        }
        return {
            "name": self.name,
            **({"displayName": self.display_name} if self.display_name else {}),
            "createTime": timestamp(self._created),
            "updateTime": timestamp(self._updated),
            **{name: str(count) for name, count in counts.items() if count},
            "embeddingModel": self.embedding_model,
        }


class SearchStores:
    """The stores of one emulator; they do not expire.

    Args:
        clock: the emulator's time.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._stores: dict[str, SearchStore] = {}

    def create(self, display_name: str, embedding_model: str) -> SearchStore:
        """Make an empty store."""
        store = SearchStore(display_name, embedding_model, self.clock)
        self._stores[store.name] = store
        return store

    def find(self, ident: str) -> SearchStore:
        """A store, by its id.

        Raises:
            ApiError: 403 for an unknown one; names are global, and Google does not say whose they are.
        """
        store = self.named(f"fileSearchStores/{ident}")
        if store is None:
            message = f"You do not have permission to access the FileSearchStore {ident} or it may not exist."
            raise ApiError(403, message)
        return store

    def named(self, name: str) -> SearchStore | None:
        """A store by its full name."""
        return self._stores.get(name)

    def delete(self, ident: str, *, force: bool) -> None:
        """Remove a store with all that is in it.

        Raises:
            ApiError: 400 without force when there are documents, and as `find`.
        """
        store = self.find(ident)
        if len(store) and not force:
            raise ApiError(400, "Cannot delete non-empty FileSearchStore", name="FAILED_PRECONDITION")
        del self._stores[store.name]

    def list_page(self, page_size: int | None, page_token: str) -> tuple[list[Object], str]:
        """One page of stores, oldest first, and the token of the next."""
        resources = [store.resource() for store in self._stores.values()]
        return page(resources, page_size, page_token, default=10, largest=LARGEST_PAGE)
