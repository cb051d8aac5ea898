"""The bearer tokens that HTTP callers present, and whose they are."""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

from gemini_server.errors import UnsafeSetting
from gemini_server.toolkit.call import LOCAL


class Tokens:
    """The bearer tokens of a token file: one `principal:token` a line, `#` begins a comment.

    Raises:
        UnsafeSetting: the file cannot be read, holds no token, a short one, or one token twice.
    """

    def __init__(self, file: Path) -> None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UnsafeSetting(f"The token file {file} cannot be read ({type(error).__name__}).") from None
        # Digests are compared, so that neither time nor memory tells a token.
        self._principals: dict[bytes, str] = {}
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            principal, colon, token = text.partition(":")
            principal, token = principal.strip(), token.strip()
            if not colon:
                # Named for the token, not for the line: what A has kept must not become B's when a line is inserted.
                principal, token = f"token-{_digest(principal).hex()[:16]}", principal
            if not principal or not _TOKEN.fullmatch(token):
                raise UnsafeSetting(
                    f"Line {number} of the token file is not principal:token with a token of 16 characters or more, "
                    "letters, digits and -._~+/= only.",
                    "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'.",
                )
            if principal == LOCAL:
                raise UnsafeSetting(
                    f"Line {number} of the token file names the principal {LOCAL}: so callers without a token are "
                    "called, for whom whose things are at Google does not count.",
                    "Give it another name.",
                )
            if self._principals.setdefault(_digest(token), principal) != principal:
                raise UnsafeSetting(f"Line {number} of the token file repeats a token of another principal.")
        if not self._principals:
            raise UnsafeSetting(f"The token file {file} holds no token.")

    def principal(self, header: str) -> str | None:
        """Whose token an Authorization header presents."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        presented = _digest(token.strip())
        found = None
        for known, principal in self._principals.items():
            if hmac.compare_digest(known, presented):
                found = principal
        return found


_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,}")
"""What can stand in an Authorization header (RFC 6750), and cannot be guessed."""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
