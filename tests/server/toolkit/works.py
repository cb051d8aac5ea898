"""What the tests of works share: a runtime on a fixed day whose Gemini is a mock, and a job to work for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from gemini_server import settings
from gemini_server.jobs.job import Job
from gemini_server.toolkit.runtime import Runtime

BASE = "https://generativelanguage.googleapis.com/v1beta"
TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OMNI = "gemini-omni-1.1-flash"


def runtime() -> Runtime:
    """A runtime that would speak to Google."""
    return Runtime(settings.read({}, key="test-key"), today=lambda: TODAY)


def job(**values: Any) -> Job:
    """A job of a video that is running, with other members where they are given."""
    made: dict[str, Any] = {
        "id": "j_0123456789012345678901", "principal": "local", "kind": "video", "tool": "generate_video",
        "work": "interaction", "model": OMNI, "state": "running", "wish": {}, "operation": "v1_abc", "progress": None,
        "message": "", "result": {}, "error": None, "inputs": None, "answers": None, "cost_usd": Decimal("0.8"),
        "cancelling": False, "created": NOW, "updated": NOW, "expires": None, "version": 1,
    }  # fmt: skip
    return Job(**{**made, **values})


def say_nothing(message: str, progress: float | None = None) -> None:
    """Nobody listens."""
