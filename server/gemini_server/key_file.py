"""The file that holds the key: read at the start, and again when Google refuses the key that it held."""

from __future__ import annotations

import os
import stat
from pathlib import Path

LONGEST = 64 * 1024
"""Bytes of a key file; a token of a company's own issuer has a few thousand."""


def read_key_file(path: Path, *, start: bool = False) -> str:
    """What is in a key file, without the whitespace around it; blocks.

    Args:
        path: the file; a link is followed, as secrets of Kubernetes are links.
        start: whether the server is starting. A shell's `<(command)` is a pipe that can be read then, and only once.

    Raises:
        OSError: it is not there, cannot be read or is no file.
        ValueError: it is no text, or too long for a key.
    """
    # Opened as usual, a pipe that nobody writes to would be waited for without an end.
    flags = os.O_RDONLY if start else os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
        if not start and not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no regular file")
        data = file.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise ValueError("it is too long for a key")
    return data.decode("utf-8-sig").strip()
