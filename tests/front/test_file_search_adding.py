"""add_to_store through the front door: uploads and imports as jobs, over cuts and restarts; and what is refused."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from gemini_emulator import Emulator
from gemini_server.toolkit.work import store_upload
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, Reply, warned
from tests.front.storing import HANDBOOK, ON, add, commands, documents, handbook, not_added, store_of

pytestmark = pytest.mark.anyio

GRANULE = 256 * 1024
DATA = "data:text/plain;base64," + base64.b64encode(HANDBOOK.encode()).decode()


def long_text(size: int, seed: str = "") -> str:
    """A text that does not repeat."""
    words = (hashlib.sha256(f"{seed}{number}".encode()).hexdigest() for number in range(size // 65 + 1))
    return " ".join(words)[:size]


def started(emulator: Emulator) -> Json:
    """The description with which the last upload was started."""
    found: Json = [one["body"] for one in emulator.requests if one["headers"].get("x-goog-upload-command") == "start"][
        -1
    ]
    return found


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_upload.StoreUpload.__init__, "__defaults__", (GRANULE,))


@pytest.mark.usefixtures("small_chunks")
async def test_a_file_goes_up_in_chunks_without_the_key_and_can_be_found(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    text = long_text(3 * GRANULE + 77)
    async with connect(**ON) as client:
        store = await store_of(client)
        job = await add(client, store, handbook(tmp_path, "long.txt", text))
    assert (job["status"], job["document"]["bytes"]) == ("done", len(text))
    assert commands(emulator) == ["start", "upload", "upload", "upload", "upload, finalize"]
    for one in emulator.requests:
        if one["path"].startswith("/upload/"):
            assert ("x-goog-api-key" in one["headers"]) == (one["headers"]["x-goog-upload-command"] == "start")
    assert started(emulator) == {"displayName": "long.txt", "mimeType": "text/plain"}


async def test_metadata_and_chunking_are_sent_as_google_has_them(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    async with connect(**ON) as client:
        store = await store_of(client)
        job = await add(
            client, store, handbook(tmp_path), display_name="Handbook 2026",
            metadata={"author": "Ada", "year": 1843, "rate": 0.5, "tags": ["engine", "notes"]},
            chunking={"max_tokens": 20, "overlap": 5},
        )  # fmt: skip
    assert started(emulator) == {
        "displayName": "Handbook 2026",
        "mimeType": "text/markdown",
        "customMetadata": [
            {"key": "author", "stringValue": "Ada"},
            {"key": "year", "numericValue": 1843},
            {"key": "rate", "numericValue": 0.5},
            {"key": "tags", "stringListValue": {"values": ["engine", "notes"]}},
        ],
        "chunkingConfig": {"whiteSpaceConfig": {"maxTokensPerChunk": 20, "maxOverlapTokens": 5}},
    }
    assert job["document"]["metadata"] == {"author": "Ada", "year": 1843, "rate": 0.5, "tags": ["engine", "notes"]}
    assert job["document"]["display_name"] == "Handbook 2026"


@pytest.mark.parametrize("mode", ERAS)
async def test_bytes_that_a_caller_writes_out_become_a_document(connect: Connect, mode: str) -> None:
    async with connect(mode=mode, **ON) as client:
        store = await store_of(client)
        job = await add(client, store, DATA, display_name="note")
        assert job["document"]["bytes"] == len(HANDBOOK.encode())
        assert [one["display_name"] for one in await documents(client, store)] == ["note"]


async def test_an_artifact_becomes_a_document(connect: Connect) -> None:
    async with connect(**ON) as client:
        arguments = {"items": ["a"], "dimensions": 4, "save": True, "format": "jsonl"}
        [made] = structured(await client.call_tool("embed", arguments))["artifacts"]
        job = await add(client, await store_of(client), made["uri"])
    assert made["mime_type"] == "application/jsonl"
    assert (job["document"]["bytes"], job["document"]["mime_type"]) == (made["bytes"], "text/plain")


@pytest.mark.parametrize("mode", ERAS)
async def test_a_file_at_google_is_imported_under_its_own_name(
    connect: Connect, emulator: Emulator, tmp_path: Path, mode: str
) -> None:
    async with connect(mode=mode, **ON) as client:
        arguments = {"source": handbook(tmp_path), "display_name": "Handbook"}
        file = structured(await client.call_tool("upload_file", arguments))["file"]
        store = await store_of(client)
        emulator.clear_requests()
        job = await add(client, store, file["name"], metadata={"year": 2026}, display_name="Another")
        [listed] = await documents(client, store)
    assert job["document"] == listed
    assert (listed["display_name"], listed["metadata"]) == ("Handbook", {"year": 2026})
    assert "keeps its own name" in warned(job)
    [begun] = [one for one in emulator.requests if one["path"].endswith(":importFile")]
    assert begun["body"] == {
        "fileName": file["name"], "customMetadata": [{"key": "year", "numericValue": 2026}],
    }  # fmt: skip
    asked = {one["path"].rsplit("/", 1)[0] for one in emulator.requests if "/operations/" in one["path"]}
    assert asked == {f"/v1beta/{store}/operations"}
    assert not commands(emulator)


@pytest.mark.parametrize("imported", [False, True])
async def test_when_time_runs_out_there_is_a_job_that_get_job_finishes(
    connect: Connect, tmp_path: Path, imported: bool
) -> None:
    async with connect(**ON) as client:
        store = await store_of(client)
        source = handbook(tmp_path)
        if imported:
            source = structured(await client.call_tool("upload_file", {"source": source}))["file"]["name"]
        result = await client.call_tool("add_to_store", {"store": store, "source": source, "wait_seconds": 0})
        begun = structured(result)
        assert "document" not in begun
        assert "Do not start it again" in begun["next"]
        assert begun["id"] in text_of(result)
        done = structured(await client.call_tool("get_job", {"job": begun["id"], "wait_seconds": 20}))
        [listed] = await documents(client, store)
    assert (done["status"], done["kind"]) == ("done", "document")
    assert done["result"] == {"document": listed}


@pytest.mark.parametrize("imported", [False, True])
async def test_a_document_that_cannot_be_indexed_fails_with_googles_reason(
    connect: Connect, emulator: Emulator, tmp_path: Path, imported: bool
) -> None:
    fails = "outcome=failed message=The_file_is_encrypted"
    async with connect(**ON) as client:
        store, source = await store_of(client), handbook(tmp_path)
        more: Json = {"display_name": f"[emulate: {fails}]"}
        if imported:
            source = structured(await client.call_tool("upload_file", {"source": source}))["file"]["name"]
            emulator.add_fault(fails, path=":importFile")
            more = {}
        text = await not_added(client, store, source, **more)
        [job] = structured(await client.call_tool("list_jobs", {"kind": "document"}))["jobs"]
        again = await add(client, store, source)
    assert "Gemini began the work, and it failed (INTERNAL): The file is encrypted." in text
    assert job["status"] == "failed"
    assert "The file is encrypted" in job["error"]["message"]
    assert again["status"] == "done"


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("where", [0, GRANULE, 2 * GRANULE])
@pytest.mark.parametrize("how", ["cut=before", "cut=inside after=100000", "cut=answer"])
async def test_a_cut_costs_no_more_than_its_chunk(
    connect: Connect, emulator: Emulator, tmp_path: Path, where: int, how: str
) -> None:
    text = long_text(2 * GRANULE + 77, how)
    command = "upload,finalize" if where == 2 * GRANULE else "upload"
    emulator.add_fault(how, path=f"#{command}@{where}")
    async with connect(**ON) as client:
        job = await add(client, await store_of(client), handbook(tmp_path, "long.txt", text))
    assert job["document"]["bytes"] == len(text)
    assert commands(emulator).count("query") == 1
    assert commands(emulator).count("start") == 1
    sent = sum(
        int(one["headers"]["content-length"]) for one in emulator.requests if one["path"].startswith("/upload/")
        and "upload" in one["headers"]["x-goog-upload-command"]
    )  # fmt: skip
    assert sent <= len(text) + GRANULE


async def test_a_document_whose_last_answer_is_lost_for_good_is_found_in_the_store(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_fault("cut=answer", path="#upload,finalize@0")
    emulator.add_fault("no_result", path="#query")
    async with connect(**ON) as client:
        store = await store_of(client)
        job = await add(client, store, handbook(tmp_path))
        assert await documents(client, store) == [job["document"]]
    assert job["document"]["state"] == "ACTIVE"
    assert commands(emulator) == ["start", "upload, finalize", "query"]


@pytest.mark.usefixtures("small_chunks")
async def test_a_session_that_google_forgets_is_begun_again(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_fault("status=404", path=f"#upload@{GRANULE}")
    async with connect(**ON) as client:
        job = await add(client, await store_of(client), handbook(tmp_path, "long.txt", long_text(2 * GRANULE + 77)))
    assert job["status"] == "done"
    assert commands(emulator) == ["start", "upload", "upload", "start", "upload", "upload", "upload, finalize"]


@pytest.mark.usefixtures("small_chunks")
async def test_a_session_that_google_forgets_again_and_again_is_given_up(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_fault("status=404", path="#upload@0", times=None)
    async with connect(**ON) as client:
        source = handbook(tmp_path, "long.txt", long_text(GRANULE + 77))
        text = await not_added(client, await store_of(client), source)
    assert "does not know this upload any more" in text
    assert commands(emulator).count("start") == store_upload.STARTS


@pytest.mark.usefixtures("small_chunks")
async def test_another_process_goes_on_with_an_upload_where_it_was(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    text = long_text(3 * GRANULE + 77)
    emulator.add_fault("cut=before", path=f"#upload@{GRANULE}", times=None)
    async with connect(**ON) as client:
        store = await store_of(client)
        job = await add(client, store, handbook(tmp_path, "long.txt", text), wait_seconds=0.5)
        assert (job["status"], "document" in job) == ("running", False)
        assert "upload_id" not in str(job)
    emulator.clear_faults()
    emulator.clear_requests()
    async with connect(**ON) as client:
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20}))
    assert done["result"]["document"]["bytes"] == len(text)
    assert commands(emulator) == ["query", "upload", "upload", "upload, finalize"]
    offsets = [one["headers"].get("x-goog-upload-offset") for one in emulator.requests if commands(emulator)]
    assert [offset for offset in offsets if offset] == [str(n * GRANULE) for n in (1, 2, 3)]


@pytest.mark.parametrize("imported", [False, True])
async def test_another_process_finishes_what_google_is_indexing(
    connect: Connect, emulator: Emulator, tmp_path: Path, imported: bool
) -> None:
    emulator.add_fault("polls=30", path=":importFile" if imported else "#start")
    async with connect(**ON) as client:
        store, source = await store_of(client), handbook(tmp_path)
        if imported:
            source = structured(await client.call_tool("upload_file", {"source": source}))["file"]["name"]
            emulator.add_fault("polls=30", path=":importFile")
        job = await add(client, store, source, wait_seconds=0.2)
        assert job["status"] == "running"
    emulator.clear_requests()
    async with connect(**ON) as client:
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20}))
        assert await documents(client, store) == [done["result"]["document"]]
    assert not [one for one in emulator.requests if one["method"] == "POST"], "nothing is sent or billed again"


@pytest.mark.usefixtures("small_chunks")
async def test_bytes_that_were_in_memory_alone_are_asked_for_again_after_a_restart(
    connect: Connect, emulator: Emulator
) -> None:
    emulator.add_fault("cut=before", path="#upload", times=None)
    async with connect(**ON) as client:
        job = await add(client, await store_of(client), DATA, wait_seconds=0.3)
    emulator.clear_faults()
    async with connect(**ON) as client:
        ended = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20}))
    assert ended["status"] == "failed"
    assert "had these bytes in memory has ended" in ended["error"]["message"]


@pytest.mark.usefixtures("small_chunks")
async def test_a_file_that_changes_on_its_way_is_given_up(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_fault("cut=before", path=f"#upload@{GRANULE}", times=None)
    async with connect(**ON) as client:
        store, source = await store_of(client), handbook(tmp_path, "long.txt", long_text(2 * GRANULE + 77))
        job = await add(client, store, source, wait_seconds=0.3)
        handbook(tmp_path, "long.txt", long_text(2 * GRANULE + 77, "other"))
        emulator.clear_faults()
        ended = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20}))
        assert await documents(client, store) == []
    assert ended["status"] == "failed"
    assert "was changed while it was being uploaded" in ended["error"]["message"]
    assert commands(emulator)[-1] == "cancel"


@pytest.mark.usefixtures("small_chunks")
async def test_an_upload_that_is_cancelled_leaves_nothing(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_fault("cut=before", path=f"#upload@{GRANULE}", times=None)
    async with connect(**ON) as client:
        store = await store_of(client)
        source = handbook(tmp_path, "long.txt", long_text(2 * GRANULE + 77))
        job = await add(client, store, source, wait_seconds=0.3)
        await client.call_tool("cancel_job", {"job": job["id"]})
        ended = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20}))
        assert await documents(client, store) == []
    assert (ended["status"], commands(emulator)[-1]) == ("cancelled", "cancel")


async def test_indexing_cannot_be_stopped_and_the_job_says_so(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_fault("polls=60", path="#start")
    said: list[str] = []
    async with connect(**ON) as client:
        job = await add(client, await store_of(client), handbook(tmp_path), wait_seconds=0.1)

        async def look() -> Json:
            seen = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 0.05}))
            said.append(seen.get("message", ""))
            return seen

        seen = job
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "cancel_job", {"job": job["id"]})
            with anyio.fail_after(20):
                while seen["status"] == "running":
                    seen = await look()
    assert any("cannot stop this sort of work: it goes on, and is billed" in message for message in said)
    assert seen["status"] == "done"


async def test_a_store_that_is_deleted_meanwhile_ends_the_job(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_fault("polls=100000", path="#start")
    async with connect(**ON) as client:
        store = await store_of(client)
        job = await add(client, store, handbook(tmp_path), wait_seconds=0.1)
        await client.call_tool("delete_store", {"name": store, "force": True})
        ended = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20}))
    assert ended["status"] == "failed"
    assert f"There is no File Search store {store}" in ended["error"]["message"]


async def test_the_same_call_is_one_document_unless_it_is_to_be_another(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    async with connect(**ON) as client:
        store, source = await store_of(client), handbook(tmp_path)
        first = await add(client, store, source)
        second = await add(client, store, source)
        other = await add(client, store, source, metadata={"year": 2026})
        third = await add(client, store, source, reuse=False)
        assert len(await documents(client, store)) == 3
    assert second["id"] == first["id"]
    assert "nothing was made or billed anew" in warned(second)
    assert len({first["id"], other["id"], third["id"]}) == 3
    assert commands(emulator).count("start") == 3


async def test_the_url_of_the_bytes_is_nowhere_to_be_read(
    connect: Connect, emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    emulator.add_fault("cut=answer", path="#upload")
    async with connect(**ON) as client:
        job = await add(client, await store_of(client), handbook(tmp_path))
        shown = structured(await client.call_tool("get_job", {"job": job["id"]}))
    emulated = [record.getMessage() for record in caplog.records if not record.name.startswith("gemini_server")]
    [secret] = set(re.findall(r"upload_id=([\w-]+)", "\n".join(emulated)))
    own = [record.getMessage() for record in caplog.records if record.name.startswith("gemini_server")]
    assert own
    assert secret not in f"{own} {shown}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"source": "https://example.org/a.pdf"}, "cannot be made of https"),
        ({"source": "gs://bucket/a.pdf"}, "cannot be made of gs"),
        ({"metadata": {"a": {"b": 1}}}, "neither a text nor a number nor a list of texts"),
        ({"metadata": {"a": True}}, "neither a text"),
        ({"metadata": {"a": []}}, "neither a text"),
        ({"metadata": {"a": ["x", 1]}}, "neither a text"),
        ({"metadata": {" ": "x"}}, "empty key"),
        ({"metadata": {str(number): "x" for number in range(21)}}, "20 keys of metadata, not 21"),
        ({"chunking": {"max_tokens": 0}}, "1 to 512, not 0"),
        ({"chunking": {"max_tokens": 513}}, "1 to 512, not 513"),
        ({"chunking": {"max_tokens": 10, "overlap": 10}}, "less than max_tokens"),
        ({"chunking": {"overlap": -1}}, "at least 0"),
        ({"chunking": {"size": 1}}, "no such argument"),
        ({"store": "handbook"}, "is no File Search store"),
    ],
)  # fmt: skip
async def test_what_makes_no_document_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator, arguments: Json, words: str
) -> None:
    async with connect(**ON) as client:
        given = {"store": "fileSearchStores/a", "source": DATA, **arguments}
        assert words in error_of(await client.call_tool("add_to_store", given))
    assert not emulator.requests


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("missing.txt", "missing.txt"),
        ("../outside.txt", "outside"),
        ("empty.txt", "empty (0 bytes)"),
        ("large.txt", "documents of up to"),
        ("data:text/plain;base64,%%%", "base64"),
        ("gemini://artifacts/unknown", "no artifact"),
        ("gemini://jobs/unknown", "Give a path"),
    ],
)
async def test_a_source_that_is_not_read_is_refused_before_its_bytes_are_sent(
    connect: Connect, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str
) -> None:
    monkeypatch.setattr("gemini_server.api.file_search.LARGEST", 1000)
    handbook(tmp_path, "empty.txt", "")
    handbook(tmp_path, "large.txt", "x" * 1001)
    async with connect(**ON) as client:
        assert words in await not_added(client, await store_of(client), source)
    assert not commands(emulator)


async def test_what_google_does_not_index_fails_before_its_bytes_are_sent(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    Path(tmp_path, "allowed", "a.mp4").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"x" * 1000)
    async with connect(**ON) as client:
        text = await not_added(client, await store_of(client), "a.mp4")
    assert "video/mp4" in text
    assert commands(emulator) == ["start"]


async def test_an_import_of_which_it_is_not_known_whether_it_began_is_not_sent_again(
    connect: Connect, fake: FakeGemini
) -> None:
    store = {"name": "fileSearchStores/a", "embeddingModel": "models/gemini-embedding-2"}
    trouble = Reply({"error": {"code": 500, "message": "oops", "status": "INTERNAL"}}, status=500)
    fake.say(Reply(store), trouble)
    async with connect(base_url=fake.url, **ON) as client:
        text = await not_added(client, "fileSearchStores/a", "files/abc")
        [job] = structured(await client.call_tool("list_jobs", {"kind": "document"}))["jobs"]
    assert "It is not sent again by itself" in text
    assert job["status"] == "unknown"
    assert len(fake.requests) == 2


async def test_two_uploads_that_a_caller_drops_end_without_him(connect: Connect, tmp_path: Path) -> None:
    async with connect(**ON) as client:
        store = await store_of(client)
        for name in ("one.md", "two.md"):
            handbook(tmp_path, name, f"{HANDBOOK}{name}")
        async with anyio.create_task_group() as tasks:
            for name in ("one.md", "two.md"):
                tasks.start_soon(partial(add, client, store, name))
            while len(structured(await client.call_tool("list_jobs", {"kind": "document"}))["jobs"]) < 2:
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        for job in structured(await client.call_tool("list_jobs", {"kind": "document"}))["jobs"]:
            await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20})
        assert {one["display_name"] for one in await documents(client, store)} == {"one.md", "two.md"}
