"""The speech of an answer: the words of the prompt in the voices that are asked for.

Source: the speech generation guide. A prompt may begin with a direction (“Say cheerfully: …”), which is not spoken;
in a conversation, the name before a colon chooses the voice.
"""

from __future__ import annotations

import re

from .faults import without_directives
from .media_output import speak
from .music import wav_of
from .output_refusals import BESIDE
from .pictures import Publish, delivered
from .prompt import Prompt
from .speech import speakers_in
from .voices import DEFAULT, known
from .wire import Object

TOKENS_PER_SECOND = 25
_RATE = 24_000
_DIRECTION = re.compile(
    r"(?is)\A\s*(?:please\s+)?(?:say|read|speak|narrate|whisper|recite|announce|tts|make|synthesi[sz]e)\b[^:\n]{0,160}:\s+"
)


def speech(prompt: Prompt, publish: Publish | None) -> tuple[list[Object], int, bool]:
    """The part with the sound, its tokens, and whether `maxOutputTokens` cut it off.

    Args:
        prompt: the request.
        publish: makes a file of the sound when it is to be delivered as a URI.
    """
    form: Object = prompt.config.get("responseFormat", {}).get("audio", {})
    rate: int = form.get("sampleRate", _RATE)
    text = _script(prompt) if prompt.say is None else prompt.say
    pcm = speak(text, _voices(prompt.config.get("speechConfig", {}), text), rate)
    limit: int = prompt.config.get("maxOutputTokens", 0) * rate // TOKENS_PER_SECOND * 2
    cut = 0 < limit < len(pcm)
    pcm = pcm[:limit] if cut else pcm
    wav = form.get("mimeType") == "AUDIO_WAV"
    mime = "audio/wav" if wav else f"audio/L16;codec=pcm;rate={rate}"
    data = wav_of(pcm, rate, 1) if wav else pcm
    part = delivered(data, mime, publish if form.get("delivery") == "URI" else None)
    return [part], max(1, round(len(pcm) / 2 / rate * TOKENS_PER_SECOND)), cut


def _script(prompt: Prompt) -> str:
    """What is said, with the name of its speaker before each part that has one."""
    if prompt.card.generation < BESIDE:
        return _DIRECTION.sub("", prompt.text, count=1)
    if "multiSpeakerVoiceConfig" not in prompt.config.get("speechConfig", {}):
        return prompt.text
    lines = [f"{part['speechMetadata']['speaker']}: {part['text']}" for part in prompt.question["parts"]]
    return without_directives("\n".join(lines))


def _voices(config: Object, text: str) -> list[str]:
    """The voices in the order in which their speakers begin to speak."""
    if "multiSpeakerVoiceConfig" not in config:
        return [_name(config.get("voiceConfig", {}))]
    chosen = {
        one["speaker"]: _name(one["voiceConfig"]) for one in config["multiSpeakerVoiceConfig"]["speakerVoiceConfigs"]
    }
    return [chosen.get(speaker, DEFAULT) for speaker in speakers_in(text)] or list(chosen.values())


def _name(config: Object) -> str:
    if "made" in config:
        return str(config["made"])
    if "replicatedVoiceConfig" in config:
        # Whoever it imitates, it is somebody's own voice: any one will do, as long as it stays the same.
        return str(config["replicatedVoiceConfig"].get("voiceSampleAudio", ""))[:16]
    name: str = config.get("prebuiltVoiceConfig", {}).get("voiceName", config.get("voice", DEFAULT))
    return known(name.removeprefix("voices/")) or DEFAULT
