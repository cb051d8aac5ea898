"""read_urls through the front door: which pages were read, which not, and what is not even asked for."""

from __future__ import annotations

from typing import Any

import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, said, sent, warned
from tests.front.grounded import CLEANED, MESS, QUOTED, spans, supported

pytestmark = pytest.mark.anyio

GOOD = "https://a.example/tides-of-brittany"


async def read(connect: Connect, urls: list[str], *, settings: Json | None = None, **arguments: Any) -> Json:
    async with connect(toolsets=("search",), **settings or {}) as client:
        return structured(await client.call_tool("read_urls", {"urls": urls, "question": "What is it?", **arguments}))


def read_as(**statuses: str) -> Json:
    entries = [{"retrievedUrl": url, "urlRetrievalStatus": f"URL_RETRIEVAL_STATUS_{s}"} for url, s in statuses.items()]
    return {"urlContextMetadata": {"urlMetadata": entries}}


async def test_pages_are_asked_for_in_the_prompt_and_answered_from(connect: Connect, emulator: Emulator) -> None:
    urls = [GOOD, "http://b.example/x?y=1&z=%C3%BC", GOOD]
    answer = await read(connect, urls)
    body = sent(emulator)
    assert body["tools"] == [{"urlContext": {}}]
    [part] = body["contents"][0]["parts"]
    assert part["text"].startswith("What is it?\n")
    assert part["text"].splitlines()[-2:] == urls[:2]
    assert answer["pages"] == [{"url": url, "status": "success"} for url in urls[:2]]
    assert "“Tides of brittany”" in answer["text"]
    assert answer["untrusted"] == "pages"
    assert not answer.keys() & {"incomplete", "warnings", "citations"}


async def test_pages_that_cannot_be_read_are_named_and_the_answer_is_incomplete(connect: Connect) -> None:
    statuses = {
        GOOD: "success",
        "https://missing.example/x": "error",
        "https://paywall.example/": "paywall",
        "https://very-unsafe.example/": "unsafe",
    }
    async with connect(toolsets=("search",)) as client:
        result = await client.call_tool("read_urls", {"urls": list(statuses), "question": "?"})
    answer = structured(result)
    assert {page["url"]: page["status"] for page in answer["pages"]} == statuses
    assert answer["incomplete"] is True
    assert "3 of 4 pages could not be read" in warned(answer)
    assert all(f"[page] {status}: {url}" in text_of(result) for url, status in statuses.items())


async def test_an_answer_from_no_page_is_an_error_that_names_each_and_a_remedy(connect: Connect) -> None:
    urls = ["https://missing.example/x", "https://paywall.example/", "https://unsafe.example/"]
    async with connect(toolsets=("search",)) as client:
        error = error_of(await client.call_tool("read_urls", {"urls": urls, "question": "?"}))
    for url, status in zip(urls, ("error", "paywall", "unsafe"), strict=True):
        assert f"{url}: {status}" in error
    assert "billed" in error
    assert "Check the addresses" in error


async def test_twenty_long_addresses_make_no_long_error(connect: Connect) -> None:
    urls = [f"https://missing{n}.example/{'x' * 1900}" for n in range(20)]
    async with connect(toolsets=("search",)) as client:
        error = error_of(await client.call_tool("read_urls", {"urls": urls, "question": "?"}))
    assert all(f"https://missing{n}.example/" in error for n in range(20))


async def test_an_answer_that_tells_of_no_page_is_not_taken_for_one_from_the_pages(
    connect: Connect, fake: FakeGemini
) -> None:
    fake.say(said("I remember that page."))
    async with connect(toolsets=("search",), base_url=fake.url) as client:
        error = error_of(await client.call_tool("read_urls", {"urls": [GOOD], "question": "?"}))
    assert f"{GOOD}: error" in error


async def test_a_page_that_gemini_does_not_tell_of_counts_as_not_read(connect: Connect, fake: FakeGemini) -> None:
    fake.say(said("Half.", **read_as(**{f"{GOOD}/": "SUCCESS"})))
    answer = await read(connect, [GOOD, "https://b.example/"], settings={"base_url": fake.url})
    assert answer["pages"] == [
        {"url": f"{GOOD}/", "status": "success"},
        {"url": "https://b.example/", "status": "error"},
    ]
    assert answer["incomplete"] is True
    assert "does not say whether it read 1" in warned(answer)


async def test_a_redirected_page_is_shown_where_it_is_and_a_new_status_is_no_success(
    connect: Connect, fake: FakeGemini
) -> None:
    elsewhere = {"https://c.example/moved": "SUCCESS", "https://b.example/": "TOO_LARGE"}
    fake.say(said("Moved.", **read_as(**elsewhere)))
    answer = await read(connect, [GOOD, "https://b.example/"], settings={"base_url": fake.url})
    assert answer["pages"] == [
        {"url": "https://c.example/moved", "status": "success"},
        {"url": "https://b.example/", "status": "error"},
    ]


@pytest.mark.parametrize("kind", QUOTED)
async def test_a_citation_quotes_exactly_after_cleaning(connect: Connect, fake: FakeGemini, kind: str) -> None:
    before, quoted = f"{MESS}ß ", QUOTED[kind]
    grounding = supported(before, quoted, {"web": {"uri": GOOD, "title": "A"}})
    fake.say(said(f"{before}{quoted}", **grounding, **read_as(**{GOOD: "SUCCESS"})))
    answer = await read(connect, [GOOD], settings={"base_url": fake.url})
    assert spans(answer) == [CLEANED[kind]]
    assert answer["untrusted"] == "web+pages"


PRIVATE = [
    "http://localhost/", "http://LOCALHOST.:8080/x", "http://127.0.0.1/", "http://127.1/", "http://2130706433/",
    "http://0x7f.0.0.1/", "http://10.0.0.1/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[fe80::1]/",
    "http://printer/", "http://nas.local/", "http://metadata.google.internal/", "http://router.lan/",
    "http://a.home.arpa/", "http://ⓛocalhost/", "http://127。0。0。1/", "http://0.0.0.0/", "http://0177.0.0.1/",
]  # fmt: skip
CREDENTIALS = ["https://user:secret@a.example/", "https://token@a.example/", "https://@a.example/"]
NO_ADDRESSES = [
    "ftp://a.example/", "file:///etc/passwd", "a.example", "javascript:alert(1)", "https://", "https://[::1", "",
    "https://a.example:port/", "https://a.example/ b", "https://a.example/\u202e", "https://a.example\\@b.example/",
    "https://a.example/\nIgnore", f"https://a.example/{'x' * 2000}",
]  # fmt: skip


@pytest.mark.parametrize("url", [*PRIVATE, *CREDENTIALS, *NO_ADDRESSES])
async def test_an_address_that_google_cannot_or_should_not_read_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator, url: str
) -> None:
    async with connect(toolsets=("search",)) as client:
        error = error_of(await client.call_tool("read_urls", {"urls": [GOOD, url], "question": "?"}))
    assert "Address 2 in urls" in error
    assert "secret" not in error
    assert ("private host" in error) is (url in PRIVATE)
    assert ("user name or password" in error) is (url in CREDENTIALS)
    assert not emulator.requests


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"urls": []}, "urls is empty"),
        ({"urls": [f"https://a{n}.example/" for n in range(21)]}, "at most 20 pages"),
        ({"question": "  "}, "question is empty"),
    ],
)
async def test_nothing_to_read_or_to_ask_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator, arguments: Json, words: str
) -> None:
    async with connect(toolsets=("search",)) as client:
        given = {"urls": [GOOD], "question": "?", **arguments}
        assert words in error_of(await client.call_tool("read_urls", given))
    assert not emulator.requests
