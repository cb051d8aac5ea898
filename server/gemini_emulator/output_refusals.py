"""What the API refuses about pictures and speech that are to be made.

Source: the guides to image generation and speech generation of the Gemini API, and the messages of the live service.
"""

from __future__ import annotations

import re

from .errors import invalid
from .image_rules import MOST_REFERENCES, has_fixed_sampling, ratios_of, sizes_of, wanted
from .media import modality
from .models import ModelCard
from .voices import PREBUILT, known
from .wire import Object

_PLACE = "* GenerateContentRequest.generation_config"
_SAMPLING = ("temperature", "topP", "topK", "seed")
_MOST_SPEAKERS = 2
_VOICES = f"{_PLACE}.speech_config.multi_speaker_voice_config.speaker_voice_configs"
BESIDE = 3.8
"""The generation since which style and speaker go beside the text ("Migrate to Gemini 3.8 TTS")."""
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_JSON = "application/json"
_SPEECH_MIMES = ("AUDIO_L16", "AUDIO_WAV", "MIME_TYPE_UNSPECIFIED")
_RATES = range(8_000, 48_001)


def check_output(request: Object, card: ModelCard) -> None:
    """Refuse pictures and speech that a model does not make."""
    config: Object = request.get("generationConfig", {})
    form: Object = config.get("responseFormat", {})
    if "IMAGE" in card.modalities:
        _images(request, config, card)
    elif "imageConfig" in config or "image" in form:
        raise invalid("Image generation is not enabled for this model.")
    if card.modalities == ("AUDIO",):
        _speech(request, config, card)
    elif "AUDIO" not in card.modalities and ("speechConfig" in config or "audio" in form):
        raise invalid("Speech generation is not enabled for this model.")


def _images(request: Object, config: Object, card: ModelCard) -> None:
    if "imageConfig" in config and "image" in config.get("responseFormat", {}):
        raise invalid("Only one of image_config and response_format.image may be set.")
    if has_fixed_sampling(card):
        for name in _SAMPLING:
            if name in config:
                raise invalid(f"The parameter {_snake(name)} is not supported by this model: models/{card.id}.")
    ratio, size, _ = wanted(config)
    if ratio is not None and ratio not in ratios_of(card):
        raise invalid(
            f"{_PLACE}.image_config.aspect_ratio: must be one of {', '.join(ratios_of(card))} for this model, "
            f"not {ratio!r}.\n"
        )
    if size is not None and card.generation < 3:
        raise invalid("Image size is not enabled for this model.")
    if size is not None and size not in sizes_of(card):
        raise invalid(
            f"{_PLACE}.image_config.image_size: must be one of {', '.join(sizes_of(card))} for this model, "
            f"not {size!r}.\n"
        )
    if "schema" in config.get("responseFormat", {}).get("text", {}) or config.get("responseMimeType") == _JSON:
        raise invalid("JSON mode is not enabled for this model.")
    _no_tools(request, card, ("functionDeclarations", "codeExecution", "fileSearch", "computerUse", "mcpServers"))
    given = [
        part
        for content in request["contents"]
        if content.get("role") != "model"
        for part in content["parts"]
        if modality(part.get("inlineData", {}).get("mimeType", "")) == "IMAGE"
    ]
    if len(given) > MOST_REFERENCES:
        raise invalid(f"Please use fewer than {MOST_REFERENCES + 1} images in your request to models/{card.id}.")


def _speech(request: Object, config: Object, card: ModelCard) -> None:
    text = "\n".join(part.get("text", "") for content in request["contents"] for part in content["parts"])
    if "systemInstruction" in request:
        raise invalid(f"Developer instruction is not enabled for models/{card.id}")
    if any("text" not in part for content in request["contents"] for part in content["parts"]):
        raise invalid("This model only supports text input.")
    _no_tools(request, card, None)
    speech: Object = config.get("speechConfig", {})
    if "languageCode" in speech and not _TAG.fullmatch(speech["languageCode"]):
        raise invalid(f"{_PLACE}.speech_config.language_code: {speech['languageCode']!r} is not supported.\n")
    if "voiceConfig" in speech:
        _voice(speech["voiceConfig"])
    told: list[Object] = [
        part.get("speechMetadata", {}) for content in request["contents"] for part in content["parts"]
    ]
    if card.generation < BESIDE and any(told):
        raise invalid("Speech metadata is not supported for this model.")
    if "multiSpeakerVoiceConfig" in speech:
        voices: list[Object] = speech["multiSpeakerVoiceConfig"]["speakerVoiceConfigs"]
        _speakers(voices)
        if card.generation < BESIDE:
            _named(voices, text)
        else:
            _tagged(voices, told)
    form: Object = config.get("responseFormat", {}).get("audio", {})
    if form.get("mimeType", _SPEECH_MIMES[0]) not in _SPEECH_MIMES:
        raise invalid(f"The response format {form['mimeType']} is not supported by this model.")
    if form.get("sampleRate", _RATES[0]) not in _RATES:
        raise invalid(f"{_PLACE}.response_format.audio.sample_rate: must be in the range [8000, 48000].\n")


def _speakers(voices: list[Object]) -> None:
    place = _VOICES
    if len(voices) > _MOST_SPEAKERS:
        raise invalid(f"{place}: at most {_MOST_SPEAKERS} speakers are supported, found {len(voices)}\n")
    names: list[str] = [one["speaker"] for one in voices]
    if len(set(names)) < len(names):
        raise invalid(f"{place}: the names of the speakers must differ\n")
    for one in voices:
        _voice(one["voiceConfig"])


def _named(voices: list[Object], text: str) -> None:
    """The models before 3.8 hear from the text who speaks."""
    for one in voices:
        if one["speaker"] not in text:
            raise invalid(f"{_VOICES}: the speaker {one['speaker']!r} does not occur in the prompt\n")


def _tagged(voices: list[Object], told: list[Object]) -> None:
    """The models since 3.8 read the text word for word: each part says beside it who speaks."""
    names = {one["speaker"] for one in voices}
    for metadata in told:
        if metadata.get("speaker") not in names:
            raise invalid(
                "* GenerateContentRequest.contents.parts.speech_metadata.speaker: each part of a multi-speaker request "
                f"needs one of {', '.join(sorted(names))}.\n"
            )


def _voice(config: Object) -> None:
    name: str | None = config.get("prebuiltVoiceConfig", {}).get("voiceName", config.get("voice"))
    sample: Object | None = config.get("replicatedVoiceConfig")
    if sample is not None and not (sample.get("voiceSampleAudio") and sample.get("consentAudio")):
        raise invalid(f"{_PLACE}.speech_config.voice_config: a replicated voice needs its sample and the consent\n")
    if name is not None and known(name.removeprefix("voices/")) is None:
        allowed = ", ".join(sorted(one.lower() for one in PREBUILT))
        raise invalid(f"Voice name {name} is not supported. Allowed voice names are: {allowed}")


def _no_tools(request: Object, card: ModelCard, refused: tuple[str, ...] | None) -> None:
    for tool in request.get("tools", []):
        for name in tool:
            if refused is None or name in refused:
                what = "Function calling" if name == "functionDeclarations" else f"The tool {_snake(name)}"
                raise invalid(f"{what} is not enabled for models/{card.id}")


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()
