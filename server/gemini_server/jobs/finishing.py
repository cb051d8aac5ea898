"""How the part of a job becomes an artifact: each step may be repeated after a crash, and leaves one file.

The name is noted before the part is published under it, and the note outlives the part: at every moment there is a
whole part, or a file under a name that the note tells, or both. Everything here blocks: run it in a thread.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from gemini_server.errors import LocalError
from gemini_server.jobs import part as parts
from gemini_server.jobs.artifact import EXTENSION, Artifact, Traits, made
from gemini_server.jobs.output_directory import OutputDirectory
from gemini_server.jobs.part import Note, part_name, stem


def finish(
    files: OutputDirectory, identifier: str, kind: str, created: datetime, traits: Traits, size: int, sha256: str
) -> Artifact:
    """As `Artifacts.finish`."""
    part, name = part_name(kind, created, identifier), stem(kind, created, identifier) + traits.extension
    about = traits.mime_type, sha256, name, traits.width, traits.height, traits.duration
    parts.write_note(files, part, Note("", size, *about))
    try:
        files.publish(part, name, size=size, sha256=sha256)
    except FileNotFoundError:
        raise LocalError(
            f"The file for {name} is gone from the output directory.", "Call again.", code="part_gone"
        ) from None
    except FileExistsError:
        raise LocalError(
            f"Another file has the name {name} in the output directory; it is not overwritten.",
            "Move it away, then call again.",
        ) from None
    return made(identifier, kind, name, created, traits, size, sha256)


def finish_bytes(
    files: OutputDirectory, identifier: str, kind: str, created: datetime, data: bytes, traits: Traits
) -> Artifact:
    """As `Artifacts.finish_bytes`."""
    sha256 = hashlib.sha256(data).hexdigest()
    found = files.sum_of(stem(kind, created, identifier) + traits.extension)
    if found is None or found.sha256 != sha256:
        files.write_part(part_name(kind, created, identifier), data)
    return finish(files, identifier, kind, created, traits, len(data), sha256)


def finished(files: OutputDirectory, identifier: str, kind: str, created: datetime) -> Artifact | None:
    """As `Artifacts.finished`."""
    note = parts.read_note(files, part_name(kind, created, identifier))
    extension = "" if note is None else note.name.removeprefix(stem(kind, created, identifier))
    if note is None or not EXTENSION.fullmatch(extension):
        return None
    found = files.sum_of(note.name)
    if found is None or (found.size, found.sha256) != (note.size, note.sha256):
        return None
    traits = Traits(note.mime_type, extension, note.width, note.height, note.duration)
    return made(identifier, kind, note.name, created, traits, found.size, found.sha256)
