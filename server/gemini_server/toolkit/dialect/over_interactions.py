"""One request for a text, asked as an interaction that Google does not keep."""

from __future__ import annotations

from gemini_server.api import interactions
from gemini_server.api.answer import GenerateContentResponse
from gemini_server.api.interaction_events import STREAM, Folding
from gemini_server.api.models import GenerateContentRequest
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.dialect.interaction_answered import answered
from gemini_server.toolkit.dialect.interaction_asked import asked
from gemini_server.toolkit.generation.transcript import Transcript
from gemini_server.toolkit.untrusted import clean


async def ask(
    call: Call,
    model: str,
    request: GenerateContentRequest,
    transcript: Transcript,
    warnings: list[str],
    *,
    stream: bool,
    markup: bool,
) -> None:
    """Ask, and take in what comes.

    Args:
        call: the call this is for.
        model: the model id.
        request: what is asked, in the terms of generateContent.
        transcript: takes the answer; that of a stream which breaks too, as far as it came.
        warnings: takes what could not be asked.
        stream: whether to stream.
        markup: whether the progress shows links and HTML as they are.

    Raises:
        ToolserverError: any of the tree.
    """
    body, notes = asked(model, request, stream=stream)
    warnings += [note for note in notes if note not in warnings]
    if not stream:
        reply = await call.runtime.client.call(interactions.CREATE, body=body, on_retry=call.progress.retry)
        transcript.retries += reply.retries
        transcript.add(answered(reply.value))
        return
    folding = Folding()
    async with call.runtime.client.stream(STREAM, body=body, on_retry=call.progress.retry) as events:
        transcript.retries += events.retries
        try:
            async for event in events:
                heard = folding.add(event)
                if heard.text:
                    await call.progress.text(clean(heard.text, markup=markup).text)
        finally:
            # Of a stream that broke too: what came was paid for.
            if folding.began:
                transcript.add(await _whole(folding))


async def _whole(folding: Folding) -> GenerateContentResponse:
    return answered(await folding.interaction())
