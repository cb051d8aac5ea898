"""How an answer may end, row by row: with text it is marked incomplete, without text it is an error with a remedy."""

from __future__ import annotations

from typing import Any

import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, ask, ask_in_a_stream, candidate, refused, said, sent, warned

pytestmark = pytest.mark.anyio

ENDINGS = [
    ("SAFETY", "safety filter", "Rephrase the request, or set `safety`"),
    ("RECITATION", "repeated a known text", "Ask for a summary"),
    ("LANGUAGE", "language is not supported", "Ask in another language"),
    ("OTHER", "Google gives no reason", "Rephrase the request"),
    ("BLOCKLIST", "terms that are blocked", "Rephrase the request"),
    ("PROHIBITED_CONTENT", "may be prohibited", "Rephrase the request"),
    ("SPII", "sensitive personal data", "Leave personal data out"),
    ("MALFORMED_FUNCTION_CALL", "function call that it wrote was malformed", "Simplify the functions' parameters"),
    ("IMAGE_SAFETY", "held back by the safety filter", "Rephrase the request"),
    ("IMAGE_PROHIBITED_CONTENT", "a picture may be prohibited", "Rephrase the request"),
    ("IMAGE_OTHER", "a picture could not be made", "Rephrase the request"),
    ("NO_IMAGE", "no picture came of it", "Ask for the picture more explicitly"),
    ("IMAGE_RECITATION", "a picture would have repeated", "Rephrase the request"),
    ("UNEXPECTED_TOOL_CALL", "a tool that was not offered", "Offer the tool in `use`"),
    ("TOO_MANY_TOOL_CALLS", "too many times in a row", "Ask a narrower question"),
    ("MISSING_THOUGHT_SIGNATURE", "signature of an earlier turn is missing", "Start a new conversation"),
    ("MALFORMED_RESPONSE", "what it wrote was malformed", "Call again, or simplify"),
    ("ESCALATION", "escalated by Google's policies", "Rephrase the request"),
    ("PUP_LIMITED_DISABLED", "usage policy has disabled", "Check the account at Google"),
    ("MAX_TOKENS", "max_output_tokens", "aise"),
    ("CONTINUATION", "", ""),
]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("reason", "why", "remedy"), ENDINGS, ids=[row[0] for row in ENDINGS])
async def test_an_answer_that_ended_early_keeps_its_text_and_says_why(
    connect: Connect, fake: FakeGemini, reason: str, why: str, remedy: str, stream: bool
) -> None:
    ending = said("half an answer", finish=reason)
    if stream:
        fake.stream(said("half an ", finish=None), said("answer", finish=reason))
    else:
        fake.say(ending)
    async with connect(base_url=fake.url) as client:
        answer = await (ask_in_a_stream if stream else ask)(client)
    assert answer["text"] == "half an answer"
    assert answer["finish_reason"] == reason
    assert answer["incomplete"] is True
    assert why in warned(answer)
    assert remedy in warned(answer)


SHAPES = [
    *((*row, "no content") for row in ENDINGS),
    *((*row, shape) for row in ENDINGS[:1] for shape in ("content without parts", "empty text", "only a thought")),
]


@pytest.mark.parametrize(("reason", "why", "remedy", "empty"), SHAPES, ids=[f"{row[0]}-{row[3]}" for row in SHAPES])
async def test_an_ending_without_any_text_is_an_error_with_reason_and_remedy(
    connect: Connect, fake: FakeGemini, reason: str, why: str, remedy: str, empty: str
) -> None:
    contents: dict[str, Any] = {
        "no content": None,
        "content without parts": {"role": "model"},
        "empty text": {"role": "model", "parts": [{"text": ""}]},
        "only a thought": {"role": "model", "parts": [{"text": "hm", "thought": True}]},
    }
    one: Json = {"finishReason": reason, "finishMessage": "Google\u200b's own words\u0007"}
    if contents[empty]:
        one["content"] = contents[empty]
    fake.say({**said(""), "candidates": [one]})
    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("generate_text", {"prompt": "x"})
    text = error_of(result)
    assert why in text
    assert remedy in text
    if reason != "MAX_TOKENS":
        assert reason in text
        assert "Google's own words" in text
    assert result.meta is not None
    facts = result.meta["gemini-toolserver/error"]
    assert facts["code"] == reason
    assert facts["usage"]["total_tokens"] > 0
    assert "It used " in text


BLOCKS = [
    ("SAFETY", "safety filter"),
    ("OTHER", "Google gives no reason"),
    ("BLOCKLIST", "terms that are blocked"),
    ("PROHIBITED_CONTENT", "may be prohibited"),
    ("IMAGE_SAFETY", "held back by the safety filter"),
    ("JAILBREAK", "get around the model's rules"),
    ("TOMORROWS_REASON", "this server does not know the reason"),
]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("reason", "why"), BLOCKS, ids=[row[0] for row in BLOCKS])
async def test_a_blocked_prompt_is_an_error_that_names_reason_and_category(
    connect: Connect, emulator: Emulator, reason: str, why: str, stream: bool
) -> None:
    async with connect() as client:

        async def ignore(progress: float, total: float | None, message: str | None) -> None:
            return

        result = await client.call_tool(
            "generate_text",
            {"prompt": f"[emulate: block={reason}] x"},
            progress_callback=ignore if stream else None,
        )
    text = error_of(result)
    assert f"did not answer the prompt ({reason})" in text
    assert why in text
    assert "Category: sexually explicit." in text
    assert "ephrase" in text
    assert emulator.requests[-1]["path"].endswith(":streamGenerateContent") == stream
    assert result.meta is not None
    assert result.meta["gemini-toolserver/error"]["code"] == reason
    assert len(emulator.requests) == 1, "a block is not asked again"


async def test_thoughts_that_ate_the_budget_are_explained_with_their_number(connect: Connect) -> None:
    async with connect() as client:
        text = await refused(client, max_output_tokens=20)
    assert "thinking used up the whole of max_output_tokens (20 thought tokens)" in text
    assert "Raise max_output_tokens to 4096 or more" in text


async def test_no_candidate_and_no_reason_is_an_error(connect: Connect) -> None:
    async with connect() as client:
        assert "without a candidate and gave no reason" in await refused(client, "[emulate: empty] x")


@pytest.mark.parametrize("reason", ["STOP", "FINISH_REASON_UNSPECIFIED"])
async def test_a_candidate_without_content_is_an_error(connect: Connect, fake: FakeGemini, reason: str) -> None:
    fake.say(candidate(finish=reason))
    async with connect(base_url=fake.url) as client:
        assert f"without any content (finish reason {reason})" in await refused(client)


@pytest.mark.parametrize("parts", [5, True, "words", {"text": "words"}, [None, 5]])
async def test_parts_that_are_none_are_no_content(connect: Connect, fake: FakeGemini, parts: object) -> None:
    fake.say({**candidate(), "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]})
    async with connect(base_url=fake.url) as client:
        assert "without any content (finish reason STOP). It used 10 in, 4 out" in await refused(client)


async def test_a_reason_that_is_new_passes_through_and_is_pointed_out(connect: Connect, fake: FakeGemini) -> None:
    fake.say(said("text", finish="MOON_PHASE"))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client)
    assert answer["text"] == "text"
    assert answer["finish_reason"] == "MOON_PHASE"
    assert answer["incomplete"] is True
    assert "MOON_PHASE, which this server does not know" in warned(answer)


async def test_a_missing_reason_is_pointed_out(connect: Connect, fake: FakeGemini) -> None:
    fake.stream(said("half", finish=None))
    async with connect(base_url=fake.url) as client:
        answer = await ask_in_a_stream(client)
    assert answer["finish_reason"] == "UNKNOWN"
    assert answer["incomplete"] is True
    assert "did not say that the answer was finished" in warned(answer)


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_a_malformed_answer_is_asked_for_once_more_and_both_are_counted(
    connect: Connect, fake: FakeGemini, reason: str, stream: bool
) -> None:
    bad, good = candidate({"text": "x("}, finish=reason), said("good")
    async with connect(base_url=fake.url) as client:
        fake.say(bad, good)
        if stream:
            for reply in fake.replies:
                reply.events, reply.body = [reply.body], None
        answer = await (ask_in_a_stream if stream else ask)(client)
    assert answer["text"] == "good"
    assert answer["finish_reason"] == "STOP"
    assert "incomplete" not in answer
    assert f"Gemini gave {reason} at first; it was asked a second time" in warned(answer)
    assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == (20, 8)
    assert answer["usage"]["total_tokens"] == 28
    assert fake.requests[0] == fake.requests[1]


async def test_what_is_malformed_twice_is_an_error_and_not_asked_a_third_time(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        text = await refused(client, "[emulate: malformed_function_call] x", functions=[{"name": "f"}])
    assert "MALFORMED_FUNCTION_CALL" in text
    assert "Malformed function call: print(default_api" in text
    assert len(emulator.requests) == 2


# --- long answers in several hops


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_a_long_answer_is_followed_over_its_hops(connect: Connect, emulator: Emulator, stream: bool) -> None:
    prompt = "[emulate: continuation=3 length=900] Tell me of Zürich"
    async with connect() as client:
        answer = await (ask_in_a_stream if stream else ask)(client, prompt, model="gemini-4-argon")
    assert len(emulator.requests) == 4
    assert answer["text"].startswith("[emulated] You asked")
    assert 800 < len(answer["text"]) <= 900, "the pieces of all hops, each once"
    assert answer["finish_reason"] == "STOP"
    assert "continuation" not in answer
    assert "incomplete" not in answer
    assert "3 continuations, each billed" in warned(answer)
    assert ["continuationToken" in sent(emulator, at) for at in range(4)] == [False, True, True, True]
    first = sent(emulator, 0)
    assert {name: value for name, value in sent(emulator, 3).items() if name != "continuationToken"} == first
    once = answer["usage"]["input_tokens"] // 4
    assert answer["usage"]["input_tokens"] == once * 4


async def test_after_four_hops_the_token_is_handed_out_and_can_be_used(connect: Connect, emulator: Emulator) -> None:
    prompt = "[emulate: continuation=6 length=900] Tell me of Zürich"
    async with connect() as client:
        result = await client.call_tool("generate_text", {"prompt": prompt, "model": "gemini-4-argon"})
        first = structured(result)
        assert len(emulator.requests) == 5
        assert first["finish_reason"] == "CONTINUATION"
        assert first["incomplete"] is True
        assert "call again with the same prompt and `continuation`" in warned(first)
        assert first["continuation"] in text_of(result)
        rest = await ask(client, prompt, model="gemini-4-argon", continuation=first["continuation"])
    assert rest["finish_reason"] == "STOP"
    assert "incomplete" not in rest
    assert 800 < len(first["text"] + rest["text"]) <= 900
    assert len(emulator.requests) == 7


async def test_a_hop_that_fails_leaves_its_token_to_go_on_with(connect: Connect, fake: FakeGemini) -> None:
    from tests.front.conftest import Reply

    broken = Reply({"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}, status=400)
    fake.say(Reply(said("one ", finish="CONTINUATION", continuationToken="tok-1")), broken)
    async with connect(base_url=fake.url) as client:
        first = await ask(client)
        fake.say(said("two"))
        second = await ask(client, continuation=first["continuation"])
    assert first["text"] == "one "
    assert first["incomplete"] is True
    assert first["continuation"] == "tok-1"
    assert "cut short after 4 characters" in warned(first)
    assert second["text"] == "two"
    assert fake.requests[-1]["continuationToken"] == "tok-1"


async def test_the_rest_of_an_answer_is_not_kept_as_if_it_were_the_whole(connect: Connect, fake: FakeGemini) -> None:
    fake.say(said("the end"))
    async with connect(base_url=fake.url, toolsets=("all",)) as client:
        answer = await ask(client, continuation="tok", conversation="new")
        kept = structured(await client.call_tool("list_conversations", {}))
    assert "only the rest of an answer" in warned(answer)
    assert kept["conversations"] == []


# --- streams that break


async def test_a_bare_error_object_in_a_stream_is_told(connect: Connect) -> None:
    async with connect() as client:
        answer = await ask_in_a_stream(
            client, "[emulate: error_in_stream status=503 message=Too_much. after=2 length=900] Tell me"
        )
    assert "Too much." in warned(answer)


@pytest.mark.parametrize("how", ["cut=inside", "broken_json", "error_in_stream=data status=503"])
async def test_a_stream_that_breaks_after_text_returns_the_text(connect: Connect, emulator: Emulator, how: str) -> None:
    async with connect() as client:
        answer = await ask_in_a_stream(client, f"[emulate: {how} after=2 length=900] Tell me of Zürich")
    assert answer["text"].startswith("[emulated] You asked")
    assert 100 < len(answer["text"]) < 600
    assert answer["incomplete"] is True
    assert f"after {len(answer['text'])} characters" in warned(answer)
    assert answer["usage"]["output_tokens"] > 0
    assert len(emulator.requests) == 1, "a second paid generation was started silently"


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("cut=inside", "cut off"),
        ("broken_json", "cut off|not the JSON"),
        ("error_in_stream=data status=400 message=bad_seed", "bad seed"),
        pytest.param("error_in_stream status=400 message=bad_seed", "bad seed"),
    ],
)
async def test_a_stream_that_breaks_before_any_text_is_an_error(
    connect: Connect, emulator: Emulator, how: str, what: str
) -> None:
    async def ignore(progress: float, total: float | None, message: str | None) -> None:
        return

    async with connect() as client:
        result = await client.call_tool(
            "generate_text", {"prompt": f"[emulate: {how} after=0] x"}, progress_callback=ignore
        )
    assert any(piece in error_of(result) for piece in what.split("|")), text_of(result)


async def test_a_stream_that_breaks_after_thoughts_alone_tells_the_real_error(
    connect: Connect, fake: FakeGemini
) -> None:
    fake.stream(candidate({"text": "I wonder", "thought": True}, finish=None), cut=True)

    async def ignore(progress: float, total: float | None, message: str | None) -> None:
        return

    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("generate_text", {"prompt": "x"}, progress_callback=ignore)
    assert "cut off" in error_of(result)


async def test_a_connection_that_dies_after_the_last_event_took_nothing(connect: Connect, fake: FakeGemini) -> None:
    fake.stream(said("all ", finish=None), said("of it"), cut=True)
    async with connect(base_url=fake.url) as client:
        answer = await ask_in_a_stream(client)
    assert answer["text"] == "all of it"
    assert "incomplete" not in answer
    assert "warnings" not in answer
