"""How much a client and its model must read before the first call, against pydantic's own schemas of the same tools."""

from __future__ import annotations

import json
from collections.abc import Iterator

from report import Row
from servers import OURS, ROOT, Endpoint, Server

LIMITS = {"what the model sees": 12 * 1024, "whole tools/list": 28 * 1024}


def measure(endpoint: Endpoint, *, quick: bool) -> Iterator[Row]:
    """The default preset as it is served."""
    with Server(OURS, endpoint) as server:
        shown = server.begin()
    verbose = _verbose([tool["name"] for tool in shown])
    for (what, limit), ours, plain in zip(LIMITS.items(), _sizes(shown), _sizes(verbose), strict=True):
        name = f"{what}, {len(shown)} default tools"
        yield Row(name, f"{ours} B", f"{plain} B", ours / plain, f"<= {limit // 1024} KiB", ours <= limit)


def _sizes(tools: list[dict[str, object]]) -> tuple[int, int]:
    seen = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in tools]
    return _size(seen), _size(tools)


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _verbose(names: list[str]) -> list[dict[str, object]]:
    import sys

    sys.path[:0] = [str(ROOT / "server"), str(ROOT / "tools")]
    import gemini_tools

    tools = {name: tool for toolset in gemini_tools.all_toolsets().values() for name, tool in toolset.tools.items()}
    return [
        {
            **tools[name].surface(),
            "inputSchema": tools[name].arguments.model_json_schema(),
            "outputSchema": tools[name].result.model_json_schema(mode="serialization"),
        }
        for name in names
    ]
