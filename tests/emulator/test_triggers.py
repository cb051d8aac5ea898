"""Triggers: schedules that are understood, runs at their time and on request, failures that are counted."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from gemini_emulator import Emulator

from .conftest import Api
from .delegating import ANTIGRAVITY, RESEARCH, finished

pytestmark = pytest.mark.anyio

PATH = "/v1beta/triggers"
HOUR = 3600


async def post(api: Api, given: str = "Explain tides", **fields: Any) -> httpx2.Response:
    interaction = {"agent": ANTIGRAVITY, "input": given}
    body = {"interaction": interaction, "schedule": "0 * * * *", "time_zone": "UTC", **fields}
    return await api.http.post(PATH, json=body)


async def make(api: Api, given: str = "Explain tides", **fields: Any) -> dict[str, Any]:
    response = await post(api, given, **fields)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def get(api: Api, ident: str) -> dict[str, Any]:
    return dict((await api.http.get(f"{PATH}/{ident}")).json())


async def runs(api: Api, ident: str) -> list[dict[str, Any]]:
    """The executions, newest first."""
    return list((await api.http.get(f"{PATH}/{ident}/executions")).json().get("trigger_executions", []))


async def test_a_trigger_is_made_listed_paused_and_deleted(emulator: Emulator, api: Api) -> None:
    made = await make(api, display_name="Hourly")
    assert (made["status"], made["consecutive_failure_count"]) == ("active", 0)
    assert made["next_run_time"].endswith(":00:00.000000Z")
    listed = (await api.http.get(PATH)).json()["triggers"]
    assert made["id"] in [one["id"] for one in listed]
    change = {"status": "paused", "display_name": "Never"}
    paused = (await api.http.patch(f"{PATH}/{made['id']}", json=change)).json()
    assert (paused["display_name"], "next_run_time" in paused, "last_pause_time" in paused) == ("Never", False, True)
    emulator.advance(3 * HOUR)
    assert await runs(api, made["id"]) == []
    resumed = (await api.http.patch(f"{PATH}/{made['id']}", json={"status": "active"})).json()
    assert resumed["next_run_time"] > resumed["last_resume_time"]
    assert (await api.http.patch(f"{PATH}/{made['id']}", json={"schedule": "* * * * *"})).status_code == 400
    assert (await api.http.delete(f"{PATH}/{made['id']}")).json() == {}
    assert (await api.http.get(f"{PATH}/{made['id']}")).json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("30 9 * * mon-fri", "Europe/Berlin", "08:30"),
        ("*/20 0-2 1,15 * *", "UTC", "00:00"),
        ("0 12 29 FEB *", "Asia/Tokyo", "2028-02-29T03:00"),
    ],
)
async def test_a_schedule_counts_in_its_time_zone(api: Api, schedule: str, zone: str, expected: str) -> None:
    made = await make(api, schedule=schedule, time_zone=zone)
    # Summer time shifts Berlin by an hour, depending on the date of the test.
    later = expected.replace("08:30", "07:30")
    assert expected in made["next_run_time"] or later in made["next_run_time"]


@pytest.mark.parametrize(
    "fields",
    [
        {"schedule": "0 * * *"},
        {"schedule": "60 * * * *"},
        {"schedule": "*/0 * * * *"},
        {"schedule": "0 0 31 feb *"},
        {"schedule": "0 0 * * someday"},
        {"time_zone": "Mars/Olympus"},
        {"max_consecutive_failures": 0},
        {"interaction": {"agent": ANTIGRAVITY}},
        {"interaction": {"agent": RESEARCH, "input": "hi", "environment": "remote"}},
        {"interaction": {"model": "gemini-3.8-flash", "input": "hi"}},
    ],
)
async def test_what_makes_no_sense_is_refused(api: Api, fields: dict[str, Any]) -> None:
    response = await post(api, **fields)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["code"] in ("invalid_request", "parameter_unknown")


async def test_it_runs_at_its_time_and_skips_what_overlaps(emulator: Emulator, api: Api) -> None:
    made = await make(api)
    emulator.advance(HOUR)
    (first,) = await runs(api, made["id"])
    assert (first["status"], first["scheduled_time"]) == ("in_progress", made["next_run_time"])
    emulator.advance(2 * HOUR)
    skipped, newest, done = await runs(api, made["id"])
    assert [one["status"] for one in (skipped, newest, done)] == ["skipped", "in_progress", "completed"]
    interaction = await finished(api, done["interaction_id"])
    assert (interaction["agent"], interaction["environment_id"]) == (ANTIGRAVITY, done["environment_id"])
    shown = await get(api, made["id"])
    assert shown["previous_interaction_id"] == newest["interaction_id"]
    assert shown["last_run_time"] < shown["next_run_time"]


async def test_it_runs_on_request_in_its_environment(emulator: Emulator, api: Api) -> None:
    place = (await api.http.post("/v1beta/environments", json={})).json()["id"]
    made = await make(api, environment_id=place, schedule="0 0 1 1 *")
    run = (await api.http.post(f"{PATH}/{made['id']}/executions")).json()
    assert (run["status"], run["trigger_id"], run["environment_id"]) == ("in_progress", made["id"], place)
    emulator.advance(120)
    (done,) = await runs(api, made["id"])
    assert done["status"] == "completed"
    assert done["end_time"] > done["start_time"]


async def test_failures_in_a_row_put_it_into_error(emulator: Emulator, api: Api) -> None:
    made = await make(api, "hi [emulate: outcome=failed message=No_luck]", max_consecutive_failures=2)
    emulator.advance(HOUR)
    assert (await get(api, made["id"]))["consecutive_failure_count"] == 0
    emulator.advance(HOUR)
    failing = await get(api, made["id"])
    assert (failing["consecutive_failure_count"], failing["status"]) == (1, "active")
    emulator.advance(HOUR)
    broken = await get(api, made["id"])
    assert (broken["consecutive_failure_count"], broken["status"]) == (2, "error")
    assert "next_run_time" not in broken
    emulator.advance(5 * HOUR)
    executions = await runs(api, made["id"])
    assert [(one["status"], one["error"]) for one in executions] == [("failed", "No luck")] * 2
    again = (await api.http.patch(f"{PATH}/{made['id']}", json={"status": "active"})).json()
    assert (again["status"], again["consecutive_failure_count"]) == ("active", 0)


async def test_a_run_can_be_refused_and_can_take_too_long(emulator: Emulator, api: Api) -> None:
    refused = await make(api, "hi [emulate: status=503]")
    run = (await api.http.post(f"{PATH}/{refused['id']}/executions")).json()
    assert run["status"] == "failed"
    assert "overloaded" in run["error"]
    assert "interaction_id" not in run
    slow = await make(api, "hi [emulate: lasts=50m]", execution_timeout_seconds=60)
    run = (await api.http.post(f"{PATH}/{slow['id']}/executions")).json()
    emulator.advance(61)
    (late,) = await runs(api, slow["id"])
    assert late["status"] == "timed_out"
    assert (await finished(api, run["interaction_id"]))["status"] == "cancelled"
