"""One question about media without a conversation, for tools that read the answer themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gemini_server.api.content import Part
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.lenient import MemberProgress
from gemini_server.toolkit.generation.options import Options, build, user_turn
from gemini_server.toolkit.generation.result import TextResult
from gemini_server.toolkit.generation.run import Ran, run
from gemini_server.toolkit.generation.sources import of_names
from gemini_server.toolkit.generation.verdict import judge

SOURCES = of_names(["attachments"])


async def query(
    call: Call, model: str, prompt: str, parts: Sequence[Part], options: Options, *, show: str, stream: bool = False
) -> tuple[Ran, list[str]]:
    """Ask a model; what came, and warnings about the request.

    Args:
        call: the call this is for.
        model: the model id.
        prompt: the question; empty for a model that needs none.
        parts: the media, open.
        options: how to answer.
        show: the member of a JSON answer whose values are shown as progress; empty for an answer in words.
        stream: whether to stream even when nobody asked for progress.
    """
    runtime = call.runtime
    request, warnings = build(model, [user_turn(prompt, list(parts))], options, runtime.catalogue, on=runtime.today())
    watched = replace(call, progress=MemberProgress(call.progress, show))
    return await run(watched, model, request, stream=stream or call.progress.wanted), warnings


def verdict(call: Call, model: str, ran: Ran, warnings: list[str]) -> TextResult:
    """How it ended and what is missing; the text is for tools to read, not to show.

    Raises:
        Blocked: the prompt or the whole answer was withheld.
        BadAnswer: nothing useful came.
    """
    return judge(call, model, ran, SOURCES, warnings)
