"""Batches of Google's OpenAI compatibility layer: create and retrieve.

The input is a file of the Gemini API, with lines as OpenAI writes them; so is the output. The layer has no files of its
own. Source: "OpenAI compatibility" of the Gemini API, and "Batch" of OpenAI's API reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from .batch_plan import Item, Plan
from .batch_store import Batch
from .errors import ApiError
from .exchange import Call, Reply, Route, Service
from .openai_errors import refused
from .operations import USUAL_POLLS
from .rpc_status import asked_status
from .wire import Object, dump, is_object

_ENDPOINT = "/v1/chat/completions"
_JSONL = "application/jsonl"
_STATES = {
    "PENDING": "validating", "RUNNING": "in_progress", "SUCCEEDED": "completed", "FAILED": "failed",
    "CANCELLED": "cancelled", "EXPIRED": "expired",
}  # fmt: skip


def create(service: Service, call: Call, complete: Callable[[Object], Object]) -> Reply:
    """`POST …/batches`.

    Args:
        service: what the emulator shares.
        call: the request.
        complete: answers the body of one line.
    """
    body: Object = call.body if is_object(call.body) else {}
    name = str(body.get("input_file_id") or "")
    if not name:
        raise refused("Missing required parameter: 'input_file_id'.", "input_file_id")
    if body.get("endpoint") != _ENDPOINT:
        raise refused(f"Invalid value at 'endpoint': only {_ENDPOINT} is supported.", "endpoint")
    if body.get("completion_window") != "24h":
        raise refused("Invalid value at 'completion_window': only 24h is supported.", "completion_window")
    name = name if name.startswith("files/") else f"files/{name}"
    items = [_item(line, number) for number, line in enumerate(service.files.lines(name), 1) if line.strip()]
    if not items:
        raise refused("The input file has no requests.", "input_file_id")
    metadata: Object = body["metadata"] if is_object(body.get("metadata")) else {}
    directive = call.directive.merged(service.faults.from_prompt([str(one) for one in metadata.values()], call.path))
    plan = Plan(
        "GenerateContent", str(items[0].request.get("model", "")).removeprefix("models/"), items, name,
        directive.number("polls", USUAL_POLLS), directive.seconds("lasts"),
        asked_status(directive, "Batch processing failed due to an internal error."),
    )  # fmt: skip
    base_url = call.base_url(service.options.path_prefix)

    def publish(lines: list[Object], ident: str) -> str:
        written = [{"id": f"batch_req_{at}", "error": None, **line} for at, line in enumerate(lines, 1)]
        data = "".join(dump(line) + "\n" for line in written).encode("utf-8", "replace")
        return str(service.files.add(data, _JSONL, base_url=base_url, ident=f"batch-{ident}")["name"])

    batch = Batch(plan, "", 0, lambda request: _served(complete, request), publish, service.clock)
    service.batches.add(batch)
    return Reply(_shown(batch.view(), plan), directive=directive)


def retrieve(service: Service, call: Call) -> Reply:
    """`GET …/batches/{batch}`, with or without `batches/` in front of the name."""
    batch = service.batches.find(call.names["batch"])
    return Reply(_shown(batch.look(), batch.plan))


def _item(line: bytes, number: int) -> Item:
    try:
        one: object = json.loads(line)
    except ValueError:
        one = None
    if not is_object(one) or not one.get("custom_id") or not is_object(one.get("body")):
        raise refused(f"Line {number} of the input file is no request: custom_id and body are needed.", "input_file_id")
    return Item(one["body"], {"custom_id": one["custom_id"]})


def _served(complete: Callable[[Object], Object], request: Object) -> Object:
    try:
        answer = complete(request)
    except ApiError as error:
        return {"response": None, "error": {"code": str(error.status), "message": error.message}}
    return {"response": {"status_code": 200, "request_id": answer["id"], "body": answer}}


def _shown(operation: Object, plan: Plan) -> Object:
    batch: Object = operation["metadata"]
    stats: Object = batch["batchStats"]
    status = _STATES[batch["state"].removeprefix("BATCH_STATE_")]
    ended = _seconds(batch["endTime"]) if "endTime" in batch else None
    shown: Object = {
        "id": operation["name"],
        "object": "batch",
        "endpoint": _ENDPOINT,
        "input_file_id": plan.file_name,
        "completion_window": "24h",
        "status": status,
        "created_at": _seconds(batch["createTime"]),
        "output_file_id": batch.get("output", {}).get("responsesFile"),
        "error_file_id": None,
        "request_counts": {
            "total": int(stats.get("requestCount", 0)),
            "completed": int(stats.get("successfulRequestCount", 0)),
            "failed": int(stats.get("failedRequestCount", 0)),
        },
        "errors": None,
    }
    if ended is not None:
        shown[f"{status}_at"] = ended
    if "error" in operation:
        error: Object = operation["error"]
        one = {"code": str(error["code"]), "message": error["message"], "param": None, "line": None}
        shown["errors"] = {"object": "list", "data": [one]}
    return shown


def _seconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp())


ROUTES = (
    Route("GET", "openai/batches/{batch}", retrieve, slow=True),
    Route("GET", "openai/batches/batches/{batch}", retrieve, slow=True),
)
