"""Voices that a user has made, inside requests for speech: what an id or a key leads to.

Source: `Voice.id` and `Voice.key` in the official SDK of November 2026: either goes into `voiceConfig.voice`, or into
the `voice` of an interaction's `speech_config`.
"""

from __future__ import annotations

from .voice_store import Voices
from .voices import made
from .wire import Object


def with_voices(request: Object, voices: Voices) -> Object:
    """A checked generateContent request in which every voice that was made is replaced by what it sounds like.

    A name that leads nowhere stays as it is; the rules of speech refuse it.
    """
    config: Object = request.get("generationConfig", {})
    speech: Object = config.get("speechConfig", {})
    if not speech:
        return request
    changed = dict(speech)
    if "voiceConfig" in speech:
        changed["voiceConfig"] = _voiced(speech["voiceConfig"], voices)
    if "multiSpeakerVoiceConfig" in speech:
        several: Object = speech["multiSpeakerVoiceConfig"]
        speakers = [
            {**one, "voiceConfig": _voiced(one["voiceConfig"], voices)} for one in several["speakerVoiceConfigs"]
        ]
        changed["multiSpeakerVoiceConfig"] = {**several, "speakerVoiceConfigs": speakers}
    return {**request, "generationConfig": {**config, "speechConfig": changed}}


def _voiced(config: Object, voices: Voices) -> Object:
    name: str = config.get("voice", "")
    pitch = voices.pitch(name.removeprefix("voices/")) if name else None
    if pitch is None:
        return config
    return {**{key: value for key, value in config.items() if key != "voice"}, "made": made(pitch)}
