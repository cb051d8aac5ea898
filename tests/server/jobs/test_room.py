"""The quota of the output directory: what counts, what is refused, and that two that fit alone do not fit together."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gemini_server import settings
from gemini_server.errors import LocalError, UnsafeSetting
from gemini_server.jobs.artifacts import Artifacts, Traits, part_name
from gemini_server.jobs.ledger import Store
from gemini_server.jobs.output_directory import OutputDirectory

pytestmark = pytest.mark.anyio

PNG = Traits("image/png", ".png")
CREATED = datetime(2026, 11, 22, tzinfo=UTC)
MIB = 2**20


def name(number: int) -> str:
    return f"plot-20261122T120000Z-{number:010x}.png"


def refused(code: str, work: object, *arguments: object) -> LocalError:
    assert callable(work)
    with pytest.raises(LocalError) as error:
        work(*arguments)
    assert error.value.code == code
    return error.value


def test_a_file_that_would_exceed_the_quota_is_refused_with_the_numbers(tmp_path: Path) -> None:
    files = OutputDirectory(tmp_path / "output", quota=3 * MIB)
    files.write(name(1), bytes(2 * MIB))
    error = refused("quota", files.write, name(2), bytes(MIB + 1))
    assert "3.0 MiB: 2.0 MiB are used" in error.what
    assert "GEMINI_TOOLSERVER_OUTPUT_QUOTA" in error.remedy
    refused("quota", files.check_room, MIB + 1)
    files.check_room(MIB)
    files.write(name(2), bytes(MIB))
    refused("quota", files.write, name(3), b"x")
    assert sorted(path.name for path in (tmp_path / "output").iterdir()) == [name(1), name(2)]


def test_room_comes_back_with_the_files_that_are_removed(tmp_path: Path) -> None:
    files = OutputDirectory(tmp_path / "output", quota=MIB)
    files.write(name(1), bytes(MIB))
    refused("quota", files.write, name(2), bytes(MIB))
    (tmp_path / "output" / name(1)).unlink()
    files.write(name(2), bytes(MIB))


def test_only_produced_files_count_and_each_only_once(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    for foreign in ("holiday.mp4", "plot.png", ".x.part"):
        (output / foreign).write_bytes(bytes(MIB))
    (output / "plot-20261122T120000Z-0123456789.png.json").write_bytes(bytes(MIB))
    (output / name(9)).symlink_to(output / "holiday.mp4")
    (output / name(8)).mkdir()
    files = OutputDirectory(output, quota=MIB)
    files.write(name(1), bytes(MIB))
    (output / name(1)).unlink()
    part = part_name("video", CREATED, "id")
    files.write_part(part, bytes(MIB - 100))
    os.link(output / part, output / "video-20261122T000000Z-0123456789.mp4")
    files.write(name(2), bytes(100))
    refused("quota", files.write, name(3), b"x")


def test_a_part_counts_in_full_from_its_beginning_until_it_is_given_up(tmp_path: Path) -> None:
    files = OutputDirectory(tmp_path / "output", quota=3 * MIB)
    part = part_name("video", CREATED, "id")
    files.reserve(part, 2 * MIB, 2 * MIB)
    number = files.open_part(part, append=True)
    os.write(number, bytes(1000))
    refused("quota", files.write, name(1), bytes(MIB + 1))
    refused("quota", files.reserve, part_name("video", CREATED, "other"), MIB + 1, MIB + 1)
    files.reserve(part, 3 * MIB, 3 * MIB)  # it is larger than was thought
    refused("quota", files.reserve, part, 3 * MIB + 1, 1)
    files.reserve(part, 2 * MIB, 2 * MIB)
    os.close(number)
    files.release(part)
    files.write(name(1), bytes(3 * MIB - 1000))
    refused("quota", files.write, name(2), b"x")


def test_of_many_at_once_no_more_are_written_than_fit(tmp_path: Path) -> None:
    files = OutputDirectory(tmp_path / "output", quota=5 * MIB + 10)

    def write(number: int) -> bool:
        try:
            files.write(name(number), bytes(MIB))
        except LocalError as error:
            return error.code != "quota"
        return True

    with ThreadPoolExecutor(8) as pool:
        written = sum(pool.map(write, range(16)))
    # A file counts twice in the moment in which it is finished, so that fewer may fit, and never more.
    assert 1 <= written <= 5
    assert sum(path.stat().st_size for path in (tmp_path / "output").iterdir()) == written * MIB


async def test_the_quota_holds_for_every_way_to_save(store: Store, tmp_path: Path) -> None:
    artifacts = Artifacts(store, tmp_path / "output", quota=1000)
    await artifacts.save("local", "plot", bytes(600), PNG)
    with pytest.raises(LocalError, match="quota"):
        await artifacts.save("local", "plot", bytes(600), PNG)
    with pytest.raises(LocalError, match="quota"):
        await artifacts.finish_bytes("id", "plot", CREATED, bytes(600), PNG)
    with pytest.raises(LocalError, match="quota"):
        await artifacts.check_room(600)
    assert len(list((tmp_path / "output").iterdir())) == 1
    await artifacts.finish_bytes("id", "plot", CREATED, bytes(400), PNG)
    assert (await artifacts.finish_bytes("id", "plot", CREATED, bytes(400), PNG)).bytes == 400, "it is there already"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0", 0),
        ("5000", 5000),
        ("100B", 100),
        ("20GB", 20 * 10**9),
        ("20 gb", 20 * 10**9),
        ("1.5G", 15 * 10**8),
        ("500MiB", 500 * MIB),
        ("1Ti", 2**40),
        ("7k", 7000),
    ],
)
def test_the_quota_is_given_as_people_write_it(given: str, expected: int) -> None:
    assert settings.read({"GEMINI_TOOLSERVER_OUTPUT_QUOTA": given}).output_quota == expected


@pytest.mark.parametrize("given", ["-1", "many", "20 GBit", "1e9", "GB", "1.2.3GB", "٣GB", "1" * 40])
def test_a_quota_that_is_no_number_of_bytes_is_refused(given: str) -> None:
    with pytest.raises(UnsafeSetting, match="GEMINI_TOOLSERVER_OUTPUT_QUOTA must be a number of bytes"):
        settings.read({"GEMINI_TOOLSERVER_OUTPUT_QUOTA": given})


def test_descriptions_beside_the_files_are_switched_off_by_a_setting() -> None:
    assert settings.read({}).sidecars
    assert not settings.read({"GEMINI_TOOLSERVER_SIDECARS": "off"}).sidecars
