"""Points in time in every spelling that people, models and Google use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_server.toolkit import times


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (0, 0), (1.5, 1.5), ("90", 90), (" 90s ", 90), ("1.5s", 1.5), ("1,5", 1.5), ("1:30", 90), ("01:30.250", 90.25),
        ("00:01:30.5", 90.5), ("1:02:03,004", 3723.004), ("75:00", 4500), ("0:75", 75), ("1m30s", 90), ("2h", 7200),
        ("1h 2m 3.5s", 3723.5), ("5min", 300), ("0.000000001s", 1e-9),
    ],
)  # fmt: skip
def test_a_time_is_read(written: object, seconds: float) -> None:
    assert times.seconds(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "soon", "-1", -1, -0.5, True, None, [], {}, "1:2:3:4", "1:", ":30", "NaN", "Infinity", float("nan"),
        float("inf"), 10**400, "1e5", "1" * 40, "١:٣٠x", "90 seconds ago",
    ],
)  # fmt: skip
def test_what_is_no_time_is_none(written: object) -> None:
    assert times.seconds(written) is None


@given(st.floats(0, 359_999, allow_nan=False))
def test_a_time_survives_being_written(value: float) -> None:
    for written in (times.clock(value), times.clock(value, ","), times.duration(value)):
        assert times.seconds(written) == pytest.approx(value, abs=0.0006)


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    found = times.seconds(text)
    assert found is None or found >= 0


def test_a_duration_is_short_and_exact() -> None:
    assert [times.duration(value) for value in (0, 1.5, 90, 123456.789, 100)] == [
        "0s", "1.5s", "90s", "123456.789s", "100s",
    ]  # fmt: skip
