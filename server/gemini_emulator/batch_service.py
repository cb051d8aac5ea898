"""The methods of batches: create, get, list, cancel, delete and update.

Source: `models.batchGenerateContent`, `models.asyncBatchEmbedContent` and `batches` of the API reference, and the guide
"Batch API".
"""

from __future__ import annotations

from collections.abc import Callable

from .batch_input import batch_of, items_of
from .batch_plan import Kind, Plan
from .batch_store import Batch
from .embedding_service import embed_content
from .errors import ApiError, invalid
from .exchange import Call, Handler, Reply, Route, Service
from .faults import Directive
from .model_service import generate_content
from .operations import USUAL_POLLS
from .rpc_status import asked_status, status_of
from .schema import camel, check
from .wire import Object, dump

_METHODS: dict[Kind, tuple[str, str]] = {
    "GenerateContent": ("batchGenerateContent", "generateContent"),
    "EmbedContent": ("asyncBatchEmbedContent", "embedContent"),
}
_DIRECT: dict[Kind, Handler] = {
    "GenerateContent": generate_content,
    "EmbedContent": embed_content,
}
_CHANGEABLE = ("displayName", "priority")
_JSONL = "application/jsonl"
_FAILED = "Batch processing failed due to an internal error."
_REFUSING = ("status", "quota", "error_interactions", "error_array", "error_in_stream")
_BREAKING = ("cut", "stall", "html", "redirect", "broken_json")


def batch_generate_content(service: Service, call: Call) -> Reply:
    """`models.batchGenerateContent`."""
    return _create(service, call, "GenerateContent")


def async_batch_embed_content(service: Service, call: Call) -> Reply:
    """`models.asyncBatchEmbedContent`."""
    return _create(service, call, "EmbedContent")


def get_batch(service: Service, call: Call) -> Reply:
    """`batches.get`."""
    return Reply(service.batches.find(call.names["batch"]).look())


def list_batches(service: Service, call: Call) -> Reply:
    """`batches.list`."""
    operations, token = service.batches.list_page(
        call.integer("pageSize", "page_size"), call.query.get("pageToken", call.query.get("page_token", ""))
    )
    page: Object = {"operations": operations} if operations else {}
    return Reply({**page, **({"nextPageToken": token} if token else {})})


def cancel_batch(service: Service, call: Call) -> Reply:
    """`batches.cancel`."""
    service.batches.find(call.names["batch"]).cancel()
    return Reply()


def delete_batch(service: Service, call: Call) -> Reply:
    """`batches.delete`, which does not cancel."""
    service.batches.delete(call.names["batch"])
    return Reply()


def update_generate_content_batch(service: Service, call: Call) -> Reply:
    """`batches.updateGenerateContentBatch`."""
    return _update(service, call, "GenerateContent")


def update_embed_content_batch(service: Service, call: Call) -> Reply:
    """`batches.updateEmbedContentBatch`."""
    return _update(service, call, "EmbedContent")


def _create(service: Service, call: Call, kind: Kind) -> Reply:
    method, _ = _METHODS[kind]
    card = service.catalogue.get(call.names["model"], call.version, method)
    return create_batch(service, call, kind, f"models/{card.id}", _DIRECT[kind])


def create_batch(service: Service, call: Call, kind: Kind, model: str, direct: Handler) -> Reply:
    """Make a batch.

    Args:
        service: the emulator.
        call: the request.
        kind: what its requests are.
        model: the model of all of them, by its full name.
        direct: what answers each of them.

    Raises:
        ApiError: 400 for what cannot be.
    """
    batch = batch_of(kind, call)
    items = items_of(kind, model, batch, service, call)
    directive = call.directive.merged(service.faults.from_prompt([batch.get("displayName", "")], call.path))
    plan = Plan(
        kind,
        model.removeprefix("models/"),
        items,
        batch["inputConfig"].get("fileName", ""),
        directive.number("polls", USUAL_POLLS),
        directive.seconds("lasts"),
        asked_status(directive, _FAILED),
        batch.get("webhookConfig", {}),
    )
    created = Batch(
        plan,
        batch.get("displayName", ""),
        batch.get("priority", 0),
        _server(service, call, kind, model, direct),
        _publisher(service, call),
        service.clock,
    )
    service.batches.add(created)
    return Reply(created.view(), directive=directive)


def _server(service: Service, call: Call, kind: Kind, model: str, direct: Handler) -> Callable[[Object], Object]:
    """What answers one request of the batch, with the very words of a direct call."""
    _, verb = _METHODS[kind]
    path = f"/{call.version}/{model}:{verb}"

    def serve(request: Object) -> Object:
        one = Call("POST", path, call.version, dict(call.names), {}, call.headers, request, Directive())
        try:
            reply = direct(service, one)
            _refused(reply.directive, model.rpartition("/")[2])
        except ApiError as error:
            return {"error": status_of(error)}
        return {"response": reply.body}

    return serve


def _refused(directive: Directive, model: str) -> None:
    """Let a request fail whose prompt asks for it."""
    if any(name in directive for name in _REFUSING):
        raise directive.error(model)
    if any(name in directive for name in _BREAKING):
        raise ApiError(500)


def _publisher(service: Service, call: Call) -> Callable[[list[Object], str], str]:
    base_url = call.base_url(service.options.path_prefix)

    def publish(lines: list[Object], ident: str) -> str:
        data = "".join(dump(line) + "\n" for line in lines).encode("utf-8", "replace")
        name: str = service.files.add(data, _JSONL, base_url=base_url, ident=f"batch-{ident}")["name"]
        return name

    return publish


def _update(service: Service, call: Call, kind: Kind) -> Reply:
    batch = service.batches.find(call.names["batch"])
    if batch.plan.kind != kind:
        raise ApiError(404, f"Requested entity was not found: batches/{batch.ident} is not of type {kind}Batch.")
    given = check(f"{kind}Batch", call.body, call.version)
    mask = call.query.get("updateMask", call.query.get("update_mask", ""))
    paths = [camel(path.strip()) for path in mask.split(",") if path.strip()] or list(given)
    for path in paths:
        if path not in _CHANGEABLE:
            raise invalid(f"Field {path} in update_mask cannot be updated.")
    return Reply(batch.update({path: given.get(path) for path in paths}))


_LIST = frozenset({"pageSize", "pageToken", "page_size", "page_token", "filter", "returnPartialSuccess"})
_MASK = frozenset({"updateMask", "update_mask"})

ROUTES = (
    Route("POST", "models/{model}:batchGenerateContent", batch_generate_content, slow=True),
    Route("POST", "models/{model}:asyncBatchEmbedContent", async_batch_embed_content, slow=True),
    Route("GET", "batches", list_batches, _LIST, slow=True),
    Route("GET", "batches/{batch}", get_batch, slow=True),
    Route("DELETE", "batches/{batch}", delete_batch),
    Route("POST", "batches/{batch}:cancel", cancel_batch, slow=True),
    Route("PATCH", "batches/{batch}:updateGenerateContentBatch", update_generate_content_batch, _MASK),
    Route("PATCH", "batches/{batch}:updateEmbedContentBatch", update_embed_content_batch, _MASK),
)
