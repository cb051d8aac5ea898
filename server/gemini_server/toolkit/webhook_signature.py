"""The signature of a webhook delivery, by the rules of Standard Webhooks.

Signed is `id.timestamp.body` with HMAC-SHA256; the header has one `v1,BASE64` for each secret in force, separated by
spaces. A secret is `whsec_` and its bytes in base64.

Source: the Standard Webhooks specification; "Verify the signature" of Google's guide to webhooks.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SHORTEST = 16
"""Bytes of a secret; with none at all, everybody could sign."""
TOLERANCE = 300
"""Seconds that a timestamp may be off."""
_PREFIX = "whsec_"
_ID = re.compile(r"[\x21-\x7e]{1,256}", re.ASCII)
_STAMP = re.compile(r"\d{1,12}", re.ASCII)
_MOST_SIGNATURES = 16


class NotGenuineError(Exception):
    """A delivery that is not from whom it says, or is too old; its text may be told."""


@dataclass(frozen=True, slots=True)
class Genuine:
    """What a good signature covers besides the body.

    Attributes:
        id: of the message.
        stamp: of this attempt to deliver it, seconds since 1970 as text.
    """

    id: str
    stamp: str


def verified(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> Genuine:
    """Check a delivery.

    Args:
        headers: of the request, by their lower-case names.
        body: byte for byte as it came.
        secrets: those in force.
        now: seconds since 1970.

    Raises:
        NotGenuineError: a header is missing, the timestamp is off, or no signature is right.
    """
    identifier, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _ID.fullmatch(identifier) or not _STAMP.fullmatch(stamp):
        raise NotGenuineError("webhook-id and webhook-timestamp are needed.")
    if abs(now - int(stamp)) > TOLERANCE:
        raise NotGenuineError("The timestamp is too far from now.")
    given = [
        one.partition(",")[2]
        for one in headers.get("webhook-signature", "").split(" ")[:_MOST_SIGNATURES]
        if one.startswith("v1,")
    ]
    signed = f"{identifier}.{stamp}.".encode() + body
    good = False
    for secret in secrets:
        wanted = base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
        for one in given:
            # All are compared, so that the time it takes tells nothing.
            good |= hmac.compare_digest(wanted.encode(), one.encode("utf-8", "replace"))
    if not good:
        raise NotGenuineError("No signature fits.")
    return Genuine(identifier, stamp)


def key_of(secret: str) -> bytes:
    """The bytes of a secret in base64 of either alphabet; one that is no base64 stands for itself."""
    text = secret.strip().removeprefix(_PREFIX)
    padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    try:
        return base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        return text.encode()
