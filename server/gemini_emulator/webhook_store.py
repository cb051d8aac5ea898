"""The webhooks of one emulator: where to, for which events, and the secrets that deliveries are signed with.

Source: "Webhooks" of the Gemini API and `Webhook` in the schema of the official SDK of November 2026; the form of
secrets is that of the Standard Webhooks specification.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from .interaction_errors import not_found, refused
from .store import Clock, timestamp
from .wire import Object

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_OVERLAP = timedelta(hours=24)
_PREFIX = "whsec_"
_SHOWN = 10


def check_uri(uri: str, place: str) -> None:
    """Refuse an address that nothing is delivered to: HTTPS only, except on the emulator's own machine.

    Raises:
        InteractionError: 400.
    """
    try:
        address = urlsplit(uri)
        usable = bool(address.hostname) and (
            address.scheme == "https" or (address.scheme == "http" and address.hostname in _LOOPBACK)
        )
    except ValueError:
        usable = False
    if not usable:
        raise refused(f"Invalid value '{uri}' at '{place}': expected an HTTPS URL.")


@dataclass(frozen=True)
class Secret:
    """A signing secret.

    Args:
        text: as the user keeps it.
        expires: when it is no longer signed with; None is never.
    """

    text: str
    expires: datetime | None = None

    @classmethod
    def new(cls) -> Secret:
        """A random secret."""
        return cls(_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode())

    @property
    def key(self) -> bytes:
        """The bytes that sign."""
        return base64.b64decode(self.text.removeprefix(_PREFIX))

    def view(self) -> Object:
        """The `SigningSecret` resource."""
        shown: Object = {"truncated_secret": f"{self.text[:_SHOWN]}..."}
        return {**shown, **({"expire_time": timestamp(self.expires)} if self.expires else {})}


@dataclass
class Webhook:
    """One webhook."""

    ident: str
    uri: str
    events: list[str]
    name: str
    created: datetime
    updated: datetime
    state: str = "enabled"
    secrets: list[Secret] = field(default_factory=list[Secret])

    def keys(self, now: datetime) -> list[bytes]:
        """What a delivery is signed with, newest first."""
        return [one.key for one in self.secrets if one.expires is None or one.expires > now]

    def view(self, now: datetime) -> Object:
        """The `Webhook` resource, without its secrets."""
        return {
            "id": self.ident,
            **({"name": self.name} if self.name else {}),
            "uri": self.uri,
            "subscribed_events": list(self.events),
            "state": self.state,
            "create_time": timestamp(self.created),
            "update_time": timestamp(self.updated),
            "signing_secrets": [one.view() for one in self.secrets if one.expires is None or one.expires > now],
        }


class Webhooks:
    """The webhooks of one emulator.

    Args:
        clock: the emulator's time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._items: dict[str, Webhook] = {}

    def create(self, uri: str, events: list[str], name: str) -> Object:
        """Add a webhook; this answer alone has its secret."""
        now = self._clock()
        secret = Secret.new()
        made = Webhook(f"webhook-{secrets.token_hex(8)}", uri, events, name, now, now, secrets=[secret])
        self._items[made.ident] = made
        return {**made.view(now), "new_signing_secret": secret.text}

    def find(self, ident: str) -> Webhook:
        """A webhook.

        Raises:
            InteractionError: 404.
        """
        if ident not in self._items:
            raise not_found(f"Webhook '{ident}' was not found.")
        return self._items[ident]

    def view(self, ident: str) -> Object:
        """The resource of a webhook.

        Raises:
            InteractionError: 404.
        """
        return self.find(ident).view(self._clock())

    def all(self) -> list[Object]:
        """All resources, oldest first."""
        return [one.view(self._clock()) for one in self._items.values()]

    def touch(self, webhook: Webhook) -> Object:
        """Note that a webhook was changed."""
        webhook.updated = self._clock()
        return webhook.view(webhook.updated)

    def rotate(self, ident: str, *, immediately: bool) -> str:
        """A new secret for a webhook; the old ones are signed with for another day unless they go immediately.

        Raises:
            InteractionError: 404.
        """
        webhook = self.find(ident)
        until = self._clock() + _OVERLAP
        old = [] if immediately else [Secret(one.text, one.expires or until) for one in webhook.secrets]
        webhook.secrets = [Secret.new(), *old]
        self.touch(webhook)
        return webhook.secrets[0].text

    def delete(self, ident: str) -> None:
        """Forget a webhook.

        Raises:
            InteractionError: 404.
        """
        del self._items[self.find(ident).ident]

    def subscribers(self, event: str) -> list[Webhook]:
        """The webhooks that are to hear of an event."""
        return [one for one in self._items.values() if one.state == "enabled" and event in one.events]
