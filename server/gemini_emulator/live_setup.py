"""The setup of a Live session: what is refused, and what it means for the session.

Source: `BidiGenerateContentSetup` in the discovery document of August 2026, the Live API guides to capabilities, tools
and session management, and the reasons with which the live service closes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .errors import ApiError, invalid
from .live_store import Token
from .models import ModelCard
from .schema import snake
from .voices import DEFAULT, known
from .wire import Object, is_object

_METHOD = "bidiGenerateContent"
_NOT_HERE = (
    "responseLogprobs", "logprobs", "responseMimeType", "responseSchema", "responseJsonSchema", "responseFormat",
    "stopSequences", "candidateCount", "imageConfig",
)  # fmt: skip
_TOOLS = ("functionDeclarations", "googleSearch")
_SEEDED_ONLY = 3.1
_TRIGGER = 0.8
_SILENCE = 500


@dataclass(frozen=True)
class Plan:
    """A setup that has been checked.

    Args:
        card: the model.
        setup: the message, in camelCase.
    """

    card: ModelCard
    setup: Object

    @cached_property
    def config(self) -> Object:
        """`generationConfig`."""
        config: Object = self.setup.get("generationConfig", {})
        return config

    @property
    def speaks(self) -> bool:
        """Whether the answers are sound, and not text."""
        return _modality(self.config, self.card) == "AUDIO"

    @property
    def voice(self) -> str:
        """The prebuilt voice."""
        voice: Object = self.config.get("speechConfig", {}).get("voiceConfig", {})
        return known(_voice(voice)) or DEFAULT

    @property
    def writes_input(self) -> bool:
        """Whether the speech of the user is transcribed."""
        return "inputAudioTranscription" in self.setup or self.card.transcribes

    @property
    def writes_output(self) -> bool:
        """Whether the speech of the model is transcribed."""
        return "outputAudioTranscription" in self.setup

    @property
    def resumable(self) -> bool:
        """Whether handles are sent."""
        return "sessionResumption" in self.setup

    @property
    def handle(self) -> str:
        """The handle of the conversation that goes on; empty for a new one."""
        return str(self.setup.get("sessionResumption", {}).get("handle", ""))

    @property
    def manual(self) -> bool:
        """Whether the client says when the user is active."""
        return bool(self._input.get("automaticActivityDetection", {}).get("disabled"))

    @property
    def interruptible(self) -> bool:
        """Whether activity of the user interrupts the model."""
        return self._input.get("activityHandling") != "NO_INTERRUPTION"

    @property
    def silence(self) -> float:
        """After how many seconds of silence the user has finished."""
        detection: Object = self._input.get("automaticActivityDetection", {})
        return float(detection.get("silenceDurationMs", _SILENCE)) / 1000

    @property
    def seeded(self) -> bool:
        """Whether the first `clientContent` is the history, to which the model does not answer."""
        return bool(self.setup.get("historyConfig", {}).get("initialHistoryInClientContent"))

    @property
    def takes_turns(self) -> bool:
        """Whether `clientContent` is conversation, as on the models before 3.1."""
        return self.card.generation < _SEEDED_ONLY

    @property
    def window(self) -> tuple[int, int] | None:
        """The tokens from which the context is compressed, and to how many; None without compression."""
        compression: Object | None = self.setup.get("contextWindowCompression")
        if compression is None:
            return None
        trigger: int = compression.get("triggerTokens") or round(self.card.inputs * _TRIGGER)
        target: int = compression.get("slidingWindow", {}).get("targetTokens") or trigger // 2
        return trigger, target

    @property
    def _input(self) -> Object:
        found: Object = self.setup.get("realtimeInputConfig", {})
        return found


def check_model(card: ModelCard, version: str) -> None:
    """Refuse Lyria, which has a method of its own.

    Raises:
        ApiError: 404.
    """
    if not card.generation:
        raise ApiError(
            404, f"models/{card.id} is not found for API version {version}, or is not supported for {_METHOD}."
        )


def checked(setup: Object, card: ModelCard) -> Plan:
    """A setup as a plan.

    Raises:
        ApiError: 400 for what the API refuses.
    """
    config: Object = setup.get("generationConfig", {})
    for name in _NOT_HERE:
        if name in config:
            raise invalid(f"setup.generation_config.{snake(name)} is not supported in {_METHOD}.")
    _modality(config, card)
    _speech(config.get("speechConfig", {}), card)
    check_context(setup, card)
    window: Object = setup.get("contextWindowCompression", {})
    trigger, target = window.get("triggerTokens", 0), window.get("slidingWindow", {}).get("targetTokens", 0)
    if trigger < 0 or target < 0 or 0 < trigger <= target:
        raise invalid("context_window_compression: target_tokens must be less than trigger_tokens, and both positive.")
    if "translate" in card.id and "translationConfig" not in config:
        raise invalid("setup.generation_config.translation_config is required for this model.")
    return Plan(card, setup)


def check_context(setup: Object, card: ModelCard) -> None:
    """Refuse an instruction that is no text, and tools that a Live session does not have.

    Raises:
        ApiError: 400.
    """
    parts: list[Object] = setup.get("systemInstruction", {}).get("parts", [])
    if any("text" not in part for part in parts):
        raise invalid("setup.system_instruction: only text is supported.")
    tools: list[Object] = setup.get("tools", [])
    for name in (name for tool in tools for name in tool):
        if name not in _TOOLS:
            raise invalid(f"The tool {snake(name)} is not supported in {_METHOD} on models/{card.id}.")
    names = [one["name"] for tool in tools for one in tool.get("functionDeclarations", [])]
    if len(set(names)) < len(names):
        raise invalid("Duplicate function declaration found.")


def fixed(token: Token, setup: Object) -> Object:
    """The setup that applies to a session with a token.

    What the token fixes wins over what the client asks for; a field that is in the mask, but not in the setup of the
    token, is taken away.
    """
    own = token.setup
    if own is None and not token.mask:
        return setup
    if not token.mask:
        return own or {}
    merged = setup
    for path in token.mask:
        merged = _replaced(merged, own or {}, path.split("."))
    return merged


def _replaced(target: Object, source: Object, path: list[str]) -> Object:
    """A copy in which the field at a path is that of another object."""
    name, *rest = path
    result = dict(target)
    if rest:
        inner: object = target.get(name, {})
        outer: object = source.get(name, {})
        changed = _replaced(inner if is_object(inner) else {}, outer if is_object(outer) else {}, rest)
        if changed or name in target:
            result[name] = changed
    elif name in source:
        result[name] = source[name]
    else:
        result.pop(name, None)
    return result


def _modality(config: Object, card: ModelCard) -> str:
    asked: list[str] = [one for one in config.get("responseModalities", []) if one != "MODALITY_UNSPECIFIED"]
    served = ("TEXT",) if card.transcribes else card.modalities
    if len(asked) > 1:
        raise invalid("At most one response modality can be specified in the setup request.")
    if asked and asked[0] not in served:
        # Nobody would guess these words; they are those of the service for TEXT from a model that only speaks.
        spoken = asked == ["TEXT"]
        raise invalid(
            "Cannot extract voices from a non-audio request."
            if spoken
            else f"The response modality {asked[0]} is not supported by models/{card.id}."
        )
    return asked[0] if asked else served[0]


def _speech(config: Object, card: ModelCard) -> None:
    if "multiSpeakerVoiceConfig" in config:
        raise invalid(f"Multi-speaker voice config is not supported in {_METHOD}.")
    name = _voice(config.get("voiceConfig", {}))
    if known(name) is None:
        raise invalid(f"Requested voice api_name '{name}' is not available for model models/{card.id}")


def _voice(config: Object) -> str:
    name: str = config.get("prebuiltVoiceConfig", {}).get("voiceName", config.get("voice", DEFAULT))
    return name.removeprefix("voices/")
