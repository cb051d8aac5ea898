"""Answers: deterministic, marked, about what was asked, and within the limits that were set."""

from __future__ import annotations

import base64
import json
import struct
import wave
import zlib
from io import BytesIO
from typing import Any

import pytest

from .conftest import Api, ask, text_of

pytestmark = pytest.mark.anyio


def png(width: int, height: int, *colours: tuple[int, int, int]) -> bytes:
    """A picture of horizontal stripes."""
    rows = b"".join(b"\0" + bytes(colours[y * len(colours) // height]) * width for y in range(height))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def wav(seconds: float) -> bytes:
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * int(8000 * seconds))
    return buffer.getvalue()


def inline(mime: str, data: bytes, **more: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(data).decode()}, **more}


async def test_the_same_request_gets_the_same_answer_and_another_one_another(api: Api) -> None:
    first, again, other = [await api.generate(text) for text in ("Explain tides", "Explain tides", "Explain volcanoes")]
    assert first == again
    assert first["responseId"] != other["responseId"]


async def test_answers_are_marked_as_emulated(api: Api) -> None:
    response = await api.generate("Explain the tides of Brittany")
    assert text_of(response).startswith("[emulated] ")
    assert "tides of Brittany" in text_of(response)
    assert response["modelVersion"] == "gemini-3.8-flash-emulated"
    assert response["responseId"].startswith("emulated-")


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [("Reply with exactly: pong", "[emulated] pong"), ("Please say only 'yes'.", "[emulated] yes"),
     ("Respond with just the word BLUE", "[emulated] BLUE")],
)  # fmt: skip
async def test_exact_replies_are_exact(api: Api, prompt: str, answer: str) -> None:
    assert await api.text(prompt) == answer


async def test_a_number_of_words_is_kept(api: Api) -> None:
    text = await api.text("Describe the moon in 17 words")
    assert len(text.removeprefix("[emulated] ").split()) == 17


async def test_arithmetic_is_right(api: Api) -> None:
    assert "391" in await api.text("What is 17 * 23?")
    assert "0.5" in await api.text("How much is (1 + 2) / 6 ?")


async def test_a_conversation_is_remembered(api: Api) -> None:
    contents = [
        {"role": "user", "parts": [{"text": "My name is Ada."}]},
        {"role": "model", "parts": [{"text": "Hello Ada"}]},
        {"role": "user", "parts": [{"text": "What is my name?"}]},
    ]
    response = await api.post("generateContent", {"contents": contents})
    assert "Your name is Ada." in text_of(response.json())


async def test_the_system_instruction_is_heard(api: Api) -> None:
    assert "Talk like a pirate" in await api.text("hi", systemInstruction={"parts": [{"text": "Talk like a pirate"}]})


async def test_lists_have_as_many_items_as_asked(api: Api) -> None:
    text = await api.text("List 4 facts about otters")
    assert [f"\n{number}. " in text for number in range(1, 6)] == [True] * 4 + [False]


ATTACHMENTS: list[tuple[str, dict[str, Any], list[str], dict[str, int]]] = [
    ("a PNG", inline("image/png", png(40, 20, (255, 0, 0), (0, 0, 255))), ["40×20", "red", "blue"], {"IMAGE": 258}),
    ("a GIF", inline("image/gif", b"GIF89a" + struct.pack("<HH", 7, 9) + b"\0" * 10), ["7×9"], {"IMAGE": 258}),
    ("a JPEG", inline("image/jpeg", b"\xff\xd8\xff\xc0\0\x11\x08" + struct.pack(">HH", 30, 50) + b"\0" * 20), ["50×30"],
     {"IMAGE": 258}),
    ("a WebP", inline("image/webp", b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\x63\0\0" + b"\x31\0\0"), ["100×50"],
     {"IMAGE": 258}),
    ("a large PNG", inline("image/png", png(1600, 800, (0, 160, 50))), ["1600×800", "green"], {"IMAGE": 258 * 6}),
    ("a PNG in low resolution",
     inline("image/png", png(9, 9, (0, 0, 0)), mediaResolution={"level": "MEDIA_RESOLUTION_LOW"}), ["black"],
     {"IMAGE": 280}),
    ("a WAV", inline("audio/wav", wav(2.5)), ["2.5 s"], {"AUDIO": 80}),
    ("a PDF", inline("application/pdf", b"%PDF-1.7 /Type /Pages /Type /Page x /Type/Page y"), ["2 pages"],
     {"DOCUMENT": 516}),
    ("a text", inline("text/plain", "Grüße aus Köln".encode()), ["Grüße aus Köln"], {}),
    ("a YouTube video", {"fileData": {"fileUri": "https://www.youtube.com/watch?v=abc"},
                         "videoMetadata": {"startOffset": "5s", "endOffset": "15s"}}, ["watch?v=abc"], {"VIDEO": 2580}),
    ("a remote file", {"fileData": {"fileUri": "https://files.example/a.pdf", "mimeType": "application/pdf"}},
     ["https://files.example/a.pdf"], {"DOCUMENT": 258}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "part", "words", "tokens"), ATTACHMENTS, ids=[one[0] for one in ATTACHMENTS])
async def test_attachments_are_looked_at_and_counted(
    api: Api, what: str, part: dict[str, Any], words: list[str], tokens: dict[str, int]
) -> None:
    body = ask("Describe this", part)
    response = (await api.post("generateContent", body)).json()
    for word in words:
        assert word in text_of(response), what
    details = {one["modality"]: one["tokenCount"] for one in response["usageMetadata"]["promptTokensDetails"]}
    assert tokens.items() <= details.items()
    counted = (await api.post("countTokens", body)).json()
    assert counted["totalTokens"] == response["usageMetadata"]["promptTokenCount"]
    assert counted["promptTokensDetails"] == response["usageMetadata"]["promptTokensDetails"]


async def test_counting_covers_instruction_and_tools_when_given_the_whole_request(api: Api) -> None:
    request = {
        **ask("hello"),
        "model": "models/gemini-3.8-flash",
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": [{"functionDeclarations": [{"name": "f", "description": "does f"}]}],
    }
    counted = (await api.post("countTokens", {"generateContentRequest": request})).json()
    usage = (await api.post("generateContent", request)).json()["usageMetadata"]
    assert counted["totalTokens"] == usage["promptTokenCount"]
    both = await api.post("countTokens", {**ask("hello"), "generateContentRequest": request})
    assert both.status_code == 400
    assert (await api.post("countTokens", {"generateContentRequest": ask("hello")})).status_code == 400
    assert (await api.post("countTokens", {})).status_code == 400


async def test_usage_adds_up(api: Api) -> None:
    usage = (await api.generate("Explain tides", tools=[{"codeExecution": {}}]))["usageMetadata"]
    parts = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
    assert usage["totalTokenCount"] == sum(usage[name] for name in parts)
    assert usage["promptTokenCount"] == sum(one["tokenCount"] for one in usage["promptTokensDetails"])


async def test_thinking_grows_with_the_level_and_is_shown_on_request(api: Api) -> None:
    counts: list[int] = []
    for level in ("LOW", "MEDIUM", "HIGH"):
        config = {"thinkingConfig": {"thinkingLevel": level, "includeThoughts": True}}
        response = await api.generate("Explain tides", generationConfig=config)
        counts.append(response["usageMetadata"]["thoughtsTokenCount"])
        assert response["candidates"][0]["content"]["parts"][0]["thought"] is True
    assert counts == sorted(counts)
    assert counts[0] < counts[2]


async def test_thoughts_eat_the_output_budget(api: Api) -> None:
    short = await api.generate("Explain tides", generationConfig={"maxOutputTokens": 20})
    assert short["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert "parts" not in short["candidates"][0]["content"]
    assert short["usageMetadata"]["thoughtsTokenCount"] == 20
    config = {"maxOutputTokens": 60, "thinkingConfig": {"thinkingLevel": "LOW"}}
    cut = await api.generate("Explain tides", generationConfig=config)
    assert cut["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert 0 < cut["usageMetadata"]["candidatesTokenCount"] <= 60 - cut["usageMetadata"]["thoughtsTokenCount"]


async def test_stop_sequences_end_the_answer(api: Api) -> None:
    text = await api.text("reply with exactly: one END two", generationConfig={"stopSequences": ["END"]})
    assert text == "[emulated] one "


async def test_a_stream_is_the_answer_in_pieces(api: Api) -> None:
    body = ask("Explain the tides")
    whole = (await api.post("generateContent", body)).json()
    response = await api.http.post("/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse", json=body)
    assert response.headers["content-type"] == "text/event-stream"
    assert response.text.endswith("\r\n\r\n")
    events = [json.loads(line.removeprefix("data: ")) for line in response.text.split("\r\n\r\n") if line]
    assert len(events) > 2
    assert "".join(text_of(event) for event in events) == text_of(whole)
    assert [event["candidates"][0].get("finishReason") for event in events] == [None] * (len(events) - 1) + ["STOP"]
    last = events[-1]["candidates"][0]["content"]["parts"][0]
    assert last["text"] == ""
    assert last["thoughtSignature"] == whole["candidates"][0]["content"]["parts"][-1]["thoughtSignature"]
    counts = [event["usageMetadata"]["totalTokenCount"] for event in events]
    assert counts == sorted(counts)
    assert events[-1]["usageMetadata"] == whole["usageMetadata"]


async def test_without_sse_a_stream_is_one_json_array(api: Api) -> None:
    response = await api.post("streamGenerateContent", ask("Explain the tides"))
    assert response.headers["content-type"].startswith("application/json")
    assert len(response.json()) > 2


async def test_large_requests_are_answered(api: Api) -> None:
    text = await api.text(
        "x", contents=ask("Describe", inline("image/png", png(900, 900, (1, 2, 3)) + b"\0" * 400_000))["contents"]
    )
    assert "900×900" in text


async def test_older_models_give_several_candidates(api: Api) -> None:
    response = await api.generate("hi", model="gemini-2.5-flash", generationConfig={"candidateCount": 2})
    assert [one["index"] for one in response["candidates"]] == [0, 1]


async def test_image_models_send_a_real_png(api: Api) -> None:
    config = {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "16:9"}}
    response = await api.generate("Draw a fox", model="gemini-nano-banana-2.1", generationConfig=config)
    blob = response["candidates"][0]["content"]["parts"][-1]["inlineData"]
    assert base64.b64decode(blob["data"]).startswith(b"\x89PNG")
