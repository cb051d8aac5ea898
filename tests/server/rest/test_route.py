from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import Endpoint
from gemini_server.rest.route import QueryValue, Routes, check_name

from .shapes import ALPHA, DELETE, GENERATE, GET, LIST, MODEL, UPLOAD


def url(
    base: str,
    endpoint: Endpoint[Any],
    query: Mapping[str, QueryValue] | None = None,
    *,
    version: str = "v1beta",
    sse: bool = False,
    **names: str,
) -> str:
    return Routes(httpx2.URL(base), version).url(endpoint, names, query, sse=sse)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://g.example", "https://g.example/v1beta/models"),
        ("https://g.example/", "https://g.example/v1beta/models"),
        ("https://g.example:8443/team/x/", "https://g.example:8443/team/x/v1beta/models"),
        ("https://g.example/v1beta", "https://g.example/v1beta/models"),
        ("https://g.example/team/v1beta/", "https://g.example/team/v1beta/models"),
        ("https://g.example/xv1beta", "https://g.example/xv1beta/v1beta/models"),
        ("http://[::1]:8080/p", "http://[::1]:8080/p/v1beta/models"),
    ],
)
def test_prefix_and_version_are_joined_without_repeating_either(base: str, expected: str) -> None:
    assert url(base, LIST) == expected


def test_a_version_at_the_end_of_the_base_url_gives_way_to_the_place_that_the_endpoint_wants() -> None:
    assert url("https://g.example/x/v1beta", UPLOAD) == "https://g.example/x/upload/v1beta/files"
    assert url("https://g.example/x/v1beta", ALPHA) == "https://g.example/x/v1alpha/auth_tokens"
    assert url("https://g.example/x", ALPHA) == "https://g.example/x/v1alpha/auth_tokens"
    assert url("https://g.example/x/v1", LIST, version="v1") == "https://g.example/x/v1/models"


def test_a_version_at_the_end_of_the_base_url_wins_over_the_default_and_over_nothing_else() -> None:
    assert url("https://g.example/x/v1/", LIST) == "https://g.example/x/v1/models"
    assert url("https://g.example/v1alpha2", UPLOAD) == "https://g.example/upload/v1alpha2/files"
    assert url("https://g.example/v1", ALPHA) == "https://g.example/v1alpha/auth_tokens"
    assert url("https://g.example/v1beta", LIST, version="v1alpha") == "https://g.example/v1alpha/models"
    assert url("https://g.example/v1x", LIST) == "https://g.example/v1x/v1beta/models"


def test_a_resource_name_fills_the_path() -> None:
    assert url("https://g.example", GENERATE, model=MODEL) == f"https://g.example/v1beta/{MODEL}:generateContent"
    name = "fileSearchStores/s-1/upload/operations/o_2"
    assert url("https://g.example", GET, name=name) == f"https://g.example/v1beta/{name}"


@pytest.mark.parametrize(
    "value",
    [
        "../../v1beta/files",
        "models/x:generateContent?key=",
        "x%2F..",
        "files/../tunedModels/x",
        "operations/x?foo",
        "files/x#y",
        "files//x",
        "files/./x",
        "files/x/..",
        "files/x/.",
        "files/x/",
        "/files/x",
        ".hidden",
        "files/x\r\nHost: evil",
        "files/x\n",
        "files/x y",
        "files/ключ",
        "files/\uff0e\uff0e/x",
        "files/x\x00",
        "a" * 257,
        "",
        "https://evil.example/x",
        "files\\x",
        "@evil.example",
    ],
)
def test_what_is_not_a_resource_name_never_reaches_the_path(value: str) -> None:
    with pytest.raises(ArgumentError, match="'name'"):
        url("https://g.example", GET, name=value)


@given(st.text(max_size=300))
def test_whatever_passes_stays_inside_its_place_in_the_path(value: str) -> None:
    try:
        quoted = check_name("name", value)
    except ArgumentError:
        return
    target = httpx2.URL("https://g.example/v1beta/").join(f"/v1beta/{quoted}")
    assert target.raw_path == f"/v1beta/{value}".encode()
    assert target.host == "g.example"


def test_dots_inside_a_name_are_fine() -> None:
    assert check_name("model", "models/gemini-3.8-flash..x") == "models/gemini-3.8-flash..x"


def test_the_query_leaves_out_none_and_spells_bools_in_lower_case() -> None:
    assert url("https://g.example", DELETE, {"force": True}, name="f/1") == "https://g.example/v1beta/f/1?force=true"
    assert (
        url("https://g.example", LIST, {"pageSize": 5, "pageToken": None})
        == "https://g.example/v1beta/models?pageSize=5"
    )
    assert url("https://g.example", LIST, {"pageToken": "a&b=c"}).endswith("?pageToken=a%26b%3Dc")
    assert url("https://g.example", LIST, {"pageSize": 1}, sse=True).endswith("?pageSize=1&alt=sse")


def test_a_parameter_that_the_endpoint_does_not_know_is_a_bug() -> None:
    with pytest.raises(TypeError, match="filter"):
        url("https://g.example", LIST, {"filter": "x"})
    with pytest.raises(TypeError, match="model"):
        url("https://g.example", GENERATE)
    with pytest.raises(TypeError, match="other"):
        url("https://g.example", GENERATE, model=MODEL, other="x")
