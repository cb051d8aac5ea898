"""The tools over a gateway of the OpenAI dialect: a path prefix, a bare licence as the key, chat completions for all.

The emulator's gateway answers; what it does not do, a server that says what it is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client
from PIL import Image

from gemini_emulator import Emulator, Options, running
from tests.conftest import Connect, as_if_new, error_of, structured
from tests.emulator.drawing import RED, Drawing, recording
from tests.front.conftest import TODAY, FakeGemini, Json, Reply, ask, ask_in_a_stream, submit, warned
from tests.front.test_attachments import MP4, PDF
from tests.front.test_functions import WEATHER

pytestmark = pytest.mark.anyio

LICENCE = "licence-of-the-house"
PATH = "/v1/chat/completions"
FAR = "https://a.example/far.mp4"


@pytest.fixture(scope="module")
def gateways() -> Iterator[dict[str, Emulator]]:
    """Gateways under `/gemini` that show pictures in either of the two ways; one has embeddings too."""
    common: dict[str, Any] = {"prefix": "/gemini", "today": TODAY, "dialect": "openai", "keys": frozenset({LICENCE})}
    markdown = Options(**common, gateway_embeddings=True)
    images = Options(**common, picture_form="images")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running(markdown)) as first,
        portal.wrap_async_context_manager(running(images)) as second,
    ):
        yield {"markdown": first, "images": second}


@pytest.fixture
def gateway(gateways: dict[str, Emulator]) -> Emulator:
    for one in gateways.values():
        as_if_new(one)
    return gateways["markdown"]


def at(connect: Connect, gateway: Emulator, **more: Any) -> Any:
    """Connect to a server that talks to a gateway."""
    assert gateway.url.endswith("/gemini")
    given: dict[str, Any] = {"dialect": "openai", "auth": "raw", "key": LICENCE, "toolsets": ("all",), **more}
    return connect(base_url=gateway.url, **given)


async def streamed(client: Client, tool: str, arguments: Json) -> tuple[Json, list[str]]:
    """A tool's result, and the progress that came on the way."""
    heard: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message or "")

    return structured(await client.call_tool(tool, arguments, progress_callback=hear)), heard


def bodies(gateway: Emulator) -> list[Json]:
    """What the gateway was asked, all of it on its one path and with the bare licence."""
    for request in gateway.requests:
        assert request["path"] == PATH
        assert request["headers"]["authorization"] == "***", "a scheme would stand before it"
        assert "x-goog-api-key" not in request["headers"]
    return [request["body"] for request in gateway.requests]


@pytest.fixture
def media(connect: Connect, tmp_path: Path) -> None:
    """Files of each kind where they may be read."""
    picture = Drawing(40, 40).paint("square", RED, 10, 10, 30, 30).png()
    found = {"a.png": picture, "a.wav": recording(1, 1, 1), "a.mp4": MP4, "a.pdf": PDF}
    for name, data in found.items():
        (tmp_path / "allowed" / name).write_bytes(data)


# -- the seven examples of such a gateway's page -----------------------------------------------------------------------


async def test_a_chat_comes_in_a_stream_and_goes_on(connect: Connect, gateway: Emulator) -> None:
    async with at(connect, gateway) as client:
        told, heard = await streamed(
            client, "generate_text", {"prompt": "My name is Ada.", "system": "Be brief.", "conversation": "new"}
        )
        again = await ask(client, "What is my name?", conversation=told["conversation"])
    assert "".join(heard) == told["text"]
    assert told["finish_reason"] == "STOP"
    assert told["usage"]["cost_usd"] > 0
    assert told["model_version"] == "gemini-3.8-flash-emulated"
    assert "Ada" in again["text"]
    first, second = bodies(gateway)
    assert first["stream"] is True
    assert first["stream_options"] == {"include_usage": True}
    assert first["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "My name is Ada."},
    ]
    assert [message["role"] for message in second["messages"]] == ["system", "user", "assistant", "user"]
    assert "stream" not in second


@pytest.mark.parametrize("form", ["markdown", "images"])
async def test_pictures_are_made_through_chat(connect: Connect, gateways: dict[str, Emulator], form: str) -> None:
    gateway = gateways[form]
    gateway.clear_requests()
    async with at(connect, gateway) as client:
        made, heard = await streamed(client, "generate_image", {"prompt": "A red fox at dawn", "conversation": "new"})
        edited = structured(
            await client.call_tool("generate_image", {"prompt": "Make it blue", "conversation": made["conversation"]})
        )
    (artifact,) = made["artifacts"]
    with Image.open(artifact["path"]) as picture:
        assert picture.size == (artifact["width"], artifact["height"])
    assert made["usage"]["cost_usd"] > 0
    assert "base64" not in made.get("text", "") + "".join(heard)
    assert edited["artifacts"][0]["sha256"] != artifact["sha256"]
    *_, said, wish = bodies(gateway)[-1]["messages"]
    assert said["role"] == "assistant"
    assert [part["type"] for part in wish["content"]] == ["image_url", "text"], "the picture goes back as the user's"


@pytest.mark.usefixtures("media")
@pytest.mark.parametrize(
    ("name", "words", "stream"),
    [
        ("a.png", "40×40 pixels, mostly white and red", False),
        ("a.png", "40×40 pixels, mostly white and red", True),
        ("a.wav", "recording (audio/wav) of 3.0 s", True),
        ("a.mp4", "video", True),
        ("a.pdf", "", True),
    ],
)
async def test_pictures_sound_video_and_documents_are_understood_as_image_urls(
    connect: Connect, gateway: Emulator, name: str, words: str, stream: bool
) -> None:
    arguments = {"media": [name], "question": "What is it?"}
    async with at(connect, gateway) as client:
        if stream:
            answer, _ = await streamed(client, "analyze_media", arguments)
        else:
            answer = structured(await client.call_tool("analyze_media", arguments))
    assert words in answer["text"].lower()
    assert answer["untrusted"] == "files"
    (body,) = bodies(gateway)
    medium, question = body["messages"][0]["content"]
    assert medium["type"] == "image_url"
    assert medium["image_url"]["url"].startswith("data:")
    assert question == {"type": "text", "text": "What is it?"}


@pytest.mark.parametrize("stream", [False, True])
async def test_functions_are_called_and_answered(connect: Connect, gateway: Emulator, stream: bool) -> None:
    asking = ask_in_a_stream if stream else ask
    async with at(connect, gateway) as client:
        first = await asking(client, "Compare the weather in Zürich and in Lisbon", functions=[WEATHER])
        calls = first["function_calls"]
        assert [one["arguments"]["city"] for one in calls] == ["Zürich", "Lisbon"]
        results = [{"id": one["id"], "response": {"sky": one["arguments"]["city"].upper()}} for one in calls]
        answer = structured(await submit(client, first["conversation"], *results))
    assert "ZÜRICH" in answer["text"]
    *_, said, one, other = bodies(gateway)[-1]["messages"]
    assert [call["id"] for call in said["tool_calls"]] == [call["id"] for call in calls]
    assert (one["role"], one["tool_call_id"]) == ("tool", calls[0]["id"])
    assert (other["role"], other["tool_call_id"]) == ("tool", calls[1]["id"])


@pytest.mark.parametrize("stream", [False, True])
async def test_code_runs_at_the_gateway(connect: Connect, gateway: Emulator, stream: bool) -> None:
    arguments: Json = {"task": "What is the sum of the first 50 primes?"}
    async with at(connect, gateway) as client:
        if stream:
            answer, _ = await streamed(client, "run_code", arguments)
        else:
            answer = structured(await client.call_tool("run_code", arguments))
    assert answer["outputs"][0].strip() == "5117"
    assert answer["code"][0]["outcome"] == "OK"
    assert "```" not in answer["text"]
    assert bodies(gateway)[0]["tools"] == [{"type": "function", "function": {"name": "codeExecution"}}]


# -- the rest of what the dialect carries ------------------------------------------------------------------------------


async def test_settings_travel_under_their_names_there(connect: Connect, gateway: Emulator) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    async with at(connect, gateway) as client:
        answer = await ask(
            client, "A city", json_schema=schema, thinking="low", max_output_tokens=500, stop=["END"], seed=7
        )
        await ask(client, "x", functions=[WEATHER, {"name": "g"}], allowed_functions=["get_weather"], seed=1)
    assert isinstance(answer["json"]["city"], str)
    first, second = bodies(gateway)
    assert first["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    assert {first["reasoning_effort"], first["max_tokens"], first["seed"], first["stop"][0]} == {"low", 500, 7, "END"}
    assert second["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}
    assert [tool["function"]["name"] for tool in second["tools"]] == ["get_weather"]
    assert second["seed"] == 1


async def test_vectors_and_models_come_where_the_gateway_has_them(
    connect: Connect, gateways: dict[str, Emulator], gateway: Emulator
) -> None:
    async with at(connect, gateway) as client:
        vectors = structured(await client.call_tool("embed", {"items": ["fox", "dog"], "dimensions": 16}))
        models = structured(await client.call_tool("list_models", {"name": "gemini-3.8-flash"}))
        checks = structured(await client.call_tool("server_status", {}))["checks"]
    assert [len(one) for one in vectors["vectors"]] == [16, 16]
    assert vectors["usage"]["input_tokens"] > 0
    assert models["models"][0]["id"] == "gemini-3.8-flash"
    assert "openai dialect" in warned(models)
    said = {check["name"]: check for check in checks}
    assert said["gemini"]["status"] == "ok"
    assert "openai dialect" in said["gemini"]["detail"]
    assert said["key"]["detail"].endswith("sent as raw")
    async with at(connect, gateways["images"]) as client:
        assert "has no embeddings" in error_of(await client.call_tool("embed", {"items": ["fox"]}))


@pytest.mark.parametrize("stream", [False, True])
async def test_googles_own_layer_keeps_thoughts_and_signatures(
    connect: Connect, emulator: Emulator, stream: bool
) -> None:
    asking = ask_in_a_stream if stream else ask
    async with connect(base_url=f"{emulator.url}/v1beta/openai", dialect="openai", toolsets=("all",)) as client:
        first = await asking(client, "The weather in Zürich?", functions=[WEATHER], include_thoughts=True)
        (called,) = first["function_calls"]
        results = {"id": called["id"], "response": {"sky": "clear"}}
        answer = structured(await submit(client, first["conversation"], results))
        made = structured(await client.call_tool("generate_image", {"prompt": "A lighthouse"}))
    assert first["thoughts"]
    assert "<thought>" not in first["text"] + answer["text"]
    assert "sky is clear" in answer["text"]
    assert len(made["artifacts"]) == 1
    asked, told, _ = emulator.requests
    assert asked["path"] == "/v1beta/openai/chat/completions"
    assert asked["headers"]["authorization"] == "Bearer ***"
    assert asked["body"]["extra_body"] == {"google": {"thinking_config": {"include_thoughts": True}}}
    (call,) = told["body"]["messages"][1]["tool_calls"]
    assert call["extra_content"]["google"]["thought_signature"]


# -- what it does not carry --------------------------------------------------------------------------------------------

REFUSED: list[tuple[str, Json, str]] = [
    ("generate_text", {"prompt": "x", "use": ["search"]}, "has no search"),
    ("generate_text", {"prompt": "x", "stores": ["fileSearchStores/x"]}, "has no stores"),
    ("generate_text", {"prompt": "x", "cache": "cachedContents/x"}, "has no caches"),
    ("generate_text", {"prompt": "x", "safety": {"HARASSMENT": "OFF"}}, "cannot carry safety"),
    ("generate_text", {"prompt": "x", "include_thoughts": True}, "cannot carry include_thoughts"),
    ("generate_text", {"prompt": "x", "attachments": ["files/abc"]}, "no files at Google"),
    ("generate_text", {"prompt": "x", "attachments": ["gs://bucket/x.png"]}, "no files at Google"),
    ("analyze_media", {"media": [FAR], "question": "x", "start": 1}, "takes no section of a video"),
    ("search_web", {"query": "x"}, "has no search"),
    ("search_maps", {"query": "x"}, "has no maps"),
    ("read_urls", {"urls": ["https://a.example/"], "question": "x"}, "has no urls"),
    ("count_tokens", {"prompt": "x"}, "counts no tokens"),
    ("create_cache", {"text": "word " * 5000}, "has no caches"),
    ("list_caches", {}, "has no caches"),
    ("list_files", {}, "has no files at Google"),
    ("upload_file", {"source": "data:text/plain;base64,eA=="}, "has no files at Google"),
    ("create_batch", {"requests": [{"prompt": "x"}]}, "has no batches"),
    ("create_store", {"display_name": "x"}, "has no File Search stores"),
    ("generate_image", {"prompt": "x", "aspect_ratio": "16:9"}, "cannot carry aspect_ratio"),
    ("generate_video", {"prompt": "x"}, "has no interactions"),
    ("synthesize_speech", {"text": "x"}, "cannot carry speech"),
    ("compose_music", {"prompt": "x"}, "has no interactions"),
    ("compose_music", {"prompt": "x", "live": True, "seconds": 5}, "has no Live API"),
    ("start_research", {"question": "x"}, "has no interactions"),
    ("create_interaction", {"input": "x"}, "has no interactions"),
    ("embed", {"items": ["x"], "task_type": "CLUSTERING", "model": "gemini-embedding-001"}, "no task_type"),
    ("embed", {"media": ["https://a.example/a.png"]}, "embeds texts alone"),
    ("live_turn", {"text": "x"}, "has no Live API"),
    ("create_live_token", {}, "has no tokens for Live"),
    ("list_agents", {}, "does not have agents"),
]


async def test_what_the_dialect_cannot_carry_is_refused_before_anything_is_sent(
    connect: Connect, gateway: Emulator
) -> None:
    async with at(connect, gateway) as client:
        said = [error_of(await client.call_tool(tool, arguments)) for tool, arguments, _ in REFUSED]
    odd = [(tool, text) for (tool, _, words), text in zip(REFUSED, said, strict=True) if words not in text]
    assert odd == []
    assert all("othing was sent" in text for text in said)
    assert gateway.requests == []


async def test_what_is_too_large_to_go_inline_is_refused(
    connect: Connect, gateway: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gemini_server.toolkit.media.INLINE_LIMIT", 1000)
    (tmp_path / "allowed" / "a.wav").write_bytes(recording(1, 1, 1))
    async with at(connect, gateway) as client:
        said = error_of(await client.call_tool("analyze_media", {"media": ["a.wav"], "question": "x"}))
    assert "no files at Google to upload them to" in said
    assert gateway.requests == []


# -- other gateways, and errors ----------------------------------------------------------------------------------------


def completion(message: Json, finish: str | None = "stop", **more: Json) -> Json:
    """A completion with one choice."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30, **more}
    return {"id": "x", "model": "google/gemini-3.8-flash", "choices": [choice], "usage": usage}


ERRORS: list[tuple[int, Any, str]] = [
    (
        401,
        {"error": {"message": "No.", "type": "invalid_request_error", "code": "invalid_api_key"}},
        "sent as raw (401 invalid_api_key): No.",
    ),
    (400, [{"error": {"code": 400, "message": "Bad field.", "status": "INVALID_ARGUMENT"}}], "Bad field."),
    (429, {"error": {"message": "Empty.", "code": "insufficient_quota"}}, "top up the account there"),
    (400, {"error": {"error": {"message": "Inner words."}}}, "Inner words."),
    (200, {"id": "x", "choices": [], "error": {"message": "Provider died.", "code": 502}}, "Provider died."),
    (200, {"error": "Quota gone."}, "Quota gone."),
    (200, {"code": 1001, "msg": "licence expired"}, "licence expired"),
    (404, {"error": {"message": "No model gemini-x.", "code": "model_not_found"}}, "gemini-x"),
    (404, {"error": {"message": "Invalid URL (POST /x)", "code": "unknown_url"}}, "Check GEMINI_BASE_URL"),
    (400, {"error": {"message": "Policy.", "type": "x", "code": "content_policy_violation"}}, "declined"),
    (200, completion({"content": None, "refusal": "I cannot help."}), "I cannot help."),
    (200, completion({"content": [{"type": "refusal", "refusal": "Not that."}]}), "Not that."),
    (200, completion({"content": 5}), "without any content"),
    (200, completion({"content": None}, "content_filter"), "safety"),
]


async def test_a_licence_that_is_not_accepted_is_about_the_gateway(connect: Connect, gateway: Emulator) -> None:
    async with at(connect, gateway, auth="bearer") as client:
        said = error_of(await client.call_tool("generate_text", {"prompt": "x"}))
    assert "does not accept the key, sent as bearer" in said
    assert "GEMINI_AUTH says how it goes in the Authorization header: raw (the licence alone)" in said
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(("status", "body", "words"), ERRORS)
async def test_errors_of_the_dialect_become_those_of_this_server(
    connect: Connect, fake: FakeGemini, status: int, body: Any, words: str
) -> None:
    fake.say(Reply(body, status=status))
    async with connect(base_url=f"{fake.url}/gemini/v1", dialect="openai", auth="raw") as client:
        assert words in error_of(await client.call_tool("generate_text", {"prompt": "x"}))
    assert fake.paths == ["/gemini/v1/chat/completions"]
    assert fake.headers[0]["authorization"] == "test-key"


async def test_a_busy_gateway_is_asked_again_and_thoughts_are_counted_apart(connect: Connect, fake: FakeGemini) -> None:
    busy = Reply({"error": {"message": "Busy.", "type": "server_error", "code": None}}, status=503)
    details: Json = {
        "completion_tokens_details": {"reasoning_tokens": 15},
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    fake.say(busy, completion({"content": "hello", "reasoning_content": "hm"}, "stop", **details))
    async with connect(base_url=fake.url, dialect="openai") as client:
        answer = await ask(client)
    assert (answer["text"], answer["thoughts"], answer["retries"]) == ("hello", "hm", 1)
    usage = answer["usage"]
    assert (usage["output_tokens"], usage["thought_tokens"], usage["cached_tokens"]) == (5, 15, 4)
    assert fake.headers[0]["authorization"] == "Bearer test-key"
    assert "warnings" not in answer


async def test_a_stream_that_breaks_keeps_what_came(connect: Connect, fake: FakeGemini) -> None:
    chunk = {"index": 0, "delta": {"content": "Half of it, and ![i](data:image/png;base64,AAAA"}}
    fake.stream({"id": "x", "model": "gemini-3.8-flash", "choices": [chunk]}, cut=True)
    async with connect(base_url=fake.url, dialect="openai") as client:
        answer = await ask_in_a_stream(client)
    assert answer["text"] == "Half of it, and "
    assert answer["incomplete"] is True
    assert "stream broke" in warned(answer)


async def test_pieces_of_calls_are_put_together_and_signatures_go_back(connect: Connect, fake: FakeGemini) -> None:
    signed = {"google": {"thought_signature": "c2ln"}}
    first: Json = {"index": 0, "id": "a", "type": "function", "extra_content": signed}
    pieces: list[Json] = [
        {"tool_calls": [{**first, "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"n": '}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
        {"tool_calls": [{"index": 0, "id": "b", "function": {"name": "f", "arguments": '{"n": 2}'}}]},
    ]
    events = [{"id": "x", "choices": [{"index": 0, "delta": delta}]} for delta in pieces]
    last: Json = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    fake.stream(*events, {"id": "x", "choices": [last]})
    async with connect(base_url=fake.url, dialect="openai") as client:
        called = await ask_in_a_stream(client, functions=[{"name": "f"}])
        assert [(one["id"], one["arguments"]["n"]) for one in called["function_calls"]] == [("a", 1), ("b", 2)]
        fake.say(completion({"content": "done"}))
        results = [{"id": one, "name": "f", "response": {"ok": True}} for one in ("a", "b")]
        structured(await submit(client, called["conversation"], *results))
    said = fake.requests[1]["messages"][1]
    assert [call.get("extra_content") for call in said["tool_calls"]] == [signed, None]


CALLED: Json = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"n": '}}


@pytest.mark.parametrize(("finish", "cut"), [(None, True), (None, False), ("length", False)])
async def test_a_call_that_was_cut_short_is_not_asked_for_again(
    connect: Connect, fake: FakeGemini, finish: str | None, cut: bool
) -> None:
    deltas: list[Json] = [{"content": "Let me see."}, {"tool_calls": [CALLED]}]
    events: list[Json] = [{"id": "x", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    last: Json = {"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    fake.stream(*events, *([last] if finish else []), cut=cut)
    async with connect(base_url=fake.url, dialect="openai") as client:
        answer = await ask_in_a_stream(client, functions=[{"name": "f"}])
    assert answer["text"] == "Let me see."
    assert answer["incomplete"] is True
    assert answer["finish_reason"] == ("MAX_TOKENS" if finish else "UNKNOWN")
    assert len(fake.requests) == 1


async def test_a_call_that_nobody_could_pass_on_does_no_harm(connect: Connect, fake: FakeGemini) -> None:
    deep = '{"x": ' + "[" * 500 + "]" * 500 + "}"
    function = {"name": "f", "arguments": '{"x": "\\ud800", "y": NaN}'}
    async with connect(base_url=fake.url, dialect="openai") as client:
        fake.say(completion({"tool_calls": [{"id": "a", "function": function}]}, "tool_calls"))
        (called,) = (await ask(client, functions=[{"name": "f"}]))["function_calls"]
        fake.say(completion({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": deep}}]}, "tool_calls"))
        said = error_of(await client.call_tool("generate_text", {"prompt": "x", "functions": [{"name": "f"}]}))
    assert called["arguments"] == {"x": "?", "y": None}
    assert "malformed" in said


async def test_a_gateway_that_gives_links_for_pictures_or_no_counts_is_booked_and_nothing_is_lost(
    connect: Connect, fake: FakeGemini
) -> None:
    link = "https://cdn.example/a.png?sig=abc"
    body = completion({"content": None, "images": [{"type": "image_url", "image_url": {"url": link}}]})
    del body["usage"]
    fake.say(body)
    async with connect(base_url=fake.url, dialect="openai") as client:
        made = structured(await client.call_tool("generate_image", {"prompt": "A boat"}))
        fake.say({**completion({"content": "hello"}), "usage": None})
        await ask(client)
        checks = structured(await client.call_tool("server_status", {}))["checks"]
    assert link in made["text"]
    assert "link in place of a picture" in warned(made)
    assert made["usage"]["cost_usd"] > 0
    (spent,) = [check["detail"] for check in checks if check["name"] == "spent today"]
    assert "in 2 calls, 1 of them at an unknown price" in spent


async def test_words_in_place_of_a_picture_have_no_price_of_nothing(connect: Connect, fake: FakeGemini) -> None:
    fake.say(completion({"content": "I cannot draw."}))
    async with connect(base_url=fake.url, dialect="openai") as client:
        said = error_of(await client.call_tool("generate_image", {"prompt": "A boat"}))
    assert "price unknown" in said


async def test_names_of_models_are_only_names(connect: Connect, fake: FakeGemini) -> None:
    fake.say({"data": [{"id": "x\u202e<script>"}]})
    async with connect(base_url=fake.url, dialect="openai") as client:
        (model,) = structured(await client.call_tool("list_models", {}))["models"]
    assert model["id"] == "x‹script>"
