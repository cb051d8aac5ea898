"""Credentials through the front door: a key that was rotated, and Google's own on the Enterprise backend."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gemini_emulator import Options, running
from tests.conftest import Connect, structured, text_of
from tests.front.conftest import TODAY, FakeGemini, Reply, ask, said
from tests.server.rest.loopback import Loopback, reply_json

pytestmark = pytest.mark.anyio

OLD, NEW = "AIzaSyOLDoldOLDoldOLDoldOLDoldOLDold123", "AIzaSyNEWnewNEWnewNEWnewNEWnewNEWnew123"


async def test_a_key_that_was_rotated_in_its_file_needs_no_restart(
    connect: Connect, fake: FakeGemini, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(OLD)
    bad = {
        "error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key expired. Please renew the API key."}
    }
    fake.say(said("one"), Reply(bad, status=400), said("two"))
    async with connect(key=None, key_file=file, base_url=fake.url) as client:
        assert (await ask(client))["text"] == "one"
        file.write_text(NEW)
        answer = await ask(client)
    assert answer["text"] == "two"
    assert "retries" not in answer
    assert [one["x-goog-api-key"] for one in fake.headers] == [OLD, OLD, NEW]


async def test_googles_own_credentials_open_the_enterprise_backend_and_the_doctor_says_whose_they_are(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ:
        if name.startswith("GOOGLE"):
            monkeypatch.delenv(name)
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    options = Options(today=TODAY, dialect="enterprise", enterprise=("acme", "global"))
    granted = reply_json({"access_token": "ya29.a-secret-token", "expires_in": 3600, "token_type": "Bearer"})
    async with Loopback(granted) as tokens, running(options) as platform:
        account = {
            "type": "service_account",
            "private_key": key.private_bytes(serialization.Encoding.PEM, form, none).decode(),
            "client_email": "robot@acme.iam.gserviceaccount.com",
            "token_uri": f"{tokens.url}/token",
        }
        (tmp_path / "account.json").write_text(json.dumps(account))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
        chosen = {"backend": "enterprise", "auth": "google", "project": "acme", "base_url": platform.url}
        async with connect(key=None, **chosen) as client:
            assert (await ask(client, "Say only 'hi'"))["text"] == "[emulated] hi"
            status = await client.call_tool("server_status", {})
    [credential] = [one for one in structured(status)["checks"] if one["name"] == "key"]
    assert "the service account robot@acme.iam.gserviceaccount.com, quota of acme" in credential["detail"]
    assert "a-secret-token" not in text_of(status)
    assert len(tokens.seen) == 1
    assert platform.requests[0]["path"].startswith("/v1beta1/projects/acme/locations/global/")


async def test_a_key_file_that_is_not_used_may_be_missing(connect: Connect, fake: FakeGemini, tmp_path: Path) -> None:
    fake.say(Reply({"models": []}))
    async with connect(key=NEW, key_file=tmp_path / "none", base_url=fake.url) as client:
        status = structured(await client.call_tool("server_status", {}))
    assert [one["status"] for one in status["checks"] if one["name"] == "key"] == ["ok"]
