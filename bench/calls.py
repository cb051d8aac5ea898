"""What one call costs the server: generate_text against a bare tool that makes one raw httpx2 POST."""

from __future__ import annotations

import time
from collections.abc import Iterator

from report import Row, compared, undisturbed
from servers import OURS, Endpoint, Server, bare

LIMIT = 1.25
PROMPT = {"prompt": "Describe the harbour of a northern town at dawn, in the manner of a short story. " * 8}
WARM_UP = 80
BLOCK = 25
BLOCKS = 8


def measure(endpoint: Endpoint, *, quick: bool) -> Iterator[Row]:
    """Calls one after the other, in blocks that alternate between the two servers.

    Two processes of one program differ by some percent for their whole life, so several pairs are measured.
    """
    sides = {"generate_text": OURS, "ask": bare("post")}
    cpu, wall = ({tool: list[float]() for tool in sides} for _ in range(2))
    for _ in range(2 if quick else 6):
        with Server(sides["generate_text"], endpoint) as ours, Server(sides["ask"], endpoint) as plain:
            pair = {"generate_text": ours, "ask": plain}
            for tool, server in pair.items():
                server.begin()
                for _ in range(WARM_UP):
                    server.call(tool, PROMPT)
            for _ in range(BLOCKS):
                for tool, server in pair.items():
                    used, began = server.gauge.cpu(), time.monotonic()
                    for _ in range(BLOCK):
                        server.call(tool, PROMPT)
                    cpu[tool].append((server.gauge.cpu() - used) / BLOCK)
                    wall[tool].append((time.monotonic() - began) / BLOCK)
    yield compared("one call: CPU of the server", (undisturbed(cpu[t]) * 1000 for t in sides), "ms", LIMIT, digits=2)
    yield compared("one call: time", (undisturbed(wall[t]) * 1000 for t in sides), "ms", digits=2)
