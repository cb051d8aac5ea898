"""Webhooks: addresses that Google tells when work has ended."""

from __future__ import annotations

from gemini_server.api import webhooks as api
from gemini_server.toolkit.resource_tools import Name, ResourceTools
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("platform", "Addresses that Google tells when work has ended.")

_WEBHOOKS = ResourceTools(TOOLSET, "webhook", api.Webhook, Name("id", "webhooks/*", "webhook id"))

create_webhook = _WEBHOOKS.created(
    api.CREATE,
    "Let Google post to an https address when batches, interactions or videos of this key's project end. Free. Returns "
    "the webhook with new_signing_secret, by which deliveries are checked (Standard Webhooks): it is shown this once "
    "and never again, so have it stored at once.",
    body=api.NewWebhook,
)
list_webhooks = _WEBHOOKS.listed(
    api.LIST, "List webhooks, or show one: address, events, state; no secrets. Free. Returns webhooks.", get=api.GET
)
update_webhook = _WEBHOOKS.updated(
    api.UPDATE, "Change a webhook, or switch it off or on. Free. Returns the webhook.", body=api.WebhookUpdate
)
delete_webhook = _WEBHOOKS.deleted(api.DELETE, "Delete a webhook for good. Free. Returns its id.")
ping_webhook = _WEBHOOKS.acted(
    api.PING,
    "Have Google post a test delivery to a webhook's address. Free. Returns its id; whether it arrived, only the "
    "receiver knows.",
    tool="ping_webhook",
    member="pinged",
    empty=api.PingWebhookRequest,
    idempotent=True,
)
rotate_webhook_secret = _WEBHOOKS.acted(
    api.ROTATE,
    "Make a new signing secret for a webhook; those before end after 24 h, or at once. Free. Returns the secret, which "
    "is shown this once and never again.",
    tool="rotate_webhook_secret",
    member="secret",
    items="secret",
    body=api.RotateSigningSecret,
    destructive=True,
)
