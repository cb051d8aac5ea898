"""The requests of a batch: from the call itself, or from the lines of a file.

A line that is no such request is refused when the batch is created; a request that makes no sense is an error of its
own in the finished batch. Source: the guide "Batch API", and refusals of the live service as seen in 2026.
"""

from __future__ import annotations

import json
import re

from .batch_plan import Item, Kind
from .errors import ApiError, invalid
from .exchange import Call, Service
from .schema import check, snake
from .wire import Object, dump, is_object

INLINE_LIMIT = 20 * 1024 * 1024
_NAME = re.compile(r"files/[^/]+")
_UNKNOWN = re.compile(r'Unknown name "([^"]*)"')
_BRACKET = "not repeating, cannot start list"
_MESSAGES: dict[Kind, str] = {
    "GenerateContent": "BatchGenerateContentRequest",
    "EmbedContent": "AsyncBatchEmbedContentRequest",
}


def batch_of(kind: Kind, call: Call) -> Object:
    """The `batch` of a request to create one, checked.

    Raises:
        ApiError: 400 for a body that does not fit, or has no input.
    """
    message = _MESSAGES[kind]
    batch: Object = check(message, call.body, call.version).get("batch", {})
    config: Object = batch.get("inputConfig", {})
    if not config:
        raise invalid(f"* {message}.batch.input_config: input_config is not specified\n")
    if "requests" not in config and "fileName" not in config:
        raise invalid(f"* {message}.batch.input_config: one of requests and file_name must be specified\n")
    return batch


def items_of(kind: Kind, model: str, batch: Object, service: Service, call: Call) -> list[Item]:
    """The requests of a checked batch.

    Raises:
        ApiError: 400 for none at all, for too many bytes, for a request without content or for another model, and for
            a line that cannot be read; 403 for a file that is not there.
    """
    config: Object = batch["inputConfig"]
    place = f"{_MESSAGES[kind]}.batch.input_config"
    if "fileName" in config:
        items = _lines(kind, config["fileName"], service, call.version)
        places = [f"{place}.file_name" for _ in items]
    else:
        if _size(call) > INLINE_LIMIT:
            raise invalid(f"Request payload size exceeds the limit: {INLINE_LIMIT} bytes.")
        inlined: list[Object] = config["requests"].get("requests", [])
        items = [Item(one.get("request", {}), _metadata(one)) for one in inlined]
        places = [f"{place}.requests.requests[{index}].request" for index in range(len(items))]
    if not items:
        raise invalid(f"* {place}: the batch must contain at least one request\n")
    for item, where in zip(items, places, strict=True):
        if not item.request:
            raise invalid(f"* {where}: request is not specified\n")
        if item.request.get("model", model) != model:
            raise invalid(f"* {where}.model: {item.request['model']} is not the model of the batch, {model}\n")
    return items


def _size(call: Call) -> int:
    stated = call.headers.get("content-length", "")
    return int(stated) if stated.isdecimal() else len(dump(call.body).encode())


def _metadata(inlined: Object) -> Object:
    return {"metadata": inlined["metadata"]} if "metadata" in inlined else {}


def _lines(kind: Kind, name: str, service: Service, version: str) -> list[Item]:
    if not _NAME.fullmatch(name):
        raise invalid(f"Invalid file name: {name}. It should be of the form files/{{id}}.")
    items: list[Item] = []
    for number, line in enumerate(service.files.lines(name), 1):
        if line.strip():
            fields = _line(kind, line, number, version)
            mark = {key: value for key, value in fields.items() if key != "request"}
            items.append(Item(fields.get("request", {}), mark))
    return items


def _line(kind: Kind, line: bytes, number: int, version: str) -> Object:
    try:
        text = line.decode()
        value: object = json.loads(text)
    except UnicodeDecodeError as broken:
        raise _unreadable(number, broken.start, "invalid UTF-8") from None
    except json.JSONDecodeError as broken:
        raise _unreadable(number, broken.pos, broken.msg) from None
    if not is_object(value):
        raise _unreadable(number, 0, f"unexpected character: '{text.strip()[0]}'; expected '{{'")
    try:
        return check(f"{kind}Line", value, version)
    except ApiError as error:
        why = error.message.partition("\n")[0]
        unknown = _UNKNOWN.search(why)
        if unknown is None:
            raise _unreadable(number, 0, why) from None
        name = unknown[1]
        at = max(text.find(f'"{name}"'), text.find(f'"{snake(name)}"'))
        if _BRACKET in why:
            raise _unreadable(number, text.find("[", at), "unexpected character: '['; expected '{'") from None
        raise _unreadable(number, at, f"no such field: '{name}'") from None


def _unreadable(line: int, position: int, why: str) -> ApiError:
    return invalid(f"Error on line {line}: invalid JSON, near column {max(position, 0) + 1}: {why}")
