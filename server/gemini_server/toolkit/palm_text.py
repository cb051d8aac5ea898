"""Texts of PaLM, and of models that were tuned from it."""

from __future__ import annotations

from collections.abc import Iterable

from gemini_server.api.palm import GenerateTextRequest, GenerateTextResponse, PalmSafetySetting, TextPrompt
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import Endpoint
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.retired import asked, uncounted, withheld
from gemini_server.toolkit.untrusted import clean


def request(
    prompt: str,
    *,
    temperature: float | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    candidate_count: int | None = None,
    max_output_tokens: int | None = None,
    stop: list[str] | None = None,
    safety: Iterable[tuple[str, str]] = (),
) -> GenerateTextRequest:
    """What is to be written.

    Raises:
        ArgumentError: there is no prompt.
    """
    if not prompt.strip():
        raise ArgumentError("prompt is empty; nothing was sent.", "Say what is to be written.")
    settings = [
        PalmSafetySetting(category=f"HARM_CATEGORY_{category}", threshold=threshold) for category, threshold in safety
    ]
    return GenerateTextRequest(
        prompt=TextPrompt(text=prompt),
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        candidate_count=candidate_count,
        max_output_tokens=max_output_tokens,
        stop_sequences=stop or None,
        safety_settings=settings or None,
    )


async def write(
    call: Call, endpoint: Endpoint[GenerateTextResponse], model: str, wanted: GenerateTextRequest, words: str
) -> tuple[list[str], Usage]:
    """Have something written: the candidates, at least one, and what is known of the bill.

    Raises:
        Blocked: nothing was written.
        ToolserverError: any other of the tree.
    """
    answer = await asked(call, endpoint, model, wanted, words)
    usage = uncounted(call, model)
    if not answer.candidates:
        raise withheld([one.reason or "" for one in answer.filters or ()], usage)
    return [clean(one.output).text for one in answer.candidates], usage
