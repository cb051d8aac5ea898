"""How a path may be spelled: the rules that need no look at the disk.

A path is taken literally. `~`, `$NAME`, `%41` and `*` mean themselves, and a spelling that some system or library
would read as a way out of a directory is refused on every system.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from gemini_server.errors import FileRefused

MAX_PATH_BYTES = 4096
MAX_NAME_BYTES = 255

_URL = re.compile(r"[a-z][a-z0-9+.-]+://|(?:file|data):", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_EXPANSION = re.compile(r"~[^/]*/|\$\w+/|\$\{\w+\}/|%\w+%/")
_PATTERN = re.compile(r"[*?$%~]")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9]|lpt[0-9])\s*(?:[.:].*)?", re.DOTALL)
_PLAIN = "Give a plain path, such as pictures/cat.png."


@dataclass(frozen=True, slots=True)
class Spelling:
    """A path in pieces. `anchor` is `/`, on Windows a drive with its backslash, or empty for a relative path."""

    anchor: str
    parts: tuple[str, ...]


def shown(path: str) -> str:
    """The path in quotes as it may be shown: shortened, everything invisible escaped."""
    short = path if len(path) <= 120 else f"{path[:117]}…"
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short) + '"'


def canonical(name: str) -> str:
    """A name as a file system that ignores case, width, invisible characters and a final dot would compare it."""
    wide = unicodedata.normalize("NFKC", name)
    return "".join(c for c in wide if unicodedata.category(c) != "Cf").casefold().rstrip(" .") or name


def literal_hint(path: str) -> str:
    """A sentence for a path that was not found and looks as if something should have been expanded."""
    return " Paths are taken literally: ~, $NAME, %41 and * are not expanded." if _PATTERN.search(path) else ""


def spell(path: str, *, windows: bool = False) -> Spelling:
    """Takes a path apart.

    Raises:
        FileRefused: the path has a spelling that is not accepted, whether or not there is such a file.
    """
    _check_characters(path)
    if _URL.match(path.lstrip()):
        raise FileRefused(f"{shown(path)} is a URL, not the path of a file.", _PLAIN)
    anchor = ""
    if windows:
        path = path.replace("\\", "/")
        if _DRIVE.match(path) and path[2:3] == "/":
            anchor, path = path[:2].upper() + "\\", path[3:]
    elif path.startswith("/") and not path.startswith("//"):
        anchor = "/"
    if "\\" in path or _DRIVE.match(path) or path.startswith("//") or (windows and path.startswith("/")):
        raise FileRefused(
            f"{shown(path)} is a Windows or network path, or has a backslash in it; neither is accepted here.",
            f"{_PLAIN} Separate folders by /.",
        )
    if _EXPANSION.match(path):
        raise FileRefused(
            f"{shown(path)} begins with something that a shell would expand; paths are taken literally here.",
            "Write the path out, or give it relative to the allowed directory.",
        )
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    for part in parts:
        _check_part(part, path, windows=windows)
    return Spelling(anchor, parts)


def _check_characters(path: str) -> None:
    if not path.strip():
        raise FileRefused("The path is empty.", _PLAIN)
    if "\0" in path:
        raise FileRefused(f"The path {shown(path)} contains a NUL byte.", _PLAIN)
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in path):
        raise FileRefused(f"The path {shown(path)} contains a control character or a line break.", _PLAIN)
    if any(unicodedata.category(c) == "Cs" for c in path):
        raise FileRefused(f"The path {shown(path)} is not valid Unicode text (a lone surrogate).", _PLAIN)
    length = len(path.encode())
    if length > MAX_PATH_BYTES:
        raise FileRefused(f"The path {shown(path)} has {length} bytes; {MAX_PATH_BYTES} are accepted.", _PLAIN)


def _check_part(part: str, path: str, *, windows: bool) -> None:
    if part == "..":
        raise FileRefused(
            f'The path {shown(path)} contains "..", which may lead outside the allowed directories.',
            "Give a path without it. Other directories are allowed with the setting --allow-dir DIR, by the person "
            "who runs this server.",
        )
    if any(piece in (".", "..") for piece in re.split(r"[/\\]", unicodedata.normalize("NFKC", part))):
        raise FileRefused(f"The path {shown(path)} contains characters that imitate dots.", _PLAIN)
    if len(part.encode()) > MAX_NAME_BYTES:
        raise FileRefused(
            f"The name {shown(part)} has {len(part.encode())} bytes; a file name has {MAX_NAME_BYTES} at most.",
            "Give the name of an existing file.",
        )
    if _DEVICE.fullmatch(canonical(part)):
        raise FileRefused(f"{shown(part)} is the name of a device on Windows and is not read.", "Rename the file.")
    if windows and (":" in part or part != part.rstrip(" .")):
        raise FileRefused(f"{shown(part)} is not a plain name of a file on Windows.", _PLAIN)
