"""The work `generate`: one request for each picture, sound made WAV, and what is said when nothing comes."""

from __future__ import annotations

import base64
import io
import json
import wave
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gemini_server.api.content import Content, text_part
from gemini_server.api.models import GenerateContentRequest
from gemini_server.errors import ConnectionFailed, MayHaveBeenBilled, NotFound, Overloaded, ToolserverError
from gemini_server.jobs.job import Job, Request, Step
from gemini_server.rest.body import RawJson
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.work.generate import Generate
from tests.server.toolkit.working import (
    SPEECH_MODEL,
    Gemini,
    Heard,
    Json,
    answered,
    inline,
    job_for,
    quiet,
    runtime_for,
    usage_in,
)

pytestmark = pytest.mark.anyio

PICTURE = b"\x89PNG\r\n\x1a\nnot much of a picture"
PCM = bytes(range(200))
REQUEST = GenerateContentRequest(contents=[Content(role="user", parts=[text_part("a fox")])])
SPEECH_USAGE: Json = {
    "promptTokenCount": 10, "candidatesTokenCount": 100, "totalTokenCount": 110,
    "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 100}],
}  # fmt: skip


@pytest.fixture
def gemini() -> Gemini:
    return Gemini([answered(inline(PICTURE))])


@pytest.fixture
def runtime(gemini: Gemini, tmp_path: Path) -> Runtime:
    return runtime_for(gemini, tmp_path)


async def submit(runtime: Runtime, job: Job, request: Request | None = None) -> Step:
    return await Generate(runtime).submit(job, request or Request(REQUEST), quiet)


async def test_a_picture_comes_with_its_price_and_goes_to_the_model_that_was_named(
    runtime: Runtime, gemini: Gemini
) -> None:
    gemini.replies = [answered({"text": "Here it is."}, inline(PICTURE, "image/jpeg"))]
    step = await submit(runtime, job_for())
    assert step.state == "finished"
    (medium,) = step.media
    assert (medium.kind, medium.mime_type, medium.data) == ("image", "image/jpeg", PICTURE)
    assert step.result["text"] == "Here it is."
    assert step.spent is not None
    assert step.spent.cost_usd == Decimal("0.033615")  # 10 tokens at 1.50 and 1120 at 30 a million
    assert step.spent.tokens["output_tokens"] == 1120
    assert usage_in(step)["cost_usd"] == 0.033615
    assert "warnings" not in step.result
    assert gemini.paths == [{"model": "models/gemini-nano-banana-2.1"}]


async def test_what_the_model_only_thought_of_is_no_picture(runtime: Runtime, gemini: Gemini) -> None:
    thought = inline(b"a sketch", thought=True)
    gemini.replies = [answered({"text": "hm", "thought": True}, thought, inline(PICTURE, thoughtSignature="c2ln"))]
    step = await submit(runtime, job_for())
    assert [medium.data for medium in step.media] == [PICTURE]
    assert "text" not in step.result


async def test_an_answer_without_a_breakdown_of_its_tokens_costs_what_was_estimated(
    runtime: Runtime, gemini: Gemini
) -> None:
    bare = {"promptTokenCount": 10, "candidatesTokenCount": 1120, "totalTokenCount": 1130}
    gemini.replies = [answered(inline(PICTURE), usage=bare)]
    assert usage_in(await submit(runtime, job_for(cost="0.0336")))["cost_usd"] == 0.0336
    assert usage_in(await submit(runtime, job_for()))["cost_usd"] is None


async def test_a_picture_that_is_not_counted_is_not_free(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [answered(inline(PICTURE), usage={"promptTokenCount": 10, "totalTokenCount": 10})]
    assert usage_in(await submit(runtime, job_for(cost="0.0336")))["cost_usd"] == 0.0336
    assert usage_in(await submit(runtime, job_for()))["cost_usd"] is None


@pytest.mark.parametrize(
    ("mime_type", "rate"),
    [
        ("audio/L16;codec=pcm;rate=24000", 24000),
        ("audio/l16; rate=48000", 48000),
        ("audio/pcm", 24000),
        ("audio/L16;rate=0", 24000),
        ("audio/L16;rate=999999", 24000),
        ("audio/L16;rate=fast", 24000),
    ],
)
async def test_raw_sound_becomes_wav_of_its_rate(runtime: Runtime, gemini: Gemini, mime_type: str, rate: int) -> None:
    gemini.replies = [answered(inline(PCM, mime_type), usage=SPEECH_USAGE, model=SPEECH_MODEL)]
    step = await submit(runtime, job_for("speech", SPEECH_MODEL))
    (medium,) = step.media
    assert (medium.kind, medium.mime_type) == ("speech", "audio/wav")
    with wave.open(io.BytesIO(medium.data or b"")) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (rate, 1, 2)
        assert sound.readframes(1000) == PCM
    assert usage_in(step)["cost_usd"] == pytest.approx((10 * 0.5 + 100 * 9) / 1e6)


async def test_sound_in_several_pieces_is_one_file(runtime: Runtime, gemini: Gemini) -> None:
    kind = "audio/L16;rate=24000"
    gemini.replies = [answered(inline(PCM[:101], kind), inline(PCM[101:], kind), inline(b"ID3 mp3", "audio/mpeg"))]
    step = await submit(runtime, job_for("speech", SPEECH_MODEL))
    assert [medium.mime_type for medium in step.media] == ["audio/wav", "audio/mpeg"]
    with wave.open(io.BytesIO(step.media[0].data or b"")) as sound:
        assert sound.readframes(1000) == PCM


async def test_speech_that_came_in_writing_is_asked_for_once_more_and_both_are_billed(
    runtime: Runtime, gemini: Gemini
) -> None:
    written = answered({"text": "Hello"}, usage=SPEECH_USAGE, model=SPEECH_MODEL)
    gemini.replies = [written, answered(inline(PCM, "audio/L16"), usage=SPEECH_USAGE, model=SPEECH_MODEL)]
    step = await submit(runtime, job_for("speech", SPEECH_MODEL))
    assert step.state == "finished"
    assert usage_in(step)["output_tokens"] == 200
    assert "text instead of speech" in step.result["warnings"][0]
    assert "text" not in step.result


async def test_speech_that_came_in_writing_twice_is_a_failure_that_was_paid_for(
    runtime: Runtime, gemini: Gemini
) -> None:
    gemini.replies = [answered({"text": "Hello"}, usage=SPEECH_USAGE, model=SPEECH_MODEL)]
    step = await submit(runtime, job_for("speech", SPEECH_MODEL))
    assert (step.state, len(gemini.bodies)) == ("failed", 2)
    assert step.error is not None
    assert "in words instead of speech: Hello" in step.error.what
    assert step.spent is not None
    assert step.spent.tokens["output_tokens"] == 200


async def test_a_picture_that_came_in_writing_is_not_asked_for_again(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [answered({"text": "I would rather talk about it."})]
    step = await submit(runtime, job_for())
    assert (step.state, len(gemini.bodies)) == ("failed", 1)
    assert step.error is not None
    assert step.error.code == "NO_IMAGE"
    assert "I would rather talk about it." in step.error.what


BLOCKED: Json = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 7,
                 "totalTokenCount": 7}}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (answered(finish="NO_IMAGE"), "NO_IMAGE", "no picture came of it"),
        (answered(finish="IMAGE_SAFETY"), "IMAGE_SAFETY", "held back by the safety filter"),
        (answered(finish="IMAGE_PROHIBITED_CONTENT"), "IMAGE_PROHIBITED_CONTENT", "may be prohibited"),
        (answered(finish="SAFETY"), "SAFETY", "safety filter objected"),
        (answered(finish="MAX_TOKENS"), "MAX_TOKENS", "ran out of output tokens"),
        (answered(finish="STOP"), "STOP", "without any content"),
        (answered({"text": "No."}, finish="IMAGE_OTHER"), "IMAGE_OTHER", "It says: No."),
        (BLOCKED, "PROHIBITED_CONTENT", "did not answer the prompt"),
        (answered(inline(b""), finish=None), "EMPTY", "gave no reason"),
    ],
)
async def test_an_answer_without_a_picture_says_why_and_what_it_cost(
    runtime: Runtime, gemini: Gemini, answer: Json, code: str, words: str
) -> None:
    gemini.replies = [answer]
    step = await submit(runtime, job_for())
    assert step.state == "failed"
    assert step.error is not None
    assert step.error.code == code
    assert words in step.error.what
    assert "It used " in step.error.what
    assert "`safety`" not in step.error.remedy, "the tool has no such argument"
    assert step.result["usage"]["input_tokens"] in (7, 10)
    assert step.spent is not None


async def test_base64_that_is_none_is_lost_and_the_rest_is_kept(runtime: Runtime, gemini: Gemini) -> None:
    broken = {"inlineData": {"mimeType": "image/png", "data": "!!!"}}
    web_safe = {"inlineData": {"mimeType": "image/png", "data": base64.urlsafe_b64encode(b"\xfb\xff\xfe").decode()}}
    gemini.replies = [answered(broken, web_safe)]
    step = await submit(runtime, job_for())
    assert [medium.data for medium in step.media] == [b"\xfb\xff\xfe"]
    assert "no valid base64" in step.result["warnings"][0]


async def test_several_pictures_are_asked_for_at_once_and_added_up(runtime: Runtime, gemini: Gemini) -> None:
    heard = Heard()
    step = await Generate(runtime).submit(job_for(count=3), Request(REQUEST), heard)
    assert (len(step.media), len(gemini.bodies), gemini.most) == (3, 3, 3)
    assert usage_in(step)["output_tokens"] == 3 * 1120
    assert heard.messages == ["1 of 3 are there", "2 of 3 are there"]


async def test_what_came_is_kept_when_others_fail(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [answered(inline(PICTURE)), Overloaded("Gemini is overloaded."), answered(finish="IMAGE_SAFETY")]
    step = await submit(runtime, job_for(count=3, cost="0.3"))
    assert (step.state, len(step.media)) == ("finished", 1)
    warnings = "\n".join(step.result["warnings"])
    assert "1 of 3 came: Gemini is overloaded." in warnings
    assert "held back by the safety filter" in warnings
    assert usage_in(step)["output_tokens"] == 2 * 1120, "what was held back is billed"


async def test_nothing_at_all_is_the_failure_that_says_most(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [ConnectionFailed("No connection."), MayHaveBeenBilled("The line died.")]
    with pytest.raises(MayHaveBeenBilled, match=r"The line died\."):
        await submit(runtime, job_for(count=2))
    gemini.replies = [answered(finish="NO_IMAGE"), MayHaveBeenBilled("The line died.")]
    step = await submit(runtime, job_for(count=2))
    assert step.state == "unknown"
    assert step.spent is not None


async def test_a_crash_of_one_request_does_not_lose_the_others(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [ValueError("a fault"), answered(inline(PICTURE))]
    step = await submit(runtime, job_for(count=2))
    assert len(step.media) == 1
    assert "a fault in this server" in step.result["warnings"][0]


async def test_a_model_that_is_gone_names_its_replacement(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [NotFound("models/gemini-3-pro-image-preview is not found.", status=404)]
    with pytest.raises(NotFound) as failure:
        await submit(runtime, job_for(model="gemini-3-pro-image-preview"))
    assert "Use gemini-3-pro-image instead." in str(failure.value)


async def test_a_rerouted_model_and_an_odd_end_are_said(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [answered(inline(PICTURE), finish="MAX_TOKENS", model="gemini-other")]
    warnings = "\n".join((await submit(runtime, job_for())).result["warnings"])
    assert "gemini-other answered" in warnings
    assert "Gemini ended with MAX_TOKENS" in warnings


async def test_words_about_the_callers_files_are_cleaned_and_marked(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [answered({"text": "a\u202eb"}, inline(PICTURE))]
    assert (await submit(runtime, job_for())).result["text"] == "a\u202eb"
    step = await submit(runtime, job_for(sources=["attachments"]))
    assert (step.result["text"], step.result["untrusted"]) == ("ab", "files")


# ---------------------------------------------------------------- conversations


async def begun(runtime: Runtime) -> Json:
    """A wish to keep the turn in a conversation that is there, without turns."""
    identifier = await runtime.conversations.create("local", model="x", system=None, settings={})
    return {"id": identifier, "turns": 0, "pointers": {}, "settings": {"image": {"size": "2K"}}}


@pytest.mark.parametrize("restarted", [False, True], ids=["as it was made", "as it was kept"])
async def test_a_turn_is_kept_with_its_signature_and_a_pointer_for_its_picture(
    runtime: Runtime, gemini: Gemini, restarted: bool
) -> None:
    gemini.replies = [
        answered({"text": "There."}, inline(b"?", thought=True), inline(PICTURE, thoughtSignature="c2ln"))
    ]
    wish = await begun(runtime)
    said = {"contents": [{"role": "user", "parts": [{"text": "a fox"}]}]}
    body = RawJson(json.dumps(said).encode()) if restarted else REQUEST
    step = await submit(runtime, job_for(conversation=wish), Request(body))
    assert step.result["conversation"] == wish["id"]
    kept = await runtime.conversations.get("local", wish["id"])
    assert kept.turns == [
        {"role": "user", "parts": [{"text": "a fox"}]},
        {
            "role": "model",
            "parts": [
                {"text": "There."},
                {
                    "inlineData": {"mimeType": "image/png", "data": "gemini://jobs/j_1/0"},
                    "thoughtSignature": "c2ln",
                },
            ],
        },
    ]
    assert (kept.model, kept.settings) == ("gemini-nano-banana-2.1", {"image": {"size": "2K"}})


async def test_a_new_conversation_begins_with_the_answer(runtime: Runtime) -> None:
    wish: Json = {"id": "new", "turns": 0, "settings": {}}
    step = await submit(runtime, job_for(conversation=wish))
    kept = await runtime.conversations.get("local", step.result["conversation"])
    assert len(kept.turns) == 2


async def test_a_conversation_that_has_moved_on_costs_the_turn_and_not_the_picture(runtime: Runtime) -> None:
    wish = await begun(runtime)
    await runtime.conversations.append("local", wish["id"], [{"role": "user", "parts": []}], expected_turns=0)
    step = await submit(runtime, job_for(conversation=wish))
    assert (step.state, len(step.media), step.result["conversation"]) == ("finished", 1, wish["id"])
    assert "could not be kept in the conversation" in step.result["warnings"][0]


async def test_a_ledger_that_dies_costs_the_turn_and_not_the_picture(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*args: Any, **more: Any) -> None:
        raise RuntimeError("a fault")

    wish = await begun(runtime)
    monkeypatch.setattr(runtime.conversations, "append", dies)
    step = await submit(runtime, job_for(conversation=wish))
    assert len(step.media) == 1
    assert "the ledger failed" in step.result["warnings"][0]


async def test_nothing_is_kept_of_a_turn_that_brought_no_picture(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [answered(finish="NO_IMAGE")]
    wish = await begun(runtime)
    await submit(runtime, job_for(conversation=wish))
    assert (await runtime.conversations.get("local", wish["id"])).turns == []


async def test_there_is_nothing_to_ask_for_after_the_answer(runtime: Runtime) -> None:
    work = Generate(runtime)
    step = await work.poll(job_for(), quiet)
    assert (step.state, isinstance(step.error, ToolserverError)) == ("unknown", True)
    stopped = await work.cancel(job_for())
    assert stopped is not None
    assert stopped.state == "cancelled"
    assert not work.background
