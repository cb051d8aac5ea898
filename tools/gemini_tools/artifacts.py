"""The files that calls produced, for clients that cannot see the disk."""

from __future__ import annotations

from gemini_server.errors import LocalError, NotFound
from gemini_server.toolkit.artifacts import shown
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.preview import preview
from gemini_server.toolkit.results import ArtifactOut, Blob
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("artifacts", "The files that calls produced.")

LARGEST = 8 * 1024 * 1024
"""Bytes of a file that is sent in one piece."""
LARGEST_PICTURE = 64 * 1024 * 1024
"""Bytes of a picture that is read for its preview."""
LISTED = 100


async def _ids(call: Call, prefix: str) -> list[str]:
    found = await call.runtime.artifacts.recent(call.principal, limit=LISTED)
    return [artifact.id for artifact in found if artifact.id.startswith(prefix)]


@TOOLSET.resource(
    "gemini://artifacts/{id}",
    description="A file that a call produced, up to 8 MiB; results name its URI, type and size.",
    complete={"id": _ids},
    mime_type=None,
)
async def artifact(call: Call, id: str) -> Blob:  # noqa: A002  the template's name
    """The bytes of an artifact."""
    found = await call.runtime.artifacts.get(call.principal, id)
    if found.bytes > LARGEST:
        out = shown(call, found)
        raise LocalError(
            f"The artifact has {out.bytes} bytes ({out.mime_type}); resources are sent up to {LARGEST // 2**20} MiB.",
            _elsewhere(out, found.name),
            code="too_large",
        )
    return Blob(data=await call.runtime.artifacts.read(found, limit=LARGEST), mime_type=found.mime_type)


def _elsewhere(out: ArtifactOut, name: str) -> str:
    """How to come by a file that is too large for a resource."""
    if out.path:
        return f"Open the file: {out.path}."
    if out.url:
        how = "Results give it a `url` that serves it at any size for a day; get_job gives a new one."
    else:
        how = f"The file is {name} in the output directory on the server's machine."
    return f"{how} As a media source, tools take its URI at any size."


@TOOLSET.resource(
    "gemini://artifacts/{id}/preview",
    description="A small WebP of a picture that a call produced.",
    complete={"id": _ids},
    mime_type="image/webp",
)
async def artifact_preview(call: Call, id: str) -> Blob:  # noqa: A002  the template's name
    """A picture's preview."""
    found = await call.runtime.artifacts.get(call.principal, id)
    small = None
    if found.mime_type.startswith("image/"):
        small = await preview(await call.runtime.artifacts.read(found, limit=LARGEST_PICTURE))
    if small is None:
        raise NotFound(
            f"There is no preview of this artifact ({found.mime_type}, {found.bytes} bytes).",
            "Only pictures of the common formats and up to 50 megapixels have one; read the artifact itself.",
        )
    return Blob(data=small.data, mime_type=small.mime_type)
