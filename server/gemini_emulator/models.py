"""The model catalogue: what `models.list` answers and which rules each family follows.

Source: the "Models", "Deprecations" and "Gemini 3" pages of the Gemini API as of November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from .errors import ApiError, invalid
from .wire import Object

GENERATE = ("generateContent", "countTokens", "createCachedContent", "batchGenerateContent")
SPEAK = ("generateContent", "countTokens", "batchGenerateContent")
EMBED = ("embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent")
LIVE = ("bidiGenerateContent",)
_SERVED_AS = {"streamGenerateContent": "generateContent", "batchEmbedContents": "embedContent"}

LEVELS_3 = ("MINIMAL", "LOW", "MEDIUM", "HIGH")
LEVELS_4 = ("LOW", "MEDIUM", "HIGH")


@dataclass(frozen=True)
class ModelCard:
    """One model: the public resource, and the rules that its family follows.

    Args:
        id: the name behind `models/`.
        title: the display name.
        inputs, outputs: the token limits.
        methods: `supportedGenerationMethods`.
        generation: the Gemini generation (2.5, 3.8, 4 …), 0 for other families; most rules hang on it.
        levels: thinking levels that are accepted; empty where the model does not think.
        default_level: the level when none is asked for.
        modalities: output modalities.
        shutdown: the first day on which the model is gone.
        served_by: the model that answers instead, silently, from `rerouted` on.
        rerouted: the first day of the reroute.
        alias: an alias is documented for v1beta only.
        retires: a shutdown that is announced; shown in `modelStatus`.
    """

    id: str
    title: str
    inputs: int = 1_048_576
    outputs: int = 65_536
    methods: tuple[str, ...] = GENERATE
    generation: float = 0
    levels: tuple[str, ...] = ()
    default_level: str = "MEDIUM"
    modalities: tuple[str, ...] = ("TEXT",)
    shutdown: date | None = None
    served_by: str = ""
    rerouted: date = date(2026, 10, 8)
    alias: bool = False
    retires: date | None = None
    notes: str = field(default="", compare=False)

    @property
    def thinks(self) -> bool:
        """Whether the model thinks before it answers."""
        return bool(self.levels) or self.generation == 2.5

    @property
    def takes_budget(self) -> bool:
        """Whether `thinkingBudget` is accepted: never on the 3.8 and 4 families."""
        return self.thinks and 0 < self.generation < 3.8

    @property
    def transcribes(self) -> bool:
        """Whether the model turns speech into text and does nothing else."""
        return "-transcribe" in self.id

    @property
    def legacy(self) -> bool:
        """Whether the model is Imagen or Veo, which a gateway may serve longer than Google does."""
        return "predict" in self.methods or "predictLongRunning" in self.methods

    def alive(self, today: date) -> bool:
        """Whether the model has not been shut down."""
        return self.shutdown is None or today < self.shutdown

    def supports(self, method: str) -> bool:
        """Whether a method, or the one that it is a variant of, is served."""
        return _SERVED_AS.get(method, method) in self.methods

    def resource(self) -> Object:
        """The `Model` resource."""
        resource: Object = {
            "name": f"models/{self.id}",
            "baseModelId": self.id,
            "version": self.id.removeprefix("gemini-").split("-")[0] if "preview" not in self.id else self.id,
            "displayName": self.title,
            "description": self.notes or f"{self.title} (served by an emulator)",
            "inputTokenLimit": self.inputs,
            "outputTokenLimit": self.outputs,
            "supportedGenerationMethods": list(self.methods),
        }
        if "generateContent" in self.methods:
            resource |= {"temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2}
        if self.thinks:
            resource["thinking"] = True
        return resource


def _image(model: str, title: str, inputs: int, outputs: int, generation: float, **more: date) -> ModelCard:
    levels = () if generation < 3 else ("MINIMAL", "MEDIUM", "HIGH")
    return ModelCard(
        model, title, inputs, outputs, SPEAK, generation, levels, "MINIMAL", ("TEXT", "IMAGE"), more.get("shutdown")
    )


def _speech(model: str, title: str, generation: float, shutdown: date | None = None) -> ModelCard:
    return ModelCard(model, title, 8_192, 16_384, SPEAK, generation, modalities=("AUDIO",), shutdown=shutdown)


def _imagen(model: str, title: str) -> ModelCard:
    return ModelCard(model, title, 480, 8_192, ("predict",), modalities=("IMAGE",), shutdown=date(2026, 8, 17))


def _veo(model: str, title: str, shutdown: date) -> ModelCard:
    return ModelCard(
        model, title, 480, 8_192, ("predictLongRunning",), modalities=("VIDEO", "AUDIO"), shutdown=shutdown
    )


def _live(model: str, title: str, generation: float, shutdown: date | None = None) -> ModelCard:
    return ModelCard(model, title, 131_072, 65_536, LIVE, generation, modalities=("AUDIO",), shutdown=shutdown)


def _music(model: str, title: str) -> ModelCard:
    return ModelCard(model, title, 131_072, 8_192, ("createInteraction", "countTokens"), modalities=("AUDIO", "TEXT"))


_DEC_1 = date(2026, 12, 1)
_NOV_17 = date(2026, 11, 17)
_OCT_22 = date(2026, 10, 22)
_JUN_30 = date(2026, 6, 30)

CATALOGUE: tuple[ModelCard, ...] = (
    ModelCard("gemini-4-argon", "Gemini 4 Argon", 1_048_576, 1_048_576, SPEAK, 4, LEVELS_4),
    ModelCard("gemini-3.8-flash", "Gemini 3.8 Flash", generation=3.8, levels=LEVELS_4),
    ModelCard("gemini-3.7-flash", "Gemini 3.7 Flash", generation=3.7, levels=LEVELS_3, served_by="gemini-3.8-flash"),
    ModelCard("gemini-3.6-flash", "Gemini 3.6 Flash", generation=3.6, levels=LEVELS_3),
    ModelCard("gemini-3.5-flash", "Gemini 3.5 Flash", generation=3.5, levels=LEVELS_3, served_by="gemini-3.6-flash"),
    ModelCard(
        "gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite", generation=3.5, levels=LEVELS_3, default_level="MINIMAL"
    ),
    ModelCard(
        "gemini-3.1-pro-preview", "Gemini 3.1 Pro Preview", generation=3.1, levels=LEVELS_4, default_level="HIGH"
    ),
    ModelCard(
        "gemini-3.1-pro-preview-customtools", "Gemini 3.1 Pro Preview Custom Tools",
        generation=3.1, levels=LEVELS_4, default_level="HIGH",
    ),
    ModelCard(
        "gemini-3.1-flash-lite", "Gemini 3.1 Flash-Lite",
        generation=3.1, levels=LEVELS_3, default_level="MINIMAL", shutdown=date(2027, 5, 7), retires=date(2027, 5, 7),
    ),
    ModelCard("gemini-3-flash-preview", "Gemini 3 Flash Preview", generation=3, levels=LEVELS_3, default_level="HIGH"),
    ModelCard(
        "gemini-3-pro-preview", "Gemini 3 Pro Preview",
        generation=3, levels=LEVELS_4, served_by="gemini-3.1-pro-preview", rerouted=date(2026, 3, 9),
    ),
    ModelCard(
        "gemini-2.5-pro", "Gemini 2.5 Pro",
        generation=2.5, served_by="gemini-3.8-flash", rerouted=_DEC_1, retires=_DEC_1,
    ),
    ModelCard(
        "gemini-2.5-flash", "Gemini 2.5 Flash",
        generation=2.5, served_by="gemini-3.5-flash-lite", rerouted=_DEC_1, retires=_DEC_1,
    ),
    ModelCard("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", generation=2.5),
    ModelCard(
        "gemini-pro-latest", "Gemini Pro Latest",
        generation=3.1, levels=LEVELS_4, served_by="gemini-3.1-pro-preview", rerouted=date.min, alias=True,
    ),
    ModelCard(
        "gemini-flash-latest", "Gemini Flash Latest",
        generation=3.8, levels=LEVELS_4, served_by="gemini-3.8-flash", rerouted=date.min, alias=True,
    ),
    ModelCard(
        "gemini-flash-lite-latest", "Gemini Flash-Lite Latest",
        generation=3.5, levels=LEVELS_3, served_by="gemini-3.5-flash-lite", rerouted=date.min, alias=True,
    ),
    _image("gemini-nano-banana-2.1", "Nano Banana 2.1", 131_072, 32_768, 3.8),
    _image("gemini-3-pro-image", "Gemini 3 Pro Image", 65_536, 32_768, 3),
    _image("gemini-3.1-flash-image", "Gemini 3.1 Flash Image", 131_072, 32_768, 3.1),
    _image("gemini-3.1-flash-lite-image", "Gemini 3.1 Flash-Lite Image", 65_536, 4_096, 3.1),
    _image("gemini-2.5-flash-image", "Gemini 2.5 Flash Image", 65_536, 32_768, 2, shutdown=date(2027, 3, 15)),
    _speech("gemini-3.8-flash-tts", "Gemini 3.8 Flash TTS", 3.8),
    _speech("gemini-3.8-flash-lite-tts", "Gemini 3.8 Flash-Lite TTS", 3.8),
    ModelCard("gemini-3.5-transcribe", "Gemini 3.5 Transcribe", 98_304, 32_768, SPEAK[:2], 3.5),
    _live("gemini-3.5-transcribe-live", "Gemini 3.5 Transcribe Live", 3.5),
    _live("gemini-3.8-live", "Gemini 3.8 Live", 3.8),
    _live("gemini-3.8-live-extended-thinking", "Gemini 3.8 Live Extended Thinking", 3.8),
    _live("gemini-3.5-live-translate-preview", "Gemini 3.5 Live Translate Preview", 3.5),
    _live("lyria-realtime-exp", "Lyria RealTime", 0),
    ModelCard("gemini-embedding-2", "Gemini Embedding 2", 8_192, 1, EMBED, modalities=()),
    ModelCard(
        "gemini-embedding-001", "Gemini Embedding 001", 2_048, 1, EMBED, modalities=(),
        shutdown=date(2028, 5, 14), retires=date(2028, 5, 14),
    ),
    ModelCard("gemini-robotics-er-2-preview", "Gemini Robotics-ER 2 Preview", 131_072, generation=3, levels=LEVELS_3),
    ModelCard("gemini-omni-1.1-flash", "Gemini Omni 1.1 Flash", methods=("createInteraction",), modalities=("VIDEO",)),
    _music("lyria-3.5", "Lyria 3.5"),
    _music("lyria-3-clip-preview", "Lyria 3 Clip Preview"),
    ModelCard("gemma-4-31b-it", "Gemma 4 31B", 262_144, 32_768, ("generateContent", "countTokens")),
    ModelCard("gemma-4-26b-a4b-it", "Gemma 4 26B A4B", 262_144, 32_768, ("generateContent", "countTokens")),
    # Gone by November 2026; an earlier `Options.today` brings them back.
    ModelCard("gemini-2.0-flash", "Gemini 2.0 Flash", outputs=8_192, generation=2, shutdown=date(2026, 6, 1)),
    ModelCard("gemini-2.0-flash-lite", "Gemini 2.0 Flash-Lite", outputs=8_192, generation=2, shutdown=date(2026, 6, 1)),
    ModelCard(
        "gemini-2.5-flash-preview-05-20", "Gemini 2.5 Flash Preview 05-20", generation=2.5, shutdown=date(2025, 11, 18)
    ),
    _image("gemini-3-pro-image-preview", "Gemini 3 Pro Image Preview", 65_536, 32_768, 3, shutdown=date(2026, 6, 25)),
    _image(
        "gemini-3.1-flash-image-preview", "Gemini 3.1 Flash Image Preview", 65_536, 32_768, 3.1,
        shutdown=date(2026, 6, 25),
    ),
    _speech("gemini-2.5-flash-preview-tts", "Gemini 2.5 Flash Preview TTS", 2, _NOV_17),
    _speech("gemini-2.5-pro-preview-tts", "Gemini 2.5 Pro Preview TTS", 2, _NOV_17),
    _speech("gemini-3.1-flash-tts-preview", "Gemini 3.1 Flash TTS Preview", 3.1, _NOV_17),
    _live("gemini-3.1-flash-live-preview", "Gemini 3.1 Flash Live Preview", 3.1, _NOV_17),
    # These come back with `Options.legacy_media` too.
    _imagen("imagen-4.0-generate-001", "Imagen 4"),
    _imagen("imagen-4.0-ultra-generate-001", "Imagen 4 Ultra"),
    _imagen("imagen-4.0-fast-generate-001", "Imagen 4 Fast"),
    _veo("veo-3.1-generate-preview", "Veo 3.1", _OCT_22),
    _veo("veo-3.1-fast-generate-preview", "Veo 3.1 Fast", _OCT_22),
    _veo("veo-3.1-lite-generate-preview", "Veo 3.1 Lite", _OCT_22),
    _veo("veo-3.0-generate-001", "Veo 3", _JUN_30),
    _veo("veo-3.0-fast-generate-001", "Veo 3 Fast", _JUN_30),
    _veo("veo-2.0-generate-001", "Veo 2", _JUN_30),
)  # fmt: skip


class Catalogue:
    """The models as seen on one date."""

    def __init__(self, cards: Sequence[ModelCard], today: date) -> None:
        self._cards = {card.id: card for card in cards}
        self._today = today

    def get(self, name: str, version: str, method: str = "", *, legacy: bool = False) -> ModelCard:
        """The model of a path segment, which may lack `models/`.

        Args:
            name: the path segment.
            version: the API version.
            method: the method that is called on it.
            legacy: whether Imagen and Veo are still served.

        Raises:
            ApiError: 404 for a model that is unknown, shut down, or without the method; 400 for a malformed name.
        """
        model = name.removeprefix("models/")
        if not model or model.strip() != model:
            raise invalid("* GenerateContentRequest.model: unexpected model name format\n")
        card = self._cards.get(model)
        visible = card is not None and self._served(card, legacy) and not (card.alias and version == "v1")
        if card is None or not visible or (method and not card.supports(method)):
            served = _SERVED_AS.get(method, method)
            what = f"or is not supported for {served}" if method else "or it may have been shut down"
            raise ApiError(
                404,
                f"models/{model} is not found for API version {version}, {what}. Call ListModels to see the list of "
                "available models and their supported methods.",
            )
        return card

    def serving(self, card: ModelCard) -> ModelCard:
        """The model that answers in place of another; most models answer for themselves."""
        while card.served_by and self._today >= card.rerouted and card.served_by in self._cards:
            card = self._cards[card.served_by]
        return card

    def listed(self, version: str, *, legacy: bool = False) -> list[Object]:
        """The resources that `models.list` shows."""
        return [
            card.resource()
            for card in self._cards.values()
            if self._served(card, legacy) and not (card.alias and version == "v1")
        ]

    def makes_media(self, model: str) -> bool:
        """Whether a model draws, speaks or films, and so takes a while."""
        card = self._cards.get(model)
        return card is not None and any(kind in card.modalities for kind in ("IMAGE", "AUDIO", "VIDEO"))

    def _served(self, card: ModelCard, legacy: bool) -> bool:
        return card.alive(self._today) or (legacy and card.legacy)
