"""A client of the OpenAI dialect that the rest of this server uses as if Gemini's own API were there.

Carried are answers (models.generateContent, whole and streamed), vectors of texts, the list of models; pictures from
words by the dialect's own method. Everything else is refused before anything is sent, with what the dialect lacks and
what to do. The machinery is that of every other call: one connection pool, retries, deadlines, redirects by hand.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, NoReturn, cast

import anyio.to_thread
from pydantic import BaseModel

from gemini_server.api import embeddings, models
from gemini_server.api.answer import GenerateContentResponse
from gemini_server.api.models import ListModelsResponse, Model
from gemini_server.api.openai import (
    ChatRequest,
    Completion,
    EmbeddingList,
    ImageList,
    ImagesRequest,
    ListedModel,
    ModelPage,
    place,
)
from gemini_server.errors import BadAnswer, KeyRefused, NotFound, PaymentRequired, SetupError
from gemini_server.rest.attempts import OnRetry
from gemini_server.rest.backend import Backend
from gemini_server.rest.body import RawJson
from gemini_server.rest.client import GeminiClient, Query
from gemini_server.rest.complaint import clean
from gemini_server.rest.config import ClientConfig
from gemini_server.rest.endpoint import Endpoint, JsonObject, Reply
from gemini_server.toolkit.dialect import openai_vectors
from gemini_server.toolkit.dialect.openai_answered import Folding, answered
from gemini_server.toolkit.dialect.openai_asked import asked
from gemini_server.toolkit.dialect.openai_events import Events
from gemini_server.toolkit.dialect.openai_refused import REMEDY, no_socket, not_carried, unknown
from gemini_server.toolkit.untrusted import label

LARGE = 64 * 1024
"""Characters of an answer above which it is taken apart in a thread."""


class OpenaiClient:
    """Has the methods of `GeminiClient` that tools use, and those of the dialect itself.

    Args:
        config: where the gateway is, the key, the limits.
        layer: whether Google's own layer is meant, beside the Gemini API at the same base URL.

    Attributes:
        place: the methods of the service.
        http: what sends, for calls in the words of the dialect itself.
        host: where it is.
    """

    def __init__(self, config: ClientConfig, *, layer: bool = False) -> None:
        self.place = place(config.base_url, layer=layer)
        self.http = GeminiClient(config)
        self.host = self.http.host

    @property
    def in_flight(self) -> int:
        """How many calls and open streams there are at the moment."""
        return self.http.in_flight

    @property
    def config(self) -> ClientConfig:
        """What WebSockets are opened with, which this dialect has not: whoever tries is refused."""
        backend = Backend("openai", "a gateway of the OpenAI dialect", way=no_socket)
        return replace(self.http.config, backend=backend)

    @property
    def uploads(self) -> NoReturn:
        """What sends files to Google.

        Raises:
            SetupError: always.
        """
        raise not_carried("has no files at Google: nothing can be uploaded, media go inline")

    def open_download(self, uri: str, **more: Any) -> NoReturn:
        """Files of Google's.

        Raises:
            SetupError: always.
        """
        raise not_carried("has no files at Google: nothing can be downloaded")

    async def aclose(self) -> None:
        """Closes the connections; a later call opens new ones."""
        await self.http.aclose()

    # -- as GeminiClient has it ----------------------------------------------------------------------------------------

    async def call(
        self,
        endpoint: Endpoint[Any],
        *,
        body: BaseModel | RawJson | None = None,
        query: Query | None = None,
        timeout: float | None = None,
        on_retry: OnRetry | None = None,
        **path: str,
    ) -> Reply[Any]:
        """As `GeminiClient.call`, of the endpoints that the dialect carries.

        Raises:
            SetupError: it does not carry this one; nothing was sent.
            ArgumentError: it does, but not what is in the request; nothing was sent.
            ToolserverError: any other of the tree.
        """
        if endpoint == models.GENERATE:
            request = await self._asked(path, body)
            return await self.complete(request, held=body, timeout=timeout, on_retry=on_retry)
        if endpoint in (embeddings.BATCH, embeddings.SCALED_BATCH):
            return await self._embedded(endpoint, path, body, on_retry)
        if endpoint == models.LIST:
            with self._explained():
                listed = await self.http.call(self.place.models, timeout=timeout, on_retry=on_retry)
            return Reply(ListModelsResponse(models=_models(listed.value)), listed.retries)
        if endpoint == models.GET:
            name = path["model"].removeprefix("models/")
            one = await self.http.call(self.place.model, timeout=timeout, on_retry=on_retry, model=name)
            return Reply(_model(one.value, name), one.retries)
        raise unknown(endpoint, path.values())

    def stream(
        self,
        endpoint: Endpoint[Any],
        *,
        body: BaseModel | RawJson | None = None,
        query: Query | None = None,
        timeout: float | None = None,
        on_retry: OnRetry | None = None,
        **path: str,
    ) -> AbstractAsyncContextManager[Events]:
        """As `GeminiClient.stream`, of models.streamGenerateContent.

        Raises:
            SetupError: on entering: the dialect does not carry another one; nothing was sent.
            ToolserverError: as `GeminiClient.stream`.
        """
        return self._streamed(endpoint, path, body, timeout, on_retry)

    async def pages(
        self, endpoint: Endpoint[Any], *, items: str, cap: int = 1000, query: Query | None = None, **more: Any
    ) -> tuple[list[Any], bool]:
        """As `GeminiClient.pages`, of the list of models, which comes whole.

        Raises:
            SetupError: the dialect does not carry another list; nothing was sent.
        """
        if endpoint != models.LIST:
            raise unknown(endpoint, more.values())
        found = (await self.call(endpoint)).value.models
        return found[:cap], len(found) > cap

    # -- the dialect's own ---------------------------------------------------------------------------------------------

    async def complete(
        self,
        request: ChatRequest,
        *,
        held: object = None,
        timeout: float | None = None,
        on_retry: OnRetry | None = None,
    ) -> Reply[GenerateContentResponse]:
        """Asks for a completion.

        Args:
            request: what is asked.
            held: what the media in it come from; kept until they are sent.
            timeout: as for `call`.
            on_retry: as for `call`.

        Raises:
            ToolserverError: any of the tree.
        """
        with self._explained():
            reply = await self.http.call(self.place.chat, body=request, timeout=timeout, on_retry=on_retry)
        del held
        google, code = self.place.google, request.runs_code
        if not google:
            self._check(reply.value)
        if _length(reply.value) < LARGE:
            return Reply(answered(reply.value, google=google, code=code), reply.retries)
        made = await anyio.to_thread.run_sync(lambda: answered(reply.value, google=google, code=code))
        return Reply(made, reply.retries)

    @asynccontextmanager
    async def follow(
        self,
        request: ChatRequest,
        *,
        held: object = None,
        timeout: float | None = None,
        on_retry: OnRetry | None = None,
    ) -> AsyncGenerator[Events]:
        """Asks for a completion in chunks.

        Raises:
            ToolserverError: as `GeminiClient.stream`.
        """
        folding = Folding(self.place.google, request.runs_code)
        endpoint = self.place.chat
        opening = self.http.stream(endpoint, body=request.streamed(), timeout=timeout, on_retry=on_retry)
        with self._explained():
            async with opening as chunks:
                del held
                yield Events(chunks, folding)

    async def draw(self, request: ImagesRequest, on_retry: OnRetry | None = None) -> Reply[ImageList]:
        """Asks for pictures by the dialect's own method.

        Raises:
            ToolserverError: any of the tree.
        """
        try:
            with self._explained():
                return await self.http.call(self.place.images, body=request, on_retry=on_retry)
        except NotFound as error:
            if self.place.google or self._names_model(error, request.model):
                raise
            raise SetupError(
                f"The gateway {self.host} has no images method: {error.what}",
                "generate_image and chat_completion make pictures through chat.",
                status=error.status,
            ) from None

    # ------------------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _streamed(
        self,
        endpoint: Endpoint[Any],
        path: Mapping[str, str],
        body: BaseModel | RawJson | None,
        timeout: float | None,
        on_retry: OnRetry | None,
    ) -> AsyncGenerator[Events]:
        if endpoint != models.STREAM:
            raise unknown(endpoint, path.values())
        request = await self._asked(path, body)
        async with self.follow(request, held=body, timeout=timeout, on_retry=on_retry) as events:
            yield events

    async def _asked(self, path: Mapping[str, str], body: BaseModel | RawJson | None) -> ChatRequest:
        return asked(path["model"], await _members(body), google=self.place.google)

    async def _embedded(
        self,
        endpoint: Endpoint[Any],
        path: Mapping[str, str],
        body: BaseModel | RawJson | None,
        on_retry: OnRetry | None,
    ) -> Reply[Any]:
        request = openai_vectors.asked(path["model"], await _members(body))
        unit = endpoint == embeddings.SCALED_BATCH
        method: Endpoint[EmbeddingList[Any]] = self.place.unit_vectors if unit else self.place.vectors
        try:
            with self._explained():
                reply = await self.http.call(method, body=request, on_retry=on_retry)
        except NotFound as error:
            if self._names_model(error, request.model):
                raise
            if self.place.google:
                raise SetupError(
                    f"Google has no vectors for this in OpenAI's dialect: {error.what}",
                    "list_models shows the models for embedding; the tool embed asks for them in Gemini's own way.",
                    status=error.status,
                ) from None
            what = f"The gateway {self.host} has no embeddings: {error.what}"
            raise SetupError(what, REMEDY, status=error.status) from None
        return Reply(openai_vectors.answered(reply.value, len(request.input)), reply.retries)

    @staticmethod
    def _names_model(error: NotFound, model: str) -> bool:
        return model in error.what or error.code == "model_not_found"

    def _check(self, completion: Completion) -> None:
        """Refuse what is none: some gateways report a failure under a good status, in a form of their own.

        Raises:
            BadAnswer: with what it says.
        """
        if completion.choices or completion.usage is not None or not completion.model_extra:
            return
        said = json.dumps(completion.model_extra, ensure_ascii=False)
        raise BadAnswer(
            f"The gateway {self.host} answered with no completion: {clean(said, 300)}",
            "Read what it says: it may be about the licence (GEMINI_API_KEY) or about GEMINI_BASE_URL.",
            code="no_completion",
        )

    @contextmanager
    def _explained(self) -> Generator[None]:
        """Says of a gateway's refusals what to look at there: they are seldom about Google's keys."""
        try:
            yield
        except KeyRefused as error:
            if not self.place.google:
                said = error.what[error.what.find("(") :]  # the status, and the gateway's own words
                error.what = f"The gateway {self.host} does not accept the key, sent as {self.config.auth} {said}"
                error.remedy = (
                    "Only the person who runs this server can mend this: GEMINI_API_KEY is the gateway's licence, and "
                    "GEMINI_AUTH says how it goes in the Authorization header: raw (the licence alone) or bearer."
                )
                if error.status == 403:
                    error.remedy += " Or the licence does not include this model."
            raise
        except PaymentRequired as error:
            if not self.place.google:
                error.what = error.what.replace("this Gemini account", f"the account at {self.host}", 1)
                error.remedy = (
                    "Only the person who runs this server can mend this: top up the account there. Do not repeat the "
                    "call."
                )
            raise
        except NotFound as error:
            if not self.place.google and error.code != "model_not_found" and "model" not in error.what.lower():
                error.remedy = f"Check GEMINI_BASE_URL: /{self.place.chat.path} and the like are asked for below it."
            raise


async def _members(body: BaseModel | RawJson | None) -> JsonObject:
    if isinstance(body, RawJson):
        return cast(JsonObject, await anyio.to_thread.run_sync(json.loads, body.data))
    return body.model_dump(by_alias=True, exclude_none=True) if body is not None else {}


def _models(page: ModelPage) -> list[Model]:
    return [_model(one) for one in page.data if one.id]


def _model(listed: ListedModel, name: str = "") -> Model:
    name = label((listed.id or name).removeprefix("models/"))
    return Model(name=f"models/{name}", display_name=label(listed.display_name or "") or None)


def _length(completion: Completion) -> int:
    told = [choice.message.get("content") for choice in completion.choices if choice.message]
    return sum(len(one) for one in told if isinstance(one, str))
