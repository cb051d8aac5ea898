"""Variables that look like settings of this server and are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from gemini_server.settings import Settings

_PREFIX = "GEMINI_TOOLSERVER_"
_READ_ELSEWHERE = {"GEMINI_TOOLSERVER_TOKEN", "GEMINI_TOOLSERVER_TEST_LOG"}
"""By `call --url`, and by the tests."""


def strangers(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that has this server's prefix and is none of its settings: it may be misspelled.

    They are not refused, so that one environment can serve several versions.
    """
    known = {name for spec in fields(Settings) for name in spec.metadata["env"]} | _READ_ELSEWHERE
    unknown = sorted(name for name in environ if name.startswith(_PREFIX) and name not in known)
    if not unknown:
        return []
    from difflib import get_close_matches

    tails = sorted(name.removeprefix(_PREFIX) for name in known if name.startswith(_PREFIX))
    sentences: list[str] = []
    for name in unknown:
        near = get_close_matches(name.removeprefix(_PREFIX).upper(), tails, n=1, cutoff=0.75)
        meant = f"; did you mean {_PREFIX}{near[0]}?" if near else "."
        sentences.append(f"{name[:100]!r} is no setting of this server and has no effect{meant}")
    return sentences
