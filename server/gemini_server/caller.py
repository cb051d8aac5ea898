"""Who calls: a request of the protocol becomes the `Call` that tools get."""

from __future__ import annotations

from typing import Any

from mcp.server import ServerRequestContext

from gemini_server.toolkit.call import LOCAL, Call
from gemini_server.toolkit.progress import Progress
from gemini_server.toolkit.runtime import Runtime

PRINCIPAL = "gemini_toolserver.principal"
"""Where the HTTP front leaves the caller's name in the request's scope."""

Context = ServerRequestContext[Runtime, Any]


def call_of(ctx: Context, *, as_task: bool = False) -> Call:
    """The call that a request makes.

    Args:
        ctx: the request.
        as_task: whether its caller takes a task for an answer.
    """
    wanted = ctx.meta is not None and "progress_token" in ctx.meta
    scope = getattr(ctx.request, "scope", None)
    # A request that came around the front has no name in it: better a crash than somebody else's conversations.
    principal = LOCAL if scope is None else scope[PRINCIPAL]
    return Call(ctx.lifespan_context, principal, Progress(ctx.session.report_progress if wanted else None), as_task)
