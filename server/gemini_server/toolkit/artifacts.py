"""Artifacts as tools see them: keep bytes, get back what the caller is told."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from gemini_server.errors import ToolserverError
from gemini_server.jobs.artifacts import Artifact, not_found
from gemini_server.toolkit import preview
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.open_file import Descriptor, OpenFile
from gemini_server.toolkit.results import ArtifactOut, Picture
from gemini_server.toolkit.traits import traits_of

URI = "gemini://artifacts/"

_SOURCE = re.compile(re.escape(URI) + "([^/]*)", re.IGNORECASE)
_log = logging.getLogger(__name__)


async def keep(call: Call, kind: str, data: bytes, *, name: str = "", announced: str = "") -> ArtifactOut:
    """Keep bytes as an artifact. Once begun it ends, even if the caller is dropped: the bytes were paid for.

    Args:
        call: the call that produced them.
        kind: what they are, the first word of the file's name: `plot`, `boxes`, `transcript`.
        data: the bytes.
        name: an extension hint for text, such as `x.srt`; the type of everything else is read off its bytes.
        announced: the type that Gemini gave. A picture, sound or video that is none by its bytes is kept as `.bin` of
            the type `application/octet-stream`.

    Raises:
        LocalError: they cannot be written.
    """
    with anyio.CancelScope(shield=True):
        traits = await anyio.to_thread.run_sync(traits_of, data, name, announced)
        return shown(call, await call.runtime.artifacts.save(call.principal, kind, data, traits))
    raise AssertionError  # for the type checkers: this scope swallows nothing


def shown(call: Call, artifact: Artifact) -> ArtifactOut:
    """An artifact as results show it; the path only to callers on this machine, a link to all others."""
    local = call.runtime.settings.http is None
    links = call.runtime.links
    return ArtifactOut(
        id=artifact.id,
        uri=URI + artifact.id,
        path=str(call.runtime.artifacts.path(artifact)) if local else None,
        url=links.make(f"artifacts/{artifact.id}") if links else None,
        mime_type=artifact.mime_type,
        bytes=artifact.bytes,
        sha256=artifact.sha256,
        width=artifact.width,
        height=artifact.height,
        duration_seconds=artifact.duration,
    )


async def picture_of(data: bytes) -> Picture | None:
    """A small copy of a picture for the side of a result (`result.attach([...])`); None of what is no picture."""
    small = await preview.preview(data)
    if small is None:
        return None
    return Picture(small.mime_type, base64.b64encode(small.data).decode("ascii"))


@dataclass(slots=True)
class Kept:
    """Pictures after they were kept.

    Attributes:
        artifacts: those that could be saved.
        pictures: what to show beside the text: previews, or the picture itself where it could not be saved.
        warnings: what went wrong.
    """

    artifacts: list[ArtifactOut] = field(default_factory=list[ArtifactOut])
    pictures: list[Picture] = field(default_factory=list[Picture])
    warnings: list[str] = field(default_factory=list[str])


async def keep_pictures(call: Call, kind: str, pictures: Sequence[Picture]) -> Kept:
    """Keep pictures that came with an answer; whatever fails is a warning, because the answer is paid for."""
    kept = Kept()
    with anyio.CancelScope(shield=True):
        for picture in pictures:
            try:
                data = await anyio.to_thread.run_sync(_bytes_of, picture)
                if data:
                    await _keep_picture(call, kind, picture, data, kept)
                else:
                    kept.warnings.append("A picture that came with the answer is no valid base64; it is lost.")
            except ToolserverError as error:
                _log.warning("a picture could not be kept: %s", error.what)
                kept.pictures.append(picture)
                kept.warnings.append(f"A picture could not be saved: {error}")
            except Exception:  # noqa: BLE001  whatever the ledger or the disk died of, the answer is paid for
                _log.exception("a picture could not be kept")
                kept.pictures.append(picture)
                kept.warnings.append("A picture could not be saved; the details are in the server's log (stderr).")
    return kept


def _bytes_of(picture: Picture) -> bytes:
    try:
        return base64.b64decode(picture.data)
    except ValueError:  # binascii's error is one, and so is that of letters beyond ASCII
        return b""


async def _keep_picture(call: Call, kind: str, picture: Picture, data: bytes, kept: Kept) -> None:
    out = await keep(call, kind, data, announced=picture.mime_type)
    kept.artifacts.append(out)
    if not out.mime_type.startswith("image/"):
        kept.warnings.append(f"{out.uri} came as {picture.mime_type} but is none; it is kept unseen.")
    elif small := await picture_of(data):
        kept.pictures.append(small)


def is_source(source: str) -> bool:
    """Whether a media source is an artifact."""
    return source[: len(URI)].lower() == URI


async def open_source(call: Call, source: str, *, max_bytes: int) -> OpenFile | None:
    """Open an artifact that was given as a media source, like a file; None when the source is no artifact's.

    Raises:
        NotFound: there is no such artifact for this caller, or its file is gone or another.
        LocalError: it is larger than `max_bytes`.
    """
    found = _SOURCE.fullmatch(source)
    if found is None:
        if is_source(source):
            raise not_found(source[len(URI) :])
        return None
    artifact = await call.runtime.artifacts.get(call.principal, found.group(1))
    with anyio.CancelScope(shield=True):  # a descriptor must not be lost on the way
        number = await call.runtime.artifacts.open(artifact, limit=max_bytes)
        descriptor = Descriptor(number)
        return await anyio.to_thread.run_sync(lambda: OpenFile(descriptor, descriptor.stat(), artifact.name))
    raise AssertionError  # for the type checkers: this scope swallows nothing
