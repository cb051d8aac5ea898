"""The messages of webhooks, in the notation of `interaction_shapes`.

Source: `WebhookInput`, `WebhookUpdate` and the requests of the custom methods in the schema of the official SDK of
November 2026. The guide writes the revocation behaviour in capitals, the schema in small letters; both are taken.
"""

from __future__ import annotations

EVENTS = (
    "batch.succeeded", "batch.expired", "batch.failed", "interaction.requires_action", "interaction.completed",
    "interaction.failed", "video.generated",
)  # fmt: skip
IMMEDIATELY = "revoke_previous_secrets_immediately"
_REVOCATIONS = ("revoke_previous_secrets_after_h24", IMMEDIATELY)

MESSAGES: dict[str, str] = {
    "WebhookInput": "subscribed_events!:[#WebhookEvent] uri!:str name:str",
    "WebhookUpdate": "name:str state:#WebhookState subscribed_events:[#WebhookEvent] uri:str",
    "PingWebhookRequest": "",
    "RotateSigningSecretRequest": "revocation_behavior:#Revocation",
}

ENUMS: dict[str, str] = {
    "WebhookEvent": " ".join(EVENTS),
    "WebhookState": "enabled disabled disabled_due_to_failed_deliveries",
    "Revocation": " ".join((*_REVOCATIONS, *(name.upper() for name in _REVOCATIONS))),
}
