"""The methods of `webhooks`: create, list, get, update, delete, ping and rotateSigningSecret.

Source: "Webhooks" of the Gemini API and the schema of the official SDK of November 2026.
"""

from __future__ import annotations

from .exchange import Call, Reply, Route, Service
from .interaction_errors import InteractionError, missing, refused, unsupported
from .interaction_pages import PAGES, listed
from .interaction_schema import check
from .webhook_delivery import attempt, ping
from .webhook_shapes import IMMEDIATELY
from .webhook_store import check_uri
from .wire import Object

_CHANGEABLE = ("name", "state", "subscribed_events", "uri")
_SETTABLE = ("enabled", "disabled")


def create_webhook(service: Service, call: Call) -> Reply:
    """`webhooks.create`; its answer is the only one that has the signing secret."""
    body = check("WebhookInput", call.body)
    _check(body)
    return Reply(service.webhooks.create(body["uri"], body["subscribed_events"], body.get("name", "")))


def list_webhooks(service: Service, call: Call) -> Reply:
    """`webhooks.list`."""
    return listed(call, service.webhooks.all(), "webhooks")


def get_webhook(service: Service, call: Call) -> Reply:
    """`webhooks.get`."""
    return Reply(service.webhooks.view(call.names["id"]))


def update_webhook(service: Service, call: Call) -> Reply:
    """`webhooks.update`: the fields of `update_mask`, or those of the body without one."""
    webhook = service.webhooks.find(call.names["id"])
    body = check("WebhookUpdate", call.body)
    mask = [name.strip() for name in call.query.get("update_mask", "").split(",") if name.strip()]
    for name in mask:
        if name not in _CHANGEABLE:
            raise refused(f"Invalid field '{name}' at 'update_mask'.")
        if name != "name" and name not in body:
            raise missing(name)
    changes: Object = {name: body.get(name) for name in mask or list(body)}
    _check(changes)
    if changes.get("state", "enabled") not in _SETTABLE:
        raise unsupported(changes["state"], "state", "")
    webhook.uri = changes.get("uri", webhook.uri)
    webhook.events = changes.get("subscribed_events", webhook.events)
    webhook.state = changes.get("state", webhook.state)
    webhook.name = changes.get("name", webhook.name) or ""
    return Reply(service.webhooks.touch(webhook))


def delete_webhook(service: Service, call: Call) -> Reply:
    """`webhooks.delete`."""
    service.webhooks.delete(call.names["id"])
    return Reply()


def ping_webhook(service: Service, call: Call) -> Reply:
    """`webhooks.ping`: one delivery on the spot, and a refusal when it does not arrive."""
    check("PingWebhookRequest", {} if call.body is None else call.body)
    webhook = service.webhooks.find(call.names["id"])
    status = attempt(webhook.uri, ping(service.clock()), webhook.keys(service.clock()))
    if not 200 <= status < 300:
        what = f"answered {status}" if status else "could not be reached"
        raise InteractionError(400, "failed_precondition", f"The webhook endpoint {what}.")
    return Reply()


def rotate_signing_secret(service: Service, call: Call) -> Reply:
    """`webhooks.rotateSigningSecret`."""
    body = check("RotateSigningSecretRequest", {} if call.body is None else call.body)
    immediately = body.get("revocation_behavior", "").lower() == IMMEDIATELY
    return Reply({"secret": service.webhooks.rotate(call.names["id"], immediately=immediately)})


def _check(fields: Object) -> None:
    if "uri" in fields:
        check_uri(fields["uri"], "uri")
    if "subscribed_events" in fields and not fields["subscribed_events"]:
        raise missing("subscribed_events")


ROUTES = (
    Route("POST", "webhooks", create_webhook),
    Route("GET", "webhooks", list_webhooks, PAGES),
    Route("GET", "webhooks/{id}", get_webhook),
    Route("PATCH", "webhooks/{id}", update_webhook, frozenset({"update_mask"})),
    Route("DELETE", "webhooks/{id}", delete_webhook),
    Route("POST", "webhooks/{id}:ping", ping_webhook, slow=True),
    Route("POST", "webhooks/{id}:rotateSigningSecret", rotate_signing_secret),
)
