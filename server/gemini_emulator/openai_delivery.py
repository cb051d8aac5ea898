"""How replies of the OpenAI dialect go out: streams that end in `[DONE]`, and errors.

Google's layer wraps its own errors into a list of one; a gateway words them as OpenAI does. Source: "Streaming" of
OpenAI's API reference, and the answers of the live service.
"""

from __future__ import annotations

from .delivery import Delivery
from .errors import ApiError
from .faults import Directive
from .openai_errors import OpenaiError, openai_body, retry_after
from .wire import dump

_DONE = b"data: [DONE]\n\n"


class OpenaiDelivery(Delivery):
    """The way out for one request to Google's layer."""

    async def error(self, error: ApiError, directive: Directive | None = None, *, array: bool = False) -> None:
        """Send an error as `[{"error": …}]`."""
        await super().error(error, directive, array=True)

    def event(self, text: str, sse: bool, *, first: bool) -> bytes:
        """One chunk."""
        return f"data: {text}\n\n".encode("utf-8", "replace")

    def tail(self, directive: Directive, sse: bool, error: ApiError) -> bytes:
        """What ends a stream: the word that it is done, or what was asked for."""
        if "broken_json" in directive:
            return b'data: {"id": "emulated", "choices": [{"de\n\n'
        if "error_in_stream" in directive:
            return f"data: {dump(self.error_body(error))}\n\n".encode()
        return _DONE

    def error_body(self, error: ApiError) -> object:
        """The JSON of an error inside a stream."""
        return error.body()


class GatewayDelivery(OpenaiDelivery):
    """The way out for one request to a gateway."""

    async def error(self, error: ApiError, directive: Directive | None = None, *, array: bool = False) -> None:
        """Send an error in the words of OpenAI."""
        if directive and ("error_array" in directive or "broken_json" in directive):
            await super().error(error, directive)
            return
        text = dump(openai_body(error))
        await self._whole(error.status, text, "application/json", {**retry_after(error), **error.headers})

    async def missing(self) -> None:
        """Answer for a path that is not the gateway's."""
        path = self._scope["path"]
        await self.error(OpenaiError(404, f"Invalid URL ({self._scope['method']} {path})", code="unknown_url"))

    def error_body(self, error: ApiError) -> object:
        """The JSON of an error inside a stream."""
        return openai_body(error)
