from __future__ import annotations

import pytest

from gemini_server.rest.retry import RetryBudget, backoff, repeatable, server_delay

NOON = 1_795_000_000.0
INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}


def delay(
    headers: dict[str, str] | None = None, details: list[dict[str, object]] | None = None, text: str = ""
) -> object:
    return server_delay(headers or {}, details or [], text, lambda: NOON)


def test_retry_info_wins_over_retry_after_which_wins_over_the_text() -> None:
    text = "Please retry in 25.3s."
    assert delay({"retry-after": "7"}, [{"@type": "x"}, dict(INFO)], text) == 34.4
    assert delay({"retry-after": "7"}, [], text) == 7
    assert delay({"retry-after-ms": "250", "retry-after": "7"}, [], text) == 0.25
    assert delay({}, [], text) == 25.3
    assert delay() is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please retry in 25.3s.", 25.3),
        ("retry in 1500ms", 1.5),
        ("Retry after 2m", 120),
        ("retry in 3 seconds", 3),
        ("retry in a moment", None),
        ("retry in 0s", None),
    ],
)
def test_the_delay_is_read_out_of_the_text(text: str, seconds: float | None) -> None:
    assert delay(text=text) == seconds


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "-5", "0", "Wed, 99 Foo 2026 00:00:00 GMT"])
def test_a_delay_that_says_nothing_usable_counts_as_none(value: str) -> None:
    assert delay({"retry-after": value}) is None
    assert delay({"retry-after-ms": value}) is None
    assert delay({}, [{**INFO, "retryDelay": value}]) is None


def test_a_retry_after_date_is_measured_on_the_servers_own_clock() -> None:
    date = "Wed, 18 Nov 2026 12:00:10 GMT"
    assert delay({"retry-after": date, "date": "Wed, 18 Nov 2026 12:00:00 GMT"}) == 10
    assert delay({"retry-after": date, "date": "Wed, 18 Nov 2026 12:00:20 GMT"}) is None


def test_a_retry_after_date_falls_back_on_this_machines_clock() -> None:
    # 1795000000 is 2026-11-18 11:06:40 UTC.
    assert delay({"retry-after": "Wed, 18 Nov 2026 11:06:45 GMT"}) == 5


def test_backoff_is_full_jitter_and_capped() -> None:
    assert [backoff(n, lambda: 1.0) for n in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff(5, lambda: 0.0) == 0


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_background_work_is_not_repeated_after_a_server_error(status: int) -> None:
    assert repeatable(status, "read")
    assert repeatable(status, "foreground")
    assert not repeatable(status, "background")


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 416, 499, 501])
def test_other_statuses_are_never_repeated(status: int) -> None:
    assert not repeatable(status, "read")


def test_a_429_is_repeated_for_all_kinds() -> None:
    assert repeatable(429, "background")


def test_the_budget_allows_a_floor_and_a_fifth_of_the_calls() -> None:
    budget = RetryBudget(lambda: 0.0)
    for _ in range(100):
        budget.call()
    assert sum(budget.spend() for _ in range(100)) == 30


def test_the_floor_comes_back_within_a_minute() -> None:
    now = 0.0
    budget = RetryBudget(lambda: now)
    assert sum(budget.spend() for _ in range(50)) == 10
    now = 30.0
    assert sum(budget.spend() for _ in range(50)) == 5
    now = 3600.0
    assert sum(budget.spend() for _ in range(50)) == 10
