"""Files that prompts refer to: read as if their bytes had been sent along, or refused in Google's words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from gemini_emulator import Emulator, Options, media_output, running, uploaded_files

from .conftest import TODAY, Api, ask, text_of
from .drawing import BLUE, RED, Drawing, inline, recording
from .interacting import create, refusal
from .interacting import text_of as said
from .uploading import active, refers_to, upload

pytestmark = pytest.mark.anyio

CSV = b"month,rain\nMay,10\nJune,32\nJuly,7\n"
PICTURE = Drawing(200, 200).paint("circle", RED, 20, 20, 100, 100).paint("square", BLUE, 120, 120, 180, 180).png()
PDF = b"%PDF-1.4\n" + b"1 0 obj<</Type/Page>>endobj\n" * 3 + b"%%EOF"


@pytest.fixture
async def alone(anyio_backend: str) -> AsyncIterator[tuple[Api, Emulator]]:
    """An emulator whose clock and files belong to one test."""
    async with (
        running(Options(today=TODAY)) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, verify=False) as http,
    ):
        http.headers["x-goog-api-key"] = "k"
        yield Api(http), emulator


async def answered(api: Api, part: dict[str, Any], text: str = "What is this?") -> dict[str, Any]:
    response = await api.post("generateContent", ask(part, text))
    assert response.status_code == 200, response.text
    return dict(response.json())


@pytest.mark.parametrize(
    ("mime_type", "data"),
    [
        ("text/csv", CSV),
        ("image/png", PICTURE),
        ("application/pdf", PDF),
        ("audio/wav", recording(1, 1, 1)),
        ("video/mp4", media_output.film("a red ball", 2, "16:9", "720p")),
    ],
    ids=["text", "picture", "pdf", "sound", "film"],
)
async def test_a_file_is_read_as_if_it_had_been_sent_along(api: Api, mime_type: str, data: bytes) -> None:
    file = await active(api, data, mime_type)
    assert await answered(api, refers_to(file)) == await answered(api, inline(mime_type, data))
    (by_file, by_data) = [
        (await api.post("countTokens", ask(part))).json() for part in (refers_to(file), inline(mime_type, data))
    ]
    assert by_file == by_data


async def test_pictures_are_detected_in_files(api: Api) -> None:
    file = await active(api, PICTURE, "image/png")
    text = text_of(await answered(api, refers_to(file), "Detect the red circle. Give box_2d."))
    assert '"label":"red circle"' in text
    assert "blue" not in text


async def test_recordings_are_transcribed_from_files(api: Api) -> None:
    file = await active(api, recording(1, 1, 1), "audio/wav")
    response = await api.post("generateContent", ask(refers_to(file)), model="gemini-3.5-transcribe")
    assert len(text_of(response.json()).split()) > 3


async def test_embeddings_read_files(api: Api) -> None:
    file = await active(api, PICTURE, "image/png")
    content = [{"content": {"parts": [part]}} for part in (refers_to(file), inline("image/png", PICTURE))]
    first, second = [(await api.post("embedContent", one, model="gemini-embedding-2")).json() for one in content]
    assert first == second
    requests = [{"model": "models/gemini-embedding-2", **one} for one in content]
    batch = await api.post("batchEmbedContents", {"requests": requests}, model="gemini-embedding-2")
    assert batch.json()["embeddings"] == [first["embedding"], second["embedding"]]


async def test_interactions_read_files(api: Api) -> None:
    file = await active(api, PICTURE, "image/png")
    given = [{"type": "image", "uri": file["uri"]}, {"type": "text", "text": "What is it?"}]
    assert "200×200" in said(await create(api, given))
    pending = await upload(api, PDF, "application/pdf")
    given[0] = {"type": "document", "uri": pending["uri"], "mime_type": "application/pdf"}
    code, message = await refusal(api, given)
    assert (code, "is not in an ACTIVE state" in message) == ("failed_precondition", True)


@pytest.mark.parametrize("form", ["{uri}", "{name}", "https://generativelanguage.googleapis.com/v1beta/{name}"])
async def test_a_file_is_found_by_any_of_its_addresses(api: Api, form: str) -> None:
    file = await active(api, CSV, "text/csv")
    part = {"file_data": {"file_uri": form.format(**file)}}
    assert "month,rain" in text_of(await answered(api, part))


async def test_an_address_elsewhere_is_no_file_of_ours(api: Api) -> None:
    part = {"fileData": {"fileUri": "https://example.com/files/report.pdf", "mimeType": "application/pdf"}}
    assert "https://example.com/files/report.pdf" in text_of(await answered(api, part))
    assert "Invalid or unsupported file uri" in await api.refusal(ask({"fileData": {"fileUri": "file:///etc/passwd"}}))


async def test_an_unknown_file_and_one_that_has_expired_are_the_same(alone: tuple[Api, Emulator]) -> None:
    api, emulator = alone
    file = await active(api, CSV, "text/csv")
    emulator.advance(49 * 3600)
    unknown = {**file, "uri": file["uri"][:-1]}
    for one in (file, unknown):
        ident = one["uri"].rpartition("/")[2]
        words = f"You do not have permission to access the File {ident} or it may not exist."
        assert await api.refusal(ask(refers_to(one)), status=403) == words
        assert (await api.post("countTokens", ask(refers_to(one)))).status_code == 403
        request = {"content": {"parts": [refers_to(one)]}}
        assert (await api.post("embedContent", request, model="gemini-embedding-2")).status_code == 403


@pytest.mark.parametrize("display_name", ["slow", "[emulate: outcome=failed polls=0]"])
async def test_a_file_that_is_not_active_is_refused(api: Api, display_name: str) -> None:
    file = await upload(api, PDF, "application/pdf", displayName=display_name)
    refused = await api.post("generateContent", ask(refers_to(file)))
    ident = file["name"].removeprefix("files/")
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")
    message = f"The File {ident} is not in an ACTIVE state and usage is not allowed."
    assert refused.json()["error"]["message"] == message


async def test_the_types_of_file_and_reference_have_to_agree(api: Api) -> None:
    file = await active(api, PICTURE, "image/jpeg")
    file["mimeType"] = "image/jpg"
    await answered(api, refers_to(file))
    file["mimeType"] = "image/png"
    assert "does not match" in await api.refusal(ask(refers_to(file)))


async def test_a_type_that_no_model_reads_is_refused_in_use_only(api: Api) -> None:
    file = await active(api, b"II*\0", "image/tiff")
    assert await api.refusal(ask(refers_to(file))) == "Unsupported MIME type: image/tiff"


@pytest.mark.parametrize("bare", [False, True])
async def test_a_file_without_bytes_is_of_no_use(api: Api, bare: bool) -> None:
    if bare:
        made = await api.http.post("/v1beta/files", json={"file": {"displayName": "Nothing"}})
        file = {**made.json()["file"], "mimeType": "text/plain"}
    else:
        file = await upload(api, b"", "text/plain")
    await api.refusal(ask(refers_to(file)))


async def test_a_registered_file_is_known_by_its_type_alone(emulator: Emulator, api: Api) -> None:
    headers = {"authorization": "Bearer ya29.token", "x-goog-user-project": "p"}
    async with httpx2.AsyncClient(base_url=emulator.url, headers=headers, verify=False) as http:
        made = await http.post("/v1beta/files:register", json={"uris": ["gs://bucket/film.mp4"]})
    (file,) = made.json()["files"]
    assert file["uri"] in text_of(await answered(api, refers_to(file)))


async def test_a_long_film_is_not_read_whole_but_measured(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploaded_files, "READ", 1000)
    film = media_output.film("a red ball", 2, "16:9", "720p")
    file = await active(api, film, "video/mp4")
    counted = (await api.post("countTokens", ask(refers_to(file)))).json()
    assert counted["promptTokensDetails"] == [{"modality": "VIDEO", "tokenCount": 2 * 258}]
    assert file["uri"] in text_of(await answered(api, refers_to(file)))
    given = [{"type": "video", "uri": file["uri"]}, {"type": "text", "text": "What is it?"}]
    assert file["uri"] in said(await create(api, given))
