"""Files that are most likely credentials, by name and by how they begin.

A net with meshes, not a wall: the wall is the list of allowed directories. Kept in one place so that it can be read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gemini_server.errors import FileRefused
from gemini_server.toolkit.paths import canonical, shown

SYSTEM_TREES = ("proc", "sys", "dev")
"""Trees directly below / that hold the system's own state, never files of a user."""

_DIRECTORIES = frozenset({".ssh", ".aws", ".gnupg", ".azure", ".kube", ".docker", ".password-store"})
_DIRECTORY_PAIRS = frozenset({(".config", "gcloud"), ("library", "keychains")})
_NAMES = frozenset(
    {".netrc", "_netrc", ".npmrc", ".pypirc", ".git-credentials", ".pgpass", ".my.cnf", ".htpasswd", ".vault-token"}
)
_PATTERNS = re.compile(
    r"""
      \.env.*
    | .*\.(?: pem | key | p12 | pfx | jks | keystore | kdbx? | ppk )
    | id_[^.]*                                             # a key without extension: id_github
    | id_(?: rsa | dsa | ecdsa | ed25519 | ed448 | xmss )(?! .*\.pub $)(?: [^a-z0-9] .* )?
    | .*credentials.*
    | service[-_]?account.*\.json
    | .*\.keychain.*
    """,
    re.VERBOSE | re.DOTALL,
)
_KEY_BLOCK = re.compile(rb"^[ \t]*-----BEGIN [A-Z0-9 ]*PRIVATE KEY|\APuTTY-User-Key-File-", re.MULTILINE)
_SERVICE_ACCOUNT = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{.*"private_key"\s*:', re.DOTALL)
_REMEDY = (
    "Choose another file. Only the person who runs this server can allow credentials, with the setting "
    "--allow-sensitive."
)


def check_system_tree(anchor: str, parts: Sequence[str]) -> None:
    """Refuses /proc, /sys and /dev, whatever is allowed."""
    if anchor == "/" and parts and canonical(parts[0]) in SYSTEM_TREES:
        raise FileRefused(
            "The path lies in the operating system's own tree (/proc, /sys, /dev), which is never read.",
            "Choose an ordinary file inside the allowed directories.",
        )


def check_names(parts: Sequence[str]) -> None:
    """Refuses a path with a credential's name in it.

    Args:
        parts: every name of the path, those of the allowed directory included; the last is the file's.
    """
    names = [canonical(part) for part in parts]
    for at, name in enumerate(names):
        pair = (names[at - 1], name) if at else ("", name)
        if name in _DIRECTORIES or pair in _DIRECTORY_PAIRS or (name == ".env" or name.endswith(".keychain")):
            raise FileRefused(f"{shown(parts[at])} holds credentials and is not read.", _REMEDY)
    if names and (names[-1] in _NAMES or _PATTERNS.fullmatch(names[-1])):
        raise FileRefused(f"{shown(parts[-1])} has the name of a file with credentials and is not read.", _REMEDY)


def check_head(head: bytes, name: str) -> None:
    """Refuses a file that begins like a private key or a service account, whatever it is called."""
    if _KEY_BLOCK.search(head) or _SERVICE_ACCOUNT.search(head):
        raise FileRefused(f"{shown(name)} looks like a private key and is not read.", _REMEDY)
