"""Voices: the prebuilt ones with their filters, and those that are described or copied and then speak."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gemini_emulator import Emulator, media_output
from gemini_emulator.voices import PREBUILT, made

from .conftest import Api, ask
from .interacting import contents_of, create, error_of

pytestmark = pytest.mark.anyio

TTS = "gemini-3.8-flash-tts"
OGRE = "A deep, booming male voice of an evil ogre."
FAIRY = "A bright, tiny fairy girl."
SOUND = {"data": base64.b64encode(b"RIFF some recording").decode(), "mime_type": "audio/wav"}


def prompted(text: str, **fields: Any) -> dict[str, Any]:
    base = {"base_voice": fields.pop("base_voice")} if "base_voice" in fields else {}
    return {"voice": {"type": "prompted", "prompted": {"input": text, **base}, **fields}, "store": True}


def replicated(
    source: dict[str, str] = SOUND, consent: dict[str, str] = SOUND, *, store: bool = False
) -> dict[str, Any]:
    """A voice that is copied from a recording."""
    voice = {"type": "replicated", "replicated": {"source_audio": source, "consent_audio": consent}}
    return {"voice": voice, **({"store": True} if store else {})}


async def voice(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    response = await api.http.post("/v1beta/voices", json=body)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def listed(api: Api, **query: Any) -> list[str]:
    response = await api.http.get("/v1beta/voices", params=query)
    assert response.status_code == 200, response.text
    return [one["id"] for one in response.json().get("voices", [])]


async def spoken(api: Api, name: str) -> bytes:
    """What a voice says, asked for through both families."""
    config = {"responseModalities": ["AUDIO"], "speechConfig": {"voiceConfig": {"voice": name}}}
    answer = await api.post("generateContent", {**ask("Good morning"), "generationConfig": config}, model=TTS)
    assert answer.status_code == 200, answer.text
    sound = base64.b64decode(answer.json()["candidates"][0]["content"]["parts"][0]["inlineData"]["data"])
    interaction = await create(
        api, "Good morning", model=TTS, generation_config={"speech_config": [{"voice": name}]}
    )  # fmt: skip
    assert base64.b64decode(contents_of(interaction)[0]["data"]) == sound
    return sound


async def test_prebuilt_voices_are_found_by_what_they_are_like(api: Api) -> None:
    assert await listed(api, type="prebuilt") == list(PREBUILT)
    assert len(await listed(api, gender=["FEMALE", "male"], type="prebuilt")) == 30
    british = await listed(api, accent="british", gender="female")
    assert (
        british == await listed(api, language_code="en-GB", region_code="gb", gender="female") == ["Despina", "Gacrux"]
    )
    assert await listed(api, persona="Gravelly", pitch="low", context="Audiobook", search="GRAVELLY") == ["Algenib"]
    puck = (await api.http.get("/v1beta/voices?search=puck&type=PREBUILT")).json()["voices"][0]
    assert (puck["id"], puck["type"], puck["persona"], "expire_time" in puck) == ("Puck", "prebuilt", "Upbeat", False)
    first = (await api.http.get("/v1beta/voices?page_size=2&gender=male&type=prebuilt")).json()
    token = first["next_page_token"]
    assert len(await listed(api, gender="male", type="prebuilt", page_token=token)) == 14
    assert "filters differ" in error_of(await api.http.get(f"/v1beta/voices?page_token={token}"), 400)[1]
    assert error_of(await api.http.get("/v1beta/voices?pitch=shrill"), 400)[0] == "invalid_request"
    assert error_of(await api.http.get(f"/v1beta/voices?search={'x' * 2049}"), 400)[0] == "invalid_request"
    assert error_of(await api.http.get("/v1beta/voices?contexts=News"), 400)[0] == "parameter_unknown"


async def test_a_voice_that_is_described_speaks_until_it_is_deleted(api: Api) -> None:
    ogre = await voice(api, prompted(OGRE, display_name="Ogre", accent="Scottish"))
    assert ogre["id"].startswith("voice_")
    assert (ogre["gender"], ogre["pitch"], ogre["accent"], ogre["prompted"]) == (
        "male",
        "low",
        "Scottish",
        {"input": OGRE},
    )
    assert (ogre["model"], ogre["sample_audio"]["mime_type"]) == (TTS, "audio/wav")
    assert ogre["usage"]["output_tokens_by_modality"][0]["modality"] == "audio"
    shown = (await api.http.get(f"/v1beta/voices/{ogre['id']}")).json()
    assert shown == {name: value for name, value in ogre.items() if name != "usage"}
    assert await listed(api, accent="scottish", search="ogre") == [ogre["id"]]
    fairy = await voice(api, prompted(FAIRY))
    sounds = {await spoken(api, name) for name in (ogre["id"], f"voices/{fairy['id']}", "Kore")}
    assert len(sounds) == 3
    # The same description brings the same voice, and a change of it another one.
    same, softer = await voice(api, prompted(OGRE)), await voice(api, prompted("softer", base_voice=ogre["id"]))
    assert await spoken(api, same["id"]) in sounds
    assert await spoken(api, softer["id"]) not in sounds
    assert (await api.http.delete(f"/v1beta/voices/{ogre['id']}")).json() == {}
    assert error_of(await api.http.get(f"/v1beta/voices/{ogre['id']}"), 404)[0] == "not_found"
    config = {"speechConfig": {"voiceConfig": {"voice": ogre["id"]}}}
    refused = await api.refusal(
        {**ask("Hi"), "generationConfig": {"responseModalities": ["AUDIO"], **config}}, model=TTS
    )
    assert "is not supported" in refused


async def test_a_voice_that_is_copied_has_a_key_or_is_kept(api: Api, emulator: Emulator) -> None:
    key = await voice(api, replicated())
    assert key["key"].startswith("voicekey_")
    assert not {"id", "replicated"} & key.keys()
    kept = await voice(api, replicated(store=True))
    assert not {"key", "replicated"} & kept.keys()
    assert await spoken(api, key["key"]) == await spoken(api, kept["id"])
    # Whoever uses a voice keeps it for another year; a key ends in any case.
    emulator.advance(200 * 86400)
    await spoken(api, kept["id"])
    emulator.advance(200 * 86400)
    assert await listed(api, type="replicated") == [kept["id"]]
    config = {"responseModalities": ["AUDIO"], "speechConfig": {"voiceConfig": {"voice": key["key"]}}}
    assert "is not supported" in await api.refusal({**ask("Hi"), "generationConfig": config}, model=TTS)
    emulator.advance(366 * 86400)
    assert await listed(api, type="replicated") == []


async def test_a_conversation_takes_voices_that_were_made(api: Api) -> None:
    ogre = await voice(api, prompted(OGRE))
    config = {"speech_config": [{"speaker": "Joe", "voice": ogre["id"]}, {"speaker": "Ann", "voice": "Puck"}]}
    given = [{"type": "text", "text": "Joe: Hello there. Ann: Good day."}]
    answer = await api.http.post(
        "/v1beta/interactions", json={"model": "gemini-3.8-flash-tts", "input": given, "generation_config": config}
    )
    # Without the metadata of speakers it is refused for that alone, not for its voices.
    assert "speech_metadata" in error_of(answer, 400)[1]


def test_a_made_voice_is_known_by_its_pitch() -> None:
    assert media_output.speak("Hello", [made(90)]) != media_output.speak("Hello", [made(91)])


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ({"store": True}, 400, "invalid_request", "Missing required parameter 'voice'"),
        ({"voice": {"type": "sung"}}, 400, "invalid_request", "'sung'"),
        ({"voice": {"type": "prebuilt"}}, 400, "invalid_request", "cannot be created"),
        ({"voice": {"type": "prompted"}, "store": True}, 400, "invalid_request", "'prompted' at 'voice'"),
        ({**prompted(OGRE), "store": False}, 400, "invalid_request", "'store' must be true"),
        (prompted(" "), 400, "invalid_request", "'input'"),
        (prompted(OGRE, base_voice="Bob"), 404, "not_found", "'Bob'"),
        (prompted(OGRE, pitch="shrill"), 400, "invalid_request", "'shrill'"),
        (prompted(OGRE, model="gemini-3.8-flash"), 400, "invalid_request", "cannot make voices"),
        (prompted(OGRE, name="Bob"), 400, "parameter_unknown", "'name'"),
        ({"voice": {"type": "replicated", "replicated": {"source_audio": SOUND}}}, 400, "invalid_request", "consent"),
        (replicated(consent={**SOUND, "data": "?"}), 400, "invalid_request", "base64"),
        (replicated({**SOUND, "mime_type": "image/png"}), 400, "invalid_request", "image/png"),
    ],
)  # fmt: skip
async def test_a_voice_that_makes_no_sense_is_refused(
    api: Api, body: dict[str, Any], status: int, code: str, message: str
) -> None:
    found, text = error_of(await api.http.post("/v1beta/voices", json=body), status)
    assert (found, message in text) == (code, True), text


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_prebuilt_voice_can_only_be_listed(api: Api, method: str) -> None:
    assert error_of(await api.http.request(method, "/v1beta/voices/Kore"), 400)[0] == "invalid_request"
