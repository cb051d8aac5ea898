"""An embedded emulator of Google's Gemini API: a real local HTTP server for tests, demos and any SDK.

    from gemini_emulator import Options, running

    async with running(Options()) as emulator:
        client = genai.Client(api_key="any", http_options={"base_url": emulator.url})

It answers what the API would answer and refuses what the API would refuse; everything it returns is marked as
emulated. It is an independent reading of Google's documentation and shares no code with the client that it tests.

The map: `server` runs it, `app` takes a request apart, `model_service` holds the methods, `schema` with `shapes`,
`refusals` (with `media_refusals`, `output_refusals` and `tool_refusals`) and `turns` decide what is refused, `generate`
with its helpers writes the answers (`candidate` and `usage` are their frame), `delivery` and `faults` send them or let
them fail. The helpers: `answers`, `functions` and
`json_instance`; `grounding`, `places` and `pages` for search, maps and URLs; `code` with `plotting`, `curves`, `tables`
and `canvas`; `detection` with `regions`, `colours` and `png`; `transcription` with `sound` and `sayings`. Embeddings
are in `embedding_service` and `embedding`, with `concepts`.

Media: `media_output` is the door to all that is drawn, spoken, played and filmed. A picture is a `scene` read from the
prompt, laid by `painting` over a `backdrop` (with `daylight` and `landscapes`) with figures from the `gallery`, or a
picture `retouching` has changed; `easel`, `lettering` and `tints` are the tools. `speech` hums with `voices`; `song` is
played by `music`, or written by `mp3`; `video` films in `h264` and `mp4`. `pictures` and `spoken` put them into
answers, by the `image_rules`; `predict_service` serves Imagen and Veo, with `operation_service` and `operations`;
`generated_files` and `file_download` keep files and send them. The emulator films small: half the width and height that
were asked for.

Files and caches: `upload_service` takes bytes as an `upload_request` asks (`upload_body`, `multipart`) into an
`upload_session` (a `blob`, found in `uploads`) and answers by `upload_delivery`; `file_service` makes files of them
(`file_making`, with `measuring`), which `uploaded_files` keeps. `file_references` opens them for prompts.
`cache_service` keeps `cached_contents` by the `cache_rules`.

Batches: `batch_service` makes one of what `batch_input` reads; `batch_store` runs it by its `batch_plan`. File Search:
`search_store_service` holds the stores (`search_store`) with their documents (`search_document`), which
`search_import_service` fills with what `search_chunks` and `pdf_text` read. A prompt gets there by `retrieval_tool`: it
applies the `retrieval_filter`, lets `retrieval` rank what is in the `retrieval_index`, and `retrieval_answer` quote it.

The Interactions family has modules of its own: `interaction_service` holds its methods, `interaction_schema` with
`interaction_shapes` and `interaction_rules` decide what is refused, `interaction_answer`, `interaction_music` and
`interaction_video` make the answers, `interaction_store` keeps them, `interaction_events` and `interaction_delivery`
send them. `websocket` accepts WebSockets, `realtime` is what their sessions share, and `realtime_music` is Lyria
RealTime. `clock` is the time that all of it goes by.

The Live API: `live_session` sets a session up (`live_setup`, `live_shapes`) and listens (`live_input`), `live_speaker`
speaks what `live_answer` finds to say. `live_store` keeps what can be resumed, and the ephemeral tokens that
`auth_token_service` makes.
"""

from .errors import ApiError
from .models import CATALOGUE, ModelCard
from .options import Options
from .server import Emulator, running

__all__ = ["CATALOGUE", "ApiError", "Emulator", "ModelCard", "Options", "running"]
