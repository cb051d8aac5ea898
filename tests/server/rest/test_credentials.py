"""What a client shows: keys that are read again, Google's own credentials, and where either of them goes."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.lowlevel
import keyring
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from keyring.backend import KeyringBackend

from gemini_server.errors import BadAnswer, ConnectionFailed, KeyMissing, KeyRefused, NotFound
from gemini_server.redaction import redact
from gemini_server.rest import credentials
from gemini_server.rest.backend import DEVELOPER, Backend
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.config import Auth, ClientConfig
from gemini_server.rest.credentials import from_file, from_keyring
from gemini_server.rest.google_credentials import GoogleCredentials

from .conftest import MakeClient
from .loopback import Loopback, Play, Seen, redirect, reply, reply_json
from .shapes import GENERATE, GET, MODEL, START, STREAM, Prompt

pytestmark = pytest.mark.anyio

OLD, NEW = "AIzaSyOLDoldOLDoldOLDoldOLDoldOLDold123", "AIzaSyNEWnewNEWnewNEWnewNEWnewNEWnew123"
FOREIGN = {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "Request had invalid credentials."}}
BAD_KEY = {
    "error": {
        "code": 400,
        "status": "INVALID_ARGUMENT",
        "message": "API key not valid. Please pass a valid API key.",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}],
    }
}


def opens(*good: str, refusal: Any = FOREIGN) -> Play:
    """Answers those who show one of these, and refuses all others."""

    async def play(seen: Seen, writer: Any) -> None:
        shown = seen.header("x-goog-api-key") or seen.header("authorization") or ""
        accepted = shown.removeprefix("Bearer ") in good
        told = {"text": "done"} if accepted else refusal
        await reply_json(told, 200 if accepted else refusal["error"]["code"])(seen, writer)

    return play


def shown(server: Loopback) -> list[str | None]:
    return [one.header("x-goog-api-key") or one.header("authorization") for one in server.seen]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(NEW)
    return file


@pytest.mark.parametrize("refusal", [FOREIGN, BAD_KEY])
async def test_a_key_file_is_read_again_when_google_refuses_the_key(
    make_client: MakeClient, key_file: Path, refusal: Any
) -> None:
    async with Loopback(opens(NEW, refusal=refusal)) as server:
        client = make_client(server.url, credential=from_file("api-key", OLD, key_file))
        answer = await client.call(GENERATE, body=Prompt(text="hi"), model=MODEL)
        assert (answer.value.text, answer.retries) == ("done", 0)
        await client.call(START, body=Prompt(text="hi"))
    assert shown(server) == [OLD, NEW, NEW]
    assert NEW not in redact(f"the key is {NEW}")


async def test_calls_in_parallel_all_go_on_with_the_new_key(make_client: MakeClient, key_file: Path) -> None:
    async with Loopback(opens(NEW)) as server:
        client = make_client(server.url, credential=from_file("api-key", OLD, key_file))
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(lambda: client.call(GET, name="files/x"))
    assert shown(server).count(NEW) == 8


@pytest.mark.parametrize("text", [OLD, "", "two words", "AIzaSyTHIRD" + "x" * 28])
async def test_a_call_is_sent_once_more_at_most_and_only_with_another_key(
    make_client: MakeClient, key_file: Path, text: str
) -> None:
    key_file.write_text(text)
    async with Loopback(opens(NEW)) as server:
        client = make_client(server.url, credential=from_file("api-key", OLD, key_file))
        with pytest.raises(KeyRefused, match="put a valid key into the key file") as failed:
            await client.call(GENERATE, body=Prompt(text="hi"), model=MODEL)
    assert failed.value.status == 401
    assert shown(server) == ([OLD, text] if text.startswith("AIzaSyTHIRD") else [OLD])


async def test_a_key_from_the_environment_is_not_tried_again(make_client: MakeClient) -> None:
    async with Loopback(reply_json(FOREIGN, 401)) as server:
        with pytest.raises(KeyRefused, match="set GEMINI_API_KEY"):
            await make_client(server.url).call(GET, name="files/x")
    assert len(server.seen) == 1


@pytest.mark.parametrize(("auth", "words"), [("api-key", "restrictions of the key"), ("bearer", "Vertex AI User")])
async def test_what_a_credential_may_not_do_is_no_reason_to_look_for_another(
    make_client: MakeClient, key_file: Path, auth: Any, words: str
) -> None:
    denied = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "Permission denied."}}
    async with Loopback(reply_json(denied, 403)) as server:
        client = make_client(server.url, credential=from_file(auth, OLD, key_file))
        with pytest.raises(KeyRefused, match=words):
            await client.call(GET, name="files/x")
    assert len(server.seen) == 1


async def test_a_stream_and_a_download_begin_with_the_new_key_too(make_client: MakeClient, key_file: Path) -> None:
    event = b'data: {"text": "done"}\r\n\r\n'
    refused, video = reply_json(FOREIGN, 401), reply(b"bytes", content_type="video/mp4")
    async with Loopback(refused, reply(event, content_type="text/event-stream"), refused, video) as server:
        for credential in (from_file("api-key", OLD, key_file), from_file("bearer", OLD, key_file)):
            client = make_client(server.url, credential=credential)
            if len(server.seen) == 0:
                async with client.stream(STREAM, body=Prompt(text="hi"), model=MODEL) as events:
                    assert [one.text async for one in events] == ["done"]
            else:
                async with client.open_download("files/a") as opened:
                    assert b"".join([piece async for piece in opened.chunks()]) == b"bytes"
    assert shown(server) == [OLD, NEW, f"Bearer {OLD}", f"Bearer {NEW}"]


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = cast(Any, 1)
    held: str | None = None

    def get_password(self, service: str, username: str) -> str | None:
        assert (service, username) == ("gemini-toolserver", "key")
        return self.held

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@pytest.fixture
def ring() -> Iterator[Ring]:
    before: KeyringBackend = keyring.get_keyring()
    ring: Ring = cast(Any, Ring)()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


async def test_the_keyring_is_read_when_a_key_is_needed_and_when_it_is_refused(
    make_client: MakeClient, ring: Ring
) -> None:
    async with Loopback(opens(OLD), opens(NEW)) as server:
        client = make_client(server.url, credential=from_keyring("api-key"))
        with pytest.raises(KeyMissing, match="keyring set gemini-toolserver key"):
            await client.call(GET, name="files/x")
        ring.held = OLD
        await client.call(GET, name="files/x")
        ring.held = NEW
        await client.call(GET, name="files/x")
    assert shown(server) == [OLD, OLD, NEW]


class Tokens:
    """A token endpoint and the API on one loopback server."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.lasts = 3600
        self.refusal: Play | None = None
        self.accepted: set[str] | None = None

    async def play(self, seen: Seen, writer: Any) -> None:
        if seen.target != "/token":
            play = opens(*(self.given if self.accepted is None else self.accepted))
        elif self.refusal is not None:
            play = self.refusal
        else:
            self.given.append(f"ya29.token-number-{len(self.given) + 1}")
            play = reply_json({"access_token": self.given[-1], "expires_in": self.lasts, "token_type": "Bearer"})
        await play(seen, writer)


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def service_account(private_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes the file of a service account whose tokens come from a server, and makes it the default."""
    for name in os.environ:
        if name.startswith("GOOGLE") or name.endswith(("_proxy", "_PROXY")):
            monkeypatch.delenv(name)

    def write(server: Loopback) -> None:
        account = {
            "type": "service_account",
            "project_id": "acme",
            "private_key_id": "1",
            "private_key": private_key,
            "client_email": "robot@acme.iam.gserviceaccount.com",
            "token_uri": f"{server.url}/token",
        }
        (tmp_path / "account.json").write_text(json.dumps(account))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))

    return write


async def test_calls_in_parallel_share_one_token_which_is_never_shown(
    make_client: MakeClient, tokens: Tokens, service_account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "payer")
    async with Loopback(tokens.play) as server:
        service_account(server)
        credential = GoogleCredentials()
        client = make_client(server.url, key=None, credential=credential)
        async with anyio.create_task_group() as tasks:
            for _ in range(6):
                tasks.start_soon(lambda: client.call(GET, name="files/x"))
        told = await credential.describe(offline=False)
    assert len(tokens.given) == 1
    calls = [one for one in server.seen if one.target != "/token"]
    assert {one.header("authorization") for one in calls} == {f"Bearer {tokens.given[0]}"}
    assert {one.header("x-goog-user-project") for one in calls} == {"payer"}
    assert tokens.given[0] not in redact(f"token={tokens.given[0]}")
    assert "service account robot@acme.iam.gserviceaccount.com, quota of payer" in told


async def test_a_token_that_is_about_to_expire_or_was_refused_is_replaced(
    make_client: MakeClient, tokens: Tokens, service_account: Any
) -> None:
    tokens.lasts = 60
    async with Loopback(tokens.play) as server:
        service_account(server)
        client = make_client(server.url, auth="google", key=None, project="mine")
        await client.call(GET, name="files/x")
        tokens.lasts = 3600
        await client.call(GET, name="files/x")
        assert len(tokens.given) == 2, "a minute is too short for what may take ten"
        await client.call(GET, name="files/x")
        assert len(tokens.given) == 2
        tokens.accepted = {"ya29.token-number-3"}
        await client.call(GENERATE, body=Prompt(text="hi"), model=MODEL)
    assert len(tokens.given) == 3
    assert server.seen[-1].header("x-goog-user-project") == "mine"


async def test_a_token_that_cannot_be_had_says_what_to_do(
    make_client: MakeClient, tokens: Tokens, service_account: Any
) -> None:
    tokens.refusal = reply_json({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
    async with Loopback(tokens.play) as server:
        service_account(server)
        client = make_client(server.url, auth="google", key=None)
        with pytest.raises(KeyRefused, match="Invalid JWT Signature") as refused:
            await client.call(GET, name="files/x")
    assert "gcloud auth application-default login" in refused.value.remedy
    assert {one.target for one in server.seen} == {"/token"}
    with pytest.raises(ConnectionFailed, match="nothing was sent"):
        await client.call(GET, name="files/x")


async def test_without_credentials_or_the_library_it_says_how_to_get_them(
    make_client: MakeClient, service_account: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(KeyMissing, match="no application default credentials"):
        await make_client(auth="google", key=None).call(GET, name="files/x")
    monkeypatch.setitem(sys.modules, "google.auth", None)
    with pytest.raises(KeyMissing, match=r"gemini-toolserver\[google\]"):
        await make_client(auth="google", key=None).call(GET, name="files/x")


OBJECT = "/storage/v1/b/acme/o/films%2Fa%2520b.mp4?alt=media"


async def test_an_object_in_cloud_storage_is_opened_with_the_token_and_a_redirect_takes_none_along(
    make_client: MakeClient,
) -> None:
    async with Loopback(reply(b"film", content_type="video/mp4")) as storage, Loopback() as home:
        home.plays = [redirect(302, storage.url + OBJECT)]
        client = stored(make_client, home, storage)
        for link in ("gs://acme/films/a%20b.mp4", "files/a"):
            async with client.open_download(link) as opened:
                assert b"".join([piece async for piece in opened.chunks()]) == b"film"
    assert [(one.target, one.header("authorization")) for one in storage.seen] == [
        (OBJECT, f"Bearer {NEW}"),
        (OBJECT, None),
    ]
    assert shown(home) == [f"Bearer {NEW}"]


@pytest.mark.parametrize(
    ("status", "message"), [(404, "No such object"), (403, "robot@acme does not have storage.objects.get access.")]
)
async def test_an_object_that_may_not_be_read_is_named(make_client: MakeClient, status: int, message: str) -> None:
    missing = {"error": {"code": status, "message": message}}
    async with Loopback(reply_json(missing, status)) as storage, Loopback() as home:
        with pytest.raises(NotFound, match=r"no object gs://acme/x\.mp4 in Cloud Storage"):
            async with stored(make_client, home, storage).open_download("gs://acme/x.mp4"):
                pass
        with pytest.raises(BadAnswer, match="no access"):
            async with make_client(home.url, backend=DEVELOPER).open_download("gs://acme/x.mp4"):
                pass
    assert not home.seen


def stored(make_client: MakeClient, home: Loopback, storage: Loopback) -> GeminiClient:
    backend = Backend("test", "a backend with Cloud Storage", storage=storage.url)
    return make_client(home.url, backend=backend, credential=from_file("bearer", NEW, Path("none")))


@pytest.mark.parametrize("auth", ["api-key", "bearer", "raw"])
def test_without_a_key_of_a_gateway_the_gateway_is_named_and_not_google(auth: Auth) -> None:
    config = ClientConfig("https://gateway.example:8443/gemini", key=None, auth=auth)
    with pytest.raises(KeyMissing, match=r"the gateway at gateway\.example gives one") as missing:
        credentials.of(config).check()
    assert "google" not in missing.value.remedy


async def test_a_key_file_that_became_a_pipe_or_a_heap_keeps_nobody_waiting_and_the_old_key_stays(
    make_client: MakeClient, key_file: Path
) -> None:
    async with Loopback(opens(NEW)) as server:
        client = make_client(server.url, credential=from_file("api-key", OLD, key_file))
        for make in (lambda: os.mkfifo(key_file), lambda: key_file.write_bytes(b"x" * 100_000)):
            key_file.unlink()
            make()
            with anyio.fail_after(5), pytest.raises(KeyRefused, match="put a valid key into the key file"):
                await client.call(GET, name="files/x")
    assert shown(server) == [OLD, OLD]


async def test_a_keyring_that_fails_in_its_own_way_or_waits_for_a_password_is_not_waited_for(
    make_client: MakeClient, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = threading.Event()
    client = make_client("http://127.0.0.1:9", credential=from_keyring("api-key"))

    def broken(service: str, username: str) -> str | None:
        raise RuntimeError("the bus has gone")

    monkeypatch.setattr(ring, "get_password", broken)
    with pytest.raises(KeyMissing, match="the bus has gone"):
        await client.call(GET, name="files/x")

    def waiting(service: str, username: str) -> str | None:
        password.wait(10)
        return OLD

    monkeypatch.setattr(ring, "get_password", waiting)
    try:
        with anyio.fail_after(5), pytest.raises(ConnectionFailed):
            await client.call(GET, name="files/x", timeout=0.2)
        assert not password.is_set()
    finally:
        password.set()


async def test_a_file_of_credentials_that_cannot_be_opened_is_named(
    make_client: MakeClient, service_account: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path))
    with pytest.raises(KeyMissing, match="cannot be read") as missing:
        await make_client(auth="google", key=None).call(GET, name="files/x")
    assert "GOOGLE_APPLICATION_CREDENTIALS" in missing.value.remedy


async def test_calls_that_wait_for_a_token_that_cannot_be_had_hear_so_together(
    make_client: MakeClient, tokens: Tokens, service_account: Any
) -> None:
    tokens.refusal = reply_json({"error": "invalid_grant"}, 400)
    failures: list[str] = []
    async with Loopback(tokens.play) as server:
        service_account(server)
        client = make_client(server.url, auth="google", key=None)

        async def ask() -> None:
            with pytest.raises(KeyRefused) as refused:
                await client.call(GET, name="files/x")
            failures.append(refused.value.what)

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(ask)
        assert (len(failures), len(server.seen)) == (20, 1)
        tokens.refusal = None
        await client.call(GET, name="files/x")


async def test_a_token_that_came_after_its_call_was_cancelled_is_the_one_that_is_shown(
    make_client: MakeClient, tokens: Tokens, service_account: Any
) -> None:
    tokens.lasts = 60
    asked, answer = anyio.Event(), anyio.Event()

    async def late(seen: Seen, writer: Any) -> None:
        asked.set()
        await answer.wait()
        tokens.refusal = None
        await tokens.play(seen, writer)

    async with Loopback(tokens.play) as server:
        service_account(server)
        credential = GoogleCredentials()
        client = make_client(server.url, key=None, credential=credential)
        await client.call(GET, name="files/x")
        tokens.lasts, tokens.refusal = 3600, late
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(credential.headers)
            await asked.wait()
            tasks.cancel_scope.cancel()
        answer.set()
        with anyio.fail_after(5):
            while not cast(Any, credential)._credentials.valid:
                await anyio.lowlevel.checkpoint()
        headers = dict(await credential.headers())
    assert headers[b"authorization"] == f"Bearer {tokens.given[-1]}".encode() != b"Bearer ya29.token-number-1"
