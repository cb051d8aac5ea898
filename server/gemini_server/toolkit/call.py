"""What a tool gets beside its arguments: Gemini, the disk, what is kept, and the caller it works for."""

from __future__ import annotations

from dataclasses import dataclass, field

from gemini_server.toolkit.progress import Progress
from gemini_server.toolkit.runtime import Runtime

LOCAL = "local"
"""The principal where nobody presents a token: over stdio, and over HTTP on loopback."""


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
    principal: str = LOCAL
    progress: Progress = field(default_factory=lambda: Progress(None))
    as_task: bool = False

    @property
    def has_others(self) -> bool:
        """Whether there may be other callers, whose things this one must not see."""
        return self.principal != LOCAL
