"""What can be set on an emulator before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from .file_making import LARGEST, STORAGE
from .models import CATALOGUE, ModelCard
from .openai_answer import PictureForm

Dialect: TypeAlias = Literal["google", "openai", "enterprise"]


@dataclass(frozen=True)
class Options:
    """How one emulator behaves.

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        prefix: a path in front of every route, as a gateway would add (`/gemini`).
        log: a file to which each request is appended as one JSON line.
        today: the date on which models are alive or shut down; None is the real date.
        models: the model catalogue.
        keys: the API keys that are accepted; None accepts every key that does not begin with `invalid`.
        kept_requests: how many requests the in-memory log remembers.
        legacy_media: whether Imagen and Veo are still served over `:predict` and `:predictLongRunning`, as a gateway
            may do; the Developer API answers 404 since they were shut down.
        legacy_services: whether PaLM, AQA, tuned models and the Semantic Retriever are still served; Google has shut
            them down, and answers 404 where they were.
        kept_days: how long a stored interaction is kept: 55 days on the paid tier, one on the free tier.
        largest_file: how many bytes an uploaded file may have.
        file_storage: how many bytes of uploaded files there may be at a time.
        raw_digest: whether `sha256Hash` is base64 of the digest's bytes, as the reference says, and not of its
            hexadecimal form, as the service does.
        key_beside_token: whether `files:register` takes an API key beside a bearer token; the service has refused both
            together since June 2026.
        real_time: whether live music and speech come at the speed at which they are played, and not as fast as can be.
        dialect: who answers. `google` is the Developer API with its OpenAI layer, and the Enterprise platform under its
            own paths; `enterprise` is that platform alone; `openai` is a gateway of others, which has
            `…/v1/chat/completions` and a bare licence as the key, and nothing of Google's paths.
        picture_form: how chat completions show pictures: as Markdown images with data URLs in `content`, or in
            `message.images`.
        gateway_embeddings: whether the gateway has `…/v1/embeddings` too.
        enterprise: the only project and location of the Enterprise platform; None takes every one.
    """

    host: str = "127.0.0.1"
    port: int = 0
    prefix: str = ""
    log: Path | None = None
    today: date | None = None
    models: tuple[ModelCard, ...] = CATALOGUE
    keys: frozenset[str] | None = None
    kept_requests: int = 10_000
    legacy_media: bool = False
    legacy_services: bool = False
    kept_days: float = 55
    largest_file: int = LARGEST
    file_storage: int = STORAGE
    raw_digest: bool = False
    key_beside_token: bool = False
    real_time: bool = False
    dialect: Dialect = "google"
    picture_form: PictureForm = "markdown"
    gateway_embeddings: bool = False
    enterprise: tuple[str, str] | None = None

    @property
    def path_prefix(self) -> str:
        """The prefix with one leading slash and no trailing one, or nothing."""
        trimmed = self.prefix.strip("/")
        return f"/{trimmed}" if trimmed else ""

    def date(self) -> date:
        """The emulator's date."""
        return self.today or datetime.now().astimezone().date()
