"""Archives that are unpacked into an environment: tar, compressed or not, and zip.

Nothing is written anywhere, and nothing is taken that is more than a file inside the archive's own root: an archive
with a link, a device, or a path that leaves it is refused as a whole. Source: `extract` of the upload of environment
files in the official SDK of November 2026.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

from .environment_files import normal
from .interaction_errors import InteractionError, refused

MOST_FILES = 10_000
LARGEST = 512 * 1024 * 1024
_PIECE = 1024 * 1024
_KINDS = 0o170000
_PLAIN = (0, 0o100000)
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)


def unpacked(data: bytes, folder: str) -> list[tuple[str, bytes]]:
    """The files of an archive: normal paths below a folder, and bytes.

    Args:
        data: the archive.
        folder: a normal path; empty for the root.

    Raises:
        InteractionError: 400 for what is no archive, is broken, is unsafe, or is too large.
    """
    try:
        members = _zip(data) if zipfile.is_zipfile(io.BytesIO(data)) else _tar(data)
        files = [(f"{folder}/{path}".lstrip("/"), content) for path, content in members]
    except InteractionError:
        raise
    except _BROKEN as broken:
        raise refused(f"The archive cannot be read: {type(broken).__name__}.") from None
    return list(dict(files).items())


def _tar(data: bytes) -> Iterator[tuple[str, bytes]]:
    left = LARGEST
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for number, member in enumerate(archive):
            _check_number(number)
            path = _safe(member.name)
            if member.isdir():
                continue
            opened = archive.extractfile(member) if member.isreg() else None
            if opened is None:
                raise refused(f"The archive contains '{member.name[:100]}', which is no plain file.")
            content = opened.read(left + 1)
            left = _left(left, content)
            yield path, content


def _zip(data: bytes) -> Iterator[tuple[str, bytes]]:
    left = LARGEST
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for number, member in enumerate(archive.infolist()):
            _check_number(number)
            path = _safe(member.filename)
            if member.is_dir():
                continue
            if (member.external_attr >> 16) & _KINDS not in _PLAIN:
                raise refused(f"The archive contains '{member.filename[:100]}', which is no plain file.")
            with archive.open(member) as opened:
                content = opened.read(left + 1)
            left = _left(left, content)
            yield path, content


def _safe(path: str) -> str:
    if path.startswith("/"):
        raise refused(f"Invalid path '{path[:100]}' in the archive: it must be relative.")
    return normal(path, "archive", empty=True)


def _check_number(number: int) -> None:
    if number >= MOST_FILES:
        raise refused(f"The archive contains more than {MOST_FILES} files.")


def _left(left: int, content: bytes) -> int:
    if len(content) > left:
        raise refused(f"The archive contains more than {LARGEST} bytes.")
    return left - len(content)
