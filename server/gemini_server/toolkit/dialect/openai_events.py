"""The chunks of a streamed completion, passed on as the events that generateContent would stream."""

from __future__ import annotations

from gemini_server.api.answer import GenerateContentResponse
from gemini_server.api.openai import Completion
from gemini_server.errors import ToolserverError
from gemini_server.rest.stream import EventStream
from gemini_server.toolkit.dialect.openai_answered import Folding


class Events:
    """The events of a stream as generateContent has them.

    Attributes:
        retries: how many further attempts it took until the first chunk came.
        last_event_id: always empty: such streams cannot be taken up again.
    """

    last_event_id = ""

    def __init__(self, chunks: EventStream[Completion], folding: Folding) -> None:
        self.retries = chunks.retries
        self._chunks = chunks
        self._folding = folding
        self._broken: ToolserverError | None = None
        self._over = False

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> GenerateContentResponse:
        if self._over:
            if self._broken is not None:
                raise self._broken
            raise StopAsyncIteration
        try:
            return self._folding.add(await anext(self._chunks))
        except StopAsyncIteration:
            pass
        except ToolserverError as error:
            self._broken = error
        # Of a stream that broke too, what was held back goes out: it was paid for.
        self._over = True
        rest = None if self._broken and not self._folding.began else self._folding.rest()
        return rest if rest is not None else await anext(self)
