"""Uploads in trouble: what a fault breaks, what counts all the same, and how every upload comes to its end."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any

import httpx2
import pytest

from gemini_emulator import ApiError, Emulator

from .conftest import Api
from .uploading import GRANULE, PATH, Session, begin, digest_of, noise, read, session_of, upload

pytestmark = pytest.mark.anyio

DATA = noise(2 * GRANULE + 5000)


async def broken(session: Session, data: bytes, offset: int, *, last: bool = True) -> None:
    """A chunk whose connection breaks."""
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError)):
        await session.upload(data, offset, last=last)


async def brought_to_an_end(session: Session) -> dict[str, Any]:
    """The file, after the bytes that are missing."""
    received = await session.received()
    finished = await session.upload(DATA[received:], received, last=True)
    assert (finished.status_code, finished.headers["x-goog-upload-status"]) == (200, "final"), finished.text
    file: dict[str, Any] = finished.json()["file"]
    assert (file["sizeBytes"], file["sha256Hash"]) == (str(len(DATA)), digest_of(DATA))
    return file


@pytest.mark.parametrize("after", [0, 1, GRANULE - 1, GRANULE, GRANULE + 1, 2 * GRANULE, len(DATA) - 1, len(DATA)])
async def test_a_cut_leaves_the_whole_granules_before_it(api: Api, emulator: Emulator, after: int) -> None:
    session = await session_of(api, len(DATA))
    emulator.add_fault(f"cut=inside after={after}", path="#upload")
    await broken(session, DATA, 0)
    assert await session.received() == after // GRANULE * GRANULE
    await brought_to_an_end(session)
    assert [one["body"] for one in emulator.requests[1:2]] == [f"<{after} bytes>" if after else None]


@pytest.mark.parametrize("after", [0, GRANULE, len(DATA)])
async def test_a_cut_may_lose_everything_of_its_chunk(api: Api, emulator: Emulator, after: int) -> None:
    session = await session_of(api, len(DATA))
    await session.upload(DATA[:GRANULE], 0)
    emulator.add_fault(f"cut=inside after={after} lost", path="#upload")
    await broken(session, DATA[GRANULE:], GRANULE)
    assert await session.received() == GRANULE
    await brought_to_an_end(session)


async def test_a_cut_without_a_place_is_in_the_middle(api: Api, emulator: Emulator) -> None:
    session = await session_of(api, len(DATA))
    emulator.add_fault("cut=inside", path="#upload")
    await broken(session, DATA, 0)
    assert await session.received() == GRANULE
    await brought_to_an_end(session)


async def test_a_cut_before_leaves_nothing(api: Api, emulator: Emulator) -> None:
    session = await session_of(api, len(DATA))
    emulator.add_fault("cut=before", path="#upload")
    await broken(session, DATA, 0)
    assert await session.received() == 0
    await brought_to_an_end(session)


async def test_the_last_answer_may_be_lost_although_all_is_done(api: Api, emulator: Emulator) -> None:
    session = await session_of(api, len(DATA))
    emulator.add_fault("cut=answer", path="#upload")
    await broken(session, DATA, 0)
    asked = await session.send("query")
    assert asked.headers["x-goog-upload-status"] == "final"
    assert asked.headers["x-goog-upload-size-received"] == str(len(DATA))
    file = asked.json()["file"]
    assert (await read(api, file))["sha256Hash"] == digest_of(DATA)
    emulator.add_fault("no_result", path="#query")
    silent = await session.send("query")
    assert (silent.headers["x-goog-upload-status"], silent.content) == ("final", b"")


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("kept", [False, True])
async def test_an_error_on_a_chunk_may_come_before_or_after_its_bytes_count(
    api: Api, emulator: Emulator, status: int, kept: bool
) -> None:
    session = await session_of(api, len(DATA))
    emulator.add_fault(f"status={status} retry=1s" + (" kept" if kept else ""), path="#upload")
    refused = await session.upload(DATA, 0, last=True)
    assert (refused.status_code, "x-goog-upload-status" in refused.headers) == (status, False)
    assert refused.json()["error"]["code"] == status
    assert await session.received() == (len(DATA) if kept else 0)
    await brought_to_an_end(session)


async def test_an_answer_may_promise_less_than_was_sent(api: Api, emulator: Emulator) -> None:
    session = await session_of(api, len(DATA))
    emulator.add_fault("lost", path="#upload")
    answer = await session.upload(DATA, 0, last=True)
    assert (answer.status_code, answer.headers["x-goog-upload-status"]) == (200, "active")
    assert answer.headers["x-goog-upload-size-received"] == "0"
    await brought_to_an_end(session)


async def test_the_status_header_may_be_missing(api: Api, emulator: Emulator) -> None:
    session = await session_of(api, len(DATA))
    emulator.add_fault("no_status", path="#upload")
    finished = await session.upload(DATA, 0, last=True)
    assert "x-goog-upload-status" not in finished.headers
    assert (await session.send("query")).headers["x-goog-upload-status"] == "final"


async def test_the_start_may_be_refused_or_come_without_its_address(api: Api, emulator: Emulator) -> None:
    emulator.add_fault("status=503", path="#start")
    assert (await begin(api, 5)).status_code == 503
    emulator.add_fault("no_url", path="#start")
    started = await begin(api, 5)
    assert (started.status_code, "x-goog-upload-url" in started.headers) == (200, False)
    emulator.add_fault("html status=502", path="#start")
    assert (await begin(api, 5)).text.startswith("<!DOCTYPE html>")
    for where in ("before", "inside", "answer"):
        emulator.add_fault(f"cut={where}", path="#start")
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            await begin(api, 5)
    assert (await begin(api, 5)).status_code == 200


async def test_a_query_may_fail_too(api: Api, emulator: Emulator) -> None:
    session = await session_of(api, len(DATA))
    emulator.add_fault("status=503", path="#query$")
    assert (await session.send("query")).status_code == 503
    assert await session.received() == 0


async def test_a_fault_can_wait_for_a_place_in_the_file(api: Api, emulator: Emulator) -> None:
    session = await session_of(api, len(DATA))
    emulator.add_fault("status=500", path=rf"#upload@{GRANULE}$")
    assert (await session.upload(DATA[:GRANULE], 0)).status_code == 200
    assert (await session.upload(DATA[GRANULE : 2 * GRANULE], GRANULE)).status_code == 500
    await brought_to_an_end(session)


async def test_slow_answers_and_slow_readers_take_their_time(api: Api, emulator: Emulator) -> None:
    session = await session_of(api, len(DATA))
    emulator.add_fault("slow=120ms", path="#upload")
    began = time.monotonic()
    await session.upload(DATA[:GRANULE], 0)
    assert time.monotonic() - began >= 0.12
    emulator.add_fault("pace=50ms", path="#upload")
    began = time.monotonic()
    await session.upload(DATA[GRANULE:], GRANULE, last=True)
    assert time.monotonic() - began >= 0.1


async def test_a_stall_gives_no_answer(api: Api, emulator: Emulator) -> None:
    session = await session_of(api, len(DATA))
    emulator.add_fault("stall", path="#upload")
    async with httpx2.AsyncClient(timeout=0.2, verify=False) as http:
        headers = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
        with pytest.raises(httpx2.ReadTimeout):
            await http.post(session.url, content=DATA, headers=headers)
    await brought_to_an_end(session)


async def test_the_answer_may_be_no_json(api: Api, emulator: Emulator) -> None:
    session = await session_of(api, 5)
    emulator.add_fault("broken_json", path="#upload")
    finished = await session.upload(b"hello", 0, last=True)
    assert finished.headers["x-goog-upload-status"] == "final"
    with pytest.raises(ValueError, match=r".+"):
        finished.json()


async def test_the_granularity_may_be_another(api: Api, emulator: Emulator) -> None:
    emulator.add_fault(f"granularity={2 * GRANULE}", path="#start")
    started = await begin(api, len(DATA))
    assert started.headers["x-goog-upload-chunk-granularity"] == str(2 * GRANULE)
    session = Session(started.headers["x-goog-upload-url"])
    assert (await session.upload(DATA[:GRANULE], 0)).status_code == 400
    assert (await session.upload(DATA[: 2 * GRANULE], 0)).status_code == 200
    await brought_to_an_end(session)


@pytest.mark.parametrize("where", ["#start", "#upload"])
async def test_the_digest_may_be_wrong_or_written_in_another_way(api: Api, emulator: Emulator, where: str) -> None:
    digest = hashlib.sha256(b"hello")
    emulator.add_fault("digest=wrong", path=where)
    wrong = await upload(api, b"hello")
    assert len(base64.b64decode(wrong["sha256Hash"])) == 64
    assert wrong["sha256Hash"] != digest_of(b"hello")
    emulator.add_fault("digest=raw", path=where)
    assert base64.b64decode((await upload(api, b"hello"))["sha256Hash"]) == digest.digest()
    emulator.add_fault("digest=hex", path=where)
    assert (await upload(api, b"hello"))["sha256Hash"] == digest.hexdigest()
    emulator.add_fault("digest=none", path=where)
    assert "sha256Hash" not in await upload(api, b"hello")


async def test_the_display_name_can_ask_for_trouble(api: Api) -> None:
    session = await session_of(api, len(DATA), displayName="x [emulate: status=503 times=2]")
    codes = [(await session.upload(DATA, 0, last=True)).status_code for _ in range(3)]
    assert codes == [503, 503, 200]
    session = await session_of(api, len(DATA), displayName="x [emulate: on=query status=500 times=1]")
    assert (await session.send("query")).status_code == 500
    await brought_to_an_end(session)
    name = "x [emulate: on=start status=429 times=1]"
    assert [(await begin(api, 5, displayName=name)).status_code for _ in range(2)] == [429, 200]
    session = await session_of(api, len(DATA), displayName=f"x [emulate: cut=inside after={GRANULE} times=1]")
    await broken(session, DATA, 0)
    await brought_to_an_end(session)


@pytest.mark.parametrize("directive", ["cut=never", "on=monday", "digest=md5", "granularity=much", "keep"])
async def test_a_misspelled_directive_is_refused(api: Api, emulator: Emulator, directive: str) -> None:
    assert (await begin(api, 5, displayName=f"[emulate: {directive}]")).status_code == 400
    with pytest.raises(ApiError):
        emulator.add_fault(directive, path="#start")


async def test_faults_meet_uploads_in_one_request_too(api: Api, emulator: Emulator) -> None:
    for fault in ("status=503", "html status=502"):
        emulator.add_fault(fault, path="#raw")
        assert (await api.http.post(PATH, content=b"hello")).status_code in (502, 503)
    for fault in ("cut=before", "cut=inside after=3", "cut=answer"):
        emulator.add_fault(fault, path="#raw")
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            await api.http.post(PATH, content=b"hello", headers={"Content-Type": "text/plain"})
    emulator.add_fault("slow=80ms", path="#raw")
    began = time.monotonic()
    assert (await api.http.post(PATH, content=b"hello")).json()["file"]["sizeBytes"] == "5"
    assert time.monotonic() - began >= 0.08
