"""How each sort of job is submitted, asked for and cancelled; a module's `WORK` is made with the `Runtime`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from gemini_server.jobs.job import Work
    from gemini_server.toolkit.runtime import Runtime


def load(name: str, runtime: Runtime) -> Work:
    """The work of a name; imported when a job first needs it."""
    return cast("Work", importlib.import_module(f"{__name__}.{name}").WORK(runtime))
