"""`serve`, killed with -9 at a named point on the way of a job: `python -m tests.crash.killed POINT [serve's flags]`.

The points lie before and after everything that changes anything outside the process: each write to the ledger, each
request to Gemini, each step of saving the file.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from gemini_server.cli import main
from gemini_server.jobs import finishing, names, part
from gemini_server.jobs.jobs import Jobs
from gemini_server.rest.exchange import Exchange

POINTS = (
    "before begin", "after begin",
    "before sent", "after sent",
    "before the request", "after the request",
    "before running", "after running",
    "before the first question", "after the first question",
    "before the second question", "after the second question",
    "before arrived", "after arrived",
    "before the download", "after the download began",
    "before bytes", "after bytes",
    "before the sync", "after the sync",
    "before the name", "between the name and its clearing", "after the name",
    "before done", "after done",
)  # fmt: skip

_wanted = ""


def at(point: str) -> None:
    """Die here, if this is the point."""
    assert point in POINTS, point
    if point == _wanted:
        os.kill(os.getpid(), signal.SIGKILL)


def _around(holder: Any, name: str, before: Callable[..., str], after: Callable[..., str]) -> None:
    """Put points around an async method."""
    original = getattr(holder, name)

    async def wrapped(*arguments: Any, **named: Any) -> Any:
        first, last = before(*arguments), after(*arguments)
        if first:
            at(first)
        result = await original(*arguments, **named)
        if last:
            at(last)
        return result

    setattr(holder, name, wrapped)


def _around_plain(holder: Any, name: str, before: str, after: str) -> None:
    """Put points around a plain function or method."""
    original = getattr(holder, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        if before:
            at(before)
        result = original(*arguments, **named)
        if after:
            at(after)
        return result

    setattr(holder, name, wrapped)


def _always(point: str) -> Callable[..., str]:
    return lambda *_: point


def _on_change(when: str) -> Callable[..., str]:
    def point(jobs: Jobs, job: Any, owner: str, state: str, *_: Any) -> str:
        return f"{when} running" if state == "running" and job.state == "submitting" else ""

    return point


_asked: list[str] = []


def _on_request(when: str) -> Callable[..., str]:
    def point(exchange: Exchange, order: Any, *_: Any) -> str:
        if order.method == "POST":
            return f"{when} the request"
        if "/interactions/" not in order.url:
            return "before the download" if when == "before" else "after the download began"
        if when == "before":
            _asked.append(order.url)
        number = {1: "first", 2: "second"}.get(len(_asked))
        return f"{when} the {number} question" if number else ""

    return point


def prepare(point: str) -> None:
    """Set all points, one of them deadly."""
    global _wanted
    _wanted = point
    for name in ("begin", "sent", "arrived"):
        _around(Jobs, name, _always(f"before {name}"), _always(f"after {name}"))
    _around(Jobs, "saved", _always("before done"), _always("after done"))
    _around(Jobs, "change", _on_change("before"), _on_change("after"))
    _around(Exchange, "open", _on_request("before"), _on_request("after"))
    _around_plain(part.Part, "write", "before bytes", "after bytes")
    _around_plain(part.Part, "sync", "before the sync", "after the sync")
    _around_plain(finishing, "finish", "before the name", "after the name")
    _around_plain(names.Names, "publish", "", "between the name and its clearing")


if __name__ == "__main__":
    prepare(sys.argv[1])
    sys.argv[1:] = ["serve", *sys.argv[2:]]
    main()
