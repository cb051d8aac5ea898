"""PaLM: text, conversations, vectors and counts of models that Google has shut down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import anyio.to_thread
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from gemini_server.api import palm as api
from gemini_server.api.palm import (
    BatchEmbedTextRequest,
    CountMessageTokensRequest,
    CountTextTokensRequest,
    EmbedTextRequest,
    Example,
    GenerateMessageRequest,
    Message,
    MessagePrompt,
    PalmCategory,
    PalmThreshold,
    TextPrompt,
)
from gemini_server.errors import ArgumentError, BadAnswer
from gemini_server.toolkit import palm_text
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.options import model_id
from gemini_server.toolkit.results import ArtifactOut, Result, Usage
from gemini_server.toolkit.retired import PALM, asked, uncounted, withheld
from gemini_server.toolkit.saved import saved
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.untrusted import clean, label

TOOLSET = Toolset("palm", "The models of PaLM.")

INLINE = 8
"""Vectors that are shown; more become a file."""

Candidates = Annotated[int | None, Field(description="1 to 8 answers")]
Temperature = Annotated[float | None, Field(description="0 to 1")]
TopP = Annotated[float | None, Field(description="0 to 1")]
TopK = Annotated[int | None, Field(description="at least 1")]
Prompt = Annotated[str | None, Field(description="literal text: the last message")]
Context = Annotated[str | None, Field(description="what stands before the messages")]
Messages = Annotated[list[str] | None, Field(description="messages so far, of two authors in turn")]


class ExampleIn(BaseModel):
    """What is said, and what is to be answered."""

    model_config = ConfigDict(extra="forbid")

    input: str
    output: str


Examples = Annotated[list[ExampleIn] | None, Field(description="of how to answer")]


class Written(Result):
    """What PaLM wrote."""

    text: str
    candidates: Annotated[list[str] | None, Field(description="all answers, where there are several")] = None
    dropped: Annotated[int | None, Field(description="oldest messages without room")] = None
    model: str
    usage: Usage


class Vectors(Result):
    """One vector for each text."""

    vectors: Annotated[list[list[float]] | None, WithJsonSchema({"type": "array", "items": {"type": "array"}})] = None
    artifacts: Annotated[list[ArtifactOut] | None, Field(description="many vectors: one JSON array a line")] = None
    dimensions: int
    count: int
    model: str
    usage: Usage
    warnings: list[str] | None = None


class Counted(Result):
    """How many tokens."""

    total_tokens: int
    model: str


@TOOLSET.tool(read_only=True, destructive=False, idempotent=False, open_world=True)
async def palm_generate_text(
    call: Call,
    prompt: Annotated[str, Field(description="literal text")],
    temperature: Temperature = None,
    top_p: TopP = None,
    top_k: TopK = None,
    candidate_count: Candidates = None,
    max_output_tokens: Annotated[int | None, Field(description="tokens of each answer")] = None,
    stop: Annotated[list[str] | None, Field(description="stop sequences, up to 5")] = None,
    safety: Annotated[dict[PalmCategory, PalmThreshold] | None, Field(description="category: threshold")] = None,
    model: Annotated[str | None, Field(description="default text-bison-001")] = None,
) -> Written:
    """Have PaLM write a text. Billed; the price is not known. Returns text, usage. Google has shut PaLM down;
    generate_text replaces it.
    """
    chosen = model_id(model or api.TEXT_MODEL)
    wanted = palm_text.request(
        prompt,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        candidate_count=candidate_count,
        max_output_tokens=max_output_tokens,
        stop=stop,
        safety=(safety or {}).items(),
    )
    texts, usage = await palm_text.write(call, api.GENERATE_TEXT, chosen, wanted, PALM)
    return Written(text=texts[0], candidates=texts if len(texts) > 1 else None, model=label(chosen), usage=usage)


@TOOLSET.tool(read_only=True, destructive=False, idempotent=False, open_world=True)
async def palm_generate_message(
    call: Call,
    prompt: Prompt = None,
    messages: Messages = None,
    context: Context = None,
    examples: Examples = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    top_k: TopK = None,
    candidate_count: Candidates = None,
    model: Annotated[str | None, Field(description="default chat-bison-001")] = None,
) -> Written:
    """Have PaLM answer the last message of a conversation. Billed; the price is not known. Returns text, usage. Google
    has shut PaLM down; generate_text with a conversation replaces it.
    """
    chosen = model_id(model or api.CHAT_MODEL)
    conversation = _conversation(prompt, messages, context, examples)
    wanted = GenerateMessageRequest(
        prompt=conversation, temperature=temperature, top_p=top_p, top_k=top_k, candidate_count=candidate_count
    )
    answer = await asked(call, api.GENERATE_MESSAGE, chosen, wanted, PALM)
    usage = uncounted(call, chosen)
    if not answer.candidates:
        raise withheld([one.reason or "" for one in answer.filters or ()], usage)
    texts = [clean(one.content).text for one in answer.candidates]
    dropped = len(conversation.messages) - len(answer.messages) if answer.messages else 0
    return Written(
        text=texts[0],
        candidates=texts if len(texts) > 1 else None,
        dropped=dropped or None,
        model=label(chosen),
        usage=usage,
    )


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True)
async def palm_embed_text(
    call: Call,
    text: Annotated[str | None, Field(description="literal text")] = None,
    texts: Annotated[list[str] | None, Field(description="literal texts, up to 100")] = None,
    model: Annotated[str | None, Field(description="default embedding-gecko-001")] = None,
) -> Vectors:
    """Embed a text, or many at once, with PaLM. Billed; the price is not known. Returns vectors in the order of the
    texts. Google has shut PaLM down; embed replaces it.
    """
    given = [*([text] if text is not None else []), *(texts or ())]
    if not 1 <= len(given) <= api.MOST_TEXTS:
        raise ArgumentError(f"There are {len(given)} texts; nothing was sent.", f"Give 1 to {api.MOST_TEXTS}.")
    chosen = model_id(model or api.EMBEDDING_MODEL)
    if len(given) == 1:
        one = await asked(call, api.EMBED_TEXT, chosen, EmbedTextRequest(text=given[0]), PALM)
        vectors = [one.embedding.value]
    else:
        many = await asked(call, api.BATCH_EMBED_TEXT, chosen, BatchEmbedTextRequest(texts=given), PALM)
        vectors = [embedding.value for embedding in many.embeddings]
    usage = uncounted(call, chosen)
    if len(vectors) != len(given) or not vectors[0]:
        raise BadAnswer(f"{len(given)} texts were embedded, and {len(vectors)} vectors came.", "Embed them again.")
    result = Vectors(dimensions=len(vectors[0]), count=len(vectors), model=label(chosen), usage=usage)
    if len(vectors) > INLINE:
        lines = await anyio.to_thread.run_sync(_lines, vectors)
        warnings: list[str] = []
        kept = await saved(call, "embeddings", lines, warnings, name="x.jsonl")
        result.artifacts, result.warnings = [kept] if kept else None, warnings or None
    if result.artifacts is None:
        result.vectors = vectors
    return result


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True)
async def palm_count_tokens(
    call: Call,
    prompt: Annotated[str | None, Field(description="literal text: a prompt, or the last message")] = None,
    messages: Messages = None,
    context: Context = None,
    examples: Examples = None,
    model: Annotated[str | None, Field(description="default text-bison-001, chat-bison-001 for messages")] = None,
) -> Counted:
    """Count the tokens of a text, or with messages, context or examples those of a conversation, as PaLM does. Free.
    Google has shut PaLM down; count_tokens replaces it.
    """
    if messages or context or examples:
        chosen = model_id(model or api.CHAT_MODEL)
        conversation = CountMessageTokensRequest(prompt=_conversation(prompt, messages, context, examples))
        count = await asked(call, api.COUNT_MESSAGES, chosen, conversation, PALM)
    else:
        if not prompt:
            raise ArgumentError("There is nothing to count.", "Give prompt or messages.")
        chosen = model_id(model or api.TEXT_MODEL)
        text = CountTextTokensRequest(prompt=TextPrompt(text=prompt))
        count = await asked(call, api.COUNT_TEXT, chosen, text, PALM)
    return Counted(total_tokens=count.token_count, model=label(chosen))


def _lines(vectors: Sequence[Sequence[float]]) -> bytes:
    """A vector a line; a hundred of them take 40 ms."""
    return "".join(f"{json.dumps(vector)}\n" for vector in vectors).encode()


def _conversation(
    prompt: str | None, messages: list[str] | None, context: str | None, examples: list[ExampleIn] | None
) -> MessagePrompt:
    """The conversation that arguments make.

    Raises:
        ArgumentError: nobody says anything.
    """
    said = [*(messages or ()), *([prompt] if prompt else [])]
    if not said or not all(said):
        raise ArgumentError("There is no message, or an empty one; nothing was sent.", "Give prompt or messages.")
    shown = [Example(input=Message(content=one.input), output=Message(content=one.output)) for one in examples or ()]
    return MessagePrompt(messages=[Message(content=one) for one in said], context=context, examples=shown or None)
