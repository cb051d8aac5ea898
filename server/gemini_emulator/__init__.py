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

`legacy_routes` holds what Google has shut down, and `Options.legacy_services` brings back (`legacy_models`,
`legacy_calls`, `legacy_shapes`, `legacy_likeness`). `corpora_service`, `corpus_document_service` and `chunk_service`
are the Semantic Retriever, kept in `corpora_store` and `corpus_document`, searched by `corpus_search` with
`corpus_filter`; `permission_service` and `permission_store` say whose it is. `tuned_model_service` tunes what
`tuned_model_request` reads into a `tuned_model` of the `tuned_model_store`, `tuned_answer_service` lets it answer, and
`tuned_operation_service` tells how far it is. `palm_text_service`, `palm_message_service` and `palm_embedding_service`
are PaLM, with `palm_safety`; `answer_service` is AQA, with `answer_service_passages`. Served always:
`legacy_generated_files` and `legacy_dynamic`.

`doors` leads to services beside the Developer API, which have the same models behind them. `openai_service` is
Google's OpenAI layer, with `openai_batches` and `openai_videos`: `openai_request` and `openai_messages` say a chat in
the words of generateContent, `openai_answer` tells the response, `openai_delivery` sends it; `openai_manner` is what
sets it apart from the gateway of `gateway_service`. `enterprise_service` is the Enterprise platform;
`enterprise_request` turns its requests, `enterprise_predictions`, `enterprise_videos`, `enterprise_caches`,
`enterprise_batches` and `enterprise_operations` hold its other methods, and `enterprise_store` its Cloud Storage
(`enterprise_objects`) and what its projects have.

The Interactions family has modules of its own: `interaction_service` holds its methods, `interaction_schema` with
`interaction_shapes` and `interaction_rules` decide what is refused, `interaction_answer`, `interaction_music` and
`interaction_video` make the answers, `interaction_store` keeps them, `interaction_events` and `interaction_delivery`
send them. `websocket` accepts WebSockets, `realtime` is what their sessions share, and `realtime_music` is Lyria
RealTime. `clock` is the time that all of it goes by. With agents (`interaction_agents`, `interaction_agent_rules`) an
`interaction_turn` is worked on by `research_answer`, from `research_work` and with a `research_report`, or by
`interaction_agent_answer` in an `interaction_environment`; `interaction_progress` says how far it is. `computer_use`
plans actions on a screen, for models of both families, by the `computer_use_rules`.

Nobody has to ask for what `webhook_clockwork` does: it lets `trigger_runs` run the triggers of `trigger_service` and
`trigger_store` by their `trigger_cron`, and tells `webhook_news` to the endpoints of `webhook_service` and
`webhook_store` by `webhook_delivery`, signed with their secrets or with `webhook_keys`.

Its platform resources: `agent_service` and `agent_store`; `environment_service` with `environment_store`, whose trees
of `environment_files` are filled by the `environment_rules` and an `environment_archive`; `voice_service` with the
`voice_catalogue` and the `voice_store`, where voices of a `voice_design` are kept, which `voice_references` finds for
speech; `decision_service` with `decision_answer`; `credential_service` and `credential_store`. `interaction_pages` is
what their lists share, and each has its `…_shapes`.

The Live API: `live_session` sets a session up (`live_setup`, `live_shapes`) and listens (`live_input`), `live_speaker`
speaks what `live_answer` finds to say. `live_store` keeps what can be resumed, and the ephemeral tokens that
`auth_token_service` makes.
"""

from .errors import ApiError
from .models import CATALOGUE, ModelCard
from .options import Options
from .server import Emulator, running

__all__ = ["CATALOGUE", "ApiError", "Emulator", "ModelCard", "Options", "running"]
