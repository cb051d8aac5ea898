"""Thirty-two calls that wait for a slow Gemini: how long a small request takes meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator

from endpoint import SLOW_SECONDS
from report import Row
from servers import OURS, Endpoint, Server

LIMIT = 0.100
CALLS = 32
PROBES = 20
SMALL: dict[str, dict[str, str]] = {"count_tokens": {"prompt": "How many?"}, "list_models": {}}
SLOW = {"name": "generate_text", "arguments": {"prompt": "Think about it.", "model": "slow-model"}}


def measure(endpoint: Endpoint, *, quick: bool) -> Iterator[Row]:
    """Start the calls, probe while they are under way, and check that they all ran at the same time."""
    with Server(OURS, endpoint) as server:
        server.begin()
        for tool, arguments in SMALL.items():
            server.call(tool, arguments)
        server.call("generate_text", {"prompt": "Hello."})
        began = time.monotonic()
        waiting = [server.send("tools/call", SLOW) for _ in range(CALLS)]
        slowest = dict.fromkeys(("tools/list", *SMALL), 0.0)
        for _ in range(PROBES):
            for name in slowest:
                asked = time.monotonic()
                if name in SMALL:
                    server.call(name, SMALL[name])
                else:
                    server.request(name)
                slowest[name] = max(slowest[name], time.monotonic() - asked)
        overlapped = time.monotonic() - began < SLOW_SECONDS
        for number in waiting:
            server.wait(number)
        took = time.monotonic() - began
    for name, seconds in slowest.items():
        what = f"{CALLS} slow calls, meanwhile {name}: worst of {PROBES}"
        met = overlapped and seconds <= LIMIT
        yield Row(what, f"{seconds * 1000:.0f} ms", target=f"<= {LIMIT * 1000:.0f} ms", met=met)
    yield Row(f"{CALLS} slow calls together", f"{took:.2f} s", f"{SLOW_SECONDS:.2f} s", took / SLOW_SECONDS)
