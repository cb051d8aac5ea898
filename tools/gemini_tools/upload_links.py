"""A way for agents on other machines to bring files: a link to which the bytes are sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from gemini_server.errors import ArgumentError, LocalError
from gemini_server.jobs.upload_links import UploadLinks
from gemini_server.toolkit import uploads
from gemini_server.toolkit.artifacts import URI
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.files import LONGEST_NAME
from gemini_server.toolkit.links import UPLOAD_SECONDS
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.upload_source import LARGEST

TOOLSET = Toolset("files", "Links to send files to.")


class UploadLinkOut(Result):
    """Where to send a file, and what it is called from then on."""

    url: str
    method: Literal["POST"] = "POST"
    bytes: int
    expires: str
    source: str

    def as_text(self) -> str:
        """What to do, in order."""
        return (
            f"Send the {self.bytes} bytes of the file, as they are, as the body of one {self.method} before "
            f"{self.expires} to {self.url}\nFor example: curl -X POST -T FILE '{self.url}'\n"
            f"Then give {self.source} wherever a media source is asked for."
        )


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=False)
async def create_upload_link(
    call: Call,
    bytes: Annotated[int, Field(description="size of the file")],  # noqa: A002  what it is called everywhere
    mime_type: Annotated[str | None, Field(description="else by content")] = None,
    display_name: Annotated[str | None, Field(description="file name")] = None,
) -> UploadLinkOut:
    """Over HTTP: a link to send one file to (POST, up to 2 GiB, within 15 minutes, no token). `source` is its media
    source as soon as it is there. Free.
    """
    if call.runtime.settings.http is None:
        raise ArgumentError(
            "This server runs on your machine, over stdio, and takes no uploads: it reads files from the disk.",
            "Give the path of the file where a media source is asked for.",
            code="not_over_http",
        )
    if not 1 <= bytes <= LARGEST:
        raise ArgumentError(f"A file of {bytes} bytes is not taken.", f"Send one of 1 to {LARGEST} bytes (2 GiB).")
    if display_name is not None and len(display_name) > LONGEST_NAME:
        raise ArgumentError(f"display_name has more than {LONGEST_NAME} characters.", "Give a shorter one.")
    kind = uploads.type_of(mime_type) if mime_type else ""
    links = call.runtime.links
    if links is None:
        raise LocalError(
            "This server can make no links at the moment: its ledger cannot be opened.",
            "Call again in a minute; server_status tells what is wrong.",
        )
    await call.runtime.artifacts.check_room(bytes)
    ends = links.ends(UPLOAD_SECONDS)
    link = await UploadLinks(call.runtime.store).make(
        call.principal, kind, bytes, display_name or "", seconds=UPLOAD_SECONDS
    )
    return UploadLinkOut(
        url=links.until(link.path, ends, link.terms),
        bytes=bytes,
        expires=f"{datetime.fromtimestamp(ends, UTC):%Y-%m-%dT%H:%M:%SZ}",
        source=URI + link.id,
    )
