from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from gemini_server.errors import NotFound

from .conftest import MakeClient
from .shapes import LIST

pytestmark = pytest.mark.anyio


class Pages(httpx2.AsyncBaseTransport):
    """Three models a page, `count` pages; page 1 is asked for without a token."""

    def __init__(self, count: int, *, loop: bool = False) -> None:
        self.count, self.loop = count, loop
        self.queries: list[dict[str, list[str]]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        query = parse_qs(urlsplit(str(request.url)).query)
        self.queries.append(query)
        page = int(query.get("pageToken", ["1"])[0])
        body: dict[str, object] = {"models": [f"{page}-{i}" for i in range(3)]}
        if self.loop or page < self.count:
            body["nextPageToken"] = "2" if self.loop else str(page + 1)
        return httpx2.Response(200, content=json.dumps(body).encode())


async def test_pages_are_followed_to_the_end(make_client: MakeClient) -> None:
    pages = Pages(3)
    items, truncated = await make_client(transport=pages).pages(LIST, items="models", query={"pageSize": 3})
    assert items == [f"{p}-{i}" for p in (1, 2, 3) for i in range(3)]
    assert not truncated
    assert pages.queries == [
        {"pageSize": ["3"]},
        {"pageSize": ["3"], "pageToken": ["2"]},
        {"pageSize": ["3"], "pageToken": ["3"]},
    ]


@pytest.mark.parametrize(("cap", "count", "truncated"), [(4, 4, True), (6, 6, True), (9, 9, False), (100, 9, False)])
async def test_the_cap_ends_the_list_and_says_whether_there_is_more(
    make_client: MakeClient, cap: int, count: int, truncated: bool
) -> None:
    items, more = await make_client(transport=Pages(3)).pages(LIST, items="models", cap=cap)
    assert (len(items), more) == (count, truncated)


async def test_a_token_that_comes_twice_ends_the_list(make_client: MakeClient) -> None:
    pages = Pages(3, loop=True)
    items, truncated = await make_client(transport=pages).pages(LIST, items="models")
    assert (len(items), truncated, len(pages.queries)) == (6, True, 2)


async def test_a_list_without_items_is_empty(make_client: MakeClient) -> None:
    class Nothing(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, content=b"{}")

    assert await make_client(transport=Nothing()).pages(LIST, items="models") == ([], False)


async def test_an_error_on_any_page_is_the_error(make_client: MakeClient) -> None:
    class Gone(Pages):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            answer = await super().handle_async_request(request)
            return answer if len(self.queries) == 1 else httpx2.Response(404, content=b"{}")

    with pytest.raises(NotFound):
        await make_client(transport=Gone(3)).pages(LIST, items="models")
