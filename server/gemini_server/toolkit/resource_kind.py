"""One kind of resource: how it is named and shown, how its methods are called, and how a function becomes a tool."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from pydantic import BaseModel

from gemini_server.errors import BadAnswer, NotFound, RequestRefused, ToolserverError
from gemini_server.rest.client import Query
from gemini_server.rest.endpoint import Endpoint
from gemini_server.toolkit import owners
from gemini_server.toolkit import resource_view as view
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.foreign_names import check_said
from gemini_server.toolkit.resource_arguments import Given, remember
from gemini_server.toolkit.resource_names import Name, placed
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import ToolFunction, Toolset

_FORBIDDEN = 403
_ABSENT = 404
_CALL = inspect.Parameter("call", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Call)


@dataclass(frozen=True)
class ResourceKind:
    """One kind of resource, and the toolset in which its tools are.

    Attributes:
        toolset: where they are registered.
        one: what one is called, in results and in the names of tools: `agent`.
        answer: what Google says of one.
        name: how one is named; None of what has no name of its own.
        many: what several are called; `one` with an s by default.
        parent: the name of what they are in.
        retired: one sentence for what upstream has shut down or is about to: that it is, and what to use instead. It
            ends each description, and every refusal.
        lists: the tool that lists them, where it is not `list_` and what several are called.
    """

    toolset: Toolset
    one: str
    answer: type[BaseModel]
    name: Name | None = None
    many: str = ""
    parent: Name | None = None
    retired: str = ""
    lists: str = ""

    @property
    def lister(self) -> str:
        """The tool that lists them."""
        return self.lists or f"list_{self.plural}"

    @property
    def plural(self) -> str:
        """What several are called."""
        return self.many or f"{self.one}s"

    def of_one_member(
        self,
        tool: str,
        described: str,
        parameters: list[inspect.Parameter],
        member: str,
        endpoint: Endpoint[Any],
        run: Callable[[Call, Given], Awaitable[Any]],
        *,
        items: str = "",
        **hints: bool,
    ) -> ToolFunction:
        """A tool whose result has one member, which holds what `run` gives."""
        result = _result(tool, member, endpoint.answer, items)
        several = bool(items) and view.is_list(endpoint.answer, items)

        async def shown(call: Call, given: Given) -> Result:
            value = view.shown(await run(call, given))
            if items and items not in value and not several:
                raise BadAnswer(
                    f"Gemini's answer has no {items}.", "It was done all the same: look before you do it again."
                )
            if items:
                value = value.get(items, [])
            return result.model_validate({member: value})

        return self.made(tool, described, parameters, result, shown, **hints)

    def made(
        self,
        tool: str,
        described: str,
        parameters: list[inspect.Parameter],
        result: type[Result],
        run: Callable[[Call, Given], Awaitable[Result]],
        **hints: bool,
    ) -> ToolFunction:
        """The function of a tool, with the signature that its arguments are read from."""
        names = [parameter.name for parameter in parameters]
        if len(set(names)) != len(names):
            raise TypeError(f"{tool} has two arguments of one name: {names}")

        async def function(call: Call, **given: Any) -> Result:
            remember(list(given.values()))
            return await run(call, {name: value for name, value in given.items() if value is not None})

        made = cast("Any", function)
        made.__name__ = made.__qualname__ = tool
        made.__doc__ = f"{described} {self.retired}".strip()
        made.__signature__ = inspect.Signature([_CALL, *parameters], return_annotation=result)
        made.__annotations__ = {
            "call": Call,
            **{parameter.name: parameter.annotation for parameter in parameters},
            "return": result,
        }
        return self.toolset.tool(open_world=True, **cast("Any", hints))(function)

    def named(self, name: Name | None, given: Given) -> str:
        """The whole name that a call gives; empty where the method takes none."""
        return name.full(given[name.argument]) if name else ""

    async def ask(
        self,
        call: Call,
        endpoint: Endpoint[Any],
        name: Name | None,
        full: str,
        body: BaseModel | None,
        query: Query,
        *,
        billed: bool = False,
    ) -> Any:
        """What a method answers; one that is billed only where the day's cap has room, and a place is free."""
        path = cast("dict[str, Any]", placed(endpoint, name, full))
        await self.check_owner(call, name, full)
        if body is not None and call.has_others:
            await check_said(call, body.model_dump(mode="json", exclude_none=True))
        async with AsyncExitStack() as stack:
            if billed:
                await call.runtime.may_spend(call.principal)
                await stack.enter_async_context(call.runtime.slot())
            reply = await call.runtime.client.call(
                endpoint, body=body, query=query or None, on_retry=call.progress.retry, **path
            )
        return reply.value

    async def check_owner(self, call: Call, name: Name | None, full: str) -> None:
        """See that what a call is about is not another caller's.

        Raises:
            NotFound: it is; the same is said of one that is not there.
        """
        if full and not self.retired and await owners.theirs(call, [full]):
            self.explain(NotFound("It is another caller's.", code="not_found", status=_ABSENT), name, full)

    def whole_name(self, one: object) -> str:
        """The whole name of what an answer shows; empty where it has none, or where nobody asks whose it is."""
        told = getattr(one, "id", None) or getattr(one, "name", None)  # beside an id, a name is a label
        if self.name is None or self.retired or not isinstance(told, str) or not told:
            return ""
        return told if "/" in told else self.name.template.replace("*", told)

    def explain(self, error: ToolserverError, name: Name | None, full: str) -> NoReturn:
        """Raise a failure with what to do next.

        Raises:
            ToolserverError: `error`, or what it means here.
        """
        absent = isinstance(error, NotFound) or (isinstance(error, RequestRefused) and error.status == _FORBIDDEN)
        if absent and full and not self.retired:
            own = name is self.name
            look = f"{self.lister} shows what there is." if own else "Check the name."
            what = f"There is no {full} for this key: it was never there, was deleted, or has expired."
            raise NotFound(what, look, code=error.code, status=error.status) from None
        if self.retired and isinstance(error, NotFound | RequestRefused):
            error.remedy = self.retired
        raise error


def _result(tool: str, member: str, answer: type[BaseModel], items: str) -> type[Result]:
    if items:
        return view.of_value(tool, member, answer.model_fields[items].annotation)
    return view.of_one(tool, member, answer) if view.has_members(answer) else view.of_name(tool, member)


def said(endpoint: Endpoint[Any], name: Name | None, full: str) -> str:
    """A name as the other tools show it: the id where paths take no more."""
    return next(iter(placed(endpoint, name, full).values()), full)
