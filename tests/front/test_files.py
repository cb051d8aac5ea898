"""upload_file and its neighbours through the front door, against the emulator."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_types import TextResourceContents

from gemini_emulator import Emulator
from gemini_server.toolkit import upload_source
from gemini_server.toolkit.work import upload
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini
from tests.front.uploading import CHUNK, GRANULE, commands, film, noise, sent, small_chunks, started, uploads

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
ALL = ("all",)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    small_chunks(monkeypatch)


@pytest.fixture
def allowed(connect: Connect, tmp_path: Path) -> Path:
    return tmp_path / "allowed"


async def uploaded(client: Client, source: str, **arguments: Any) -> Json:
    """The structured result of upload_file, which must succeed."""
    return structured(await client.call_tool("upload_file", {"source": source, **arguments}))


async def refused(client: Client, source: str, **arguments: Any) -> str:
    """What upload_file says when it fails."""
    return error_of(await client.call_tool("upload_file", {"source": source, **arguments}))


@pytest.mark.parametrize("mode", ERAS)
async def test_a_file_is_uploaded_in_chunks_and_can_be_used(
    connect: Connect, emulator: Emulator, allowed: Path, mode: str
) -> None:
    data = noise(3 * CHUNK + 77, mode)
    (allowed / "clip.bin").write_bytes(data)
    async with connect(mode=mode, poll=0.02) as client:
        result = await client.call_tool("upload_file", {"source": "clip.bin"})
    answer = structured(result)
    file = answer["file"]
    assert file["name"].startswith("files/")
    assert file["uri"].endswith(f"/v1beta/{file['name']}")
    assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert (file["state"], file["display_name"]) == ("ACTIVE", "clip.bin")
    assert file["expires"].startswith("20")
    assert file["name"] in text_of(result)
    assert commands(emulator) == ["start", "upload", "upload", "upload", "upload, finalize"]
    assert sent(emulator) == len(data)
    [description] = started(emulator)
    assert description == {
        "name": file["name"],
        "displayName": "clip.bin",
        "mimeType": "application/octet-stream",
        "sizeBytes": str(len(data)),
    }
    for one in uploads(emulator):
        assert ("x-goog-api-key" in one["headers"]) == (one["headers"]["x-goog-upload-command"] == "start")


async def test_a_film_is_waited_for_until_google_has_processed_it(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "a.mp4").write_bytes(film(GRANULE))
    async with connect(poll=0.02) as client:
        answer = await uploaded(client, "a.mp4", display_name="[emulate: polls=3]")
    assert answer["file"]["state"] == "ACTIVE"
    assert answer["file"]["mime_type"] == "video/mp4"
    assert sum(one["method"] == "GET" for one in emulator.requests) >= 3


async def test_when_time_runs_out_there_is_a_job_that_get_job_finishes(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "a.mp4").write_bytes(film(GRANULE, "job"))
    async with connect(poll=0.05) as client:
        begun = await uploaded(client, "a.mp4", wait_seconds=0)
        assert "file" not in begun
        assert begun["job"]["kind"] == "upload"
        assert begun["job"]["cost_usd"] == 0
        assert "Do not start it again" in begun["job"]["next"]
        done = structured(await client.call_tool("get_job", {"job": begun["job"]["id"], "wait_seconds": 20}))
    assert done["status"] == "done"
    assert done["result"]["file"]["state"] == "ACTIVE"


async def test_what_google_cannot_process_fails_with_its_reason(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "a.mp4").write_bytes(film(GRANULE, "bad"))
    async with connect(poll=0.02) as client:
        text = await refused(client, "a.mp4", display_name="[emulate: outcome=failed message=The_film_is_broken]")
    assert "Google could not process the file" in text
    assert "The film is broken" in text


async def test_other_bytes_at_google_are_deleted_there_and_told(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "a.bin").write_bytes(noise(5000, "wrong"))
    async with connect(poll=0.02) as client:
        text = await refused(client, "a.bin", display_name="[emulate: digest=wrong]")
    assert "is not the file" in text
    assert hashlib.sha256(noise(5000, "wrong")).hexdigest() in text
    [description] = started(emulator)
    deleted = [one["path"] for one in emulator.requests if one["method"] == "DELETE"]
    assert deleted == [f"/v1beta/{description['name']}"]


@pytest.mark.parametrize("spelling", ["raw", "hex", "none"])
async def test_every_spelling_of_the_digest_is_read(
    connect: Connect, emulator: Emulator, allowed: Path, spelling: str
) -> None:
    (allowed / "a.bin").write_bytes(noise(5000, spelling))
    async with connect(poll=0.02) as client:
        answer = await uploaded(client, "a.bin", display_name=f"[emulate: digest={spelling}]")
    if spelling == "none":
        assert "not compared" in answer["warnings"][0]
    else:
        assert answer["file"]["sha256"] == hashlib.sha256(noise(5000, spelling)).hexdigest()


async def test_the_same_bytes_are_uploaded_once_whatever_their_name(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    for name in ("one.bin", "two.bin"):
        (allowed / name).write_bytes(noise(CHUNK + 5, "same"))
    (allowed / "other.bin").write_bytes(noise(CHUNK + 5, "other"))
    async with connect(poll=0.02) as client:
        first = await uploaded(client, "one.bin")
        for name in ("one.bin", "two.bin"):
            again = await uploaded(client, name, display_name="Another name")
            assert again["file"]["name"] == first["file"]["name"]
            assert "nothing was sent" in again["warnings"][0]
            assert "keeps the display name" in again["warnings"][1]
        assert len(started(emulator)) == 1
        others = [
            await uploaded(client, "one.bin", reuse=False),
            await uploaded(client, "other.bin"),
            await uploaded(client, "one.bin", mime_type="text/plain"),
        ]
    assert len({first["file"]["name"], *(one["file"]["name"] for one in others)}) == 4
    assert len(started(emulator)) == 4


async def test_a_large_file_is_hashed_first_only_where_one_of_its_size_is_known(
    connect: Connect, emulator: Emulator, allowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[int] = []
    original = upload_source.sha256_of

    async def counted(source: Any, tell: Any) -> str:
        hashed.append(source.size)
        return await original(source, tell)

    monkeypatch.setattr(upload_source, "sha256_of", counted)
    monkeypatch.setattr("gemini_server.toolkit.uploads.ALWAYS_HASHED", 1000)
    for name, size in {"one.bin": CHUNK, "copy.bin": CHUNK, "longer.bin": CHUNK + 1}.items():
        (allowed / name).write_bytes(noise(size, "hashing"))
    async with connect(poll=0.02) as client:
        first = await uploaded(client, "one.bin")
        assert hashed == []
        assert (await uploaded(client, "one.bin"))["file"]["name"] == first["file"]["name"]
        await uploaded(client, "longer.bin")
        assert hashed == []
        assert (await uploaded(client, "copy.bin"))["file"]["name"] == first["file"]["name"]
        assert hashed == [CHUNK]
    assert len(started(emulator)) == 2


async def test_a_file_that_was_deleted_is_uploaded_again(connect: Connect, emulator: Emulator, allowed: Path) -> None:
    (allowed / "a.bin").write_bytes(noise(5000, "deleted"))
    async with connect(poll=0.02, toolsets=ALL) as client:
        first = (await uploaded(client, "a.bin"))["file"]["name"]
        gone = structured(await client.call_tool("delete_file", {"name": first}))
        assert gone == {"deleted": first}
        second = (await uploaded(client, "a.bin"))["file"]["name"]
        assert second != first
        assert "There is no file" in error_of(await client.call_tool("delete_file", {"name": first}))


async def test_an_upload_that_is_gone_at_google_is_noticed_after_a_while(
    connect: Connect, emulator: Emulator, allowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gemini_server.toolkit.uploads.FRESH", -1.0)
    (allowed / "a.bin").write_bytes(noise(5000, "confirm"))
    async with connect(poll=0.02, toolsets=ALL) as client:
        first = (await uploaded(client, "a.bin"))["file"]["name"]
        assert (await uploaded(client, "a.bin"))["file"]["name"] == first
        assert emulator.requests[-1]["path"] == f"/v1beta/{first}"
        words = "You_do_not_have_permission_to_access_the_File_or_it_may_not_exist."
        emulator.add_fault(f"status=403 message={words}", method="GET", path=f"/v1beta/{first}$")
        assert (await uploaded(client, "a.bin"))["file"]["name"] != first


async def test_parallel_calls_for_the_same_file_are_one_upload(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "a.bin").write_bytes(noise(4 * CHUNK, "parallel"))
    names: set[str] = set()

    async def call(client: Client) -> None:
        names.add((await uploaded(client, "a.bin"))["file"]["name"])

    async with connect(poll=0.02) as one, connect(poll=0.02) as two, anyio.create_task_group() as tasks:
        for client in (one, two) * 5:
            tasks.start_soon(call, client)
    assert len(names) == len(started(emulator)) == 1


async def test_data_and_artifacts_are_sources_too(connect: Connect, emulator: Emulator, allowed: Path) -> None:
    async with connect(poll=0.02) as client:
        begun = await uploaded(client, "data:text/plain;base64,aGVsbG8gd29ybGQ=", display_name="greeting")
        assert begun["file"]["bytes"] == 11
        made = structured(await client.call_tool("generate_image", {"prompt": "a red kite over a field"}))
        artifact = made["artifacts"][0]
        answer = await uploaded(client, artifact["uri"])
        assert (answer["file"]["sha256"], answer["file"]["bytes"]) == (artifact["sha256"], artifact["bytes"])
        assert answer["file"]["mime_type"] == artifact["mime_type"]
        assert "no artifact" in await refused(client, "gemini://artifacts/nope")


async def test_lines_of_json_are_told_by_their_name(connect: Connect, emulator: Emulator, allowed: Path) -> None:
    (allowed / "batch.jsonl").write_text('{"key": "1", "request": {}}\n')
    async with connect(poll=0.02) as client:
        assert (await uploaded(client, "batch.jsonl"))["file"]["mime_type"] == "application/jsonl"
        assert (await uploaded(client, "batch.jsonl", mime_type="JSONL"))["warnings"]


@pytest.mark.parametrize(
    ("source", "arguments", "expected"),
    [
        ("https://example.org/a.mp4", {}, "Google fetches it"),
        ("http://example.org/a.mp4", {}, "fetches nothing"),
        ("gs://bucket/a.mp4", {}, "register_files"),
        ("files/abc", {}, "Use it as it is"),
        ("s3://bucket/a", {}, "cannot be s3://"),
        ("missing.bin", {}, "no file"),
        ("a.bin", {"mime_type": "film"}, "no MIME type"),
        ("a.bin", {"mime_type": "a/b\r\nX-Evil: 1"}, "no MIME type"),
        ("a.bin", {"display_name": "x" * 513}, "more than 512"),
        ("data:text/plain,hello", {}, "data:TYPE;base64,DATA"),
    ],
)
async def test_what_cannot_be_uploaded_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, allowed: Path, source: str, arguments: Json, expected: str
) -> None:
    (allowed / "a.bin").write_bytes(b"\xfe\xfd")
    async with connect() as client:
        assert expected in await refused(client, source, **arguments)
    assert emulator.requests == []


async def test_cuts_and_lost_answers_cost_at_most_a_chunk_each(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    data = noise(5 * CHUNK + 9, "cuts")
    (allowed / "a.bin").write_bytes(data)
    path = "/upload/v1beta/files#upload"
    emulator.add_fault("cut=inside after=1000", path=f"{path}@0")
    emulator.add_fault("cut=inside after=100", path=f"{path}@{CHUNK}")
    emulator.add_fault("cut=answer", path=f"{path}@{2 * CHUNK}")
    emulator.add_fault("status=503 retry=0.05s", path=f"{path}@{3 * CHUNK}")
    emulator.add_fault("status=429 retry=0.05s", path=f"{path}@{4 * CHUNK}")
    emulator.add_fault("cut=answer", path=f"{path},finalize")
    async with connect(poll=0.02) as client:
        answer = await uploaded(client, "a.bin")
    assert answer["file"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert len(started(emulator)) == 1
    assert commands(emulator).count("query") >= 5
    assert sent(emulator) <= len(data) + 5 * CHUNK


async def test_an_expired_session_is_begun_anew(connect: Connect, emulator: Emulator, allowed: Path) -> None:
    data = noise(3 * CHUNK, "expired")
    (allowed / "a.bin").write_bytes(data)
    emulator.add_fault("status=410", path=f"#upload@{CHUNK}")
    async with connect(poll=0.02) as client:
        answer = await uploaded(client, "a.bin")
    assert answer["file"]["sha256"] == hashlib.sha256(data).hexdigest()
    first, second = started(emulator)
    assert first["name"] != second["name"] == answer["file"]["name"]


async def test_a_session_that_is_over_after_the_last_byte_is_no_loss(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    data = noise(CHUNK, "over")
    (allowed / "a.bin").write_bytes(data)
    emulator.add_fault("cut=answer", path="#upload,finalize")
    emulator.add_fault("status=404", path="#query")
    async with connect(poll=0.02) as client:
        answer = await uploaded(client, "a.bin")
    assert len(started(emulator)) == 1
    assert answer["file"]["sha256"] == hashlib.sha256(data).hexdigest()


async def test_google_without_room_is_told_as_such(connect: Connect, fake: FakeGemini, allowed: Path) -> None:
    (allowed / "a.bin").write_bytes(noise(100))
    fake.say({"error": {"code": 400, "message": "* mime type not supported", "status": "INVALID_ARGUMENT"}})
    fake.replies[0].status = 400
    async with connect(base_url=fake.url) as client:
        text = await refused(client, "a.bin")
    assert "mime type not supported" in text
    assert len(fake.requests) == 1


async def test_a_running_upload_is_cancelled_and_nothing_of_it_stays(
    connect: Connect, emulator: Emulator, allowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "LOOK", 0.05)
    (allowed / "a.bin").write_bytes(noise(3 * CHUNK, "cancel"))
    emulator.add_fault("pace=5s", path=f"#upload@{CHUNK}")
    async with connect(poll=0.02) as client:
        begun = await uploaded(client, "a.bin", wait_seconds=0)
        with anyio.fail_after(20):
            while not any(one["headers"].get("x-goog-upload-offset") == "0" for one in uploads(emulator)):
                await client.call_tool("get_job", {"job": begun["job"]["id"], "wait_seconds": 0.05})
        ended = structured(await client.call_tool("cancel_job", {"job": begun["job"]["id"]}))
    assert ended["status"] == "cancelled"
    assert "cancel" in commands(emulator)


async def test_files_are_listed_looked_at_and_read_as_resources(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    for name in ("a.bin", "b.bin"):
        (allowed / name).write_bytes(noise(3000, f"listed {name}"))
    async with connect(poll=0.02, toolsets=ALL) as client:
        names = [(await uploaded(client, name))["file"]["name"] for name in ("a.bin", "b.bin")]
        listed = await client.call_tool("list_files", {})
        assert {file["name"] for file in structured(listed)["files"]} >= set(names)
        assert "b.bin" in text_of(listed)
        for spelling in (names[0], names[0].removeprefix("files/"), f"{names[0]}:download?alt=media",
                         f"https://generativelanguage.googleapis.com/v1beta/{names[0]}"):  # fmt: skip
            [one] = structured(await client.call_tool("list_files", {"name": spelling}))["files"]
            assert (one["name"], one["source"], one["bytes"]) == (names[0], "UPLOADED", 3000)
        for wrong in ("../x", "files/a/b", "https://evil.example/v1beta/files/a", ""):
            assert "no file at Google" in error_of(await client.call_tool("list_files", {"name": wrong}))
        assert "There is no file" in error_of(await client.call_tool("list_files", {"name": "files/unknown"}))
        [content] = (await client.read_resource(f"gemini://{names[0]}")).contents
        assert isinstance(content, TextResourceContents)
        assert json.loads(content.text)["name"] == names[0]
        [content] = (await client.read_resource("gemini://files")).contents
        assert isinstance(content, TextResourceContents)
        assert names[1] in content.text


async def test_a_generated_file_is_fetched_as_an_artifact_and_an_uploaded_one_is_not(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "a.bin").write_bytes(noise(100, "own"))
    async with connect(poll=0.02, toolsets=ALL) as client:
        own = (await uploaded(client, "a.bin"))["file"]["name"]
        assert "only what Gemini generated" in error_of(await client.call_tool("download_file", {"name": own}))
        film = structured(
            await client.call_tool(
                "generate_video", {"prompt": "a fox in snow", "duration_seconds": 3, "wait_seconds": 60}
            )
        )
        assert film["status"] == "done"
        listed = structured(await client.call_tool("list_files", {}))["files"]
        made = next(file for file in listed if file["source"] == "GENERATED" and file["mime_type"] == "video/mp4")
        answer = structured(await client.call_tool("download_file", {"name": made["name"]}))
        [artifact] = answer["artifacts"]
        assert (artifact["sha256"], artifact["bytes"]) == (made["sha256"], made["bytes"])
        assert hashlib.sha256(Path(artifact["path"]).read_bytes()).hexdigest() == made["sha256"]
        again = structured(await client.call_tool("download_file", {"name": made["name"]}))
        assert again["artifacts"] == answer["artifacts"]


async def test_a_download_that_is_cut_goes_on_where_it_was(connect: Connect, emulator: Emulator) -> None:
    async with connect(poll=0.02, toolsets=ALL) as client:
        structured(
            await client.call_tool("generate_video", {"prompt": "[emulate: bytes=3000000] a fox", "duration_seconds": 3,
                                                      "wait_seconds": 60})
        )  # fmt: skip
        listed = structured(await client.call_tool("list_files", {}))["files"]
        made = next(file for file in listed if file["source"] == "GENERATED" and file["bytes"] == 3_000_000)
        emulator.clear_requests()
        emulator.add_fault("cut=inside after=1500000", path=":download")
        answer = structured(await client.call_tool("download_file", {"name": made["name"]}))
    assert answer["artifacts"][0]["sha256"] == made["sha256"]
    ranges = [one["headers"].get("range") for one in emulator.requests if ":download" in one["path"]]
    assert ranges[0] is None
    assert any(one for one in ranges[1:])


async def test_objects_of_cloud_storage_are_registered_with_oauth_alone(connect: Connect, emulator: Emulator) -> None:
    uris = ["gs://bucket/a.mp4", "gs://bucket/b.pdf"]
    async with connect(toolsets=ALL) as client:
        assert "GEMINI_AUTH=bearer" in error_of(await client.call_tool("register_files", {"uris": uris}))
        for wrong in (["https://x/y"], ["gs://bucket"], [], ["gs://b/x"] * 101):
            assert "gs://bucket/object" in error_of(await client.call_tool("register_files", {"uris": wrong}))
    assert emulator.requests == []
    async with connect(toolsets=ALL, auth="bearer") as client:
        assert "quota project" in error_of(await client.call_tool("register_files", {"uris": uris}))
    async with connect(toolsets=ALL, auth="bearer", project="my-project") as client:
        answer = structured(await client.call_tool("register_files", {"uris": uris}))
    assert [file["source"] for file in answer["files"]] == ["REGISTERED"] * 2
    assert emulator.requests[-1]["headers"]["x-goog-user-project"] == "my-project"


async def test_a_read_only_server_uploads_and_deletes_nothing(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "a.bin").write_bytes(noise(100))
    async with connect(read_only=True, toolsets=ALL) as client:
        assert "read-only" in await refused(client, "a.bin")
        assert "read-only" in error_of(await client.call_tool("delete_file", {"name": "files/a"}))
        structured(await client.call_tool("list_files", {}))
    assert [one["method"] for one in emulator.requests] == ["GET"]


async def test_what_is_free_is_done_whatever_was_spent(connect: Connect, emulator: Emulator, allowed: Path) -> None:
    (allowed / "a.bin").write_bytes(noise(100, "free"))
    async with connect(daily_cap=Decimal(0), poll=0.02) as client:
        begun = await uploaded(client, "a.bin")
    assert begun["file"]["state"] == "ACTIVE"
