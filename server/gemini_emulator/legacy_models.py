"""The models that `Options.legacy_services` brings back: PaLM, AQA, and one that can be tuned.

Source: "PaLM 2" and "AQA" on the "Models" page of the Gemini API as of 2024, and "Model tuning" as of 2025.
"""

from __future__ import annotations

from dataclasses import dataclass

from .models import ModelCard
from .wire import Object

TEXT = "text-bison-001"
TUNABLE = "gemini-1.5-flash-001-tuning"
TUNING_METHODS = ("createTunedModel", "createTunedTextModel")


@dataclass(frozen=True)
class LegacyCard(ModelCard):
    """A model with a version and with defaults of its own.

    Args:
        version: the end of its name.
        sampling: `temperature`, `topP` and `topK` as `models.get` shows them.
    """

    version: str = "001"
    sampling: tuple[float, float, int] | None = None

    def resource(self) -> Object:
        """The `Model` resource."""
        shown = {**super().resource(), "version": self.version}
        if self.sampling:
            shown["temperature"], shown["topP"], shown["topK"] = self.sampling
        return shown


LEGACY_CATALOGUE: tuple[ModelCard, ...] = (
    LegacyCard(
        "chat-bison-001", "PaLM 2 Chat (Legacy)", 4_096, 1_024, ("generateMessage", "countMessageTokens"),
        sampling=(0.25, 0.95, 40),
    ),
    LegacyCard(
        TEXT, "PaLM 2 (Legacy)", 8_196, 1_024, ("generateText", "countTextTokens", "createTunedTextModel"),
        sampling=(0.7, 0.95, 40),
    ),
    LegacyCard("embedding-gecko-001", "Embedding Gecko", 1_024, 1, ("embedText", "countTextTokens"), modalities=()),
    LegacyCard(
        "aqa", "Model that performs Attributed Question Answering.", 7_168, 1_024, ("generateAnswer",),
        sampling=(0.2, 1, 40),
    ),
    LegacyCard(
        TUNABLE, "Gemini 1.5 Flash 001 Tuning", 16_384, 8_192, ("generateContent", "countTokens", "createTunedModel"),
        1.5, sampling=(1, 0.95, 64),
    ),
)  # fmt: skip
