"""What a tool gets beside its arguments: Gemini, the disk, what is kept, and the caller it works for."""

from __future__ import annotations

from dataclasses import dataclass, field

from gemini_server.toolkit.progress import Progress
from gemini_server.toolkit.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool or one reading of a resource.

    Attributes:
        runtime: what all calls of this process share.
        principal: for whom the call works; `local` where the caller needs no token.
        progress: how the caller hears what is going on.
        as_task: whether a job is handed over as a task instead of being waited for.
    """

    runtime: Runtime
    principal: str = "local"
    progress: Progress = field(default_factory=lambda: Progress(None))
    as_task: bool = False
