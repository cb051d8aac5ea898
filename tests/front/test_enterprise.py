"""The tools on the Enterprise backend: the same calls and results, by its own names, operations and storage."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client

from gemini_emulator import Emulator, Options, running
from gemini_emulator.enterprise_store import CloudObject
from gemini_server import settings
from gemini_server.api import enterprise
from gemini_server.errors import UnsafeSetting
from tests.conftest import Connect, error_of, structured
from tests.front.batching import lines, results
from tests.front.conftest import TODAY, FakeGemini, Json, Reply, ask, ask_in_a_stream, refused, sent, submit
from tests.server.rest.loopback import Loopback, Seen, reply, reply_json

pytestmark = pytest.mark.anyio

PLACE = "projects/acme/locations/us-central1"
MODELS = f"{PLACE}/publishers/google/models"
VEO, IMAGEN, FLASH = "veo-3.1-generate-001", "imagen-4.0-generate-001", "gemini-3.8-flash"
LONG = "An otter swims in the river and eats fish. " * 500
TOKEN = "token-of-acme"


@pytest.fixture(scope="module", name="standing_emulator")
def platform() -> Iterator[Emulator]:
    """An emulator that is the Enterprise platform alone."""
    # No log: the requests of this platform are not held against the schemas of the Developer API.
    options = Options(today=TODAY, dialect="enterprise", enterprise=("acme", "us-central1"))
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(options)) as started:
        yield started


@pytest.fixture(name="connect")
def connect_to_the_platform(connect: Connect) -> Connect:
    return partial(
        connect, backend="enterprise", project="acme", location="us-central1", auth="bearer", key=TOKEN, poll=0.01,
        toolsets=("all",),
    )  # fmt: skip


@pytest.fixture
async def storage(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Loopback]:
    """Cloud Storage, with the objects of the emulator."""

    async def play(seen: Seen, writer: Any) -> None:
        bucket, _, path = seen.target.removeprefix("/storage/v1/b/").partition("?")[0].partition("/o/")
        held = emulator.objects.get(f"gs://{bucket}/{unquote(path)}")
        if held is None or seen.header("authorization") != f"Bearer {TOKEN}":
            await reply_json({"error": {"code": 404, "message": "No such object"}}, 404)(seen, writer)
        else:
            await reply(held.data, content_type=held.mime_type)(seen, writer)

    async with Loopback(play) as server:
        monkeypatch.setattr(enterprise, "STORAGE", server.url)
        yield server


async def call(client: Client, tool: str, /, **arguments: Any) -> Json:
    return structured(await client.call_tool(tool, arguments))


async def failed(client: Client, tool: str, /, **arguments: Any) -> str:
    return error_of(await client.call_tool(tool, arguments))


async def test_text_streams_and_functions_go_by_the_names_of_the_project(connect: Connect, emulator: Emulator) -> None:
    function = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    async with connect() as client:
        assert (await ask(client, "Say only 'hi'"))["text"] == "[emulated] hi"
        assert (await ask_in_a_stream(client, "Say only 'hi'"))["text"] == "[emulated] hi"
        first = await ask(client, "What is the weather in Zürich?", functions=[function])
        [wanted] = first["function_calls"]
        answer = await submit(client, first["conversation"], {"id": wanted["id"], "response": {"temperature": 7}})
        assert "7" in structured(answer)["text"]
        counted = await call(client, "count_tokens", prompt="a b c", system="Be brief")
        assert counted["total_tokens"] > 2
    paths = [one["path"] for one in emulator.requests]
    assert paths[0] == f"/v1beta1/{MODELS}/{FLASH}:generateContent"
    assert paths[1] == f"/v1beta1/{MODELS}/{FLASH}:streamGenerateContent"
    assert paths[-1] == f"/v1beta1/{MODELS}/{FLASH}:countTokens"
    assert all("store" not in one["body"] for one in emulator.requests)
    assert "systemInstruction" in sent(emulator)


@pytest.mark.parametrize(("model", "verb"), [("gemini-embedding-2", "batchEmbedContents"),
                                             ("gemini-embedding-001", "predict")])  # fmt: skip
async def test_both_models_make_the_vectors_that_the_developer_api_makes(
    connect: Connect, emulator: Emulator, model: str, verb: str
) -> None:
    texts = ["a cat", "a dog", "a fish"]
    async with connect() as client:
        made = await call(client, "embed", items=texts, dimensions=8, model=model, task_type="RETRIEVAL_DOCUMENT")
        assert (made["count"], made["dimensions"], made["usage"]["input_tokens"] > 5) == (3, 8, True)
        best = await call(client, "rank_by_similarity", query="a cat", candidates=texts, model=model)
    assert best["matches"][0]["text"] == "a cat"
    assert {one["path"].rpartition(":")[2] for one in emulator.requests} == {verb}
    assert sum(len(vector) for vector in made["vectors"]) == 24


async def test_a_cache_has_a_short_name_here_and_a_long_one_there(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        cache = (await call(client, "create_cache", text=LONG, ttl_seconds=600))["cache"]
        assert cache["name"].startswith("cachedContents/")
        assert cache["model"] == FLASH
        assert sent(emulator)["model"] == f"{MODELS}/{FLASH}"
        answer = await ask(client, "What swims?", cache=cache["name"])
        assert answer["usage"]["cached_tokens"] == cache["tokens"]
        assert sent(emulator)["cachedContent"] == f"{PLACE}/{cache['name']}"
        longer = await call(client, "update_cache", name=cache["name"], ttl_seconds=900)
        assert longer["cache"]["expires"] > cache["expires"]
        assert cache["name"] in [one["name"] for one in (await call(client, "list_caches"))["caches"]]
        await call(client, "delete_cache", name=cache["name"])
        assert "any more" in await refused(client, cache=cache["name"])


async def test_a_batch_reads_and_writes_cloud_storage(connect: Connect, emulator: Emulator, storage: Loopback) -> None:
    asked = [{"key": key, "request": {"contents": [{"role": role, "parts": [{"text": "Say only 'hi'"}]}]}}
             for key, role in (("good", "user"), ("bad", "nobody"))]  # fmt: skip
    text = "\n".join(json.dumps(one) for one in asked).encode()
    emulator.objects["gs://acme/in/requests.jsonl"] = CloudObject(text, "application/jsonl")
    async with connect() as client:
        job = await call(client, "create_batch", source="gs://acme/in/requests.jsonl", display_name="nightly")
        assert job["status"] == "done"
        name = job["result"]["batch"]
        [listed] = [one for one in (await call(client, "list_batches"))["batches"] if one["name"] == name]
        assert (listed["state"], listed["display_name"]) == ("succeeded", "nightly")
        assert (listed["succeeded"], listed["failed"]) == (1, 1)
        found = {line["key"]: line for line in lines(await results(client, job["id"]))}
        assert found["good"]["text"] == "[emulated] hi"
        assert "valid role" in found["bad"]["error"]["message"]
        await call(client, "delete_batch", name=name)
        for arguments, words in (
            ({"requests": [{"prompt": "hi"}]}, "from Cloud Storage alone"),
            ({"source": "gs://acme/in/requests.jsonl", "kind": "embed"}, "no batches of vectors"),
        ):
            assert words in await failed(client, "create_batch", **arguments)
    assert sent(emulator, 0)["outputConfig"]["gcsDestination"]["outputUriPrefix"] == "gs://acme/in/"


async def test_a_batch_can_be_stopped(connect: Connect, emulator: Emulator) -> None:
    emulator.objects["gs://acme/slow.jsonl"] = CloudObject(b'{"request": {}}', "application/jsonl")
    emulator.add_fault("polls=1000", path="/batchPredictionJobs")
    async with connect() as client:
        job = await call(client, "create_batch", source="gs://acme/slow.jsonl", wait_seconds=0.2)
        assert job["status"] == "running"
        await call(client, "cancel_job", job=job["id"])
        with anyio.fail_after(10):
            while (await call(client, "get_job", job=job["id"], wait_seconds=0.05))["status"] != "cancelled":
                pass


async def test_imagen_and_veo_are_served_and_priced(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        picture = await call(client, "generate_image", prompt="A house", model=IMAGEN, aspect_ratio="16:9")
        film = await call(client, "generate_video", prompt="A boat", model=VEO, duration_seconds=4)
        longer = await call(client, "generate_video", prompt="It sinks", model=VEO, video=film["id"], task="extend")
    assert picture["artifacts"][0]["mime_type"] == "image/png"
    assert picture["usage"]["cost_usd"] == pytest.approx(0.04)
    assert (film["status"], film["cost_usd"], longer["status"]) == ("done", 1.6, "done")
    assert film["artifacts"][0]["duration_seconds"] == pytest.approx(4, abs=0.2)
    begun = [one["body"] for one in emulator.requests if one["path"].endswith(":predictLongRunning")]
    assert set(begun[1]["instances"][0]["video"]) == {"bytesBase64Encoded", "mimeType"}
    polled = [one["body"] for one in emulator.requests if one["path"].endswith(":fetchPredictOperation")]
    assert polled[0]["operationName"].startswith(f"{MODELS}/{VEO}/operations/")


async def test_what_is_odd_beside_a_film_does_not_cost_it(connect: Connect, fake: FakeGemini) -> None:
    film = {"bytesBase64Encoded": "AAAAGGZ0eXBpc29t", "mimeType": "video/mp4"}
    name = f"{MODELS}/{VEO}/operations/o"
    done = {"name": name, "done": True, "response": {"videos": [None, film, 5], "raiMediaFilteredCount": {"new": 1}}}
    fake.say({"name": name}, done)
    async with connect(base_url=fake.url) as client:
        job = await call(client, "generate_video", prompt="A boat", model=VEO)
    assert (job["status"], len(job["artifacts"])) == ("done", 1)


async def test_a_film_in_cloud_storage_is_brought_here_and_gone_on_from_there(
    connect: Connect, emulator: Emulator, storage: Loopback
) -> None:
    async with connect(storage="gs://acme/films/") as client:
        film = await call(client, "generate_video", prompt="A boat", model=VEO)
        longer = await call(client, "generate_video", prompt="It sinks", model=VEO, video=film["id"], task="extend")
    [place] = film["result"]["storage"]
    assert place.startswith("gs://acme/films/")
    assert Path(film["artifacts"][0]["path"]).read_bytes() == emulator.objects[place].data
    assert longer["status"] == "done"
    begun = [one["body"] for one in emulator.requests if one["path"].endswith(":predictLongRunning")]
    assert begun[0]["parameters"]["storageUri"] == "gs://acme/films/"
    assert begun[1]["instances"][0]["video"] == {"gcsUri": place, "mimeType": "video/mp4"}


async def test_a_film_can_be_stopped_and_a_filtered_one_says_why(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        emulator.add_fault("filtered", path=":predictLongRunning")
        assert "Veo held the video back because" in await failed(client, "generate_video", prompt="A", model=VEO)
        emulator.add_fault("polls=1000", path=":predictLongRunning")
        job = await call(client, "generate_video", prompt="A boat", model=VEO, wait_seconds=0.2)
        stopped = await call(client, "cancel_job", job=job["id"])
        with anyio.fail_after(10):
            while stopped["status"] != "cancelled":
                stopped = await call(client, "get_job", job=job["id"], wait_seconds=0.05)
    assert any(one["path"].endswith(":cancel") for one in emulator.requests)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("list_files", {}, "has no Files API"),
        ("upload_file", {"source": "a.txt"}, "gs://bucket/object"),
        ("list_stores", {}, "has no File Search stores"),
        ("search_stores", {"question": "a", "stores": ["fileSearchStores/a"]}, "has no File Search stores"),
        ("generate_video", {"prompt": "A boat"}, "a Veo model such as veo-3.1-generate-001"),
        ("generate_text", {"prompt": "a", "attachments": ["files/abc"]}, "has no Files API"),
        ("create_interaction", {"input": "a", "model": FLASH}, "has no Interactions API"),
        ("list_agents", {}, "GEMINI_BACKEND=developer"),
    ],
)
async def test_what_the_platform_lacks_is_said_before_anything_is_sent(
    connect: Connect, emulator: Emulator, tmp_path: Path, tool: str, arguments: Json, words: str
) -> None:
    (tmp_path / "allowed" / "a.txt").write_text("a")
    async with connect() as client:
        text = await failed(client, tool, **arguments)
    assert words in text
    assert "nothing was sent" in text
    assert not emulator.requests


async def test_the_doctor_names_backend_project_and_location_and_models_are_listed(connect: Connect) -> None:
    async with connect() as client:
        checks = {one["name"]: one for one in (await call(client, "server_status"))["checks"]}
        [model] = (await call(client, "list_models", name=VEO.replace("-001", "-preview")))["models"]
    assert checks["backend"]["detail"] == "Gemini Enterprise, project acme, location us-central1"
    assert (checks["key"]["status"], checks["gemini"]["status"]) == ("ok", "ok")
    assert "shutdown" not in model, "it is alive there"
    async with connect(key="invalid-token") as client:
        status = await client.call_tool("server_status", {})
        checks = {one["name"]: one for one in structured(status)["checks"]}
    assert checks["gemini"]["status"] == "failed"
    assert "OAuth token" in checks["gemini"]["detail"]
    assert "invalid-token" not in str(checks)


async def test_a_gateway_that_names_cloud_storage_is_told_where_the_film_lies(
    connect: Connect, fake: FakeGemini
) -> None:
    name = f"models/{VEO}/operations/1"
    sample = {"video": {"uri": "gs://theirs/film.mp4", "encoding": "video/mp4"}}
    fake.say(Reply({"name": name, "done": True, "response": {"generateVideoResponse": {"generatedSamples": [sample]}}}))
    async with connect(backend="developer", base_url=fake.url) as client:
        job = await call(client, "generate_video", prompt="A boat", model=VEO)
    assert job["result"]["storage"] == ["gs://theirs/film.mp4"]
    assert "gs://theirs/film.mp4" in job["warnings"][0]


@pytest.mark.parametrize(
    ("tool", "model", "replacement"),
    [("generate_image", IMAGEN, "gemini-nano-banana-2.1"), ("generate_video", VEO, "gemini-omni-1.1-flash")],
)
async def test_googles_own_developer_api_names_the_replacement_and_a_gateway_is_asked(
    connect: Connect, tool: str, model: str, replacement: str
) -> None:
    async with connect(backend="developer", base_url="https://generativelanguage.googleapis.com") as client:
        text = await failed(client, tool, prompt="A boat", model=model)
    assert f"Use {replacement} instead" in text
    assert "nothing was sent" in text
    preview = model.replace("veo-3.1-generate-001", "veo-3.1-generate-preview")
    async with running(Options(today=TODAY, legacy_media=True, prefix="/gateway")) as gateway:
        async with connect(backend="developer", auth="api-key", base_url=gateway.url) as client:
            made = await call(client, tool, prompt="A boat", model=preview)
        assert made["artifacts"]
        assert gateway.requests[0]["path"].startswith("/v1beta/models/")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "GOOGLE_CLOUD_PROJECT"),
        ({"GOOGLE_CLOUD_PROJECT": "acme", "GEMINI_AUTH": "api-key"}, "GEMINI_AUTH=google"),
        ({"GOOGLE_CLOUD_PROJECT": "acme", "GOOGLE_CLOUD_LOCATION": "evil.example/"}, "no location"),
        ({"GOOGLE_CLOUD_PROJECT": "acme", "GEMINI_TOOLSERVER_EMULATE": "1"}, "--dialect enterprise"),
        ({"GOOGLE_CLOUD_PROJECT": "acme", "GEMINI_TOOLSERVER_STORAGE": "acme/x"}, "gs://bucket/folder"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(environ: dict[str, str], words: str) -> None:
    with pytest.raises(UnsafeSetting) as contradiction:
        settings.read({"GEMINI_BACKEND": "enterprise", **environ})
    assert words in str(contradiction.value)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        (None, "https://aiplatform.googleapis.com"),
        ("us-central1", "https://us-central1-aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
    ],
)
@pytest.mark.parametrize("name", ["GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI"])
def test_the_variables_of_googles_own_libraries_choose_it(name: str, location: str | None, url: str) -> None:
    environ = {
        name: "true",
        "GOOGLE_CLOUD_PROJECT": "acme",
        **({"GOOGLE_CLOUD_LOCATION": location} if location else {}),
    }
    chosen = settings.read({**environ, "GEMINI_API_KEY": "left-from-elsewhere"})
    assert (chosen.backend, chosen.auth, chosen.base_url, chosen.key) == ("enterprise", "google", url, None)
    assert settings.read({**environ, "GEMINI_BACKEND": "developer"}).backend == "developer"
    gateway = {"GEMINI_BASE_URL": "https://gw.house/x", "GEMINI_AUTH": "raw", "GEMINI_API_KEY": "licence"}
    assert settings.read({**environ, **gateway}).base_url == "https://gw.house/x"


@pytest.mark.parametrize(
    ("state", "error", "status", "words"),
    [
        ("CANCELLED", None, "cancelled", "No request was answered by then."),
        ("FAILED", {"code": 3, "message": "The dataset is empty."}, "failed", "The dataset is empty"),
    ],
)
async def test_a_batch_that_ended_before_it_wrote_anything_says_how_and_not_that_its_answers_are_gone(
    connect: Connect, fake: FakeGemini, storage: Loopback, state: str, error: Json | None, status: str, words: str
) -> None:
    job = {"name": "projects/1/locations/us-central1/batchPredictionJobs/7", "state": "JOB_STATE_PENDING"}
    ended = {"state": f"JOB_STATE_{state}", "outputInfo": {"gcsOutputDirectory": "gs://acme/out"}}
    fake.say(Reply(job), Reply(job | ended | ({"error": error} if error else {})))
    async with connect(base_url=fake.url) as client:
        begun = await client.call_tool("create_batch", {"source": "gs://acme/in/requests.jsonl"})
        [made] = structured(await client.call_tool("list_jobs", {}))["jobs"]
        told = str(await client.call_tool("get_job", {"job": made["id"]}))
    assert made["status"] == status
    assert words in told or words in str(begun)
    assert "are gone" not in told


async def test_the_licence_of_a_gateway_is_not_shown_to_cloud_storage(
    connect: Connect, fake: FakeGemini, storage: Loopback
) -> None:
    name = f"projects/1/locations/us-central1/publishers/google/models/{VEO}/operations/1"
    film = {"videos": [{"gcsUri": "gs://acme/film.mp4", "mimeType": "video/mp4"}]}
    job = {"name": "projects/1/locations/us-central1/batchPredictionJobs/7", "state": "JOB_STATE_SUCCEEDED",
           "outputInfo": {"gcsOutputDirectory": "gs://acme/out"}}  # fmt: skip
    fake.say(Reply({"name": name, "done": True, "response": film}), Reply(job), Reply(job))
    async with connect(base_url=fake.url, auth="raw", key="licence-of-the-gateway") as client:
        made = await call(client, "generate_video", prompt="A boat", model=VEO)
        batch = await failed(client, "create_batch", source="gs://acme/in/requests.jsonl")
    assert "no access to Cloud Storage: gs://acme/film.mp4" in made["warnings"][0]
    assert "its answers lie at gs://acme/out/predictions.jsonl" in batch
    assert not storage.seen


async def test_a_long_name_of_a_model_has_the_price_of_its_short_one_and_makes_vectors(connect: Connect) -> None:
    google = "publishers/google/models"
    async with connect() as client:
        short, long = [await ask(client, "Say only 'hi'", model=name) for name in (FLASH, f"{MODELS}/{FLASH}")]
        made = await call(client, "embed", items=["a cat", "a dog"], model=f"{google}/gemini-embedding-001")
    assert long["usage"]["cost_usd"] == short["usage"]["cost_usd"] > 0
    assert made["count"] == 2


@pytest.mark.parametrize("model", ["endpoints/123", f"{PLACE}/endpoints/123", "publishers/anthropic/models/claude"])
async def test_models_that_this_server_does_not_know_there_are_not_said_to_be_elsewhere(
    connect: Connect, emulator: Emulator, model: str
) -> None:
    async with connect() as client:
        text = await failed(client, "generate_text", prompt="a", model=model)
    assert "that this server knows; nothing was sent" in text
    assert "Developer API" not in text
    assert not emulator.requests


async def test_a_film_that_this_account_may_not_read_is_not_said_to_be_lost(
    connect: Connect, fake: FakeGemini, storage: Loopback
) -> None:
    name = f"projects/1/locations/us-central1/publishers/google/models/{VEO}/operations/1"
    film = {"videos": [{"gcsUri": "gs://theirs/film.mp4", "mimeType": "video/mp4"}]}
    fake.say(Reply({"name": name, "done": True, "response": film}))
    async with connect(base_url=fake.url) as client:
        text = await failed(client, "generate_video", prompt="A boat", model=VEO)
    assert "finished and paid for" in text
    assert "gs://theirs/film.mp4" in text
    assert "may read objects in its bucket" in text
    assert "Begin it again" not in text
