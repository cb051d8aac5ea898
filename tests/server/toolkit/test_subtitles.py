"""Subtitles: valid whatever is said."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gemini_server.toolkit.segments import Segment, mend
from gemini_server.toolkit.subtitles import srt, vtt

TEXT = st.text(st.sampled_from("ab ,.<>{}&-\n\\/!日本\u2028"), min_size=1, max_size=400).filter(str.strip) | st.text(
    st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=200
).filter(str.strip)
TIME = st.none() | st.floats(-10, 400, allow_nan=False)
START = st.none() | st.floats(0, 400, allow_nan=False)
SEGMENTS = st.lists(
    st.builds(Segment, TEXT, START, TIME, st.sampled_from(["", "Ada", "B<>&"])),
    max_size=12,
)

SRT_BLOCK = re.compile(r"(\d+)\n(\d\d+:[0-5]\d:[0-5]\d,\d{3}) --> (\d\d+:[0-5]\d:[0-5]\d,\d{3})\n((?:.+\n){1,2})")
VTT_BLOCK = re.compile(r"(\d\d+:[0-5]\d:[0-5]\d\.\d{3}) --> (\d\d+:[0-5]\d:[0-5]\d\.\d{3})\n((?:.+\n){1,2})")


@given(SEGMENTS, st.none() | st.floats(1, 300))
def test_mended_segments_are_in_order_and_inside_of_the_recording(
    segments: list[Segment], duration: float | None
) -> None:
    mended, _ = mend(segments, duration)
    assert sorted(one.text for one in mended) == sorted(one.text for one in segments)
    if not any(one.start is not None or one.end is not None for one in segments):
        assert mended == segments
        return
    for one in mended:
        assert one.start is not None
        assert one.end is not None
        assert 0 <= one.start <= one.end
        assert duration is None or one.end <= round(duration, 3)


@given(SEGMENTS, st.none() | st.floats(1, 300))
def test_every_cue_of_srt_is_valid(segments: list[Segment], duration: float | None) -> None:
    text = srt(mend(segments, duration)[0])
    if not text:
        return
    for number, block in enumerate(text.removesuffix("\n").split("\n\n"), 1):
        found = SRT_BLOCK.fullmatch(block + "\n")
        assert found, block
        assert int(found[1]) == number
        assert found[2] < found[3]
        assert not set(found[4]) & set("<>{}")


@given(SEGMENTS, st.none() | st.floats(1, 300))
def test_every_cue_of_vtt_is_valid(segments: list[Segment], duration: float | None) -> None:
    text = vtt(mend(segments, duration)[0])
    assert text.startswith("WEBVTT\n")
    for block in text.removesuffix("\n").split("\n\n")[1:]:
        found = VTT_BLOCK.fullmatch(block + "\n")
        assert found, block
        assert found[1] < found[2]
        spoken = re.sub(r"^<v [^<>\n]+>", "", found[3])
        assert not set(spoken) & set("<>{}")
        assert not re.search(r"&(?!amp;|lt;|gt;)", spoken)


def test_a_speaker_is_named_only_where_there_are_several() -> None:
    one, two = Segment("Hi.", 0, 1, "Ada"), Segment("Hello.", 1, 2, "Ben")
    assert "Ada" not in srt([one])
    assert "Ada: Hi." in srt([one, two])
    assert "<v Ben>Hello." in vtt([one, two])
