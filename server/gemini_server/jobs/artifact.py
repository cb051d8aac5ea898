"""An artifact: a file that a call produced, by its handle; and how it is written down in the ledger."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gemini_server.errors import NotFound
from gemini_server.jobs.ledger import Ledger
from gemini_server.jobs.schema import NOW

COLUMNS = "id, kind, name, mime_type, bytes, sha256, width, height, duration, created"
"""What `of_row` reads."""
_KIND = re.compile(r"[a-z][a-z0-9]{0,23}(?:-[a-z0-9]{1,24}){0,2}")
EXTENSION = re.compile(r"\.[a-z0-9]{1,5}")
"""How the end of a name looks."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What the bytes of an artifact turned out to be.

    Attributes:
        mime_type: by the bytes, not by what was announced.
        extension: with its dot.
        width: pixels.
        height: pixels.
        duration: seconds.
    """

    mime_type: str
    extension: str
    width: int | None = None
    height: int | None = None
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A produced file. `id` is the handle; `name` is the file's in the output directory."""

    id: str
    kind: str
    name: str
    mime_type: str
    bytes: int
    sha256: str
    width: int | None
    height: int | None
    duration: float | None
    created: datetime


def not_found(identifier: str) -> NotFound:
    """The refusal of a handle: the same for one that is unknown and one that is another's."""
    shown = ascii(identifier if len(identifier) <= 40 else f"{identifier[:40]}…")
    return NotFound(f"There is no artifact {shown}.", "Handles come with the results of other tools.")


def new_id() -> str:
    """A handle: 128 random bits."""
    return secrets.token_urlsafe(16)


def check_name(kind: str, extension: str) -> None:
    """Raises ValueError for what makes no name of a file: the program's fault, never a model's."""
    if not _KIND.fullmatch(kind) or not EXTENSION.fullmatch(extension):
        raise ValueError(f"{kind!r} and {extension!r} make no name of a file")


def made(identifier: str, kind: str, name: str, created: datetime, traits: Traits, size: int, sha256: str) -> Artifact:
    """An artifact whose file is there."""
    when = created.astimezone(UTC).replace(microsecond=0)
    about = traits.mime_type, size, sha256, traits.width, traits.height, traits.duration
    return Artifact(identifier, kind, name, *about, when)


def register(ledger: Ledger, principal: str, artifact: Artifact) -> None:
    """Write an artifact down, in a transaction that is under way. Repeating it does no harm."""
    ledger.execute(
        f"INSERT INTO artifacts (principal, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {NOW})"  # noqa: S608
        " ON CONFLICT DO NOTHING",
        (
            principal,
            artifact.id,
            artifact.kind,
            artifact.name,
            artifact.mime_type,
            artifact.bytes,
            artifact.sha256,
            artifact.width,
            artifact.height,
            artifact.duration,
        ),
    )


def of_row(row: tuple[Any, ...]) -> Artifact:
    """An artifact from a row with `COLUMNS`."""
    identifier, kind, name, mime_type, size, sha256, width, height, duration, created = row
    when = datetime.fromtimestamp(created, UTC)
    return Artifact(identifier, kind, name, mime_type, size, sha256, width, height, duration, when)
