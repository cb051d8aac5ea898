"""Web addresses that Google is to read.

Checked here: Google cannot reach a private host, and a user name and password in an address would be told to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

from gemini_server.errors import ArgumentError
from gemini_server.rest.redirect import is_numeric, is_private
from gemini_server.toolkit.untrusted import clean

MOST = 20
LONGEST = 2000

_PRIVATE_NAMES = (
    "localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa",
    "onion", "invalid",
)  # fmt: skip
_REMEDY = "Give public http:// or https:// addresses."


def checked(urls: Sequence[str]) -> list[str]:
    """The addresses without repetitions.

    Raises:
        ArgumentError: none or too many, or one that Google cannot or should not read; says which by its number.
    """
    urls = list(dict.fromkeys(url.strip() for url in urls))
    if not urls:
        raise ArgumentError("urls is empty.", _REMEDY)
    if len(urls) > MOST:
        raise ArgumentError(f"Gemini reads at most {MOST} pages at once, not {len(urls)}.", "Give fewer.")
    for number, url in enumerate(urls, 1):
        fault = _fault(url)
        if fault:
            # The address itself may hold a secret.
            raise ArgumentError(f"Address {number} in urls {fault}; nothing was sent.", _REMEDY)
    return urls


def _fault(url: str) -> str:
    if len(url) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if re.search(r"[\s\\<>\"]", url) or clean(url, markup=True).text != url:
        return "holds blanks, quotes or characters that cannot be seen"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https"):
        return "does not begin with http:// or https://"
    if "@" in parts.netloc:
        return "carries a user name or password"
    # Google folds letters before it looks a name up.
    host = unicodedata.normalize("NFKC", host).replace("。", ".").rstrip(".").lower()
    if not host:
        return "names no host"
    if is_private(host) or (not is_numeric(host) and _private_name(host)):
        return "is on a private host, which Google cannot reach"
    return ""


def _private_name(host: str) -> bool:
    return "." not in host or any(host == name or host.endswith(f".{name}") for name in _PRIVATE_NAMES)
