"""Tools made from endpoint values: created, listed, updated, deleted, acted upon; of both families of the API.

    TOOLSET = Toolset("retrieval", "Corpora of the Semantic Retriever.")
    CORPUS = Name("corpus", "corpora/*")
    DOCUMENTS = ResourceTools(
        TOOLSET, "corpus_document", api.Document, Name("name", "corpora/*/documents/*"), parent=CORPUS,
        retired="Google has shut this service down: use create_store and search_stores.",
    )
    create_corpus_document = DOCUMENTS.created(api.CREATE, "Create a document in a corpus. Free.", body=api.NewDocument)
    list_corpus_documents = DOCUMENTS.listed(api.LIST, "List the documents of a corpus. Free.", get=api.GET)
    update_corpus_document = DOCUMENTS.updated(api.UPDATE, "Change a document. Free.", body=api.DocumentChange)
    delete_corpus_document = DOCUMENTS.deleted(api.DELETE, "Delete a document. Free.", queries=api.Force)
    query_corpus_document = DOCUMENTS.acted(
        api.QUERY, "Search a document. Free.", tool="query_corpus_document", body=api.Query, items="relevant_chunks",
        member="relevant_chunks", read_only=True,
    )

Each gives back the tool's function, which is registered under the name `create_corpus_document` and so on, or under
the one that `tool=` gives. The members of the body's type are the arguments, with their types and descriptions; one of
the type `Secret` is a secret argument, a `Literal` of one value is sent as it is and no argument. `parent` is an
argument of its own where something is created or listed; the name of the resource is another. A batch action is an
`acted` on the parent (`on=CORPUS`) whose `request` makes the body that is sent from the one that is asked for.

What comes back is `{"corpus_document": {…}}`, `{"corpus_documents": […]}`, `{"deleted": "…"}`: the members that the
answer's type declares, by their Python names, cleaned (see `resource_view`). Failures say which tool to look with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from pydantic import BaseModel

from gemini_server.errors import (
    ArgumentError,
    BadAnswer,
    MayHaveBeenBilled,
    Overloaded,
    ToolserverError,
)
from gemini_server.rest.endpoint import Endpoint
from gemini_server.toolkit import owners
from gemini_server.toolkit import resource_view as view
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.resource_arguments import Given, body_of, members_of, naming, query_of, takes
from gemini_server.toolkit.resource_kind import ResourceKind, said
from gemini_server.toolkit.resource_names import Name, placed
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import ToolFunction

__all__ = ["Name", "ResourceTools"]

LISTED = 200
"""The most that one list shows."""
PAGE = 100

Request = Callable[[BaseModel, str], BaseModel]
"""Makes what is sent of what was asked for, and of the whole name that it is about."""


class ResourceTools(ResourceKind):
    """Makes the tools of one kind of resource; see `ResourceKind` for its attributes."""

    def created(
        self,
        endpoint: Endpoint[Any],
        described: str,
        *,
        body: type[BaseModel],
        tool: str = "",
        member: str = "",
        queries: type[BaseModel] | None = None,
        request: Request | None = None,
        billed: bool = False,
    ) -> ToolFunction:
        """A tool that creates one: `create_agent(…) → {"agent": {…}}`.

        Args:
            endpoint: the POST; `repeat="background"`, unless a second one does no harm.
            described: the description.
            body: whose members are arguments.
            tool: the tool's name, in place of `create_agent`.
            member: of the result, in place of `agent` (an operation, for one).
            queries: whose members are arguments that go into the query: an id of one's own choice.
            request: makes what is sent of the body and of the whole name of the parent.
            billed: whether the daily cap is looked at before.
        """
        named = tool or f"create_{self.one}"

        async def run(call: Call, given: Given) -> Any:
            full = self.named(self.parent, given)
            wanted = body_of(body, given, but=queries)
            try:
                made = await self.ask(
                    call, endpoint, self.parent, full, request(wanted, full) if request else wanted,
                    query_of(queries, given), billed=billed,
                )  # fmt: skip
            except (Overloaded, MayHaveBeenBilled, BadAnswer) as error:
                error.remedy = f"It may exist: see {self.lister} before you create it again."
                raise
            except ToolserverError as error:
                self.explain(error, self.parent, full)
            await owners.claim(call, self.whole_name(made))
            return made

        parameters = [*naming(self.parent), *members_of(body), *members_of(queries)]
        return self.of_one_member(
            named, described, parameters, member or self.one, endpoint, run,
            read_only=False, destructive=False, idempotent=False,
        )  # fmt: skip

    def listed(
        self,
        endpoint: Endpoint[Any],
        described: str,
        *,
        get: Endpoint[Any] | None = None,
        tool: str = "",
        items: str = "",
        queries: type[BaseModel] | None = None,
        page: int = PAGE,
        most: int = LISTED,
    ) -> ToolFunction:
        """A tool that lists them, or shows one: `list_agents(id?) → {"agents": […]}`.

        Args:
            endpoint: the GET of a page.
            described: the description.
            get: the GET of one; without it the tool takes no name.
            tool: the tool's name, in place of `list_agents`.
            items: the member of the answer, in place of `agents`.
            queries: whose members are arguments that filter the list.
            page: how many are asked for at once.
            most: how many are shown; `truncated` says that there are more.
        """
        named = tool or self.lister
        single = self.name if get is not None else None

        async def run(call: Call, given: Given) -> Result:
            inside = self.named(self.parent, given)
            query = query_of(queries, given)
            if single is not None and get is not None and given.get(single.argument) is not None:
                if query:
                    raise ArgumentError(f"{single.argument} names one: {', '.join(query)} cannot choose among it.")
                full = single.full(given[single.argument], inside or None)
                try:
                    one = await self.ask(call, get, single, full, None, {})
                except ToolserverError as error:
                    self.explain(error, single, full)
                return result.model_validate({self.plural: [view.shown(one)]})
            size = next((name for name in ("pageSize", "page_size") if name in endpoint.query), None)
            try:
                await self.check_owner(call, self.parent, inside)
                found, more = await call.runtime.client.pages(
                    endpoint,
                    items=items or self.plural,
                    cap=most,
                    query={**query, **({size: page} if size else {})},
                    on_retry=call.progress.retry,
                    **cast("dict[str, Any]", placed(endpoint, self.parent, inside)),
                )
            except ToolserverError as error:
                self.explain(error, self.parent, inside)
            names = [self.whole_name(one) for one in found]
            theirs = await owners.theirs(call, names)
            found = [one for one, name in zip(found, names, strict=True) if name not in theirs]
            return result.model_validate(
                {self.plural: view.shown(found, longest=view.LONGEST_LISTED), "truncated": more or None}
            )

        result = view.of_many(named, self.plural, self.answer)
        parameters = [*naming(self.parent), *naming(single, optional=True), *members_of(queries)]
        return self.made(named, described, parameters, result, run, read_only=True, destructive=False, idempotent=True)

    def updated(
        self,
        endpoint: Endpoint[Any],
        described: str,
        *,
        body: type[BaseModel],
        tool: str = "",
        queries: type[BaseModel] | None = None,
        request: Request | None = None,
        unmasked: tuple[str, ...] = (),
    ) -> ToolFunction:
        """A tool that changes what is given of one: `update_webhook(id, …) → {"webhook": {…}}`.

        Args:
            endpoint: the PATCH; where it takes an update mask, that names what was given.
            described: the description.
            body: whose members are arguments.
            tool: the tool's name, in place of `update_webhook`.
            queries: whose members are arguments that go into the query.
            request: makes what is sent of the body and of the whole name.
            unmasked: members that are sent and are no change by themselves.
        """
        named = tool or f"update_{self.one}"
        mask = next((name for name in ("updateMask", "update_mask") if name in endpoint.query), None)

        async def run(call: Call, given: Given) -> Any:
            full = self.named(self.name, given)
            wanted = body_of(body, given, but=queries)
            changed = [
                info.alias or name
                for name, info in body.model_fields.items()
                if name not in unmasked and given.get(name) is not None
            ]
            if not changed:
                raise ArgumentError("Nothing is given that is to change; nothing was sent.", takes(body, unmasked))
            query = query_of(queries, given)
            if mask:
                query[mask] = ",".join(changed)
            try:
                return await self.ask(
                    call, endpoint, self.name, full, request(wanted, full) if request else wanted, query
                )
            except ToolserverError as error:
                self.explain(error, self.name, full)

        parameters = [*naming(self.name), *members_of(body), *members_of(queries)]
        return self.of_one_member(
            named, described, parameters, self.one, endpoint, run,
            read_only=False, destructive=True, idempotent=True,
        )  # fmt: skip

    def deleted(
        self,
        endpoint: Endpoint[Any],
        described: str,
        *,
        tool: str = "",
        queries: type[BaseModel] | None = None,
    ) -> ToolFunction:
        """A tool that deletes one: `delete_agent(id) → {"deleted": "…"}`.

        Args:
            endpoint: the DELETE.
            described: the description.
            tool: the tool's name, in place of `delete_agent`.
            queries: whose members are arguments that go into the query (`force`).
        """

        async def run(call: Call, given: Given) -> Result:
            full = self.named(self.name, given)
            try:
                await self.ask(call, endpoint, self.name, full, None, query_of(queries, given))
            except ToolserverError as error:
                self.explain(error, self.name, full)
            return view.Deleted(deleted=said(endpoint, self.name, full))

        parameters = [*naming(self.name), *members_of(queries)]
        return self.made(
            tool or f"delete_{self.one}", described, parameters, view.Deleted, run,
            read_only=False, destructive=True, idempotent=True,
        )  # fmt: skip

    def acted(
        self,
        endpoint: Endpoint[Any],
        described: str,
        *,
        tool: str,
        member: str = "",
        items: str = "",
        on: Name | None = None,
        body: type[BaseModel] | None = None,
        queries: type[BaseModel] | None = None,
        request: Request | None = None,
        empty: type[BaseModel] | None = None,
        read_only: bool = False,
        destructive: bool = False,
        idempotent: bool = False,
        billed: bool = False,
    ) -> ToolFunction:
        """A tool that does something with one, or with what they are in.

        Args:
            endpoint: the POST of a verb.
            described: the description.
            tool: the tool's name.
            member: of the result: holds the answer or, where that says nothing, the name; `one` by default.
            items: the member of the answer that is shown alone: a list, or a value that is always there.
            on: the name of what it is done to, in place of the resource's own.
            body: whose members are arguments.
            queries: whose members are arguments that go into the query.
            request: makes what is sent of the body and of the whole name.
            empty: the type of a body without members that the method wants all the same.
            read_only: nothing changes.
            destructive: something is deleted or overwritten.
            idempotent: a second call changes nothing more.
            billed: whether the daily cap is looked at before.
        """
        target = on or self.name
        shown_as = member or self.one

        async def run(call: Call, given: Given) -> Any:
            full = self.named(target, given)
            wanted = body_of(body, given, but=queries) if body else empty() if empty else None
            made = request(wanted, full) if request and wanted is not None else wanted
            try:
                answer = await self.ask(call, endpoint, target, full, made, query_of(queries, given), billed=billed)
            except ToolserverError as error:
                self.explain(error, target, full)
            return answer if view.has_members(endpoint.answer) else said(endpoint, target, full)

        hints = {"read_only": read_only, "destructive": destructive, "idempotent": idempotent}
        parameters = [*naming(target), *(members_of(body) if body else ()), *members_of(queries)]
        return self.of_one_member(tool, described, parameters, shown_as, endpoint, run, items=items, **hints)
