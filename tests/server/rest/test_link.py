"""Links in answers: which URL is asked, and which links are none."""

from __future__ import annotations

import httpx2
import pytest

from gemini_server.errors import BadAnswer
from gemini_server.rest.link import Links
from gemini_server.rest.route import Routes

GOOGLE = "https://generativelanguage.googleapis.com"


def links(base: str = GOOGLE, version: str = "v1beta") -> Links:
    home = httpx2.URL(base)
    return Links(home, Routes(home, version))


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("files/abc-1", "/v1beta/files/abc-1?alt=media"),
        ("files/abc-1:download", "/v1beta/files/abc-1:download?alt=media"),
        ("/v1beta/files/abc:download?alt=media", "/v1beta/files/abc:download?alt=media"),
        ("v1/files/abc", "/v1/files/abc?alt=media"),
        ("download/v1beta/files/abc:download", "/download/v1beta/files/abc:download?alt=media"),
        ("fileSearchStores/s/media/b", "/v1beta/fileSearchStores/s/media/b?alt=media"),
        (f"{GOOGLE}/v1beta/files/abc", "/v1beta/files/abc?alt=media"),
        (f"{GOOGLE}:443/v1beta/files/abc", "/v1beta/files/abc?alt=media"),
        (f"{GOOGLE}/v1beta/files/abc:download", "/v1beta/files/abc:download?alt=media"),
        (f"{GOOGLE}/v1beta/files/abc:download?alt=media", "/v1beta/files/abc:download?alt=media"),
        (f"{GOOGLE}/v1beta/files/abc?x=1#part", "/v1beta/files/abc?x=1&alt=media"),
        (f"{GOOGLE}/download/v1beta/files/a:download", "/download/v1beta/files/a:download?alt=media"),
        (f"{GOOGLE}/v1beta/generatedFiles/a:download", "/v1beta/generatedFiles/a:download?alt=media"),
        (f"{GOOGLE}/v1beta/models/m", "/v1beta/models/m"),
        (f"{GOOGLE}/media/x.mp4?token=a%2Fb", "/media/x.mp4?token=a%2Fb"),
    ],
)
@pytest.mark.parametrize(
    ("base", "root"),
    [
        (GOOGLE, GOOGLE),
        ("https://gateway.example/gemini", "https://gateway.example/gemini"),
        ("https://gateway.example/gemini/v1beta/", "https://gateway.example/gemini"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_a_link_of_the_api_is_asked_of_the_base_url_under_its_prefix(uri: str, path: str, base: str, root: str) -> None:
    assert str(links(base).url(uri)) == root + path


@pytest.mark.parametrize(
    ("base", "uri", "expected"),
    [
        (
            "https://gw.example/x",
            "https://gw.example/x/v1beta/files/a",
            "https://gw.example/x/v1beta/files/a?alt=media",
        ),
        ("http://127.0.0.1:1", "http://127.0.0.1:1/v1beta/files/a", "http://127.0.0.1:1/v1beta/files/a?alt=media"),
        ("http://127.0.0.1:1", "http://127.0.0.1:2/v1beta/files/a", "http://127.0.0.1:2/v1beta/files/a"),
    ],
)
def test_a_link_of_the_base_url_itself_gets_its_media_too(base: str, uri: str, expected: str) -> None:
    assert str(links(base).url(uri)) == expected


@pytest.mark.parametrize(
    "uri",
    [
        "https://storage.googleapis.com/b/o?X-Goog-Signature=abc",
        "https://x.googleusercontent.com/a=m18?k=v",
        "https://eu-generativelanguage.googleapis.com/v1beta/files/a",
        "http://generativelanguage.googleapis.com/v1beta/files/a",
        "https://generativelanguage.googleapis.com:8443/v1beta/files/a",
        "https://generativelanguage.googleapis.com.evil.example/v1beta/files/a",
    ],
)
def test_no_other_host_is_rewritten(uri: str) -> None:
    assert str(links("https://gateway.example/gemini").url(uri)) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        " ",
        "files/a b",
        "files/../../etc/passwd",
        "files/a\r\nX-Evil: 1",
        "files/a:delete",
        "files/a?alt=media&key=1",
        "?alt=media",
        "ftp://generativelanguage.googleapis.com/a",
        "file:///etc/passwd",
        "data:video/mp4;base64,AAAA",
        "javascript:alert(1)",
        "//evil.example/x",
        "https://",
        "https://evil.example\\@generativelanguage.googleapis.com/x",
        f"{GOOGLE}/v1beta/../../admin",
        f"{GOOGLE}/v1beta/%2e%2E/admin",
        f"{GOOGLE}/v1beta/%2e",
        f"{GOOGLE}/v1beta/files/é",
        f"{GOOGLE}/{'x' * 20_000}",
    ],
)
def test_what_is_no_plain_link_is_refused(uri: str) -> None:
    with pytest.raises(BadAnswer, match="Nothing was sent"):
        links("https://gateway.example/gemini").url(uri)
