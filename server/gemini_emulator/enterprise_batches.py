"""Batch prediction jobs of the Enterprise platform: create, get, list, cancel and delete.

The requests are lines of objects in Cloud Storage, the answers an object there. Source:
`projects.locations.batchPredictionJobs` of the platform's reference, and its guide to batch inference with Gemini.
"""

from __future__ import annotations

import json
import secrets

from .batch_plan import Item, Plan
from .batch_store import Batch
from .enterprise_objects import check_folder, write
from .enterprise_request import direct, found, generate_request, place_of
from .enterprise_store import Job
from .errors import ApiError, bad_fields, invalid
from .exchange import Call, Reply, Route, Service
from .faults import Directive
from .model_service import generate_content
from .models import ModelCard
from .operations import USUAL_POLLS
from .rpc_status import CODES, asked_status
from .schema import camel
from .store import page, timestamp
from .wire import Object, dump, is_list, is_object

_COLLECTION = "projects/{project}/locations/{location}/batchPredictionJobs"
_ONE = _COLLECTION + "/{job}"
_FIELDS = frozenset({"name", "displayName", "model", "inputConfig", "outputConfig", "labels", "modelParameters"})
_PAGES = frozenset({"pageSize", "pageToken", "page_size", "page_token", "filter", "readMask"})
_DONE = "type.googleapis.com/google.protobuf.Empty"


def create(service: Service, call: Call) -> Reply:
    """`batchPredictionJobs.create`."""
    place = place_of(service, call)
    request: Object = {camel(name): value for name, value in call.body.items()} if is_object(call.body) else {}
    unknown = [name for name in request if name not in _FIELDS]
    if unknown:
        raise bad_fields([("", f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')])
    card = found(service, str(request.get("model", "")), "batchGenerateContent")
    uris, folder = _input(request), _output(request)
    directive = call.directive.merged(service.faults.from_prompt([str(request.get("displayName", ""))], call.path))
    items, missing = _items(service, uris)
    plan = Plan(
        "GenerateContent", card.id, items, uris[0], directive.number("polls", USUAL_POLLS),
        directive.seconds("lasts"), asked_status(directive, "Internal error occurred.") or missing,
    )  # fmt: skip

    def publish(lines: list[Object], ident: str) -> str:
        written = [_line(line, timestamp(service.clock())) for line in lines]
        target = f"{folder}/prediction-model-{timestamp(service.clock())}"
        data = "".join(dump(line) + "\n" for line in written).encode("utf-8", "replace")
        write(service, f"{target}/predictions.jsonl", data, "application/jsonl")
        return target

    batch = Batch(
        plan, str(request.get("displayName", "")), 0,
        lambda one: _served(service, call, card, place, one), publish, service.clock,
    )  # fmt: skip
    job = Job(str(secrets.randbits(62)), request, batch)
    name = f"{place}/batchPredictionJobs/{job.ident}"
    service.projects.jobs[name] = job
    return Reply(_shown(name, job, batch.view()), directive=directive)


def get(service: Service, call: Call) -> Reply:
    """`batchPredictionJobs.get`: one look, which brings it nearer to its end."""
    name, job = _find(service, call)
    return Reply(_shown(name, job, job.batch.look()))


def list_jobs(service: Service, call: Call) -> Reply:
    """`batchPredictionJobs.list`, newest first; this is no look."""
    place = place_of(service, call)
    shown = [
        _shown(name, job, job.batch.view())
        for name, job in reversed(service.projects.jobs.items())
        if name.startswith(f"{place}/")
    ]
    size, token = call.integer("pageSize", "page_size"), call.query.get("pageToken", call.query.get("page_token", ""))
    jobs, following = page(shown, size, token)
    return Reply(
        {**({"batchPredictionJobs": jobs} if jobs else {}), **({"nextPageToken": following} if following else {})}
    )


def cancel(service: Service, call: Call) -> Reply:
    """`batchPredictionJobs.cancel`."""
    _find(service, call)[1].batch.cancel()
    return Reply()


def delete(service: Service, call: Call) -> Reply:
    """`batchPredictionJobs.delete`: an operation that is done; only a job that has ended can be deleted."""
    name, job = _find(service, call)
    if "done" not in job.batch.view():
        raise ApiError(400, f"The BatchPredictionJob {name} is not in a final state.", name="FAILED_PRECONDITION")
    del service.projects.jobs[name]
    place = place_of(service, call)
    operation = service.projects.operations.begin(place, 0, lambda: {"response": {"@type": _DONE}})
    return Reply(service.projects.operations.poll(operation["name"]))


def _input(request: Object) -> list[str]:
    given: object = request.get("inputConfig")
    source: Object = given if is_object(given) else {}
    if source.get("instancesFormat") != "jsonl":
        raise invalid("inputConfig.instancesFormat must be jsonl: other formats are not served by the emulator.")
    cloud: object = source.get("gcsSource")
    uris: object = cloud.get("uris") if is_object(cloud) else None
    listed: list[object] = uris if is_list(uris) else [uris]
    return [check_folder(uri) for uri in listed]


def _output(request: Object) -> str:
    given: object = request.get("outputConfig")
    target: Object = given if is_object(given) else {}
    if target.get("predictionsFormat") != "jsonl":
        raise invalid("outputConfig.predictionsFormat must be jsonl: other formats are not served by the emulator.")
    cloud: object = target.get("gcsDestination")
    return check_folder(cloud.get("outputUriPrefix") if is_object(cloud) else None)


def _items(service: Service, uris: list[str]) -> tuple[list[Item], Object | None]:
    """The requests of the input; and the error of a job whose input is not there or cannot be read."""
    items: list[Item] = []
    for uri in uris:
        held = service.projects.objects.get(uri)
        if held is None:
            return [], {"code": CODES["NOT_FOUND"], "message": f"The Cloud Storage object {uri} was not found."}
        for number, line in enumerate(held.data.splitlines(), 1):
            try:
                one: object = json.loads(line) if line.strip() else {"request": None}
            except ValueError:
                one = None
            if not is_object(one) or "request" not in one:
                message = f"Failed to parse line {number} of {uri}: a JSON object with a request is expected."
                return [], {"code": CODES["INVALID_ARGUMENT"], "message": message}
            if is_object(one["request"]):
                items.append(Item(one["request"], one))
    none = {"code": CODES["INVALID_ARGUMENT"], "message": "The input has no requests."}
    return items, None if items else none


def _served(service: Service, call: Call, card: ModelCard, place: str, request: Object) -> Object:
    try:
        body = generate_request(service, request, place)
        reply = generate_content(service, direct(_quiet(call), card, body))
        if "status" in reply.directive:
            raise reply.directive.error(card.id)
    except ApiError as error:
        return {"error": {"code": CODES.get(error.name, CODES["UNKNOWN"]), "message": error.message}}
    return {"response": reply.body}


def _quiet(call: Call) -> Call:
    return Call(call.method, call.path, call.version, call.names, {}, call.headers, None, Directive())


def _line(line: Object, now: str) -> Object:
    """A line of the output: the request with its response, or with what went wrong in `status`."""
    error: Object | None = line.pop("error", None)
    status = f"Error: {error['message']}" if error else ""
    return {**line, "status": status, "processed_time": now, "response": line.get("response", {})}


def _find(service: Service, call: Call) -> tuple[str, Job]:
    name = f"{place_of(service, call)}/batchPredictionJobs/{call.names['job']}"
    if name not in service.projects.jobs:
        raise ApiError(404, f"The BatchPredictionJob does not exist: {name}.")
    return name, service.projects.jobs[name]


def _shown(name: str, job: Job, operation: Object) -> Object:
    batch: Object = operation["metadata"]
    state = f"JOB_STATE_{batch['state'].removeprefix('BATCH_STATE_')}"
    stats: Object = batch["batchStats"]
    shown: Object = {"name": name, **{key: value for key, value in job.request.items() if key != "name"}}
    shown |= {"state": state, "createTime": batch["createTime"], "updateTime": batch["updateTime"]}
    if state != "JOB_STATE_PENDING":
        shown["startTime"] = batch["createTime"]
    if "endTime" in batch:
        shown["endTime"] = batch["endTime"]
    if "output" in batch:
        shown["outputInfo"] = {"gcsOutputDirectory": batch["output"]["responsesFile"]}
        names = {"successfulCount": "successfulRequestCount", "failedCount": "failedRequestCount"}
        shown["completionStats"] = {key: stats[field] for key, field in names.items() if field in stats}
    if state == "JOB_STATE_FAILED":
        shown["error"] = operation["error"]
    return shown


ROUTES = (
    Route("POST", _COLLECTION, create, slow=True),
    Route("GET", _COLLECTION, list_jobs, _PAGES, slow=True),
    Route("GET", _ONE, get, slow=True),
    Route("POST", _ONE + ":cancel", cancel, slow=True),
    Route("DELETE", _ONE, delete, slow=True),
)
