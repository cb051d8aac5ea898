"""Signed links: for a while, whoever has one may fetch one file (or send one), and nothing else.

Remote callers cannot see the disk, and a download cannot carry a bearer token where a browser makes it. The signature
covers what the link is for and until when; its key is the ledger's, so that every replica honours the others' links.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

SECRET = "links"  # noqa: S105  a name
"""The ledger's secret that signs."""
DOWNLOAD_SECONDS = 24 * 3600
"""How long a link to an artifact is good for."""
_HOUR = 3600
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links and checks them.

    Attributes:
        base: the URL under which callers reach this server, without a slash at its end.
        key: signs.
        wall: seconds since 1970.
    """

    base: str
    key: bytes = field(repr=False)
    wall: Callable[[], float] = time.time

    def make(self, path: str, seconds: float = DOWNLOAD_SECONDS) -> str:
        """A link to a path, such as `artifacts/ID`, that is good for so many seconds, or up to an hour longer.

        Args:
            path: of URL-safe characters.
            seconds: how long the link is good for. From two hours on it ends with a full hour: until then the same
                file has the same link, by which clients cache it.
        """
        # Replicas whose clocks differ a little make the same link, too.
        unit = _HOUR if seconds >= 2 * _HOUR else 1
        expires = str(math.ceil((self.wall() + seconds) / unit) * unit)
        return f"{self.base}/{path}?expires={expires}&signature={self._sign(path, expires)}"

    def good(self, path: str, expires: str, signature: str) -> bool:
        """Whether a link was made with this key, for this path, and is still good.

        Args:
            path: what is asked for.
            expires: as it stands in the link.
            signature: as it stands in the link.
        """
        if not (expires.isascii() and expires.isdecimal() and len(expires) <= _DIGITS):
            return False
        genuine = hmac.compare_digest(self._sign(path, expires).encode(), signature.encode("utf-8", "replace"))
        return genuine and self.wall() < int(expires)

    def _sign(self, path: str, expires: str) -> str:
        digest = hmac.new(self.key, f"{expires}\n{path}".encode("utf-8", "replace"), hashlib.sha256).digest()
        return urlsafe_b64encode(digest[:24]).decode("ascii")
