"""What the ledger knows of links by which files are sent here: what was announced, by whom, and whether it has come.

The handle of the artifact is chosen when the link is made, so that a call can name it before there is a byte of it. The
first upload that is whole gets it; in one transaction, so that of two replicas that receive at once one is the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gemini_server.errors import NotFound
from gemini_server.jobs.artifact import COLUMNS, Artifact, new_id, of_row, register
from gemini_server.jobs.ledger import Ledger, Store
from gemini_server.jobs.schema import CLOCK

KEPT_SECONDS = 24 * 3600
"""How long after its end a link is remembered: an upload that it began may take that long."""


@dataclass(frozen=True, slots=True)
class UploadLink:
    """A link by which one file can be sent.

    Attributes:
        id: the handle that the file will have.
        principal: who made the link, and will have the file.
        mime_type: that was announced; empty where none was.
        bytes: how many were announced.
        name: what the file is called, for people; empty where that is not known.
        arrived: the file, once it is there.
    """

    id: str
    principal: str
    mime_type: str
    bytes: int
    name: str
    arrived: Artifact | None = None

    @property
    def path(self) -> str:
        """Where it leads."""
        return f"uploads/{self.id}"

    @property
    def terms(self) -> str:
        """What its signature covers besides: no other file, and nobody else's."""
        return f"{self.bytes}\n{self.mime_type}\n{self.principal}"


class UploadLinks:
    """The links in the ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def make(self, principal: str, mime_type: str, size: int, name: str, *, seconds: float) -> UploadLink:
        """Announce a file.

        Args:
            principal: whose it will be.
            mime_type: of the file; empty where it is not known.
            size: its bytes.
            name: for people.
            seconds: how long the link is good for.

        Raises:
            LocalError: the ledger cannot be written.
        """
        link = UploadLink(new_id(), principal, mime_type, size, name)

        def work(ledger: Ledger) -> None:
            ledger.execute(f"DELETE FROM upload_links WHERE expires < {CLOCK} - ?", (KEPT_SECONDS,))  # noqa: S608
            ledger.execute(
                "INSERT INTO upload_links (id, principal, mime_type, bytes, name, expires) "  # noqa: S608
                f"VALUES (?, ?, ?, ?, ?, {CLOCK} + ?)",
                (link.id, principal, mime_type, size, name, seconds),
            )

        await self._store.run(work)
        return link

    async def find(self, identifier: str) -> UploadLink | None:
        """A link by its handle, whosever it is; None where there is none, or it ended long ago.

        Raises:
            LocalError: the ledger cannot be read.
        """
        if not identifier.isascii():
            return None
        return await self._store.run(lambda ledger: _find(ledger, identifier), write=False)

    async def arrive(self, link: UploadLink, artifact: Artifact) -> Artifact | None:
        """Give a file that has come the handle of its link.

        Args:
            link: by which it came.
            artifact: the file.

        Returns:
            What has the handle: this file, or the one that was there before. None when the link is remembered no more.

        Raises:
            LocalError: the ledger cannot be written.
        """

        def work(ledger: Ledger) -> Artifact | None:
            found = _find(ledger, link.id, ledger.for_update)
            if found is None or found.arrived is not None:
                return None if found is None else found.arrived
            register(ledger, link.principal, artifact)
            return artifact

        return await self._store.run(work)


def check_awaited(ledger: Ledger, principal: str, identifier: str) -> None:
    """For a handle that no artifact has: say so where it is only that the file was not sent yet.

    Raises:
        NotFound: it was not sent; the same words for a link that has ended say what to do then.
    """
    row = ledger.execute(
        f"SELECT expires > {CLOCK} FROM upload_links WHERE id = ? AND principal = ?",  # noqa: S608
        (identifier, principal),
    ).fetchone()
    if row is None:
        return
    if row[0]:
        raise NotFound(
            f"Artifact {identifier} is not there yet: nothing has been sent to its link.",
            "POST the bytes to the link that create_upload_link gave, then call again.",
            code="not_there_yet",
        )
    raise NotFound(
        f"Artifact {identifier} is not there: its link has ended, and nothing was sent to it.",
        "Make another one with create_upload_link.",
    )


def _find(ledger: Ledger, identifier: str, locked: str = "") -> UploadLink | None:
    row = ledger.execute(
        f"SELECT id, principal, mime_type, bytes, name FROM upload_links WHERE id = ?{locked}",  # noqa: S608
        (identifier,),
    ).fetchone()
    if row is None:
        return None
    there = ledger.execute(f"SELECT {COLUMNS} FROM artifacts WHERE id = ?", (identifier,)).fetchone()  # noqa: S608
    link = UploadLink(*row)
    return link if there is None else replace(link, arrived=of_row(there))
