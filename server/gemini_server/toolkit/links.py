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
UPLOAD_SECONDS = 15 * 60
"""How long a link to send a file to is good for."""
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
        return self.until(path, self.ends(seconds))

    def ends(self, seconds: float) -> int:
        """When a link ends that is made now to be good for so many seconds; in seconds since 1970."""
        # Replicas whose clocks differ a little make the same link, too.
        unit = _HOUR if seconds >= 2 * _HOUR else 1
        return math.ceil((self.wall() + seconds) / unit) * unit

    def until(self, path: str, ends: int, terms: str = "") -> str:
        """A link to a path that is good until it ends.

        Args:
            path: of URL-safe characters.
            ends: from `ends`.
            terms: what else must be the same when the link is used; it is not shown in it.
        """
        return f"{self.base}/{path}?expires={ends}&signature={self._sign(path, str(ends), terms)}"

    def alive(self, expires: str) -> bool:
        """Whether a link, if it is genuine, has not ended.

        Args:
            expires: as it stands in the link.
        """
        return expires.isascii() and expires.isdecimal() and len(expires) <= _DIGITS and self.wall() < int(expires)

    def good(self, path: str, expires: str, signature: str, terms: str = "") -> bool:
        """Whether a link was made with this key, for this path on these terms, and is still good.

        Args:
            path: what is asked for.
            expires: as it stands in the link.
            signature: as it stands in the link.
            terms: as when it was made.
        """
        if not self.alive(expires):
            return False
        return hmac.compare_digest(self._sign(path, expires, terms).encode(), signature.encode("utf-8", "replace"))

    def _sign(self, path: str, expires: str, terms: str) -> str:
        signed = "\n".join((expires, path, terms) if terms else (expires, path))
        digest = hmac.new(self.key, signed.encode("utf-8", "replace"), hashlib.sha256).digest()
        return urlsafe_b64encode(digest[:24]).decode("ascii")
