"""The resource `webhooks`: addresses that Google tells of the end of batches, interactions and videos.

Deliveries are signed (Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`). The signing secret is
given away once, by the method that made it. Source: the schemas Webhook, WebhookInput, WebhookUpdate and
RotateSigningSecretRequest of the Interactions API, November 2026.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gemini_server.api.interaction_wire import DISCLOSED, Read, Told
from gemini_server.rest.endpoint import Empty, Endpoint

Event = Literal[
    "batch.succeeded",
    "batch.expired",
    "batch.failed",
    "interaction.requires_action",
    "interaction.completed",
    "interaction.failed",
    "video.generated",
]


class NewWebhook(Told):
    """A webhook that is wanted."""

    uri: str = Field(pattern="^https?://", description="https address that deliveries are posted to")
    subscribed_events: list[Event] = Field(min_length=1, description="that it is told of")
    name: str | None = Field(None, description="label")


class WebhookUpdate(Told):
    """What of a webhook can change."""

    uri: str | None = Field(None, pattern="^https?://", description="https address that deliveries are posted to")
    subscribed_events: list[Event] | None = Field(None, min_length=1, description="that it is told of, all of them")
    name: str | None = Field(None, description="label")
    state: Literal["enabled", "disabled"] | None = Field(None, description="whether anything is delivered")


class SigningSecret(Read):
    """The end of a signing secret, by which one tells it from another."""

    truncated_secret: str | None = None
    expire_time: str | None = None


class Webhook(Read):
    """A webhook as Google has it; `state` is enabled, disabled or disabled_due_to_failed_deliveries."""

    id: str | None = None
    name: str | None = None
    uri: str | None = None
    subscribed_events: list[str] | None = None
    state: str | None = None
    signing_secrets: list[SigningSecret] | None = None
    create_time: str | None = None
    update_time: str | None = None


class CreatedWebhook(Webhook):
    """A new webhook, with its secret."""

    new_signing_secret: Annotated[str | None, DISCLOSED] = Field(None, repr=False)


class WebhookListResponse(Read):
    """A page of webhooks."""

    webhooks: list[Webhook] | None = None
    next_page_token: str | None = None


class PingWebhookRequest(Told):
    """A delivery for a test."""


class RotateSigningSecret(Told):
    """What becomes of the secrets before."""

    revocation_behavior: Literal["revoke_previous_secrets_after_h24", "revoke_previous_secrets_immediately"] | None = (
        Field(None, description="when the secrets before end: after 24 h, or at once")
    )


class RotatedSecret(Read):
    """The new secret."""

    secret: Annotated[str | None, DISCLOSED] = Field(None, repr=False)


# A second create would be a second webhook; a secret that was made and not received would have to be made again.
CREATE = Endpoint("POST", "{version}/webhooks", CreatedWebhook, repeat="background", family="interactions")
LIST = Endpoint(
    "GET", "{version}/webhooks", WebhookListResponse, query=("page_size", "page_token"), family="interactions"
)
GET = Endpoint("GET", "{version}/webhooks/{id}", Webhook, family="interactions")
UPDATE = Endpoint("PATCH", "{version}/webhooks/{id}", Webhook, query=("update_mask",), family="interactions")
DELETE = Endpoint("DELETE", "{version}/webhooks/{id}", Empty, family="interactions")
PING = Endpoint("POST", "{version}/webhooks/{id}:ping", Empty, family="interactions")
ROTATE = Endpoint(
    "POST", "{version}/webhooks/{id}:rotateSigningSecret", RotatedSecret, repeat="background", family="interactions"
)
