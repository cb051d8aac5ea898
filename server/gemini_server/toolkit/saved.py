"""Keeping what an answer gave rise to: the answer is paid for, so a full disk is a warning and no failure."""

from __future__ import annotations

import logging

from gemini_server.errors import ToolserverError
from gemini_server.toolkit import artifacts
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.results import ArtifactOut

_log = logging.getLogger(__name__)


async def saved(call: Call, kind: str, data: bytes, warnings: list[str], *, name: str = "") -> ArtifactOut | None:
    """Keep bytes as an artifact; None, and a warning in the list, where that fails.

    Args:
        call: the call that produced them.
        kind: what they are, the first word of the file's name.
        data: the bytes.
        warnings: where to complain.
        name: an extension hint for text, such as `x.srt`.
    """
    try:
        return await artifacts.keep(call, kind, data, name=name)
    except ToolserverError as error:
        _log.warning("%s could not be kept: %s", kind, error.what)
        complaint = f"The file with the {kind} could not be saved: {error}"
    except Exception:  # noqa: BLE001  whatever the ledger or the disk died of, the answer is paid for
        _log.exception("%s could not be kept", kind)
        complaint = f"The file with the {kind} could not be saved; the details are in the server's log (stderr)."
    if complaint not in warnings:
        warnings.append(complaint)
    return None
