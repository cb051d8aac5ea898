"""The file of a batch on its way to Google: an upload of its own, which the batch waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gemini_server.api.batches import FILE_TYPE
from gemini_server.toolkit import upload_source, uploads
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.uploads import Asked

LASTS = timedelta(hours=26)
"""How long a file must live yet: a batch may wait for a day before it is read."""


async def begin(call: Call, source: str, display_name: str, sha256: str | None) -> Asked:
    """Have a file of requests uploaded, or find it at Google; from here on that ends even if the caller goes.

    Args:
        call: the call.
        source: a path, or an artifact.
        display_name: for people.
        sha256: of the bytes that were checked, in hex: a file that has changed since is none of them.

    Raises:
        FileRefused: the file is not read any more, or was changed.
        LocalError: the ledger cannot be written; nothing is sent.
    """
    given = await upload_source.given(call.runtime, call.principal, source)
    try:
        given = replace(given, sha256=given.sha256 or sha256)
        asked = await uploads.begin(call, given, mime_type=FILE_TYPE, display_name=display_name)
        if asked.file is not None and _ends_soon(asked.file.expires):
            asked = await uploads.begin(call, given, mime_type=FILE_TYPE, display_name=display_name, reuse=False)
        return asked
    finally:
        given.bytes.close()


def _ends_soon(expires: str | None) -> bool:
    return expires is not None and datetime.fromisoformat(expires) < datetime.now(UTC) + LASTS
