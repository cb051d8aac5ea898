"""Text, JSON by schema, chat, function calls, any mix of built-in tools."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.dialogue import answer_functions, ask
from gemini_server.toolkit.generation.options import BuiltIn, FunctionMode, Options, Resolution, Thinking
from gemini_server.toolkit.generation.result import TextResult
from gemini_server.toolkit.params import AnyJson, Attachments, ConversationName, JsonSchema, ModelName
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("text", "Text, JSON by schema, chat and function calls.")


class FunctionIn(BaseModel):
    """A function that the caller can run."""

    model_config = ConfigDict(extra="forbid")

    name: str
    description: str | None = None
    parameters: Annotated[dict[str, Any] | None, Field(description="JSON Schema")] = None


class Sampling(BaseModel):
    """Deprecated upstream; dropped with a warning where a family rejects it."""

    model_config = ConfigDict(extra="forbid")

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


class FunctionResultIn(BaseModel):
    """What a function returned."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    name: str | None = None
    response: AnyJson


@TOOLSET.tool(read_only=True, destructive=False, idempotent=False, open_world=True, default=True)
async def generate_text(
    call: Call,
    prompt: Annotated[str, Field(description="literal text")],
    attachments: Attachments = None,
    system: Annotated[str | None, Field(description="system instruction")] = None,
    json_schema: JsonSchema = None,
    thinking: Annotated[Thinking | int | None, Field(description="level, or token budget for 2.5 models")] = None,
    include_thoughts: Annotated[bool | None, Field(description="summary of the thinking")] = None,
    max_output_tokens: Annotated[int | None, Field(description="thinking counts too")] = None,
    stop: Annotated[list[str] | None, Field(description="stop sequences, up to 5")] = None,
    seed: Annotated[int | None, Field(description="for repeatable answers")] = None,
    sampling: Annotated[Sampling | None, Field(description="deprecated by Google; best left out")] = None,
    safety: Annotated[
        dict[str, str] | None,
        Field(description="e.g. HARASSMENT: BLOCK_ONLY_HIGH, BLOCK_NONE, OFF"),
    ] = None,
    cache: Annotated[str | None, Field(description="cachedContents/ID to build on")] = None,
    use: Annotated[list[BuiltIn] | None, Field(description="built-in tools Gemini may run")] = None,
    stores: Annotated[list[str] | None, Field(description="fileSearchStores/ID for file_search")] = None,
    functions: Annotated[
        list[FunctionIn] | None, Field(description="functions you can run; calls come back as function_calls")
    ] = None,
    function_mode: Annotated[FunctionMode | None, Field(description="any forces a call")] = None,
    allowed_functions: Annotated[list[str] | None, Field(description="the only ones to call, with mode any")] = None,
    conversation: Annotated[str | None, Field(description="'new' or an id: keep turns and settings")] = None,
    continuation: Annotated[str | None, Field(description="token of an unfinished answer")] = None,
    service_tier: Annotated[
        Literal["standard", "flex", "priority"] | None, Field(description="flex: half price, slower")
    ] = None,
    media_resolution: Annotated[Resolution | None, Field(description="detail of attachments; low costs less")] = None,
    model: ModelName = None,
) -> TextResult:
    """Ask Gemini for text, JSON by schema, or function calls, about a prompt and any attachments; chat, search the
    web, read pages and run code with `use`. Billed by token. Returns text (json with json_schema),
    citations, function_calls (answer them with submit_function_results), conversation, usage, warnings.
    """
    options = Options(
        system=system,
        json_schema=json_schema,
        thinking=thinking,
        include_thoughts=include_thoughts,
        max_output_tokens=max_output_tokens,
        stop=stop,
        seed=seed,
        sampling=sampling.model_dump(exclude_none=True) if sampling else None,
        safety=safety,
        cache=cache,
        use=use,
        stores=stores,
        functions=None if functions is None else [function.model_dump(exclude_none=True) for function in functions],
        function_mode=function_mode,
        allowed_functions=allowed_functions,
        service_tier=service_tier,
        media_resolution=media_resolution,
    )
    return await ask(
        call,
        model=model,
        prompt=prompt,
        attachments=attachments or (),
        options=options,
        conversation=conversation,
        continuation=continuation,
    )


@TOOLSET.tool(read_only=True, destructive=False, idempotent=False, open_world=True, default=True)
async def submit_function_results(
    call: Call,
    conversation: ConversationName,
    results: Annotated[
        list[FunctionResultIn], Field(description="one per function call: its id, name, and response (any JSON)")
    ],
) -> TextResult:
    """Give Gemini the results of the functions it called, all of one turn at once; it goes on with its answer or calls
    more. Billed like generate_text, returns the same.
    """
    return await answer_functions(call, conversation, [result.model_dump() for result in results])
