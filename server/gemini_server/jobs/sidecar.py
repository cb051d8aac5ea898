"""What a produced file is, written beside it as JSON: for people, and for programs that find the file later."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from gemini_server.jobs.artifact import Artifact
from gemini_server.jobs.output_directory import OutputDirectory

_log = logging.getLogger(__name__)


def write(files: OutputDirectory, artifact: Artifact, about: Mapping[str, Any]) -> str:
    """Write `<name>.json`; never fails.

    Args:
        files: where the artifact is.
        artifact: the file.
        about: what the caller knows of it; what is None is left out. What is known of the file is added.

    Returns:
        What went wrong, empty when nothing did.
    """
    facts = {
        **about,
        "kind": artifact.kind,
        "created": artifact.created,
        "bytes": artifact.bytes,
        "sha256": artifact.sha256,
        "mime_type": artifact.mime_type,
    }
    try:
        known = {name: value for name, value in facts.items() if value is not None}
        text = json.dumps(known, ensure_ascii=False, indent=2, default=_plain)
        with suppress(FileExistsError):  # written before a crash
            files.write(f"{artifact.name}.json", f"{text}\n".encode(errors="replace"))
    except Exception as error:  # noqa: BLE001  the file itself is saved, and that is what was paid for
        _log.warning("%s.json could not be written: %s", artifact.name, error)
        return f"The description of {artifact.name} could not be written beside it: {error}"
    return ""


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else str(value)
