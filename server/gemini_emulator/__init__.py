"""An embedded emulator of Google's Gemini API: a real local HTTP server for tests, demos and any SDK.

    from gemini_emulator import Options, running

    async with running(Options()) as emulator:
        client = genai.Client(api_key="any", http_options={"base_url": emulator.url})

It answers what the API would answer and refuses what the API would refuse; everything it returns is marked as
emulated. It is an independent reading of Google's documentation and shares no code with the client that it tests.

The map: `server` runs it, `app` takes a request apart, `model_service` holds the methods, `schema` with `shapes`,
`refusals` (with `media_refusals` and `tool_refusals`) and `turns` decide what is refused, `generate` with its helpers
writes the answers, `delivery` and `faults` send them or let them fail. The helpers: `answers`, `functions` and
`json_instance`; `grounding`, `places` and `pages` for search, maps and URLs; `code` with `plotting`, `curves`, `tables`
and `canvas`; `detection` with `regions`, `colours` and `png`; `transcription` with `sound` and `sayings`. Embeddings
are in `embedding_service` and `embedding`, with `concepts`.
"""

from .errors import ApiError
from .models import CATALOGUE, ModelCard
from .options import Options
from .server import Emulator, running

__all__ = ["CATALOGUE", "ApiError", "Emulator", "ModelCard", "Options", "running"]
