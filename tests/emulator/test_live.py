"""The Live API over a real WebSocket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from gemini_emulator import Emulator, ModelCard, Options, running

from .living import BRIEF, MODEL, SAID, WEATHER, Live, connected, field, ready, silence, sound, tone, transcript

pytestmark = pytest.mark.anyio

TRANSCRIBED: dict[str, Any] = {"inputAudioTranscription": {}, "outputAudioTranscription": {}}
OLD = ModelCard(
    "gemini-2.9-live", "An older one", 131_072, 65_536, ("bidiGenerateContent",), 2.5, modalities=("AUDIO", "TEXT")
)


async def test_a_text_is_answered_in_sound_with_a_transcript(emulator: Emulator) -> None:
    async with ready(emulator, **TRANSCRIBED) as live:
        messages = await live.ask(f"Greet me {BRIEF}")
    assert transcript(messages) == SAID
    assert len(field(messages, "modelTurn")) >= 2
    assert len(sound(messages)) == pytest.approx(2 * 24_000 * len(SAID) / 14, rel=0.2)
    assert field(messages, "generationComplete") == [True]
    usage = messages[-1]["usageMetadata"]
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["responseTokenCount"]
    assert [one["modality"] for one in usage["promptTokensDetails"]] == ["TEXT"]
    assert [one["modality"] for one in usage["responseTokensDetails"]] == ["AUDIO"]
    assert field(messages, "interactionStatus") == ["IDLE"]


async def test_an_answer_is_marked_and_follows_the_question(emulator: Emulator) -> None:
    async with ready(emulator, **TRANSCRIBED) as live:
        assert transcript(await live.ask("What is 6 * 7?")).startswith("[emulated] ")
        assert "12" in transcript(await live.ask("What is 5 + 7?"))


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
async def test_the_key_may_be_in_the_query_and_names_in_snake_case(emulator: Emulator, version: str) -> None:
    async with connected(emulator, version=version, query="?key=k", headers={}) as live:
        config = {"response_modalities": ["AUDIO"]}
        await live.send(setup={"model": MODEL, "generation_config": config, "output_audio_transcription": {}})
        assert await live.receive() == {"setupComplete": {}}
        await live.send(realtime_input={"text": f"Hello {BRIEF}"})
        assert transcript(await live.turn()) == SAID


async def test_without_transcription_there_is_only_sound(emulator: Emulator) -> None:
    async with ready(emulator) as live:
        messages = await live.ask(f"Hello {BRIEF}")
    assert sound(messages)
    assert not field(messages, "outputTranscription")


async def test_the_voice_is_heard(emulator: Emulator) -> None:
    async def spoken(voice: str) -> bytes:
        config = {"speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}}
        async with ready(emulator, generationConfig=config) as live:
            return sound(await live.ask(f"Hello {BRIEF}"))

    assert await spoken("Puck") != await spoken("Kore") == await spoken("kore")


async def test_speech_is_a_turn_when_it_falls_silent(emulator: Emulator) -> None:
    async with ready(emulator, **TRANSCRIBED) as live:
        await live.audio(tone(0.7))
        await live.audio(tone(0.7) + silence(0.3))
        await live.audio(silence(0.6))
        messages = await live.turn()
        said = transcript(messages, "inputTranscription")
        assert len(said.split()) > 1
        assert said[:20] in transcript(messages)
        details = {one["modality"]: one["tokenCount"] for one in messages[-1]["usageMetadata"]["promptTokensDetails"]}
        assert details["AUDIO"] > 0


async def test_the_end_of_the_stream_ends_a_turn_and_silence_begins_none(emulator: Emulator) -> None:
    async with ready(emulator, **TRANSCRIBED) as live:
        await live.audio(silence(2))
        await live.send(realtimeInput={"audioStreamEnd": True})
        await live.audio(tone(1, 24_000), rate=24_000)
        await live.send(realtimeInput={"audioStreamEnd": True})
        assert transcript(await live.turn(), "inputTranscription")


async def test_the_client_can_mark_the_activity_itself(emulator: Emulator) -> None:
    manual = {"automaticActivityDetection": {"disabled": True}}
    async with ready(emulator, realtimeInputConfig=manual, **TRANSCRIBED) as live:
        await live.send(realtimeInput={"activityStart": {}})
        await live.audio(tone(0.5) + silence(3) + tone(0.5))
        await live.text(BRIEF)
        await live.send(realtimeInput={"activityEnd": {}})
        messages = await live.turn()
        assert transcript(messages, "inputTranscription")
        assert transcript(messages) == SAID


async def test_pictures_belong_to_the_next_turn(emulator: Emulator) -> None:
    picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
    async with ready(emulator, **TRANSCRIBED) as live:
        await live.send(realtimeInput={"video": {"mimeType": "image/png", "data": picture}})
        messages = await live.ask("What do you see?")
    assert "image" in transcript(messages)
    assert "IMAGE" in [one["modality"] for one in messages[-1]["usageMetadata"]["promptTokensDetails"]]


async def test_new_input_interrupts_what_is_said(emulator: Emulator) -> None:
    async with ready(emulator, **TRANSCRIBED) as live:
        await live.text("Tell me a long story [emulate: pace=30s]")
        await live.until("outputTranscription")
        await live.text(f"Stop {BRIEF}")
        messages = await live.turn()
        assert field(messages, "interrupted") == [True]
        assert not field(messages, "generationComplete")
        assert transcript(await live.turn()) == SAID


async def test_speech_interrupts_when_it_begins(emulator: Emulator) -> None:
    async with ready(emulator) as live:
        await live.text("Tell me a long story [emulate: pace=30s]")
        await live.until("modelTurn")
        await live.audio(tone(0.3))
        assert field(await live.turn(), "interrupted") == [True]


async def test_interruption_can_be_switched_off(emulator: Emulator) -> None:
    handling = {"activityHandling": "NO_INTERRUPTION"}
    async with ready(emulator, realtimeInputConfig=handling, **TRANSCRIBED) as live:
        await live.text("Name 3 rivers [emulate: pace=50ms]")
        await live.until("modelTurn")
        await live.text(f"And now? {BRIEF}")
        assert field(await live.turn(), "generationComplete") == [True]
        assert transcript(await live.turn()) == SAID


async def test_a_function_is_called_and_its_response_used(emulator: Emulator) -> None:
    async with ready(emulator, tools=[{"functionDeclarations": [WEATHER]}], **TRANSCRIBED) as live:
        await live.text("What is the weather in Lisbon?")
        (call,) = (await live.until("toolCall"))[-1]["toolCall"]["functionCalls"]
        assert (call["name"], call["args"]) == ("get_weather", {"city": "Lisbon"})
        response: dict[str, Any] = {"id": call["id"], "name": call["name"], "response": {"temperature": 21}}
        await live.send(toolResponse={"functionResponses": [response]})
        messages = await live.turn()
        assert "temperature is 21" in transcript(messages)
        kinds = [one["modality"] for one in messages[-1]["usageMetadata"]["responseTokensDetails"]]
        assert kinds == ["TEXT", "AUDIO"]
        assert "first question was: “What is the weather in Lisbon?”" in transcript(
            await live.ask("What was my first question?")
        )


async def test_an_interruption_takes_calls_back(emulator: Emulator) -> None:
    async with ready(emulator, tools=[{"functionDeclarations": [WEATHER]}], **TRANSCRIBED) as live:
        await live.text("What is the weather in Lisbon?")
        (call,) = (await live.until("toolCall"))[-1]["toolCall"]["functionCalls"]
        await live.text(f"Never mind {BRIEF}")
        messages = await live.turn()
        assert messages[0] == {"toolCallCancellation": {"ids": [call["id"]]}}
        assert field(messages, "interrupted") == [True]
        assert transcript(await live.turn()) == SAID
        late: dict[str, Any] = {"id": call["id"], "name": call["name"], "response": {}}
        await live.send(toolResponse={"functionResponses": [late]})
        assert transcript(await live.ask(f"Still there? {BRIEF}")) == SAID


async def test_calls_that_come_too_late_are_not_made(emulator: Emulator) -> None:
    async with ready(emulator, tools=[{"functionDeclarations": [WEATHER]}], **TRANSCRIBED) as live:
        await live.text("What is the weather in Lisbon? [emulate: slow=30s]")
        await live.text(f"Never mind {BRIEF}")
        messages = [*await live.turn(), *await live.turn()]
    assert field(messages, "interrupted") == [True]
    assert transcript(messages) == SAID
    assert not any("toolCall" in one for one in messages)


async def test_a_turn_waits_for_functions_that_are_not_interrupted(emulator: Emulator) -> None:
    handling = {"activityHandling": "NO_INTERRUPTION"}
    tools: list[dict[str, Any]] = [{"functionDeclarations": [WEATHER]}]
    async with ready(emulator, realtimeInputConfig=handling, tools=tools, **TRANSCRIBED) as live:
        await live.text("What is the weather in Lisbon?")
        (call,) = (await live.until("toolCall"))[-1]["toolCall"]["functionCalls"]
        await live.text(f"And hello {BRIEF}")
        response: dict[str, Any] = {"id": call["id"], "name": call["name"], "response": {"temperature": 21}}
        await live.send(toolResponse={"functionResponses": [response]})
        assert "temperature is 21" in transcript(await live.turn())
        assert transcript(await live.turn()) == SAID


async def test_a_search_is_grounded(emulator: Emulator) -> None:
    tools: list[dict[str, Any]] = [{"googleSearch": {}}]
    async with ready(emulator, tools=tools) as live:
        (grounding,) = field(await live.ask("Who won the race in Lisbon?"), "groundingMetadata")
    assert grounding["groundingChunks"]


async def test_a_conversation_goes_on_over_a_cut_connection(emulator: Emulator) -> None:
    resumable: dict[str, Any] = {"sessionResumption": {}, **TRANSCRIBED}
    async with ready(emulator, **resumable) as live:
        await live.ask("How high is the Eiffel tower?")
        update = (await live.until("sessionResumptionUpdate"))[-1]["sessionResumptionUpdate"]
        assert update["resumable"] is True
        await live.text("A second one [emulate: cut=inside]")
        assert (await live.closed())[0] == 1006
    resumed = {"sessionResumption": {"handle": update["newHandle"]}, **TRANSCRIBED}
    async with ready(emulator, **resumed) as live:
        assert "“How high is the Eiffel tower?”" in transcript(await live.ask("What was my first question?"))
        assert (await live.until("sessionResumptionUpdate"))[-1]["sessionResumptionUpdate"] != update


async def test_a_handle_is_good_for_two_hours_and_one_model() -> None:
    async with running() as emulator:
        async with ready(emulator, sessionResumption={}) as live:
            await live.ask(f"Hello {BRIEF}")
            handle = (await live.until("sessionResumptionUpdate"))[-1]["sessionResumptionUpdate"]["newHandle"]
        setup = {"model": MODEL, "sessionResumption": {"handle": handle}}
        other = {**setup, "model": f"{MODEL}-extended-thinking"}
        for advance, refused in ((0, other), (7200, setup)):
            emulator.advance(advance)
            async with connected(emulator) as live:
                await live.send(setup=refused)
                assert await live.closed() == (1008, "BidiGenerateContent session not found")


async def test_a_history_can_be_seeded(emulator: Emulator) -> None:
    turns = [
        {"role": "user", "parts": [{"text": "My name is Ada"}]},
        {"role": "model", "parts": [{"text": "Hello Ada"}]},
    ]
    async with ready(emulator, historyConfig={"initialHistoryInClientContent": True}, **TRANSCRIBED) as live:
        await live.send(clientContent={"turns": turns[:1]})
        await live.send(clientContent={"turns": turns[1:], "turnComplete": True})
        assert "Your name is Ada." in transcript(await live.ask("What is my name?"))
        await live.send(clientContent={"turns": turns, "turnComplete": True})
        code, reason = await live.closed()
    assert (code, "client_content" in reason) == (1007, True)


async def test_an_older_model_takes_turns_and_writes() -> None:
    async with running(Options(models=(OLD,))) as emulator, connected(emulator) as live:
        config = {"responseModalities": ["TEXT"]}
        await live.send(setup={"model": f"models/{OLD.id}", "generationConfig": config})
        await live.receive()
        await live.send(clientContent={"turns": [{"role": "user", "parts": [{"text": "Hello"}]}]})
        await live.send(clientContent={"turns": [{"parts": [{"text": BRIEF}]}], "turnComplete": True})
        messages = await live.turn()
        texts = [part["text"] for turn in field(messages, "modelTurn") for part in turn["parts"]]
        assert len(texts) > 1
        assert "".join(texts) == SAID
        await live.send(realtimeInput={"mediaChunks": [{"mimeType": "audio/pcm", "data": "AAAA"}]})
        await live.send(clientContent={"turns": [{"parts": [{"text": BRIEF}]}], "turnComplete": True})
        await live.turn()


async def test_instruction_and_tools_can_be_updated(emulator: Emulator) -> None:
    async with ready(emulator, **TRANSCRIBED) as live:
        tools: list[dict[str, Any]] = [{"googleSearch": {}}]
        instruction = {"parts": [{"text": "Be kind"}]}
        await live.send(contextUpdate={"systemInstruction": instruction, "tools": {"tools": tools}})
        messages = await live.ask("Who won the race in Lisbon?")
    assert "“Be kind”" in transcript(messages)
    assert field(messages, "groundingMetadata")


async def test_a_long_conversation_is_compressed(emulator: Emulator) -> None:
    window = {"triggerTokens": "60", "slidingWindow": {"targetTokens": "30"}}
    async with ready(emulator, contextWindowCompression=window, **TRANSCRIBED) as live:
        for number in range(6):
            messages = await live.ask(f"This is question {number} of several ones {BRIEF}")
            assert messages[-1]["usageMetadata"]["promptTokenCount"] <= 60
        assert "question 0" not in transcript(await live.ask("What was my first question?"))


async def test_speech_can_only_be_transcribed_or_translated(emulator: Emulator) -> None:
    async with connected(emulator) as live:
        await live.send(setup={"model": "models/gemini-3.5-transcribe-live"})
        await live.receive()
        await live.audio(tone(1) + silence(1))
        messages = await live.turn()
        assert transcript(messages, "inputTranscription")
        assert not field(messages, "modelTurn")
    async with connected(emulator) as live:
        config = {"translationConfig": {"targetLanguageCode": "es"}}
        setup = {"model": "models/gemini-3.5-live-translate-preview", "generationConfig": config, **TRANSCRIBED}
        await live.send(setup=setup)
        await live.receive()
        await live.audio(tone(1) + silence(1))
        assert transcript(await live.turn()).startswith("[emulated] (es) ")


REFUSED_SETUPS: list[tuple[dict[str, Any], int, str]] = [
    ({"model": "gemini-3.8-live"}, 1007, "unexpected model name format"),
    ({"model": "models/gemini-3.8-flash"}, 1008, "not supported for bidiGenerateContent"),
    ({"model": "models/lyria-realtime-exp"}, 1008, "not supported for bidiGenerateContent"),
    ({"model": "models/gemini-3.1-flash-live-preview"}, 1008, "is not found for API version v1beta"),
    ({"volume": 1}, 1007, "Invalid JSON payload received. Unknown name \"volume\" at 'setup': Cannot find field."),
    ({"generationConfig": {"volume": 1}}, 1007, "Unknown name \"volume\" at 'setup.generation_config'"),
    ({"generationConfig": {"responseModalities": ["TEXT"]}}, 1007, "Cannot extract voices from a non-audio"),
    ({"generationConfig": {"responseModalities": ["AUDIO", "TEXT"]}}, 1007, "At most one response modality"),
    ({"generationConfig": {"responseMimeType": "text/plain"}}, 1007, "response_mime_type is not supported"),
    ({"generationConfig": {"speechConfig": {"voiceConfig": {"voice": "Bob"}}}}, 1007, "voice api_name 'Bob'"),
    ({"tools": [{"urlContext": {}}]}, 1007, "url_context is not supported"),
    ({"tools": [{"functionDeclarations": [WEATHER, WEATHER]}]}, 1007, "Duplicate function declaration"),
    ({"systemInstruction": {"parts": [{"inlineData": {}}]}}, 1007, "only text is supported"),
    ({"contextWindowCompression": {"triggerTokens": 5, "slidingWindow": {"targetTokens": 6}}}, 1007, "less than"),
    ({"sessionResumption": {"handle": "x"}}, 1008, "BidiGenerateContent session not found"),
    ({"model": "models/gemini-3.5-live-translate-preview"}, 1007, "translation_config is required"),
]


@pytest.mark.parametrize(("setup", "code", "words"), REFUSED_SETUPS)
async def test_a_setup_that_makes_no_sense_is_refused(
    emulator: Emulator, setup: dict[str, Any], code: int, words: str
) -> None:
    async with connected(emulator) as live:
        await live.send(setup={"model": MODEL, **setup})
        found, reason = await live.closed()
    assert found == code
    assert words in reason


REFUSED_MESSAGES: list[tuple[dict[str, Any], str]] = [
    ({"setup": {"model": MODEL}}, "setup can be sent only once"),
    ({"shout": 1}, 'Unknown name "shout": Cannot find field.'),
    ({}, "Request contains an invalid argument."),
    ({"realtimeInput": {"audio": {"mimeType": "audio/wav", "data": "AAAA"}}}, "audio/wav"),
    ({"realtimeInput": {"video": {"mimeType": "video/mp4", "data": "AAAA"}}}, "video/mp4"),
    ({"realtimeInput": {"mediaChunks": []}}, "media_chunks is deprecated"),
    ({"realtimeInput": {"activityStart": {}}}, "Explicit activity control is not supported"),
    ({"realtimeInput": {"activityEnd": {}}}, "Explicit activity control is not supported"),
    ({"toolResponse": {"functionResponses": [{"id": "x", "name": "f", "response": {}}]}}, "no function call"),
    ({"clientContent": {"turns": [{"parts": [{"text": "x"}]}], "turnComplete": True}}, "client_content"),
    ({"clientContent": {}, "realtimeInput": {}}, "oneof field 'message_type' is already set"),
]


@pytest.mark.parametrize(("message", "words"), REFUSED_MESSAGES)
async def test_a_message_that_makes_no_sense_ends_the_session(
    emulator: Emulator, message: dict[str, Any], words: str
) -> None:
    async with ready(emulator) as live:
        await live.send(**message)
        code, reason = await live.closed()
    assert code == 1007
    assert words in reason


async def test_the_first_message_is_the_setup_and_seeds_come_first(emulator: Emulator) -> None:
    async with connected(emulator) as live:
        await live.text("Hello")
        assert (await live.closed())[0] == 1007
    async with ready(emulator, historyConfig={"initialHistoryInClientContent": True}) as live:
        await live.text("Hello")
        assert (await live.closed())[0] == 1007


async def test_a_caller_without_a_good_key_is_closed_with_the_reason(emulator: Emulator) -> None:
    async with connected(emulator, headers={"x-goog-api-key": "invalid"}) as live:
        assert await live.closed() == (1007, "API key not valid. Please pass a valid API key.")
    async with connected(emulator, headers={}) as live:
        assert (await live.closed())[0] == 1008


async def test_a_connection_lasts_ten_minutes_and_says_so() -> None:
    async with running() as emulator, ready(emulator) as live:
        await live.ask(f"Hello {BRIEF}")
        emulator.advance(541)
        assert await live.receive() == {"goAway": {"timeLeft": "60s"}}
        emulator.advance(61)
        assert await live.closed() == (1011, "Deadline expired before operation could complete.")


@pytest.mark.parametrize("directive", ["goaway=2s", "goaway=2s after=1"])
async def test_the_end_can_be_announced_on_request(directive: str) -> None:
    async with running() as emulator, ready(emulator, **TRANSCRIBED) as live:
        await live.text(f"Hello {BRIEF} [emulate: {directive}]")
        assert (await live.until("goAway"))[-1] == {"goAway": {"timeLeft": "2s"}}
        emulator.advance(3)
        assert (await live.closed())[0] == 1011


async def test_faults_before_and_inside_a_session(emulator: Emulator) -> None:
    emulator.add_fault("status=429", path="BidiGenerateContent")
    with pytest.raises(InvalidStatus) as refused:
        async with connected(emulator):
            pass
    assert refused.value.response.status_code == 429
    emulator.add_fault("close=1007 message=no_such_luck", path="BidiGenerateContent")
    async with connected(emulator) as live:
        await live.send(setup={"model": MODEL})
        assert await live.closed() == (1007, "no such luck")
    emulator.add_fault("goaway", path="BidiGenerateContent")
    async with ready(emulator) as live:
        assert await live.receive() == {"goAway": {"timeLeft": "10s"}}


@pytest.mark.parametrize(
    ("directive", "chunks", "code"),
    [
        ("close=1011", 0, 1011),
        ("close=1008 after=2", 2, 1008),
        ("cut=inside after=2", 2, 1006),
        ("cut=inside", 1, 1006),
    ],
)
async def test_a_later_turn_can_break_after_some_chunks(
    emulator: Emulator, directive: str, chunks: int, code: int
) -> None:
    async with ready(emulator) as live:
        await live.ask(f"Hello {BRIEF}")
        await live.text(f"Tell me about tides [emulate: {directive}]")
        for _ in range(chunks):
            assert "modelTurn" in (await live.receive())["serverContent"]
        assert (await live.closed())[0] == code


async def test_a_turn_can_stall_break_its_json_or_come_late(emulator: Emulator) -> None:
    async with ready(emulator) as live:
        await live.text("Tell me about tides [emulate: stall=inside after=1]")
        await live.receive()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(live.receive(), 0.2)
    async with ready(emulator) as live:
        await live.text("Tell me about tides [emulate: broken_json after=1]")
        await live.receive()
        with pytest.raises(ValueError, match=r".+"):
            await live.receive()
    async with ready(emulator) as live:
        await live.text("Hello [emulate: slow=30s]")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(live.receive(), 0.2)


@pytest.mark.parametrize(
    ("directive", "reason"),
    [
        ("block", "PROHIBITED_INPUT_CONTENT"),
        ("finish=SAFETY", "RESPONSE_REJECTED"),
        ("malformed_function_call", "MALFORMED_FUNCTION_CALL"),
    ],
)
async def test_a_turn_can_go_wrong(emulator: Emulator, directive: str, reason: str) -> None:
    async with ready(emulator, systemInstruction={"parts": [{"text": f"[emulate: {directive}]"}]}) as live:
        messages = await live.ask("Hello")
    assert field(messages, "turnCompleteReason") == [reason]
    assert not field(messages, "modelTurn")


async def test_frames_are_logged_with_the_size_of_their_media(emulator: Emulator) -> None:
    async with ready(emulator) as live:
        await live.audio(bytes(3200))
        await live.ask(f"Hello {BRIEF}")
    handshake, *frames = emulator.requests
    assert handshake["headers"]["x-goog-api-key"] == "***"
    assert frames[0]["body"] == {"setup": {"model": MODEL}}
    assert frames[1]["body"]["realtimeInput"]["audio"]["data"] == "<3200 bytes>"


async def test_an_answer_can_take_as_long_as_it_plays() -> None:
    async with running(Options(real_time=True)) as emulator, ready(emulator) as live:
        await live.text(f"Hello {BRIEF}")
        await live.receive()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(live.receive(), 0.3)


async def test_sessions_do_not_share_their_memory(emulator: Emulator) -> None:
    async def told(live: Live, name: str) -> str:
        await live.ask(f"My name is {name}")
        return transcript(await live.ask("What is my name?"))

    async with ready(emulator, **TRANSCRIBED) as one, ready(emulator, **TRANSCRIBED) as two:
        texts = await asyncio.gather(told(one, "Ada"), told(two, "Bob"))
    assert ["Ada" in texts[0], "Bob" in texts[1], "Bob" in texts[0]] == [True, True, False]
