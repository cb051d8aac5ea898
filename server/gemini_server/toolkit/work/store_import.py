"""Documents of File Search stores: begun by importing a file, finished as an operation of the store.

Making the vectors of a document is billed, and Google does not say how much it was.
"""

from __future__ import annotations

from contextlib import suppress

from gemini_server.api import file_search as api
from gemini_server.api.file_search import Document, FinishedImport
from gemini_server.errors import GeminiError, NotFound, ToolserverError
from gemini_server.jobs.job import Job, Json, Request, Spent, Step, Tell
from gemini_server.rest.answer import parse_value
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.file_search_names import document_name, explained, get_document, store_of
from gemini_server.toolkit.file_search_view import DocumentOut, document_out
from gemini_server.toolkit.untrusted import label
from gemini_server.toolkit.work.foreground import retrying
from gemini_server.toolkit.work.operation import OperationWork

_FORBIDDEN = 403


class StoreImport(OperationWork):
    """Imports a file, and waits until it can be found."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Begin it."""
        store = _store(job)
        try:
            reply = await self._runtime.client.call(api.IMPORT, body=request.body, store=store, on_retry=retrying(tell))
        except NotFound as error:
            about = job.wish.get("file") or store
            if about.removeprefix("files/") in error.what:
                raise
            raise explained(error, store) from None
        return await self.step(job, reply.value)

    async def poll(self, job: Job, tell: Tell) -> Step:
        """Ask how it stands: the operation, or the document itself where the operation's name was lost."""
        if "/documents/" not in (job.operation or ""):
            try:
                return await super().poll(job, tell)
            except ToolserverError as error:
                # Google says 403 of a store that is gone; what it says of an operation stays as it is.
                raise (explained(error, _store(job)) if error.status == _FORBIDDEN else error) from None
        return self.of_document(job, await get_document(self._runtime, job.operation or ""))

    async def finished(self, job: Job, response: JsonObject) -> Step:
        """The document that was made, as it stands now where that can be asked."""
        done = parse_value(FinishedImport, response)
        name = _full_name(_store(job), done.document_name)
        out = DocumentOut(
            name=label(name) or "(Google did not name it)", store=_store(job), state="ACTIVE",
            display_name=job.wish.get("display_name") or None, mime_type=label(done.mime_type or "") or None,
            bytes=done.size_bytes,
        )  # fmt: skip
        with suppress(ToolserverError):  # it is there and paid for, whatever keeps it from being shown
            out = document_out(await get_document(self._runtime, document_name(name)))
        return self.ready(job, out)

    def of_document(self, job: Job, document: Document) -> Step:
        """The step of a job that the state of its document is."""
        out = document_out(document)
        if out.state == "FAILED":
            error = GeminiError("Google could not index the document, and gives no reason.", "Check it, then add it.")
            return Step("failed", operation=document.name, error=error)
        if out.state == "PENDING":
            return Step("running", operation=document.name, message="Google is indexing it")
        return self.ready(job, out)

    def ready(self, job: Job, document: DocumentOut) -> Step:
        """The step of a job whose document can be found."""
        result: Json = {"document": document.structured()}
        if warnings := job.wish.get("notes"):
            result["warnings"] = warnings
        return Step("finished", result=result, spent=Spent(job.model))


def _store(job: Job) -> str:
    store: str = job.wish["store"]
    return store


def _full_name(store: str, given: str) -> str:
    """The name of a document, of which an import gives only the last part."""
    if not given:
        return ""
    return given if store_of(given) != given else f"{store}/documents/{given}"


WORK = StoreImport
