from __future__ import annotations

import pytest
from pydantic import SecretStr

from gemini_server.errors import UnsafeSetting
from gemini_server.rest.config import ClientConfig

from .conftest import KEY


@pytest.mark.parametrize(
    "url",
    [
        "http://gateway.example/v1beta",
        "http://192.168.1.4:8080",
        "http://127.1",
        "http://2130706433",
        "http://localhost.evil.example",
        "https://user:password@gateway.example",
        "https://gateway.example/?key=abc",
        "https://gateway.example/?",
        "https://gateway.example/#part",
        "ftp://gateway.example",
        "gateway.example",
        "",
        "https://",
        "https://exa mple.com:port/",
    ],
)
def test_a_base_url_that_would_leak_the_key_is_refused(url: str) -> None:
    with pytest.raises(UnsafeSetting) as refused:
        ClientConfig(base_url=url)
    assert "GEMINI_" in refused.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        "https://generativelanguage.googleapis.com",
        "https://gateway.example:8443/team/gemini/",
        "http://127.0.0.1:8080",
        "http://127.8.9.10",
        "http://localhost:1234/prefix",
        "http://[::1]:9",
    ],
)
def test_https_anywhere_and_http_on_this_machine_are_fine(url: str) -> None:
    assert ClientConfig(base_url=url).base_url == url


def test_plain_http_in_the_house_needs_a_setting() -> None:
    assert ClientConfig(base_url="http://gateway.house:8080", allow_http=True).url.host == "gateway.house"


@pytest.mark.parametrize(
    "key", ["AIza\r\nX-Evil: 1", "AIza\nx", "AIza key", "Bearer abc", "AIza„quoted“", "AIza\x00", "ключ"]
)
def test_a_key_that_cannot_be_a_header_is_refused_with_a_remedy_and_without_showing_it(key: str) -> None:
    with pytest.raises(UnsafeSetting) as refused:
        ClientConfig(key=SecretStr(key))
    assert "GEMINI_API_KEY" in refused.value.remedy
    assert key not in str(refused.value)


def test_whitespace_around_the_key_is_taken_off() -> None:
    config = ClientConfig(key=SecretStr(f"  {KEY}\n"))
    assert config.key is not None
    assert config.key.get_secret_value() == KEY


def test_an_empty_key_is_no_key() -> None:
    assert ClientConfig(key=SecretStr("  ")).key is None


def test_the_key_is_not_in_the_repr() -> None:
    assert KEY not in repr(ClientConfig(key=SecretStr(KEY)))


@pytest.mark.parametrize("path", ["/v1beta/models", "/v1/models/", "/x/v1beta/models/gemini-3.8-flash:generateContent"])
def test_a_base_url_that_goes_on_to_the_models_is_refused(path: str) -> None:
    with pytest.raises(UnsafeSetting, match="Leave /models"):
        ClientConfig(base_url=f"https://gateway.example{path}")


@pytest.mark.parametrize("port", [65_536, 99_999])
def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(UnsafeSetting, match="65535"):
        ClientConfig(base_url=f"https://gateway.example:{port}")


@pytest.mark.parametrize("version", ["", "beta", "v1/../v2", "v", "v1gamma", "v1beta\n", "1", "v1 "])
def test_what_is_no_api_version_is_refused(version: str) -> None:
    with pytest.raises(UnsafeSetting, match="GEMINI_API_VERSION"):
        ClientConfig(api_version=version)


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha", "v1beta2", "v10"])
def test_api_versions_are_fine(version: str) -> None:
    assert ClientConfig(api_version=version).api_version == version
