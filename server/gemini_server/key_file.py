"""The file that holds the key: read at the start, and again when Google refuses the key that it held."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from gemini_server.errors import UnsafeSetting

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


def key_at_start(path: Path, *, needed: bool) -> str:
    """The key in a key file when the server starts; empty where there is none.

    Args:
        path: the file.
        needed: whether somebody has named it, so that it has to be there.

    Raises:
        UnsafeSetting: it is missing where it is needed, cannot be read, or holds no key.
    """
    try:
        return read_key_file(path, start=True)
    except FileNotFoundError:
        if needed:
            raise UnsafeSetting(f"The key file {path} does not exist.", "Create it, or unset the setting.") from None
        return ""
    except OSError as error:
        raise UnsafeSetting(
            f"The key file {path} cannot be read ({type(error).__name__}).", "Mend its permissions."
        ) from None
    except ValueError:
        raise UnsafeSetting(
            f"The key file {path} holds no key: it is too long, or no text in UTF-8.", "Put the key alone into it."
        ) from None
