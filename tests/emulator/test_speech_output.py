"""Speech: PCM as long as its text, in the voices that were asked for."""

from __future__ import annotations

import base64
import math
from array import array
from typing import Any

import pytest

from gemini_emulator import media_output
from gemini_emulator.voices import PREBUILT, pitch_of

from .conftest import Api, ask
from .drawing import inline

pytestmark = pytest.mark.anyio

TTS = "gemini-3.8-flash-tts"
RATE = 24_000
SENTENCE = "Tides are the rise and fall of the sea, caused by the moon and the sun together."


def spoken(text: str, *voices: str) -> array[int]:
    return array("h", media_output.speak(text, voices))


def strength(sound: array[int], hertz: float) -> float:
    """How strong one frequency is in a sound (Goertzel's sum)."""
    step = math.tau * hertz / RATE
    real = sum(value * math.cos(step * at) for at, value in enumerate(sound))
    imaginary = sum(value * math.sin(step * at) for at, value in enumerate(sound))
    return math.hypot(real, imaginary) / max(1, len(sound))


def speech(**config: Any) -> dict[str, Any]:
    return {"responseModalities": ["AUDIO"], **config}


def one_voice(name: str) -> dict[str, Any]:
    return {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": name}}}


def voices(**names: str) -> dict[str, Any]:
    speakers = [{"speaker": speaker, **one_voice(name)} for speaker, name in names.items()]
    return {"multiSpeakerVoiceConfig": {"speakerVoiceConfigs": speakers}}


def sound_of(response: dict[str, Any]) -> tuple[str, bytes]:
    (part,) = response["candidates"][0]["content"]["parts"]
    return part["inlineData"]["mimeType"], base64.b64decode(part["inlineData"]["data"])


async def test_speech_is_as_long_as_its_text() -> None:
    assert len(spoken(SENTENCE)) / RATE == pytest.approx(len(SENTENCE) / 14, abs=0.05)
    assert len(spoken("a " * 5000)) == 60 * RATE
    assert len(spoken("")) == 0


async def test_there_is_sound_in_words_and_none_between_them() -> None:
    sound = spoken("Hello.          World")
    step = RATE // 14
    assert max(map(abs, sound[: 5 * step])) > 2000
    assert max(map(abs, sound[7 * step : 15 * step])) == 0
    assert max(map(abs, sound[17 * step :])) > 2000


async def test_every_voice_has_a_pitch_of_its_own() -> None:
    assert len(PREBUILT) == len({pitch_of(name) for name in PREBUILT}) == 30
    low, high = spoken("aaaa", "Charon"), spoken("aaaa", "Leda")
    tone = 1.12
    assert strength(low, pitch_of("Charon") * tone) > 3 * strength(high, pitch_of("Charon") * tone)
    assert strength(high, pitch_of("Leda") * tone) > 3 * strength(low, pitch_of("Leda") * tone)


async def test_speakers_have_their_voices_and_their_names_are_not_said() -> None:
    text = "Joe: aaaa\nJane: aaaa"
    sound = spoken(text, "Charon", "Leda")
    assert len(sound) / RATE == pytest.approx(len("aaaa\naaaa") / 14, abs=0.05)
    half = len(sound) // 2
    assert strength(sound[:half], pitch_of("Charon") * 1.12) > 3 * strength(sound[half:], pitch_of("Charon") * 1.12)


async def test_an_answer_is_raw_pcm_and_counted_as_audio(api: Api) -> None:
    response = await api.generate(SENTENCE, model=TTS, generationConfig=speech(speechConfig=one_voice("puck")))
    mime, data = sound_of(response)
    assert mime == "audio/L16;codec=pcm;rate=24000"
    assert data == media_output.speak(SENTENCE, ["Puck"])
    tokens = round(len(SENTENCE) / 14 * 25)
    assert response["usageMetadata"]["candidatesTokensDetails"] == [
        {"modality": "AUDIO", "tokenCount": pytest.approx(tokens, abs=1)}
    ]
    assert response["candidates"][0]["finishReason"] == "STOP"


async def test_every_word_of_the_text_is_said_and_the_style_is_not(api: Api) -> None:
    text = f"Say cheerfully: {SENTENCE}"
    body: dict[str, Any] = {**ask(text), "generationConfig": speech()}

    body["contents"][0]["parts"][0]["speechMetadata"] = {"style": "sad"}
    told = (await api.post("generateContent", body, model=TTS)).json()
    assert sound_of(told)[1] == media_output.speak(text, ["Kore"])


async def test_a_conversation_has_two_voices_whatever_their_order(api: Api) -> None:
    turns = [("Jane", "Hello Joe"), ("Joe", "Hi Jane")]
    parts = [{"text": said, "speechMetadata": {"speaker": name}} for name, said in turns]
    config = speech(speechConfig=voices(Joe="Charon", Jane="Leda"))
    body = {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}
    told = (await api.post("generateContent", body, model=TTS)).json()
    assert sound_of(told)[1] == media_output.speak("Jane: Hello Joe\nJoe: Hi Jane", ["Leda", "Charon"])


async def test_other_encodings(api: Api) -> None:
    wav = speech(responseFormat={"audio": {"mimeType": "AUDIO_WAV", "sampleRate": 16000}})
    mime, data = sound_of(await api.generate("Hello", model=TTS, generationConfig=wav))
    assert (mime, data[:4], int.from_bytes(data[24:28], "little")) == ("audio/wav", b"RIFF", 16000)
    slow = speech(responseFormat={"audio": {"sampleRate": 8000}})
    assert sound_of(await api.generate("Hello", model=TTS, generationConfig=slow))[0].endswith("rate=8000")
    uri = speech(responseFormat={"audio": {"delivery": "URI"}})
    (part,) = (await api.generate("Hello", model=TTS, generationConfig=uri))["candidates"][0]["content"]["parts"]
    assert (await api.http.get(part["fileData"]["fileUri"])).content == media_output.speak("Hello", ["Kore"])


async def test_the_token_limit_cuts_the_speech(api: Api) -> None:
    response = await api.generate(SENTENCE, model=TTS, generationConfig=speech(maxOutputTokens=50))
    assert response["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert len(sound_of(response)[1]) == 2 * 2 * RATE


async def test_a_stream_carries_whole_samples(api: Api) -> None:
    body = {**ask(SENTENCE), "generationConfig": speech()}
    response = await api.http.post(f"/v1beta/models/{TTS}:streamGenerateContent", json=body)
    sounds = [sound_of(event)[1] for event in response.json()]
    assert len(sounds) > 3
    assert all(len(sound) % 2 == 0 for sound in sounds)
    assert b"".join(sounds) == media_output.speak(SENTENCE, ["Kore"])
    counts = [event["usageMetadata"]["candidatesTokenCount"] for event in response.json()]
    assert counts == sorted(counts)


async def test_it_answers_with_text_once_on_request(api: Api) -> None:
    prompt = f"{SENTENCE} [emulate: text_instead times=1]"
    first = await api.generate(prompt, model=TTS, generationConfig=speech())
    assert "text" in first["candidates"][0]["content"]["parts"][0]
    assert "candidatesTokensDetails" not in first["usageMetadata"]
    again = await api.generate(prompt, model=TTS, generationConfig=speech())
    assert sound_of(again)[1] == media_output.speak(SENTENCE, ["Kore"])


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no modality", {}, "accepts the following combination of response modalities"),
    ("text", {"responseModalities": ["TEXT"]}, "accepts the following combination of response modalities"),
    ("an unknown voice", speech(speechConfig=one_voice("Bob")), "Voice name Bob is not supported. Allowed voice names"),
    ("an unknown voice id", speech(speechConfig={"voiceConfig": {"voice": "voices/x"}}), "is not supported"),
    ("three speakers", speech(speechConfig=voices(Joe="Kore", Jane="Puck", Jim="Leda")), "at most 2 speakers"),
    ("parts of nobody", speech(speechConfig=voices(Joe="Kore", Zoe="Puck")), "needs one of Joe, Zoe"),
    ("no speakers", speech(speechConfig={"multiSpeakerVoiceConfig": {"speakerVoiceConfigs": []}}), "required"),
    ("a copied voice", speech(speechConfig={"voiceConfig": {"replicatedVoiceConfig": {}}}), "needs its sample"),
    ("a language", speech(speechConfig={"languageCode": "Klingon!"}), "language_code"),
    ("an MP3", speech(responseFormat={"audio": {"mimeType": "AUDIO_MP3"}}), "AUDIO_MP3 is not supported"),
    ("a rate", speech(responseFormat={"audio": {"sampleRate": 1}}), "sample_rate"),
    ("a picture", speech(imageConfig={}), "Image generation is not enabled"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "config", "words"), REFUSED, ids=[case[0] for case in REFUSED])
async def test_refused(api: Api, what: str, config: dict[str, Any], words: str) -> None:
    body = {**ask("Joe: hi\nJane: hi\nJim: hi"), "generationConfig": config}
    assert words in await api.refusal(body, model=TTS), what


async def test_only_text_is_taken(api: Api) -> None:
    config = {"generationConfig": speech()}
    instruction = {**ask("hi"), **config, "systemInstruction": {"parts": [{"text": "Be brief"}]}}
    assert "Developer instruction is not enabled" in await api.refusal(instruction, model=TTS)
    tools: dict[str, Any] = {**ask("hi"), **config, "tools": [{"googleSearch": {}}]}
    assert "google_search is not enabled" in await api.refusal(tools, model=TTS)
    picture = {**ask("hi", inline("image/png", b"x")), **config}
    assert "only supports text" in await api.refusal(picture, model=TTS)
