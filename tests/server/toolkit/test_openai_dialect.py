"""The OpenAI dialect as data: where its methods are, what becomes of odd requests and answers."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from gemini_server import settings
from gemini_server.api.content import Blob, Content, Part
from gemini_server.api.models import GenerateContentRequest
from gemini_server.api.openai import Completion, place
from gemini_server.errors import ArgumentError, UnsafeSetting
from gemini_server.rest.body import BytesSource, InlineMedia, encode
from gemini_server.rest.route import Routes
from gemini_server.toolkit.dialect.openai_answered import answered
from gemini_server.toolkit.dialect.openai_asked import asked
from gemini_server.toolkit.dialect.openai_text import TextReader

Json = dict[str, Any]

PLACES = [
    ("https://gw.example", "https://gw.example/v1/chat/completions", False),
    ("https://gw.example/gemini/", "https://gw.example/gemini/v1/chat/completions", False),
    ("https://gw.example/gemini/v1", "https://gw.example/gemini/v1/chat/completions", False),
    ("https://gw.example/openai", "https://gw.example/openai/chat/completions", False),
    ("https://gw.example/openai/v1/", "https://gw.example/openai/v1/chat/completions", False),
    ("https://gw.example/x/v1beta/openai", "https://gw.example/x/v1beta/openai/chat/completions", True),
    *(
        (
            f"https://generativelanguage.googleapis.com{path}",
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
            True,
        )
        for path in ("", "/v1beta", "/v1beta/openai/")
    ),
]


@pytest.mark.parametrize(("base", "url", "google"), PLACES)
def test_the_method_is_where_the_base_url_says(base: str, url: str, google: bool) -> None:
    found = place(base)
    assert Routes(httpx2.URL(base), "v1beta").url(found.chat, {}, None, sse=False) == url
    assert found.google == google


CONTRADICTIONS = [
    {"GEMINI_TEXT_API": "interactions"},
    {"GEMINI_TOOLSERVER_IMAGE_API": "interactions"},
    {"GEMINI_BACKEND": "enterprise", "GOOGLE_CLOUD_PROJECT": "p"},
    {"GEMINI_TOOLSERVER_EMULATE": "1"},
    {"GEMINI_BASE_URL": "https://gw.example/v1/chat/completions"},
]


@pytest.mark.parametrize("environ", CONTRADICTIONS)
def test_settings_that_contradict_the_dialect_are_refused_at_the_start(environ: dict[str, str]) -> None:
    with pytest.raises(UnsafeSetting, match=r"GEMINI_DIALECT|/chat/completions") as refused:
        settings.read({"GEMINI_DIALECT": "openai", "GEMINI_API_KEY": "x", **environ})
    assert refused.value.remedy


def test_media_of_this_machine_are_streamed_into_the_data_url() -> None:
    blob = Blob(mime_type="audio/wav", data=InlineMedia(BytesSource(b"abc" * 300_000)))
    request = GenerateContentRequest(contents=[Content(role="user", parts=[Part(inline_data=blob)])])
    body = encode(asked("m", request.model_dump(by_alias=True, exclude_none=True), google=False))
    assert body.whole is None, "it is read when it is sent"
    assert body.length > 1_200_000


TURNS: list[Json] = [
    {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
    {
        "role": "model",
        "parts": [
            {"text": "hm", "thought": True},
            {"text": "said", "thoughtSignature": "c2ln"},
            {"functionCall": {"id": "1", "name": "f", "args": {"ä": 1}}, "thoughtSignature": "YmVs"},
            {"functionCall": {"name": "g"}},
        ],
    },
    {
        "role": "user",
        "parts": [{"functionResponse": {"id": "1", "name": "f", "response": {"x": None}}}, {"text": "so?"}],
    },
    {"role": "model", "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
    {"role": "user", "parts": [{"fileData": {"fileUri": "https://a.example/b.png", "mimeType": "image/png"}}]},
]


def test_earlier_turns_become_messages() -> None:
    calls = [
        {
            "id": "1",
            "type": "function",
            "extra_content": {"google": {"thought_signature": "YmVs"}},
            "function": {"name": "f", "arguments": '{"ä": 1}'},
        },
        {"id": "g", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    signed = {"google": {"thought_signature": "c2ln"}}
    drawn = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    assert asked("models/m", {"contents": TURNS}, google=False).messages == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "said", "extra_content": signed, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "1", "content": '{"x": null}'},
        {"role": "user", "content": "so?"},
        {"role": "assistant", "content": "[picture]"},
        {"role": "user", "content": [drawn, {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]},
    ]


def test_googles_additions_go_to_google_alone() -> None:
    config = {"thinkingConfig": {"includeThoughts": True, "thinkingLevel": "HIGH"}}
    request: Json = {"contents": TURNS[:1], "generationConfig": config, "cachedContent": "cachedContents/x"}
    body = asked("m", request, google=True)
    thinking = {"include_thoughts": True}
    assert body.extra_body == {"google": {"thinking_config": thinking, "cached_content": "cachedContents/x"}}
    assert body.reasoning_effort == "high"
    odd: list[Json] = [request, {**request, "generationConfig": {}}, {"contents": [], "generationConfig": {"topK": 3}}]
    for lost in odd:
        with pytest.raises(ArgumentError, match="cannot carry"):
            asked("m", lost, google=False)


FENCED = "So:\n```python\nprint(3)\n```\n```output\n3\n```\nDone: ```json\n{}\n``` and ```python\nx\n```\nend"
TEXTS: list[tuple[str, list[Json]]] = [
    (
        "Hi! ![a] ![x](http://e) ![i](data:image/png;base64,AAAA) bye![",
        [
            {"text": "Hi! ![a] ![x](http://e) "},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            {"text": " bye!["},
        ],
    ),
    (
        FENCED,
        [
            {"text": "So:\n"},
            {"executableCode": {"language": "PYTHON", "code": "print(3)"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "3"}},
            {"text": FENCED[FENCED.index("Done") :]},
        ],
    ),
    ("<thought>a<b</thought>c <t", [{"text": "a<b", "thought": True}, {"text": "c <t"}]),
]


@pytest.mark.parametrize(("text", "parts"), TEXTS)
@pytest.mark.parametrize("length", [1, 2, 7, 1000])
def test_a_text_is_taken_apart_alike_however_it_is_cut(text: str, parts: list[Json], length: int) -> None:
    reader = TextReader(thoughts=True, code=True)
    made: list[Json] = []
    for at in range(0, len(text), length):
        made += reader.feed(text[at : at + length])
    made += reader.end()
    joined: list[Json] = []
    for part in made:
        if joined and "text" in part and joined[-1].keys() == part.keys():
            joined[-1]["text"] += part["text"]
        else:
            joined.append(dict(part))
    assert joined == parts


def told(message: Json, finish: str | None = "stop", usage: Json | None = None) -> Any:
    choice = {"message": message, "finish_reason": finish}
    return answered(Completion.model_validate({"choices": [choice], "usage": usage}), google=True, code=False)


def test_an_answer_is_read_in_any_shape() -> None:
    url = "data:image/webp;base64,AAAA"
    shapes: list[Json] = [
        {"content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": url}}]},
        {"content": "x", "images": [{"type": "image_url", "image_url": {"url": url}}]},
        {"content": "x", "images": [url]},
        {"content": f"x![]({url})"},
        {"content": f'x![](<{url}> "A title")'},
        {"content": ["x", {"type": "image", "data": "AA\nAA", "mime_type": "image/webp"}]},
        {"content": ["x", {"inline_data": {"data": "AAAA", "mime_type": "image/webp"}}]},
        {"content": ["x", url]},
    ]
    for shape in shapes:
        candidate = told(shape).candidates[0]
        assert candidate.content["parts"] == [{"text": "x"}, {"inlineData": {"mimeType": "image/webp", "data": "AAAA"}}]
        assert candidate.finish_reason == "STOP"
    broken = told({"tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}, "tool_calls").candidates[0]
    assert (broken.finish_reason, broken.content["parts"]) == ("MALFORMED_FUNCTION_CALL", [])
    calls = [{"function": {"name": "f", "arguments": "null"}}, {"function": {"name": "g", "arguments": '{"n": 1}'}}]
    for shape in (
        {"tool_calls": calls},
        {"tool_calls": [{"index": 0, "id": str(n), **c} for n, c in enumerate(calls)]},
    ):
        parts = told(shape, "tool_calls").candidates[0].content["parts"]
        assert [part["functionCall"]["args"] for part in parts] == [{}, {"n": 1}]
    old = told({"function_call": {"name": "f", "arguments": "{}"}}, "function_call").candidates[0]
    assert old.content["parts"][0]["functionCall"]["name"] == "f"
    assert told({"content": "x"}, "content_filter: RECITATION").candidates[0].finish_reason == "RECITATION"
    assert told({"content": "x"}, None).candidates[0].finish_reason is None
    signed = {"content": "x", "extra_content": {"google": {"thought_signature": "c2ln"}}}
    assert told(signed).candidates[0].content["parts"] == [{"text": "x", "thoughtSignature": "c2ln"}]


@pytest.mark.parametrize(
    ("total", "shown", "thoughts"), [(30, 15, 5), (35, 20, 5), (40, 20, 10)], ids=["counted", "apart", "untold"]
)
def test_thoughts_are_counted_once(total: int, shown: int, thoughts: int) -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": 5}}
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": total, **details}
    counts = told({"content": "x"}, usage=usage).usage_metadata
    assert (counts.candidates_token_count, counts.thoughts_token_count) == (shown, thoughts)
    assert counts.total_token_count == total
