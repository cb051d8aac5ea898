"""Deliveries to webhooks: what is told, how it is signed, and how often it is tried.

A delivery that gets no 2xx is tried again with growing pauses by the emulator's clock. Those to registered webhooks are
signed with their secrets (HMAC-SHA256 over `id.timestamp.body`), those to the webhooks of a single request with a JSON
Web Token of which the event is a part. Source: "Webhooks" of the Gemini API (the envelope and its catalogue of events)
and the Standard Webhooks specification.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from anyio import to_thread

from .clock import EmulatorClock
from .store import utc_now
from .webhook_keys import token
from .wire import Object, dump

ISSUER = "https://generativelanguage.googleapis.com"
PAUSES = (5, 30, 120, 600)
"""Seconds between the tries; after the last one a delivery has failed."""
GONE = 410
_PATIENCE = 10
_VALID = 300


@dataclass(frozen=True)
class News:
    """What is told.

    Args:
        kind: the type of the event, such as `interaction.completed`.
        moment: when it happened, by the emulator's clock.
        data: whom it happened to, and where the result is.
        metadata: what the request wants to be told back.
    """

    kind: str
    moment: datetime
    data: Object
    metadata: Object = field(default_factory=dict[str, object])

    def envelope(self) -> Object:
        """The body of a delivery."""
        moment = self.moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        told: Object = {"type": self.kind, "version": "v1", "timestamp": moment, "data": self.data}
        return {**told, **({"user_metadata": self.metadata} if self.metadata else {})}


def ping(moment: datetime) -> News:
    """A delivery that only shows that it arrives."""
    return News("webhook.ping", moment, {})


def attempt(uri: str, news: News, keys: Sequence[bytes] | None, ident: str = "") -> int:
    """Try a delivery once; it blocks.

    Args:
        uri: where to.
        news: what is told.
        keys: the keys of a registered webhook; None for one of a single request.
        ident: the id of the delivery, the same in all its tries.

    Returns:
        The HTTP status; 0 when there was no answer.
    """
    body = dump(news.envelope()).encode("utf-8", "replace")
    # Receivers hold this against their own clock, which nobody puts forward.
    moment = str(int(utc_now().timestamp()))
    ident = ident or new_ident()
    headers = {"Content-Type": "application/json", "webhook-id": ident, "webhook-timestamp": moment}
    headers["webhook-signature"] = _jwt(news, uri, ident, moment) if keys is None else _hmac(keys, ident, moment, body)
    address = urlsplit(uri)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    connection = kind(address.hostname or "", address.port, timeout=_PATIENCE)
    try:
        connection.request("POST", target, body, headers)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


async def deliver(clock: EmulatorClock, uri: str, news: News, keys: Sequence[bytes] | None) -> bool:
    """Deliver, trying again for as long as it makes sense; whether it arrived."""
    ident = new_ident()
    for pause in (*PAUSES, None):
        begun = clock()
        status = await to_thread.run_sync(attempt, uri, news, keys, ident, abandon_on_cancel=True)
        if 200 <= status < 300:
            return True
        if status == GONE or pause is None:
            break
        again = begun + timedelta(seconds=pause)
        while clock() < again:
            await clock.wait(again)
    return False


def new_ident() -> str:
    """A new id of a delivery."""
    return f"msg_{secrets.token_hex(12)}"


def _hmac(keys: Sequence[bytes], ident: str, moment: str, body: bytes) -> str:
    signed = f"{ident}.{moment}.".encode() + body
    codes = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    return " ".join(f"v1,{base64.b64encode(code).decode()}" for code in codes)


def _jwt(news: News, uri: str, ident: str, moment: str) -> str:
    issued = int(moment)
    claims = {"iss": ISSUER, "aud": uri, "iat": issued, "exp": issued + _VALID, "jti": ident}
    return token({**claims, **news.envelope()})
