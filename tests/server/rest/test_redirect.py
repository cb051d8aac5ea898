from __future__ import annotations

from typing import Any

import anyio
import httpx2
import pytest

from gemini_server.errors import BadAnswer
from gemini_server.rest.redirect import Gate, is_private

from .conftest import KEY, MakeClient
from .loopback import Loopback, redirect, reply
from .shapes import DELETE, GENERATE, GET, MODEL, Prompt

pytestmark = pytest.mark.anyio

GOOGLE = Gate(httpx2.URL("https://generativelanguage.googleapis.com"))
LOCAL = Gate(httpx2.URL("http://127.0.0.1:8080/prefix"))
SECURE_LOCAL = Gate(httpx2.URL("https://127.0.0.1:8080"))

HOSTILE = [
    "2130706433",
    "0x7f000001",
    "0x7F.1",
    "0177.0.0.1",
    "127.1",
    "127.0.0.1.",
    "0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.192",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:a9fe:a9fe::1]",
    "[fec0::1]",
    "[fe80::1]",
    "[fc00::1]",
    "[ff02::1]",
    "8.8.8.8",
    "[2606:4700::1111]",
    "localhost",
    "evil.example",
    "googleapis.com.evil.example",
    "evilgoogleapis.com",
    "generativelanguage.googleapis.com.",
    "metadata.google.internal",
]


@pytest.mark.parametrize("host", HOSTILE)
def test_no_spelling_of_another_host_is_followed(host: str) -> None:
    for scheme in ("https", "http"):
        try:
            url = httpx2.URL(f"{scheme}://{host}/x")
        except httpx2.InvalidURL:
            continue
        with pytest.raises(BadAnswer):
            GOOGLE.admit(url)


@pytest.mark.parametrize("host", [h for h in HOSTILE if h not in ("localhost", "[::1]")])
def test_a_base_url_on_this_machine_opens_loopback_and_nothing_else(host: str) -> None:
    try:
        url = httpx2.URL(f"http://{host}/x")
    except httpx2.InvalidURL:
        return
    with pytest.raises(BadAnswer):
        LOCAL.admit(url)


@pytest.mark.parametrize(
    ("gate", "url", "keyed"),
    [
        (GOOGLE, "https://generativelanguage.googleapis.com/v1beta/x", True),
        (GOOGLE, "https://generativelanguage.googleapis.com:443/x", True),
        (GOOGLE, "https://storage.googleapis.com/x", False),
        (GOOGLE, "https://lh3.googleusercontent.com/x", False),
        (LOCAL, "http://127.0.0.1:8080/other", True),
        (LOCAL, "http://127.0.0.1:8081/x", False),
        (LOCAL, "https://127.0.0.1:8080/x", False),
        (LOCAL, "http://localhost:8080/x", False),
        (LOCAL, "http://[::1]:8080/x", False),
        (LOCAL, "https://storage.googleapis.com/x", False),
        (SECURE_LOCAL, "https://localhost/x", False),
    ],
)
def test_the_key_goes_only_to_its_own_origin(gate: Gate, url: str, keyed: bool) -> None:
    assert gate.admit(httpx2.URL(url)) is keyed


@pytest.mark.parametrize(
    ("gate", "url"),
    [
        (GOOGLE, "http://generativelanguage.googleapis.com/x"),
        (GOOGLE, "http://storage.googleapis.com/x"),
        (GOOGLE, "https://storage.googleapis.com:8443/x"),
        (GOOGLE, "https://user@generativelanguage.googleapis.com/x"),
        (GOOGLE, "https://generativelanguage.googleapis.com@evil.example/x"),
        (GOOGLE, "ftp://storage.googleapis.com/x"),
        (SECURE_LOCAL, "http://127.0.0.1:8080/x"),
        (SECURE_LOCAL, "http://localhost/x"),
        (LOCAL, "ftp://127.0.0.1:8080/x"),
    ],
)
def test_a_fall_in_safety_is_refused(gate: Gate, url: str) -> None:
    with pytest.raises(BadAnswer) as refused:
        gate.admit(httpx2.URL(url))
    assert refused.value.code == "redirect_refused"


def test_a_public_address_is_not_private() -> None:
    assert not is_private("8.8.8.8")
    assert not is_private("storage.googleapis.com")


async def test_the_key_never_reaches_another_origin(make_client: MakeClient) -> None:
    async with Loopback(reply(b'{"text":"there"}')) as other, Loopback(redirect(307, f"{other.url}/there")) as home:
        answer = await make_client(home.url).call(GENERATE, body=Prompt(text="hi"), model=MODEL)
    assert answer.value.text == "there"
    assert home.seen[0].header("x-goog-api-key") == KEY
    (seen,) = other.seen
    assert KEY not in str(seen)
    assert (seen.method, seen.target, seen.body) == ("POST", "/there", b'{"text":"hi"}')
    assert seen.all("host") == [f"127.0.0.1:{other.port}"]


@pytest.mark.parametrize("auth", ["bearer", "raw"])
async def test_no_form_of_the_key_reaches_another_origin(make_client: MakeClient, auth: str) -> None:
    async with Loopback() as other, Loopback(redirect(302, other.url)) as home:
        await make_client(home.url, auth=auth).call(GET, name="files/x")
    assert KEY in str(home.seen)
    assert KEY not in str(other.seen)


async def test_the_key_comes_back_when_the_redirects_come_home(make_client: MakeClient) -> None:
    async with Loopback() as other, Loopback(redirect(302, f"{other.url}/a"), reply(b'{"text":"home"}')) as home:
        other.plays = [redirect(302, f"{home.url}/b")]
        await make_client(home.url).call(GET, name="files/x")
    assert [seen.header("x-goog-api-key") for seen in home.seen] == [KEY, KEY]
    assert [seen.header("x-goog-api-key") for seen in other.seen] == [None]


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/computeMetadata/v1/",
        "https://evil.example/x",
        "//evil.example/x",
        "http://2130706433/",
        "http://[::ffff:169.254.169.254]/",
        "\\\\evil.example\\x",
        "https:\\\\evil.example",
        "http://[::1",
        "",
        "javascript:alert(1)",
        "file:///etc/passwd",
    ],
)
async def test_nothing_is_connected_to_for_a_refused_hop(
    make_client: MakeClient, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []
    connect = anyio.connect_tcp

    async def spy(remote_host: str, *args: Any, **kwargs: Any) -> Any:
        connected.append(remote_host)
        return await connect(remote_host, *args, **kwargs)

    monkeypatch.setattr(anyio, "connect_tcp", spy)
    async with Loopback(redirect(302, location)) as home:
        with pytest.raises(BadAnswer) as refused:
            await make_client(home.url).call(GET, name="files/x")
    assert refused.value.code == "redirect_refused"
    assert connected == ["127.0.0.1"]
    assert len(home.seen) == 1


async def test_a_loop_ends_after_five_hops(make_client: MakeClient) -> None:
    async with Loopback(redirect(302, "/again")) as home:
        with pytest.raises(BadAnswer, match="more than 5"):
            await make_client(home.url).call(GET, name="files/x")
    assert len(home.seen) == 6


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_redirect_that_would_lose_a_post_is_not_followed(make_client: MakeClient, status: int) -> None:
    async with Loopback(redirect(status, "/elsewhere")) as home:
        with pytest.raises(BadAnswer, match="turn a POST into a GET"):
            await make_client(home.url).call(GENERATE, body=Prompt(text="hi"), model=MODEL)
    assert len(home.seen) == 1


async def test_a_delete_keeps_its_method_or_is_not_followed(make_client: MakeClient) -> None:
    async with Loopback(redirect(308, "/elsewhere"), reply()) as home:
        await make_client(home.url).call(DELETE, name="files/x")
        home.plays = [redirect(302, "/elsewhere")]
        with pytest.raises(BadAnswer, match="turn a DELETE into a GET"):
            await make_client(home.url).call(DELETE, name="files/x")
    assert [seen.method for seen in home.seen] == ["DELETE", "DELETE", "DELETE"]


async def test_a_read_follows_every_kind_of_redirect(make_client: MakeClient) -> None:
    plays = [redirect(status, f"/{status}") for status in (301, 302, 303, 307, 308)]
    async with Loopback(*plays, reply(b'{"text":"at last"}')) as home:
        answer = await make_client(home.url).call(GET, name="files/x")
    assert answer.value.text == "at last"
    assert [seen.target for seen in home.seen] == ["/v1beta/files/x", "/301", "/302", "/303", "/307", "/308"]
    assert [seen.header("x-goog-api-key") for seen in home.seen] == [KEY] * 6
