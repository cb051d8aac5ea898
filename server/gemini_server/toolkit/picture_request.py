"""How pictures are asked for: of a Gemini image model, through the Interactions API, or of Imagen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from gemini_server.api.config import GenerationConfig, ImageConfig
from gemini_server.api.content import Content, Part
from gemini_server.api.interaction_content import Content as InteractionContent
from gemini_server.api.interaction_content import DocumentContent, ImageContent, TextContent, VideoContent
from gemini_server.api.interaction_request import CreateInteraction, ImageFormat
from gemini_server.api.models import GenerateContentRequest
from gemini_server.api.predict import ImagenInstance, ImagenParameters, ImagenRequest
from gemini_server.errors import ArgumentError
from gemini_server.jobs.conversations import Conversation
from gemini_server.jobs.job import Json
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit import artifacts, kept_media, pictures
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.clips import type_of
from gemini_server.toolkit.generation.options import Options, model_id, user_turn
from gemini_server.toolkit.generation.sources import of_request
from gemini_server.toolkit.pictures import Shape
from gemini_server.toolkit.served import check_served

NEW = "new"
MOST = 4
"""Pictures of one call."""

_CONTENT = {"video": VideoContent, "application": DocumentContent}
"""What a reference is in an interaction, by its type; everything else is a picture."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made, checked.

    Attributes:
        model: the model's id.
        prompt: literal text.
        shape: aspect ratio and size.
        count: how many pictures.
        references: media sources.
        thread: the conversation that it goes on with.
        begin: whether it begins one.
    """

    model: str
    prompt: str
    shape: Shape
    count: int
    references: Sequence[str]
    thread: Conversation | None = None
    begin: bool = False

    @property
    def kept(self) -> bool:
        """Whether it is a turn of a conversation."""
        return self.begin or self.thread is not None

    @property
    def turns(self) -> list[JsonObject]:
        """The turns before."""
        return self.thread.turns if self.thread else []


async def wanted(
    call: Call,
    prompt: str,
    references: Sequence[str],
    *,
    aspect_ratio: str | None = None,
    size: str | None = None,
    count: int | None = None,
    conversation: str | None = None,
    model: str | None = None,
) -> Wanted:
    """What is asked for. A conversation keeps its model, and the shape of its pictures.

    Raises:
        ArgumentError: it cannot be made; nothing was sent.
    """
    runtime = call.runtime
    if not prompt.strip():
        raise ArgumentError("prompt is empty.", "Say what to show.")
    count = 1 if count is None else count
    if not 1 <= count <= MOST:
        raise ArgumentError(f"One call makes 1 to {MOST} pictures, not {count}.", "Call again for more.")
    thread = None
    if conversation and conversation != NEW:
        thread = await runtime.conversations.get(call.principal, conversation)
        _check_answered(thread)
    chosen = model_id(model or _model_of(call, thread) or runtime.catalogue.default("image"))
    check_served(call, chosen)
    pictures.check_model(runtime.catalogue, chosen)
    kept: Json = (thread.settings.get("image") if thread else None) or {}
    ratio, large = aspect_ratio or kept.get("aspect_ratio"), size or kept.get("size")
    shape = pictures.shape_of(runtime.catalogue, chosen, runtime.today(), ratio, large)
    made = Wanted(chosen, prompt, shape, count, references, thread, conversation == NEW)
    if made.kept and count > 1:
        raise ArgumentError("A turn of a conversation makes one picture.", "Leave count out, or the conversation.")
    if pictures.is_imagen(chosen):
        if references or made.kept:
            raise ArgumentError(
                f"{chosen} makes pictures from words alone: it takes no references and has no conversations.",
                f"Use {runtime.catalogue.default('image')} to edit pictures.",
            )
    elif runtime.settings.image_api == "interactions" and (made.kept or count > 1):
        raise ArgumentError(
            "Through the Interactions API this server makes one picture a call, without a conversation.",
            "Leave count and conversation out; to edit a picture, give it in references.",
        )
    return made


def _check_answered(thread: Conversation) -> None:
    last: list[JsonObject] = thread.turns[-1].get("parts") or [] if thread.turns else []
    if any("functionCall" in part for part in last):
        raise ArgumentError(
            "The conversation waits for the results of functions.", "Give them with submit_function_results first."
        )


def _model_of(call: Call, thread: Conversation | None) -> str | None:
    """The model that a conversation goes on with, where that is one for pictures."""
    facts = call.runtime.catalogue.get(thread.model) if thread else None
    return thread.model if thread and (facts is None or "image" in facts.capabilities) else None


async def built(call: Call, made: Wanted, parts: list[Part]) -> tuple[str, BaseModel, Json]:
    """The work that is to do it, the request, and what that work has to know.

    Args:
        call: the call.
        made: what is wanted.
        parts: its references, in memory.

    Raises:
        ArgumentError: its media are more than a request or a conversation takes.
        NotFound: a picture of an earlier turn is gone.
    """
    if pictures.is_imagen(made.model):
        return "predict", _imagen(made), {"size": made.shape.size}
    if call.runtime.settings.image_api == "interactions":
        return "interaction_now", _interaction(made, parts), {"sources": ["attachments"] if parts else []}
    turn = user_turn(made.prompt, parts)
    turns = await kept_media.picked_up(call.runtime, call.principal, made.turns)
    contents: list[Content | JsonObject] = [*turns, turn]
    config = ImageConfig(aspect_ratio=made.shape.aspect_ratio, image_size=made.shape.size)
    request = GenerateContentRequest(
        contents=contents,
        generation_config=GenerationConfig(
            response_modalities=["TEXT", "IMAGE"],
            image_config=config if made.shape.aspect_ratio or made.shape.size else None,
        ),
    )
    options = Options.model_validate(made.thread.settings) if made.thread else Options()
    sources: list[str] = sorted(of_request(options, contents).names)
    wish: Json = {"count": made.count, "sources": sources}
    if made.kept:
        wish["conversation"] = await _turn_of(made, turn, sources)
    return "generate", request, wish


async def _turn_of(made: Wanted, turn: Content, sources: list[str]) -> Json:
    """What the work needs to keep the turn in its conversation, once it is answered.

    Raises:
        ArgumentError: the references are too large to be kept.
    """
    pointers = {n: source for n, source in enumerate(made.references) if source.startswith(artifacts.URI)}
    await kept_media.said(turn, pointers)
    before = made.thread.settings if made.thread else {}
    return {
        "id": made.thread.id if made.thread else NEW,
        "turns": len(made.turns),
        "pointers": {str(n): pointer for n, pointer in pointers.items()},
        "settings": {**before, "image": made.shape._asdict(), "sources": sources or None},
    }


def _imagen(made: Wanted) -> ImagenRequest:
    parameters = ImagenParameters(
        sample_count=made.count,
        aspect_ratio=made.shape.aspect_ratio,
        sample_image_size=made.shape.size,
        include_rai_reason=True,
    )
    return ImagenRequest(instances=[ImagenInstance(prompt=made.prompt)], parameters=parameters)


def _interaction(made: Wanted, parts: list[Part]) -> CreateInteraction:
    contents: list[InteractionContent | JsonObject] = [TextContent(text=made.prompt)]
    for part in parts:
        kind = _CONTENT.get(type_of(part).partition("/")[0], ImageContent)
        if part.inline_data is not None:
            contents.append(kind(data=part.inline_data.data, mime_type=part.inline_data.mime_type))
        elif part.file_data is not None:
            contents.append(kind(uri=part.file_data.file_uri, mime_type=part.file_data.mime_type))
    return CreateInteraction(
        model=made.model,
        input=contents,
        response_format=ImageFormat(aspect_ratio=made.shape.aspect_ratio, image_size=made.shape.size),
        store=False,
    )
