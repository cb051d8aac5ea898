"""File Search stores: their life, what fills them, their documents and operations, and what is refused."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from gemini_emulator import Emulator

from .conftest import Api
from .storing import (
    HANDBOOK,
    create_store,
    fill,
    got,
    indexed,
    metadata,
    new_file,
    pdf,
    send,
    upload,
    upload_refused,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(api: Api) -> str:
    return await create_store(api)


async def deleted(api: Api, name: str, **query: str) -> httpx2.Response:
    return await api.http.delete(f"/v1beta/{name}", params=query)


async def test_a_new_store_is_empty_and_named_after_its_display_name(api: Api) -> None:
    response = await api.http.post("/v1beta/fileSearchStores", json={"displayName": "Staff Handbook (2026)"})
    made = response.json()
    assert made["name"].startswith("fileSearchStores/staff-handbook-2026-")
    assert len(made["name"].removeprefix("fileSearchStores/")) <= 40
    assert made["embeddingModel"] == "models/gemini-embedding-001"
    # Counts of zero are left out.
    assert set(made) == {"name", "displayName", "createTime", "updateTime", "embeddingModel"}
    assert await got(api, made["name"]) == made


async def test_the_embedding_model_is_chosen_once(api: Api) -> None:
    name = await create_store(api, embeddingModel="models/gemini-embedding-2")
    assert (await got(api, name))["embeddingModel"] == "models/gemini-embedding-2"
    refused = await api.http.post("/v1beta/fileSearchStores", json={"embedding_model": "models/gemini-3.8-flash"})
    assert (refused.status_code, "embedding_model" in refused.text) == (400, True)
    assert (await api.http.patch(f"/v1beta/{name}", json={"embeddingModel": "x"})).status_code == 404


async def test_a_store_needs_no_name_and_no_body(api: Api) -> None:
    made = (await api.http.post("/v1beta/fileSearchStores")).json()
    assert made["name"] != (await api.http.post("/v1beta/fileSearchStores", json={})).json()["name"]
    assert "displayName" not in made
    refused = await api.http.post("/v1beta/fileSearchStores", json={"displayName": "x" * 513})
    assert (refused.status_code, "512" in refused.text) == (400, True)
    unknown = await api.http.post("/v1beta/fileSearchStores", json={"title": "x"})
    assert 'Unknown name "title"' in unknown.json()["error"]["message"]


async def test_stores_are_listed_in_pages_of_at_most_twenty(api: Api) -> None:
    made = [await create_store(api, f"store {number}") for number in range(23)]
    names: list[str] = []
    token = ""
    while token or not names:
        body = (await api.http.get(f"/v1beta/fileSearchStores?pageSize=50&pageToken={token}")).json()
        assert len(body["fileSearchStores"]) <= 20
        names += [one["name"] for one in body["fileSearchStores"]]
        token = body.get("nextPageToken", "")
    assert [name for name in names if name in made] == made


async def test_a_store_that_is_not_empty_is_deleted_by_force(api: Api, store: str) -> None:
    await fill(api, store, HANDBOOK)
    for query in ({}, {"force": "false"}):
        refused = await deleted(api, store, **query)
        error = refused.json()["error"]
        assert (refused.status_code, error["status"]) == (400, "FAILED_PRECONDITION")
        assert error["message"] == "Cannot delete non-empty FileSearchStore"
    assert (await deleted(api, store, force="maybe")).status_code == 400
    assert (await deleted(api, store, force="True")).json() == {}
    for response in (await api.http.get(f"/v1beta/{store}"), await deleted(api, store)):
        assert response.status_code == 403
        assert "may not exist" in response.json()["error"]["message"]


async def test_an_upload_becomes_a_document(api: Api, store: str) -> None:
    begun = await upload(api, store, HANDBOOK, "Staff handbook.md", "text/markdown")
    ident = begun["name"].rpartition("/")[2]
    assert begun["name"] == f"{store}/upload/operations/{ident}"
    assert ident.startswith("staff-handbookmd-")
    # Seen of the service: the answer to the upload has the result already, but is not done.
    assert "done" not in begun
    assert begun["response"]["documentName"] == f"{store}/documents/{ident}"
    assert begun["response"]["sizeBytes"] == str(len(HANDBOOK.encode()))
    assert (await got(api, store))["pendingDocumentsCount"] == "1"
    seen = [await got(api, begun["name"]) for _ in range(3)]
    assert seen[:2] == [{"name": begun["name"]}] * 2
    assert seen[2] == {"name": begun["name"], "done": True, "response": begun["response"]}
    document = await got(api, begun["response"]["documentName"])
    assert document["displayName"] == "Staff handbook.md"
    assert (document["state"], document["mimeType"]) == ("STATE_ACTIVE", "text/markdown")
    filled = await got(api, store)
    assert (filled["activeDocumentsCount"], filled["sizeBytes"]) == ("1", document["sizeBytes"])
    assert "pendingDocumentsCount" not in filled


async def test_a_resumable_upload_is_described_at_its_start(api: Api, store: str) -> None:
    headers = {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": str(len(HANDBOOK.encode())),
        "X-Goog-Upload-Header-Content-Type": "text/plain",
    }
    body = {
        "displayName": "handbook",
        "customMetadata": [{"key": "team", "string_value": "people"}],
        "chunkingConfig": {"white_space_config": {"max_tokens_per_chunk": 100}},
    }
    started = await api.http.post(f"/upload/v1beta/{store}:uploadToFileSearchStore", json=body, headers=headers)
    assert started.status_code == 200, started.text
    commands = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
    ended = await api.http.post(started.headers["x-goog-upload-url"], content=HANDBOOK.encode(), headers=commands)
    assert ended.headers["x-goog-upload-status"] == "final"
    done = await indexed(api, ended.json())
    document = await got(api, done["response"]["documentName"])
    assert document["customMetadata"] == [{"key": "team", "stringValue": "people"}]


async def test_a_file_is_imported_and_outlives_itself(api: Api, store: str, emulator: Emulator) -> None:
    file = await new_file(api, HANDBOOK, "text/markdown", displayName="handbook.md")
    body = {"fileName": file["name"], "customMetadata": metadata(year=2026)}
    begun = (await api.http.post(f"/v1beta/{store}:importFile", json=body)).json()
    ident = begun["name"].rpartition("/")[2]
    assert begun == {"name": f"{store}/operations/{ident}"}
    assert (await got(api, f"{store}/documents/{ident}"))["state"] == "STATE_PENDING"
    done = await indexed(api, begun)
    # Seen of the service: bare ids here, and full names after an upload.
    assert done["response"].pop("@type").endswith(".ImportFileResponse")
    assert done["response"] == {"parent": store.partition("/")[2], "documentName": ident}
    emulator.advance(49 * 3600)
    assert (await api.http.get(f"/v1beta/{file['name']}")).status_code == 403
    document = await got(api, f"{store}/documents/{ident}")
    assert (document["state"], document["displayName"]) == ("STATE_ACTIVE", "handbook.md")
    assert document["customMetadata"] == [{"key": "year", "numericValue": 2026}]


async def test_a_file_without_a_display_name_is_known_by_its_id(api: Api, store: str) -> None:
    file = await new_file(api, HANDBOOK)
    begun = (await api.http.post(f"/v1beta/{store}:importFile", json={"file_name": file["name"]})).json()
    document = await got(api, begun["name"].replace("/operations/", "/documents/"))
    assert document["displayName"] == file["name"].removeprefix("files/")


async def imported(api: Api, store: str, **body: Any) -> httpx2.Response:
    return await api.http.post(f"/v1beta/{store}:importFile", json=body)


async def test_only_active_files_of_ones_own_are_imported(api: Api, store: str) -> None:
    missing = await imported(api, store, fileName="files/none")
    assert (missing.status_code, "may not exist" in missing.text) == (403, True)
    early = await new_file(api, pdf("Vacation"), "application/pdf", displayName="x [emulate: polls=5]")
    refused = await imported(api, store, fileName=early["name"])
    error = refused.json()["error"]
    assert (refused.status_code, error["status"]) == (400, "FAILED_PRECONDITION")
    assert "not in an ACTIVE state" in error["message"]
    for name in ("", "documents/x"):
        assert (await imported(api, store, fileName=name)).status_code == 400
    other = await imported(api, "fileSearchStores/none", fileName="files/none")
    assert (other.status_code, "FileSearchStore none" in other.text) == (403, True)


@pytest.mark.parametrize(("polls", "unfinished"), [(0, 0), (4, 4)])
async def test_a_fault_says_how_many_reads_an_import_takes(
    api: Api, store: str, emulator: Emulator, polls: int, unfinished: int
) -> None:
    emulator.add_fault(f"polls={polls}", path=":importFile")
    file = await new_file(api, HANDBOOK)
    begun = (await imported(api, store, fileName=file["name"])).json()
    seen = [(await got(api, begun["name"])).get("done") for _ in range(unfinished + 1)]
    assert seen == [None] * unfinished + [True]


async def test_reading_the_document_brings_its_operation_on(api: Api, store: str) -> None:
    begun = await upload(api, store, HANDBOOK)
    document = begun["response"]["documentName"]
    assert [(await got(api, document))["state"] for _ in range(3)] == ["STATE_PENDING"] * 2 + ["STATE_ACTIVE"]
    assert (await got(api, begun["name"]))["done"] is True


async def test_an_upload_may_go_by_the_clock(api: Api, store: str, emulator: Emulator) -> None:
    begun = await upload(api, store, HANDBOOK, "slow [emulate: lasts=10m]")
    for _ in range(5):
        assert "done" not in await got(api, begun["name"])
    emulator.advance(600)
    assert (await got(api, store))["activeDocumentsCount"] == "1"
    assert (await got(api, begun["name"]))["done"] is True


async def test_an_import_fails_on_request(api: Api, store: str, emulator: Emulator) -> None:
    emulator.add_fault("outcome=failed code=INVALID_ARGUMENT message=Unreadable polls=0", path=":importFile")
    file = await new_file(api, HANDBOOK)
    begun = (await imported(api, store, fileName=file["name"])).json()
    done = await got(api, begun["name"])
    assert (done["done"], done["error"]) == (True, {"code": 3, "message": "Unreadable"})
    assert "response" not in done
    assert (await got(api, begun["name"].replace("operations", "documents")))["state"] == "STATE_FAILED"
    assert (await got(api, store))["failedDocumentsCount"] == "1"


async def test_an_upload_fails_on_request(api: Api, store: str) -> None:
    done = await indexed(api, await upload(api, store, HANDBOOK, "broken [emulate: outcome=failed]"))
    assert done["error"]["code"] == 13


async def test_the_two_kinds_of_operations_are_kept_apart(api: Api, store: str) -> None:
    begun = await upload(api, store, HANDBOOK)
    for name in (begun["name"].replace("/upload/", "/"), f"{store}/operations/none", f"{store}/upload/operations/none"):
        assert (await api.http.get(f"/v1beta/{name}")).status_code == 404


async def test_documents_are_listed_and_deleted(api: Api, store: str) -> None:
    names = [await fill(api, store, HANDBOOK, f"document {number}") for number in range(12)]
    first = (await api.http.get(f"/v1beta/{store}/documents")).json()
    assert [one["name"] for one in first["documents"]] == names[:10]
    rest = (await api.http.get(f"/v1beta/{store}/documents?pageToken={first['nextPageToken']}")).json()
    assert [one["name"] for one in rest["documents"]] == names[10:]
    refused = await deleted(api, names[0])
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, "Cannot delete non-empty Document")
    assert (await deleted(api, names[0], force="true")).json() == {}
    assert (await api.http.get(f"/v1beta/{names[0]}")).status_code == 404
    assert (await got(api, store))["activeDocumentsCount"] == "11"
    # What is not indexed yet has nothing that would need force.
    early = (await upload(api, store, HANDBOOK))["response"]["documentName"]
    assert (await deleted(api, early)).json() == {}


async def test_an_empty_list_has_no_field(api: Api, store: str) -> None:
    assert await got(api, f"{store}/documents") == {}


METADATA: list[tuple[str, list[dict[str, Any]], str]] = [
    ("more than twenty", [{"key": f"k{at}", "stringValue": "v"} for at in range(21)], "at most 20"),
    ("no key", [{"stringValue": "v"}], "key is required"),
    ("no value", [{"key": "k"}], "required oneof field 'value'"),
    ("two values", [{"key": "k", "stringValue": "v", "numericValue": 1}], "oneof field 'value' is already set"),
    ("a key twice", [{"key": "k", "stringValue": "v"}, {"key": "k", "numericValue": 1}], "more than once"),
    ("a number as text", [{"key": "k", "numericValue": "many"}], "TYPE_DOUBLE"),
]


@pytest.mark.parametrize(("entries", "message"), [one[1:] for one in METADATA], ids=[one[0] for one in METADATA])
async def test_metadata_that_make_no_sense_are_refused(
    api: Api, store: str, entries: list[dict[str, Any]], message: str
) -> None:
    assert message in await upload_refused(api, store, HANDBOOK, customMetadata=entries)
    file = await new_file(api, HANDBOOK)
    assert (
        message
        in (await imported(api, store, fileName=file["name"], customMetadata=entries)).json()["error"]["message"]
    )


@pytest.mark.parametrize(
    ("config", "message"),
    [({"maxTokensPerChunk": 513}, "[1, 512]"), ({"maxTokensPerChunk": 0}, "[1, 512]"),
     ({"maxTokensPerChunk": 50, "maxOverlapTokens": 50}, "must be less than"),
     ({"maxOverlapTokens": -1}, "max_overlap_tokens"),
     # The usual overlap is twenty words.
     ({"maxTokensPerChunk": 20}, "must be less than"), ({"minTokens": 3}, "Unknown name")],
)  # fmt: skip
async def test_chunks_have_limits(api: Api, store: str, config: dict[str, int], message: str) -> None:
    assert message in await upload_refused(api, store, HANDBOOK, chunkingConfig={"whiteSpaceConfig": config})


async def test_types_that_cannot_be_searched_are_refused(api: Api, store: str) -> None:
    for mime in ("video/mp4", "audio/mpeg", "application/x-msdownload"):
        assert "Unsupported MIME type" in await upload_refused(api, store, b"x", mime)
    # Pictures need a model that sees.
    assert "supports text only" in await upload_refused(api, store, b"x", "image/png")


@pytest.mark.parametrize(
    ("data", "name", "mime"),
    [(pdf("x"), "", "application/pdf"), (HANDBOOK, "notes.md", "text/markdown"), (HANDBOOK, "", "text/plain"),
     ('{"a": 1}', "data.json", "application/json")],
)  # fmt: skip
async def test_the_type_is_found_out_where_nobody_tells(
    api: Api, store: str, data: bytes | str, name: str, mime: str
) -> None:
    begun = await upload(api, store, data, name, "application/octet-stream")
    assert begun["response"]["mimeType"] == mime


async def test_bytes_of_no_known_type_are_refused(api: Api, store: str) -> None:
    assert "could not be determined" in await upload_refused(
        api, store, b"\xff\xfe\x00\x80", "application/octet-stream"
    )


async def test_an_upload_needs_a_store(api: Api) -> None:
    response = await send(api, "fileSearchStores/none:uploadToFileSearchStore", "x", {})
    assert (response.status_code, response.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
