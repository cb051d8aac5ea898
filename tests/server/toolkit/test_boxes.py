"""Boxes as models write them: whatever comes, what is kept lies in the picture."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gemini_server.toolkit.boxes import Found, read

SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
JSON: st.SearchStrategy[Any] = SCALAR | st.lists(SCALAR, max_size=4) | st.just({"y": 1})
NUMBER = st.integers(-100, 1100) | st.floats(-100, 1100)
ITEM = st.fixed_dictionaries({"box_2d": st.lists(NUMBER, min_size=3, max_size=5) | JSON, "label": JSON})


@given(st.lists(JSON | ITEM, max_size=4), st.tuples(st.integers(1, 5000), st.integers(1, 5000)))
def test_what_is_kept_lies_in_the_picture_and_has_a_clean_label(items: list[Any], size: tuple[int, int]) -> None:
    found, warnings = read(items)
    assert len(found) <= len(items)
    assert bool(warnings) == (len(found) < len(items))
    for one in found:
        top, left, bottom, right = one.box
        assert 0 <= top < bottom <= 1000
        assert 0 <= left < right <= 1000
        x0, y0, x1, y1 = one.pixels(size)
        assert 0 <= x0 < x1 <= size[0]
        assert 0 <= y0 < y1 <= size[1]
        assert one.label
        assert "\n" not in one.label


def test_pixels_are_rounded_to_the_nearest() -> None:
    assert Found("x", (100, 200, 300, 400)).pixels((1920, 1080)) == (384, 108, 768, 324)
    assert Found("x", (0, 0, 1000, 1000)).pixels((7, 3)) == (0, 0, 7, 3)
    assert Found("x", (999, 999, 1000, 1000)).pixels((2, 2)) == (1, 1, 2, 2)


def test_all_reasons_are_told_at_once() -> None:
    items = [{"box_2d": [0, 0, 1, 1], "label": "a"}, 5, {"box_2d": [9, 9, 1, 1]}, {"box_2d": [9, 9, 2, 2]}, {}]
    assert read(items)[1] == [
        "4 entries of the answer left out: no object, 2 a box that is empty or inverted, without a box."
    ]
