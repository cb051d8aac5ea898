"""Uploads in the ledger: how to go on, what counts as the same bytes, and whose they are."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gemini_server.jobs.jobs import Jobs
from gemini_server.jobs.ledger import Ledger, Store
from gemini_server.jobs.new_job import NewJob
from gemini_server.jobs.schema import CLOCK
from gemini_server.jobs.uploads import SPARE, Upload, Uploads

pytestmark = pytest.mark.anyio

NEW = Upload(
    job="", principal="anna", place="here", origin="file 1", sha256=None, bytes=1000, mime_type="video/mp4", name="",
    display_name="clip",
)  # fmt: skip
SESSION = "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=SECRET"


@pytest.fixture
def uploads(store: Store) -> Uploads:
    return Uploads(store)


async def begun(store: Store, new: Upload = NEW) -> Upload:
    """An upload of a job of its own."""
    job, _ = await Jobs(store).begin(
        NewJob(new.principal, "upload", "upload_file", "upload", "", None, estimate=Decimal(0)), "me"
    )
    return await Uploads(store).of(replace(new, job=job.id))


async def now(store: Store) -> float:
    return float(await store.run(lambda ledger: ledger.execute(f"SELECT {CLOCK}").fetchone()[0]))


async def test_an_upload_is_known_from_its_first_step_on(store: Store, uploads: Uploads) -> None:
    first = await begun(store)
    assert (first.state, first.session, first.starts, first.name) == ("sending", None, 0, "")
    assert await uploads.of(replace(first, bytes=5, origin="another")) == first
    again = await uploads.began(first, SESSION, 262_144, "files/a")
    assert (again.session, again.granularity, again.starts, again.name) == (SESSION, 262_144, 1, "files/a")
    assert await uploads.of(NEW_OF(first)) == again
    assert SESSION not in repr(again)
    restarted = await uploads.began(again, f"{SESSION}2", 1024, "files/b")
    assert (restarted.starts, restarted.name) == (2, "files/b")


def NEW_OF(upload: Upload) -> Upload:  # noqa: N802  what its work would write if it were the first
    return replace(NEW, job=upload.job)


async def test_the_session_is_forgotten_when_all_bytes_are_there(store: Store, uploads: Uploads) -> None:
    upload = await uploads.began(await begun(store), SESSION, 262_144, "files/a")
    await uploads.arrived(upload.job, "files/renamed", "ab" * 32)
    found = await uploads.of(NEW_OF(upload))
    assert (found.session, found.sha256, found.name, found.state) == (None, "ab" * 32, "files/renamed", "sending")

    def secrets(ledger: Ledger) -> object:
        return ledger.execute("SELECT count(*) FROM uploads WHERE session IS NOT NULL").fetchone()[0]

    assert await store.run(secrets) == 0


async def test_live_uploads_are_found_by_size_and_type_until_shortly_before_their_end(
    store: Store, uploads: Uploads
) -> None:
    clock = await now(store)
    ends = {"soon": clock + SPARE - 10, "later": clock + SPARE + 100, "never": None}
    for name, end in ends.items():
        upload = await begun(store, replace(NEW, origin=name))
        await uploads.settled(upload.job, f"uri {name}", end)
    sending = await begun(store, replace(NEW, origin="sending"))
    gone = await begun(store, replace(NEW, origin="gone"))
    await uploads.gone(gone.job)
    found = await uploads.alike("anna", "here", 1000, "video/mp4")
    assert [one.origin for one in found] == ["sending", "never", "later"]
    assert found[2].uri == "uri later"
    assert found[2].age is not None
    assert 0 <= found[2].age < 60
    assert found[0] == sending
    for other in (("bert", "here", 1000, "video/mp4"), ("anna", "there", 1000, "video/mp4"),
                  ("anna", "here", 1001, "video/mp4"), ("anna", "here", 1000, "video/webm")):  # fmt: skip
        assert await uploads.alike(*other) == []


async def test_a_deleted_file_is_not_used_again(store: Store, uploads: Uploads) -> None:
    upload = await uploads.began(await begun(store), SESSION, 1, "files/a")
    await uploads.settled(upload.job, "uri", None)
    await uploads.deleted("there", "files/a")
    assert await uploads.alike("anna", "here", 1000, "video/mp4")
    await uploads.deleted("here", "files/a")
    assert await uploads.alike("anna", "here", 1000, "video/mp4") == []


async def test_the_time_of_the_last_look_is_kept(store: Store, uploads: Uploads) -> None:
    upload = await begun(store)
    await uploads.settled(upload.job, "uri", None)
    await store.run(lambda ledger: ledger.execute("UPDATE uploads SET confirmed = confirmed - 1000"))
    [old] = await uploads.alike("anna", "here", 1000, "video/mp4")
    assert old.age is not None
    assert old.age >= 1000
    await uploads.confirmed(upload.job)
    [fresh] = await uploads.alike("anna", "here", 1000, "video/mp4")
    assert fresh.age is not None
    assert fresh.age < 100


async def test_files_of_others_are_told(store: Store, uploads: Uploads) -> None:
    for principal, name in (("anna", "files/a"), ("bert", "files/b")):
        await uploads.began(await begun(store, replace(NEW, principal=principal)), SESSION, 1, name)
    names = ["files/a", "files/b", "files/unknown"]
    assert await uploads.of_others("anna", names) == {"files/b"}
    assert await uploads.of_others("carl", names) == {"files/a", "files/b"}
    assert await uploads.of_others("anna", []) == set()


async def test_an_upload_goes_with_its_job(store: Store, uploads: Uploads) -> None:
    upload = await begun(store)
    await store.run(lambda ledger: ledger.execute("DELETE FROM jobs WHERE id = ?", (upload.job,)))
    assert await uploads.alike("anna", "here", 1000, "video/mp4") == []
