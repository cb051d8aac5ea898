"""A Gemini that says what it is told, and jobs to give to the works that ask it."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from gemini_server.jobs.job import Job, Step
from gemini_server.rest.endpoint import Reply
from gemini_server.settings import Settings
from gemini_server.toolkit.runtime import Runtime

Json = dict[str, Any]

TODAY = date(2026, 11, 22)
IMAGE_MODEL = "gemini-nano-banana-2.1"
SPEECH_MODEL = "gemini-3.8-flash-tts"
IMAGE_USAGE: Json = {
    "promptTokenCount": 10, "candidatesTokenCount": 1120, "totalTokenCount": 1130,
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}],
}  # fmt: skip


@dataclass
class Gemini:
    """Stands in for the REST client: gives the replies in turn, the last one again and again."""

    replies: list[Any] = field(default_factory=list[Any])
    bodies: list[Any] = field(default_factory=list[Any])
    paths: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    under_way: int = 0
    most: int = 0

    async def call(self, endpoint: Any, *, body: Any, on_retry: Any = None, **path: str) -> Reply[Any]:
        """A call of an endpoint."""
        self.bodies.append(body)
        self.paths.append(path)
        reply = self.replies[0] if len(self.replies) == 1 else self.replies.pop(0)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if isinstance(reply, Exception):
            raise reply
        return Reply(endpoint.answer.model_validate(reply))

    async def aclose(self) -> None:
        """Nothing to close."""


def runtime_for(gemini: Gemini, tmp_path: Path) -> Runtime:
    """A runtime that asks this Gemini, on the day of these tests."""
    runtime = Runtime(
        Settings(key="test-key", state_dir=tmp_path / "state", output_dir=tmp_path / "output"), today=lambda: TODAY
    )
    cast(Any, runtime).__dict__["client"] = gemini
    return runtime


def job_for(kind: str = "image", model: str = IMAGE_MODEL, *, cost: str | None = None, **wish: Any) -> Job:
    """A job that is being sent."""
    now = datetime.now(UTC)
    return Job(
        id="j_1", principal="local", kind=kind, tool="x", work="x", model=model, state="submitting", wish=wish,
        operation=None, progress=None, message="", result={}, error=None, inputs=None, answers=None,
        cost_usd=None if cost is None else Decimal(cost), cancelling=False, created=now, updated=now, expires=None,
        version=1,
    )  # fmt: skip


def inline(data: bytes, mime_type: str = "image/png", **more: Any) -> Json:
    """A part with a file."""
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}, **more}


def answered(*parts: Json, finish: str | None = "STOP", usage: Json | None = None, model: str = IMAGE_MODEL) -> Json:
    """An answer with one candidate."""
    made: Json = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        made["finishReason"] = finish
    return {"candidates": [made], "usageMetadata": usage or IMAGE_USAGE, "modelVersion": model}


def quiet(message: str, progress: float | None = None) -> None:
    """Hears what is going on."""


@dataclass
class Heard:
    """Remembers what was said to whoever waits."""

    messages: list[str] = field(default_factory=list[str])

    def __call__(self, message: str, progress: float | None = None) -> None:
        """Hear it."""
        self.messages.append(message)


def usage_in(step: Step) -> Json:
    """The usage that the result of a step shows."""
    usage: Json = step.result["usage"]
    return usage
