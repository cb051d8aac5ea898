"""A thousand calls: what the server holds after them, against what it held after a hundred."""

from __future__ import annotations

from collections.abc import Iterator

from report import MIB, Row
from servers import OURS, Endpoint, Server

CALLS = 1000
EARLY = 100
LIMIT = 0.05
END_SECONDS = 3.0


def measure(endpoint: Endpoint, *, quick: bool) -> Iterator[Row]:
    """Mixed calls, failing and kept ones among them; then the end of stdin."""
    last = 400 if quick else CALLS
    with Server(OURS, endpoint) as server:
        server.begin()
        held: list[dict[str, int]] = []
        for number in range(1, last + 1):
            _one(server, number)
            if number in (EARLY, last):
                gauge = server.gauge
                held.append(
                    {
                        "memory": gauge.rss(),
                        "descriptors": gauge.descriptors(),
                        "sockets": gauge.sockets(),
                        "threads": gauge.threads(),
                    }
                )
        seconds, status = server.finish()
    early, late = held
    ratio = late["memory"] / early["memory"]
    yield Row(
        f"memory after {last} calls, after {EARLY}",
        f"{late['memory'] / MIB:.1f} MiB",
        f"{early['memory'] / MIB:.1f} MiB",
        ratio,
        f"+-{LIMIT:.0%}",
        abs(ratio - 1) <= LIMIT,
    )
    for name in ("descriptors", "sockets"):
        what, same = f"{name} after {last} calls, after {EARLY}", late[name] == early[name]
        yield Row(what, f"{late[name]}", f"{early[name]}", target="same", met=same)
    # The pool of threads grows when it is first needed, and has an upper bound.
    yield Row(f"threads after {last} calls, after {EARLY}", f"{late['threads']}", f"{early['threads']}")
    met, aim = status == 0 and seconds <= END_SECONDS, f"<= {END_SECONDS:.0f} s, status 0"
    yield Row("end of stdin to end of process", f"{seconds:.2f} s, status {status}", target=aim, met=met)


def _one(server: Server, number: int) -> None:
    if number % 50 == 0:
        server.call("generate_text", {"prompt": "Begin.", "conversation": "new"})
    elif number % 10 == 3:
        server.call("generate_text", {"prompt": "Hello.", "model": "missing-model"}, fails=True)
    elif number % 10 == 6:
        server.call("count_tokens", {"prompt": "How many?"})
    elif number % 10 == 9:
        server.request("tools/list")
    else:
        server.call("generate_text", {"prompt": f"Hello, {number}."})
