"""The OpenAI dialect: chat completions, embeddings, pictures and models, of a gateway or of Google's own layer.

Where the methods are differs, and so they are made for a base URL (`Place`): `https://gw.example/gemini` has
`/gemini/v1/chat/completions`, and Google's host `/v1beta/openai/chat/completions`.

Source: OpenAI's API reference ("Create chat completion", "The chat completion chunk object", "Create embeddings",
"Create image", "List models"), and https://ai.google.dev/gemini-api/docs/openai for what Google adds: `extra_content`
with thought signatures, `extra_body.google`, thoughts in the text between `<thought>` marks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import urlsplit

from gemini_server.api.interaction_wire import Read, Told
from gemini_server.api.packed import PackedFloats, PackedUnit
from gemini_server.rest.config import VERSION
from gemini_server.rest.endpoint import Endpoint, JsonObject

PackedT = TypeVar("PackedT", bound=PackedFloats)

CODE = "codeExecution"
"""The function that a gateway runs by itself: Gemini's hosted Python."""
GOOGLE_HOST = "generativelanguage.googleapis.com"
GOOGLE_PREFIX = "v1beta/openai"
"""Google's layer has this version alone."""

_VERSION_AT_END = re.compile(rf"/({VERSION})/*\Z", re.ASCII)
_LAYER_AT_END = re.compile(rf"/{VERSION}/openai/*\Z", re.ASCII)
_METHOD_AT_END = re.compile(r"/(chat/completions|completions|embeddings|images/generations)/*\Z")


class ChatRequest(Told):
    """A request for a completion; `messages`, `tools` and the like as the reference has them."""

    model: str
    messages: list[JsonObject]
    stream: bool | None = None
    stream_options: JsonObject | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = None
    max_tokens: int | None = None
    stop: list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    response_format: JsonObject | None = None
    tools: list[JsonObject] | None = None
    tool_choice: str | JsonObject | None = None
    reasoning_effort: str | None = None
    service_tier: str | None = None
    modalities: list[str] | None = None
    extra_body: JsonObject | None = None

    def streamed(self) -> Self:
        """The same with its answer in chunks, the last of which says what it cost."""
        return self.model_copy(update={"stream": True, "stream_options": {"include_usage": True}})

    @property
    def runs_code(self) -> bool:
        """Whether the gateway may run Python for the answer."""
        functions: list[JsonObject] = [tool.get("function") or {} for tool in self.tools or ()]
        return any(function.get("name") == CODE for function in functions)


class ChatUsage(Read):
    """Tokens. Whether `completion_tokens` counts the thoughts differs from one service to the other."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: JsonObject | None = None
    completion_tokens_details: JsonObject | None = None


class Choice(Read):
    """One answer, whole (`message`) or what a chunk adds to it (`delta`)."""

    index: int = 0
    message: JsonObject | None = None
    delta: JsonObject | None = None
    finish_reason: str | None = None


class Completion(Read):
    """A completion, or one chunk of it: where a stream was asked for, some gateways send it whole all the same."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"choices", "message", "delta", "content", "tool_calls"})
    answering: ClassVar[frozenset[str]] = frozenset({"choices"})
    """What an answer has that is no error: gateways put an id and a model beside their errors too."""

    id: str | None = None
    model: str | None = None
    choices: list[Choice] = []
    usage: ChatUsage | None = None
    service_tier: str | None = None


class EmbeddingsRequest(Told):
    """Texts to embed, one vector each."""

    model: str
    input: list[str]
    dimensions: int | None = None


class Vector(Read, Generic[PackedT]):
    """One vector, and which of the texts it is of."""

    index: int | None = None
    embedding: PackedT


class EmbeddingList(Read, Generic[PackedT]):
    """The vectors of some texts."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"data", "embedding"})
    numeric: ClassVar[bool] = True

    data: list[Vector[PackedT]] = []
    usage: ChatUsage | None = None


class ImagesRequest(Told):
    """Pictures from words."""

    model: str
    prompt: str
    n: int | None = None
    size: str | None = None
    response_format: str | None = "b64_json"


class MadePicture(Read):
    """A picture; base64."""

    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class ImageList(Read):
    """The pictures of a request."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"data", "b64_json"})

    data: list[MadePicture] = []
    usage: JsonObject | None = None


class ListedModel(Read):
    """A model by its id."""

    id: str = ""
    display_name: str | None = None


class ModelPage(Read):
    """All models of a service."""

    data: list[ListedModel] = []


@dataclass(frozen=True, slots=True)
class Place:
    """The methods of one service.

    Attributes:
        google: whether it is Google's own layer, which takes and gives Google's additions, and has no gateway's.
        chat: a completion, whole or in chunks.
        vectors: of texts.
        unit_vectors: the same, scaled to length 1.
        images: pictures.
        models: the list of models.
        model: one model.
    """

    google: bool
    chat: Endpoint[Completion]
    vectors: Endpoint[EmbeddingList[PackedFloats]]
    unit_vectors: Endpoint[EmbeddingList[PackedUnit]]
    images: Endpoint[ImageList]
    models: Endpoint[ModelPage]
    model: Endpoint[ListedModel]


def place(base_url: str, *, layer: bool = False) -> Place:
    """The methods of the service at a base URL.

    Args:
        base_url: of a gateway, with any prefix, with `/v1` at its end or without; or of Google.
        layer: whether it is the Gemini API itself that is there, and its layer is meant.
    """
    url = urlsplit(base_url.strip())
    version = _VERSION_AT_END.search(url.path)
    google = layer or url.hostname == GOOGLE_HOST or bool(_LAYER_AT_END.search(url.path))
    if url.path.rstrip("/").endswith("/openai"):
        prefix = ""
    elif google:
        prefix = f"{GOOGLE_PREFIX}/"
    else:
        prefix = f"{version[1] if version else 'v1'}/"

    def post(path: str, answer: type[Any]) -> Endpoint[Any]:
        return Endpoint("POST", f"{prefix}{path}", answer, repeat="foreground", family="openai")

    def get(path: str, answer: type[Any]) -> Endpoint[Any]:
        return Endpoint("GET", f"{prefix}{path}", answer, family="openai")

    return Place(
        google=google,
        chat=post("chat/completions", Completion),
        vectors=post("embeddings", EmbeddingList[PackedFloats]),
        unit_vectors=post("embeddings", EmbeddingList[PackedUnit]),
        images=post("images/generations", ImageList),
        models=get("models", ModelPage),
        model=get("models/{model}", ListedModel),
    )


def named_method(base_url: str) -> str:
    """The method that a base URL names at its end, and should not; empty where it names none."""
    found = _METHOD_AT_END.search(urlsplit(base_url).path)
    return found[1] if found else ""
