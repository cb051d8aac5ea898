"""A request of the Interactions API as a generateContent request, so that both families answer alike.

Source: the two API references; field by field they say the same in different words.
"""

from __future__ import annotations

from collections.abc import Callable

from .interaction_errors import refused
from .wire import Object, is_list, is_object

_PLAIN = {
    "max_output_tokens": "maxOutputTokens", "seed": "seed", "stop_sequences": "stopSequences",
    "temperature": "temperature", "top_p": "topP",
}  # fmt: skip
_NUMBERS = {
    "1": "ONE", "2": "TWO", "3": "THREE", "4": "FOUR", "5": "FIVE", "8": "EIGHT", "9": "NINE", "16": "SIXTEEN",
    "21": "TWENTY_ONE",
}  # fmt: skip
_SIZES = {"512": "FIVE_TWELVE", "1K": "ONE_K", "2K": "TWO_K", "4K": "FOUR_K"}
_SEARCHES = {"web_search": "webSearch", "image_search": "imageSearch", "enterprise_web_search": "webSearch"}


def generate_request(body: Object, contents: list[Object], formats: dict[str, Object]) -> Object:
    """The request that `prompt.Prompt` reads.

    Args:
        body: the checked body of the interaction.
        contents: what was said so far.
        formats: the response formats by type.
    """
    request: Object = {"contents": contents}
    given: Object = body.get("generation_config", {})
    config = {**_config(given, formats.get("text", {})), **_output(given, formats), **_speech(given)}
    if config:
        request["generationConfig"] = config
    if body.get("system_instruction"):
        request["systemInstruction"] = {"parts": [{"text": body["system_instruction"]}]}
    tools = _tools(body.get("tools", []))
    if tools:
        request["tools"] = tools
    settings = _tool_config(body)
    if settings:
        request["toolConfig"] = settings
    if "safety_settings" in body:
        request["safetySettings"] = [
            {"category": f"HARM_CATEGORY_{one['type'].upper()}", "threshold": one["threshold"].upper()}
            for one in body["safety_settings"]
        ]
    if "continuation_token" in body:
        request["continuationToken"] = body["continuation_token"]
    return request


def _config(given: Object, text: Object) -> Object:
    config: Object = {_PLAIN[name]: value for name, value in given.items() if name in _PLAIN}
    thinking: Object = {}
    if "thinking_level" in given:
        thinking["thinkingLevel"] = given["thinking_level"].upper()
    if given.get("thinking_summaries") == "auto":
        thinking["includeThoughts"] = True
    if thinking:
        config["thinkingConfig"] = thinking
    if "schema" in text and text.get("mime_type") != "application/json":
        raise refused("'schema' is only supported with the mime_type 'application/json' at 'response_format'.")
    if "mime_type" in text:
        config["responseMimeType"] = text["mime_type"]
    if "schema" in text:
        config["responseJsonSchema"] = text["schema"]
    if "transcription_config" in given:
        config["audioTranscriptionConfig"] = _transcription(given["transcription_config"])
    return config


def _output(given: Object, formats: dict[str, Object]) -> Object:
    """What is to be made beside text, and how it is to be handed over."""
    config: Object = {}
    if "audio" in formats:
        names = {"mime_type": "mimeType", "bit_rate": "bitRate", "sample_rate": "sampleRate", "delivery": "delivery"}
        audio: Object = {names[name]: value for name, value in formats["audio"].items() if name in names}
        if "mimeType" in audio:
            audio["mimeType"] = audio["mimeType"].replace("/", "_").upper()
        config["responseFormat"] = {"audio": _named(audio)}
    if "image" in formats or "image_config" in given:
        asked: Object = {**given.get("image_config", {}), **formats.get("image", {})}
        image: Object = {"mimeType": "IMAGE_JPEG", "delivery": asked.get("delivery", "inline")}
        if "aspect_ratio" in asked:
            across, _, down = asked["aspect_ratio"].partition(":")
            image["aspectRatio"] = f"ASPECT_RATIO_{_NUMBERS[across]}_BY_{_NUMBERS[down]}"
        if "image_size" in asked:
            image["imageSize"] = f"IMAGE_SIZE_{_SIZES[asked['image_size']]}"
        config["responseFormat"] = {"image": _named(image)}
    return config


def _named(form: Object) -> Object:
    return {name: value.upper() if name == "delivery" else value for name, value in form.items()}


def _speech(given: Object) -> Object:
    voices = speakers(given)
    if not voices:
        return {}
    configs = [{"voice": one["voice"]} if "voice" in one else {} for one in voices]
    config: Object = {"voiceConfig": configs[0]} if configs[0] else {}
    if len(voices) > 1:
        pairs = zip(voices, configs, strict=True)
        several = [{"speaker": one["speaker"], "voiceConfig": voice} for one, voice in pairs]
        config = {"multiSpeakerVoiceConfig": {"speakerVoiceConfigs": several}}
    language: str | None = next((one["language"] for one in voices if "language" in one), None)
    return {"speechConfig": {**config, **({"languageCode": language} if language else {})}}


def speakers(config: Object) -> list[Object]:
    """The voices of a `generation_config`, whichever of its two forms `speech_config` has.

    Raises:
        InteractionError: 400 for several voices without the names of their speakers.
    """
    given: object = config.get("speech_config", [])
    if is_object(given):
        given = given.get("speakers", [])
    voices: list[Object] = given if is_list(given) else []
    if len(voices) > 1 and not all(one.get("speaker") for one in voices):
        raise refused("Each of several voices needs a 'speaker' at 'generation_config.speech_config'.")
    return voices


def _transcription(given: Object) -> Object:
    mode: object = given.get("mode")
    chosen: Object = mode if is_object(mode) else {"type": mode}
    detail = {**given, **chosen}
    codes: list[str] = given.get("language_codes") or given.get("language_hints") or []
    phrases: list[str] = given.get("custom_vocabulary") or given.get("adaptation_phrases") or []
    return {
        **({"languageCodes": codes} if codes else {}),
        **({"customVocabulary": phrases} if phrases else {}),
        **({"diarization": True} if detail.get("diarization_mode") else {}),
        **({"wordTimestamp": True} if "word" in detail.get("timestamp_granularities", []) else {}),
        **({"mode": str(chosen["type"]).upper()} if chosen.get("type") else {}),
        **({"sourceText": detail["source_text"]} if "source_text" in detail else {}),
    }


def _tools(tools: list[Object]) -> list[Object]:
    declared = [_function(tool) for tool in tools if tool["type"] == "function"]
    found = [_BUILT_IN[tool["type"]](tool) for tool in tools if tool["type"] in _BUILT_IN]
    return [*([{"functionDeclarations": declared}] if declared else []), *found]


def _function(tool: Object) -> Object:
    if not tool.get("name"):
        raise refused("A tool of type 'function' needs a 'name'.")
    about = tool.get("description") or tool.get("short_description")
    return {
        "name": tool["name"],
        **({"description": about} if about else {}),
        **({"parametersJsonSchema": tool["parameters"]} if "parameters" in tool else {}),
    }


def _search(tool: Object) -> Object:
    kinds: list[str] = tool.get("search_types", [])
    return {"googleSearch": {"searchTypes": {_SEARCHES[kind]: {} for kind in kinds}} if kinds else {}}


def _files(tool: Object) -> Object:
    names = {"file_search_store_names": "fileSearchStoreNames", "top_k": "topK", "metadata_filter": "metadataFilter"}
    return {"fileSearch": {names[name]: value for name, value in tool.items() if name in names}}


def _computer(tool: Object) -> Object:
    settings: Object = {"environment": f"ENVIRONMENT_{tool.get('environment', 'browser').upper()}"}
    names = {
        "excluded_predefined_functions": "excludedPredefinedFunctions",
        "enable_prompt_injection_detection": "enablePromptInjectionDetection",
    }
    settings |= {names[name]: value for name, value in tool.items() if name in names}
    if "disabled_safety_policies" in tool:
        settings["disabledSafetyPolicies"] = [policy.upper() for policy in tool["disabled_safety_policies"]]
    return {"computerUse": settings}


_BUILT_IN: dict[str, Callable[[Object], Object]] = {
    "google_search": _search,
    "google_maps": lambda tool: {"googleMaps": {"enableWidget": True} if tool.get("enable_widget") else {}},
    "url_context": lambda _: {"urlContext": {}},
    "code_execution": lambda _: {"codeExecution": {}},
    "file_search": _files,
    "computer_use": _computer,
}
"""The tools that are emulated; the others are taken, and never used by this model."""


def _tool_config(body: Object) -> Object:
    tools: list[Object] = body.get("tools", [])
    settings: Object = {}
    if any(tool["type"] in _BUILT_IN for tool in tools) and any(tool["type"] == "function" for tool in tools):
        settings["includeServerSideToolInvocations"] = True
    point = next((tool for tool in tools if tool["type"] == "google_maps" and "latitude" in tool), None)
    if point is not None:
        settings["retrievalConfig"] = {
            "latLng": {"latitude": point["latitude"], "longitude": point.get("longitude", 0)}
        }
    choice: object = body.get("generation_config", {}).get("tool_choice")
    if isinstance(choice, str):
        settings["functionCallingConfig"] = {"mode": choice.upper()}
    elif is_object(choice):
        allowed: Object = choice.get("allowed_tools", {})
        names: object = allowed.get("tools")
        settings["functionCallingConfig"] = {
            "mode": str(allowed.get("mode", "any")).upper(),
            **({"allowedFunctionNames": names} if is_list(names) and names else {}),
        }
    return settings
