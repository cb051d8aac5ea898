"""Environments and the files in them: sources, listings, downloads, uploads, archives, expiry."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import Any

import httpx2
import pytest

from gemini_emulator import Emulator

from .conftest import Api
from .interacting import error_of
from .uploading import Session

pytestmark = pytest.mark.anyio

SOURCES = [
    {"type": "inline", "content": "print('hello')\n", "target": "/src/main.py"},
    {"type": "inline", "content": "AAEC", "encoding": "base64", "target": "src/data/blob.bin"},
    {"type": "repository", "source": "https://github.com/example/repo", "target": "repo"},
]


async def made(api: Api, **fields: Any) -> dict[str, Any]:
    response = await api.http.post("/v1beta/environments", json=fields)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def listing(api: Api, ident: str, path: str = "", **query: Any) -> dict[str, Any]:
    response = await api.http.get(f"/v1beta/environments/{ident}/files/{path}", params=query)
    assert response.status_code == 200, response.text
    return dict(response.json())


def paths(listed: dict[str, Any]) -> list[str]:
    return [entry["path"] for entry in listed.get("files", [])]


async def start(
    api: Api, ident: str, path: str, size: int, mime_type: str = "text/plain", **query: str
) -> httpx2.Response:
    headers = {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": str(size),
        "X-Goog-Upload-Header-Content-Type": mime_type,
    }
    return await api.http.put(f"/upload/v1beta/environments/{ident}/files/{path}", headers=headers, params=query)


async def upload(
    api: Api, ident: str, path: str, data: bytes, mime_type: str = "text/plain", **query: str
) -> httpx2.Response:
    started = await start(api, ident, path, len(data), mime_type, **query)
    assert started.status_code == 200, started.text
    return await Session(started.headers["x-goog-upload-url"]).upload(data, 0, last=True)


def tar_of(**files: bytes) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return raw.getvalue()


def zip_of(**files: bytes) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return raw.getvalue()


def link() -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        member = tarfile.TarInfo("passwd")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    return raw.getvalue()


async def test_sources_fill_an_environment_and_its_files_are_listed(api: Api) -> None:
    environment = await made(api, sources=SOURCES, network="disabled")
    assert (environment["status"], environment["network"], environment["sources"]) == ("active", "disabled", SOURCES)
    assert (environment["file_count"], environment["created"][-1]) == (3, "Z")
    ident = environment["id"]
    assert (await api.http.get(f"/v1/environments/{ident}")).json()["id"] == ident
    assert paths(await listing(api, ident)) == ["repo", "src"]
    (folder, file) = (await listing(api, ident, "src"))["files"]
    assert (folder["name"], folder["type"], folder["size_bytes"]) == ("data", "directory", 3)
    assert (file["name"], file["path"], file["type"], file["mime_type"]) == (
        "main.py",
        "src/main.py",
        "file",
        "text/x-python",
    )
    assert paths(await listing(api, ident, "src/main.py")) == ["src/main.py"]
    first = await listing(api, ident, recursive="true", page_size=2)
    rest = await listing(api, ident, recursive="true", page_token=first["next_page_token"])
    assert [*paths(first), *paths(rest)] == ["repo/README.md", "src/data/blob.bin", "src/main.py"]
    assert error_of(await api.http.get(f"/v1beta/environments/{ident}/files/none"), 404)[0] == "not_found"


async def test_a_file_is_downloaded_in_whole_and_in_part(api: Api) -> None:
    ident = (await made(api, sources=SOURCES))["id"]
    url = f"/v1beta/environments/{ident}/files/src/main.py?alt=media"
    whole = await api.http.get(url)
    assert (whole.content, whole.headers["content-type"]) == (b"print('hello')\n", "text/x-python")
    part = await api.http.get(url, headers={"Range": "bytes=6-"})
    assert (part.status_code, part.content) == (206, b"'hello')\n")
    assert error_of(await api.http.get(url, headers={"Range": "bytes=99-"}), 416)[0] == "out_of_range"
    assert error_of(await api.http.get(url.replace("/main.py", "")), 400)[0] == "invalid_request"


async def test_a_copy_has_the_files_and_goes_its_own_way(api: Api) -> None:
    first = (await made(api, sources=SOURCES, network="disabled"))["id"]
    copy = await made(api, from_environment=f"environments/{first}")
    assert (copy["file_count"], copy["network"]) == (3, "disabled")
    assert (await upload(api, copy["id"], "new file.txt", b"new")).status_code == 200
    assert (await api.http.delete(f"/v1beta/environments/{first}")).json() == {}
    assert (await api.http.get(f"/v1beta/environments/{copy['id']}")).json()["file_count"] == 4
    assert error_of(await api.http.get(f"/v1beta/environments/{first}/files"), 404)[0] == "not_found"


async def test_a_file_is_uploaded_and_only_overwritten_when_that_is_wanted(api: Api) -> None:
    ident = (await made(api))["id"]
    done = await upload(api, ident, "notes/büro 1.txt", b"first")
    assert paths(done.json()) == ["notes/büro 1.txt"]
    assert error_of(await start(api, ident, "notes/büro 1.txt", 6), 409)[0] == "already_exists"
    await upload(api, ident, "notes/büro 1.txt", b"second", overwrite="true")
    (entry,) = (await listing(api, ident, "notes"))["files"]
    assert (entry["size_bytes"], entry["mime_type"]) == (6, "text/plain")
    assert error_of(await start(api, ident, "notes", 6), 400)[1] == "'notes' is a directory."
    assert "is not a directory" in error_of(await start(api, ident, "notes/büro 1.txt/x", 6), 400)[1]
    assert error_of(await start(api, "env_none", "x", 6), 404)[0] == "not_found"
    assert error_of(await start(api, ident, "x", 6, ""), 400)[0] == "invalid_request"
    assert error_of(await start(api, ident, "x", 6, flat="true"), 400)[0] == "parameter_unknown"
    assert error_of(await start(api, ident, "x", 6, extract="maybe"), 400)[0] == "invalid_request"
    plain = await api.http.put(f"/upload/v1beta/environments/{ident}/files/x", content=b"bytes")
    assert "resumable" in error_of(plain, 400)[1]


@pytest.mark.parametrize("archive", [tar_of, zip_of])
async def test_an_archive_is_unpacked(api: Api, archive: Any) -> None:
    ident = (await made(api))["id"]
    data = archive(**{"a.txt": b"one", "deep/b.csv": b"x,y\n"})
    done = await upload(api, ident, "in", data, "application/octet-stream", extract="true")
    assert paths(done.json()) == ["in/a.txt", "in/deep/b.csv"]
    again = await upload(api, ident, "in", data, extract="true")
    assert error_of(again, 409) == ("already_exists", "File 'in/a.txt' already exists.")
    assert paths(await listing(api, ident, recursive="true")) == ["in/a.txt", "in/deep/b.csv"]


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (tar_of(**{"ok.txt": b"", "../up.txt": b"x"}), "must stay inside"),
        (zip_of(**{"/etc/x": b"x"}), "must be relative"),
        (link(), "no plain file"),
        (tar_of(a=b"x" * 2000)[:-60], "cannot be read"),
        (b"no archive", "cannot be read"),
    ],
    # The bytes of an archive hold the time at which it was made: no name for a test.
    ids=["upwards", "absolute", "link", "cut", "none"],
)
async def test_an_unsafe_archive_is_refused_as_a_whole(api: Api, archive: bytes, message: str) -> None:
    ident = (await made(api))["id"]
    refused = await upload(api, ident, "in", archive, extract="true")
    assert message in error_of(refused, 400)[1]
    assert (await api.http.get(f"/v1beta/environments/{ident}")).json()["file_count"] == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "x"}, 400, "parameter_unknown"),
        ({"network": "enabled"}, 400, "invalid_request"),
        ({"network": {"allowlist": [{"credential": "x"}]}}, 400, "invalid_request"),
        ({"network": {"allowlist": [{"domain": "a b"}]}}, 400, "invalid_request"),
        ({"network": {"allowlist": [{"domain": "*", "credential": "x"}]}}, 404, "not_found"),
        ({"sources": [{"type": "ftp", "source": "x"}]}, 400, "invalid_request"),
        ({"sources": [{"type": "inline", "content": "x"}]}, 400, "invalid_request"),
        ({"sources": [{"type": "inline", "content": "x", "target": "../x"}]}, 400, "invalid_request"),
        (
            {"sources": [{"type": "inline", "content": "?", "target": "x", "encoding": "base64"}]},
            400,
            "invalid_request",
        ),
        ({"sources": [{"type": "gcs", "source": "bucket/x"}]}, 400, "invalid_request"),
        ({"from_environment": "env_none"}, 404, "not_found"),
        ({"from_environment": "env_none", "sources": SOURCES}, 400, "invalid_request"),
    ],
)
async def test_an_environment_that_makes_no_sense_is_refused(
    api: Api, body: dict[str, Any], status: int, code: str
) -> None:
    assert error_of(await api.http.post("/v1beta/environments", json=body), status)[0] == code


async def test_an_environment_expires_when_nobody_uses_it(api: Api, emulator: Emulator) -> None:
    used, idle = (await made(api, sources=SOURCES))["id"], (await made(api, sources=SOURCES))["id"]
    emulator.advance(4 * 86400)
    await listing(api, used)
    emulator.advance(4 * 86400)
    listed = (await api.http.get("/v1beta/environments?page_size=1000")).json()["environments"]
    status = {one["id"]: (one["status"], one["file_count"]) for one in listed}
    assert (status[used], status[idle]) == (("active", 3), ("expired", 0))
    assert error_of(await api.http.get(f"/v1beta/environments/{idle}/files"), 400)[0] == "failed_precondition"
