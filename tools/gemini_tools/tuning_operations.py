"""Operations: work at Google that goes on after the call which began it, as the API itself names it."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from gemini_server.api import operations as api
from gemini_server.api.operations import Operation
from gemini_server.errors import ArgumentError, NotFound, RequestRefused
from gemini_server.rest.client import Query
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.resource_view import Deleted, shown, text
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("tuning", "Operations by their names.")

LISTED = 200
PAGE = 100

_ID = r"[A-Za-z0-9][\w.\-]{0,127}"
_PARENT = re.compile(rf"(?:models|tunedModels)/{_ID}", re.ASCII)
_NAME = re.compile(
    rf"(?:models|tunedModels|corpora|generatedFiles|fileSearchStores)/{_ID}(?:/upload)?/operations/{_ID}|batches/{_ID}",
    re.ASCII,
)
_FORGOTTEN = re.compile(rf"(?:operations/)?(?:(?:models|tunedModels)/{_ID}/operations/)?{_ID}", re.ASCII)
_OBJECT = WithJsonSchema({"type": "object"})

OperationName = Annotated[str, Field(description="as the API names it: tunedModels/ID/operations/ID")]


class OperationOut(Result):
    """How work at Google stands."""

    name: str
    done: bool
    metadata: Annotated[dict[str, Any] | None, _OBJECT] = None
    response: Annotated[dict[str, Any] | None, _OBJECT] = None
    error: Annotated[dict[str, Any] | None, _OBJECT] = None


class OperationResult(Result):
    """One operation."""

    operation: OperationOut


class OperationList(Result):
    """Operations; what they brought is left out."""

    operations: list[OperationOut]
    truncated: Annotated[bool | None, Field(description="there are more")] = None


class Cancelled(Result):
    """What was asked to stop."""

    cancelled: str


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True)
async def list_operations(
    call: Call,
    parent: Annotated[
        str | None, Field(description="tunedModels/ID or models/ID whose operations are listed; all without it")
    ] = None,
    name: Annotated[str | None, Field(description="only this one: tunedModels/ID/operations/ID")] = None,
    filter: Annotated[str | None, Field(description="e.g. done=false")] = None,  # noqa: A002  the API's word
) -> OperationList:
    """List operations at Google: work that goes on after the call, such as tuning. Free. Returns operations, without
    what they brought; list_jobs shows those that this server began.
    """
    if name is not None:
        return OperationList(operations=[await _get(call, name)])
    if parent is not None and not _PARENT.fullmatch(parent.strip()):
        raise ArgumentError(
            f"{parent[:80]!r} has no operations; nothing was sent.", "Give tunedModels/ID or models/ID."
        )
    query: Query = {"pageSize": PAGE, "filter": filter}
    retry = call.progress.retry
    client = call.runtime.client
    try:
        if parent is None:
            found, more = await client.pages(
                api.LIST_ALL, items="operations", cap=LISTED, query=query, on_retry=retry
            )  # fmt: skip
        else:
            found, more = await client.pages(
                api.LIST, items="operations", cap=LISTED, query=query, on_retry=retry, parent=parent.strip()
            )
    except NotFound as error:
        raise NotFound(
            error.what, "Without parent, all operations are listed.", code=error.code, status=error.status
        ) from None
    return OperationList(operations=[_out(one, brief=True) for one in found], truncated=more or None)


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True)
async def get_operation(call: Call, name: OperationName) -> OperationResult:
    """How an operation at Google stands: of tuned models, models, corpora, stores, generated files, batches. Free.
    Returns operation, with its response or error when it is done; get_job follows those that this server began.
    """
    return OperationResult(operation=await _get(call, name))


@TOOLSET.tool(read_only=False, destructive=True, idempotent=True, open_world=True)
async def cancel_operation(call: Call, name: OperationName) -> Cancelled:
    """Ask Google to stop the tuning of a model; nothing else can be stopped so (cancel_batch, cancel_job can). Free;
    what was done by then may be billed. Returns its name.
    """
    known = _named(name)
    if not known.startswith("tunedModels/"):
        raise ArgumentError(
            f"Google cannot stop {known}: it stops operations of tuned models alone. Nothing was sent.",
            "cancel_batch stops a batch, cancel_job what this server began.",
        )
    try:
        await call.runtime.client.call(api.CANCEL, name=known)
    except NotFound as error:
        raise _absent(error, known) from None
    return Cancelled(cancelled=known)


@TOOLSET.tool(read_only=False, destructive=True, idempotent=True, open_world=True)
async def delete_operation(
    call: Call, name: Annotated[str, Field(description="operations/ID, or as list_operations names it")]
) -> Deleted:
    """Have Google forget an operation; that stops nothing. Free. Returns its name."""
    named = name.strip()
    if not _FORGOTTEN.fullmatch(named):
        raise ArgumentError(f"{named[:80]!r} is no operation; nothing was sent.", "list_operations names them.")
    known = named if named.startswith("operations/") else f"operations/{named}"
    try:
        await call.runtime.client.call(api.DELETE, name=known)
    except NotFound as error:
        raise _absent(error, known) from None
    except RequestRefused as error:
        error.remedy = "Google may keep no operations that can be deleted; they go by themselves."
        raise
    return Deleted(deleted=known)


async def _get(call: Call, name: str) -> OperationOut:
    known = _named(name)
    try:
        reply = await call.runtime.client.call(api.GET, name=known, on_retry=call.progress.retry)
    except NotFound as error:
        raise _absent(error, known) from None
    return _out(reply.value)


def _named(name: str) -> str:
    """The name of an operation.

    Raises:
        ArgumentError: it is none.
    """
    known = name.strip()
    if not _NAME.fullmatch(known):
        raise ArgumentError(f"{known[:80]!r} is no operation; nothing was sent.", "list_operations names some.")
    return known


def _absent(error: NotFound, name: str) -> NotFound:
    what = f"There is no {name} for this key: it was never there, has been deleted, or has expired."
    return NotFound(what, "list_operations shows what there is.", code=error.code, status=error.status)


def _out(operation: Operation, *, brief: bool = False) -> OperationOut:
    return OperationOut(
        name=text(operation.name),
        done=operation.done,
        metadata=shown(operation.metadata),
        response=None if brief else shown(operation.response),
        error=shown(operation.error),
    )
