"""What a caller may say about an answer besides the prompt, and how it reads in Gemini's terms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict

from gemini_server.api.catalogue import Catalogue
from gemini_server.api.config import (
    AudioTranscriptionConfig,
    GenerationConfig,
    HarmCategory,
    HarmThreshold,
    SafetySetting,
    ThinkingConfig,
)
from gemini_server.api.content import Content, Part, text_part
from gemini_server.api.model_facts import FamilyRules
from gemini_server.api.models import GenerateContentRequest, ServiceTier, resource_name
from gemini_server.api.tools import (
    FileSearch,
    FunctionCallingConfig,
    FunctionDeclaration,
    GoogleMaps,
    GoogleSearch,
    RetrievalConfig,
    ToolConfig,
)
from gemini_server.api.tools import Tool as GeminiTool
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.file_search_names import store_names
from gemini_server.toolkit.generation import json_answer
from gemini_server.toolkit.untrusted import label

Thinking = Literal["minimal", "low", "medium", "high"]
BuiltIn = Literal["search", "maps", "urls", "code", "file_search"]
FunctionMode = Literal["auto", "any", "none", "validated"]
Resolution = Literal["low", "medium", "high"]
PartResolution = Literal["low", "medium", "high", "ultra_high"]


LONGEST_MODEL = 200
"""Characters of a model id, with room for those of a gateway."""
MOST_STOPS = 5
_LARGEST = 2**31 - 1

_SEARCH_ALONE = ("gemini-1", "gemini-2")
"""Families whose models search in stores, or do something else."""


class Options(BaseModel):
    """The options of a call, and what a conversation keeps of them."""

    model_config = ConfigDict(extra="ignore")

    system: str | None = None
    json_schema: Any = None
    thinking: Thinking | int | None = None
    include_thoughts: bool | None = None
    max_output_tokens: int | None = None
    stop: list[str] | None = None
    seed: int | None = None
    sampling: dict[str, float] | None = None
    safety: dict[str, str] | None = None
    cache: str | None = None
    use: list[BuiltIn] | None = None
    stores: list[str] | None = None
    store_top_k: int | None = None
    store_filter: str | None = None
    functions: list[dict[str, Any]] | None = None
    function_mode: FunctionMode | None = None
    allowed_functions: list[str] | None = None
    service_tier: ServiceTier | None = None
    media_resolution: Resolution | None = None
    part_resolution: PartResolution | None = None
    transcription: dict[str, Any] | None = None
    search: GoogleSearch | None = None
    retrieval: RetrievalConfig | None = None
    sources: list[str] | None = None
    """What the turns before rest on; a conversation keeps it (see `sources`)."""

    def kept(self) -> dict[str, Any]:
        """What later turns of a conversation inherit."""
        return self.model_dump(exclude_none=True)


def build(
    model: str, contents: list[Content | JsonObject], options: Options, catalogue: Catalogue, *, on: date | None = None
) -> tuple[GenerateContentRequest, list[str]]:
    """The request of a call, and warnings about what the model family does not take as it was said.

    Args:
        model: the model id.
        contents: the turns, the new one last.
        options: what was said.
        catalogue: what is known of the models.
        on: the day, today in UTC by default; a model that is rerouted on it is asked as the one that answers.

    Raises:
        ArgumentError: options that contradict each other or that the API does not know. Nothing has been sent.
    """
    warnings: list[str] = []
    tools = _tools(options)
    check_cache(options)
    if options.stores:
        asked = catalogue.answering(model_id(model), on) if on else model
        _check_stores(catalogue.family(asked), options)
    request = GenerateContentRequest(
        contents=contents,
        system_instruction=Content(parts=[text_part(options.system)]) if options.system else None,
        generation_config=_config(model, options, catalogue, warnings, on),
        safety_settings=[_safety(*pair) for pair in options.safety.items()] if options.safety else None,
        tools=tools,
        tool_config=_tool_config(options, tools),
        cached_content=options.cache or None,
        service_tier=options.service_tier,
    )
    return request, warnings


def _config(
    model: str, options: Options, catalogue: Catalogue, warnings: list[str], on: date | None
) -> GenerationConfig | None:
    config: dict[str, Any] = {
        "max_output_tokens": options.max_output_tokens,
        "stop_sequences": options.stop or None,
        "seed": options.seed,
        "media_resolution": f"MEDIA_RESOLUTION_{options.media_resolution.upper()}"
        if options.media_resolution
        else None,
    }
    check_writing(options.max_output_tokens, options.stop or (), options.seed)
    if options.transcription is not None:
        config["audio_transcription_config"] = AudioTranscriptionConfig.model_validate(options.transcription)
    if options.json_schema is not None:
        config |= {"response_mime_type": "application/json", "response_json_schema": options.json_schema}
    if options.sampling:
        unknown = options.sampling.keys() - {"temperature", "top_p", "top_k"}
        if unknown:
            raise ArgumentError(f"sampling takes temperature, top_p and top_k, not {', '.join(sorted(unknown))}.")
        accepted, notes = catalogue.sampling(model, options.sampling, on=on)
        config |= accepted
        warnings += notes
    thinking = _thinking(model, options, catalogue, warnings, on)
    if thinking:
        config["thinking_config"] = ThinkingConfig.model_validate(thinking)
    config = {name: value for name, value in config.items() if value is not None}
    return GenerationConfig.model_validate(config) if config else None


def _thinking(
    model: str, options: Options, catalogue: Catalogue, warnings: list[str], on: date | None
) -> dict[str, Any]:
    thinking: dict[str, Any] = {}
    if options.thinking is not None:
        thinking, notes = catalogue.thinking(model, options.thinking, on=on)
        warnings += notes
    if options.include_thoughts:
        # A family that does not think refuses the whole request for it.
        if catalogue.family(model).thinking.style == "none":
            warnings.append(f"{model} shows no thoughts; include_thoughts was left out.")
        else:
            thinking = {**thinking, "includeThoughts": True}
    return thinking


def _safety(category: str, threshold: str) -> SafetySetting:
    full = _constant(category)
    full = full if full.startswith("HARM_CATEGORY_") else f"HARM_CATEGORY_{full}"
    level = _constant(threshold)
    if full not in get_args(HarmCategory):
        known = ", ".join(name.removeprefix("HARM_CATEGORY_") for name in get_args(HarmCategory)[:6])
        raise ArgumentError(f"{category!r} is no safety category.", f"Use one of {known}.")
    if level not in get_args(HarmThreshold):
        raise ArgumentError(
            f"{threshold!r} is no safety threshold.", f"Use one of {', '.join(get_args(HarmThreshold))}."
        )
    return SafetySetting(category=cast(HarmCategory, full), threshold=cast(HarmThreshold, level))


def _constant(spelled: str) -> str:
    return spelled.strip().upper().replace("-", "_").replace(" ", "_")


def _tools(options: Options) -> list[GeminiTool] | None:
    tools: list[GeminiTool] = []
    use = options.use or []
    if "search" in use:
        tools.append(GeminiTool(google_search=options.search or GoogleSearch()))
    if "maps" in use:
        tools.append(GeminiTool(google_maps=GoogleMaps()))
    if "urls" in use:
        tools.append(GeminiTool(url_context={}))
    if "code" in use:
        tools.append(GeminiTool(code_execution={}))
    if "file_search" in use or options.stores:
        if not options.stores:
            raise ArgumentError("file_search needs stores.", "Name at least one fileSearchStores/ID in `stores`.")
        search = FileSearch(
            file_search_store_names=store_names(options.stores),
            top_k=options.store_top_k,
            metadata_filter=options.store_filter,
        )
        tools.append(GeminiTool(file_search=search))
    if options.functions:
        tools.append(GeminiTool(function_declarations=[_declaration(function) for function in options.functions]))
    return tools or None


def _declaration(function: dict[str, Any]) -> FunctionDeclaration:
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise ArgumentError("Every function needs a name.", "Give {name, description, parameters: JSON Schema}.")
    unknown = function.keys() - {"name", "description", "parameters", "response"}
    if unknown:
        raise ArgumentError(
            f"The function {name!r} has members that are not known: {', '.join(sorted(unknown))}.",
            "Give {name, description, parameters: JSON Schema}.",
        )
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise ArgumentError(f"The parameters of {name!r} must be a JSON Schema object.")
    if not json_answer.within(parameters, json_answer.SCHEMA_DEPTH):
        raise ArgumentError(f"The parameters of {name!r} are nested too deeply.", "Make them flatter.")
    description = function.get("description")
    return FunctionDeclaration(
        name=name,
        description=str(description) if description is not None else None,
        # A function without parameters is declared without them: Gemini refuses an object schema without properties.
        parameters_json_schema=parameters or None,
        response_json_schema=function.get("response"),
    )


def _tool_config(options: Options, tools: list[GeminiTool] | None) -> ToolConfig | None:
    names = {function.get("name") for function in options.functions or ()}
    unknown = set(options.allowed_functions or ()) - names
    if unknown:
        shown = ", ".join(label(name, 64) for name in sorted(unknown)[:10])
        raise ArgumentError(f"allowed_functions names functions that are not given: {shown}.")
    if options.function_mode in ("any", "validated") and not names:
        raise ArgumentError(f"function_mode {options.function_mode!r} needs functions.")
    calling = None
    if names and (options.function_mode or options.allowed_functions):
        mode = options.function_mode or "any"
        if options.allowed_functions and mode not in ("any", "validated"):
            raise ArgumentError("allowed_functions goes with function_mode any or validated.")
        calling = FunctionCallingConfig(
            mode=cast(Any, mode.upper()), allowed_function_names=options.allowed_functions or None
        )
    # Functions beside built-in tools need the built-in steps back in the next turn.
    mixed = bool(names) and len(tools or ()) > 1
    if calling is None and not mixed and options.retrieval is None:
        return None
    return ToolConfig(
        function_calling_config=calling,
        include_server_side_tool_invocations=mixed or None,
        retrieval_config=options.retrieval,
    )


def check_cache(options: Options) -> None:
    """Refuse what Google takes beside no cache.

    Raises:
        ArgumentError: naming it; nothing was sent.
    """
    given = {"system": options.system, "use": options.use, "stores": options.stores, "functions": options.functions}
    beside = [name for name, value in given.items() if value]
    if options.cache and beside:
        raise ArgumentError(
            f"A cache cannot be combined with {' and '.join(beside)}, given now or kept by the conversation: that "
            "belongs into the cache itself. Nothing was sent.",
            "Leave them out, in a conversation with empty values; or give system to create_cache, for a cache that "
            "holds it.",
        )


def _check_stores(family: FamilyRules, options: Options) -> None:
    """Refuse what the models before Gemini 3 do not take beside a search in stores."""
    if not family.prefix.startswith(_SEARCH_ALONE):
        return
    others = [f"use {name}" for name in options.use or () if name != "file_search"]
    others += ["functions"] if options.functions else []
    others += ["json_schema"] if options.json_schema is not None else []
    if others:
        raise ArgumentError(
            f"The models of {family.prefix} take stores alone, not beside {' and '.join(others)}; nothing was sent.",
            "Ask twice, or use a model of Gemini 3 or later.",
        )


def model_id(model: str) -> str:
    """A model as it is named in results and in the books: without blanks around it, and without `models/`.

    Raises:
        ArgumentError: it can be no model's, of Google's or of a gateway's. Nothing was sent.
    """
    bare = model.strip().removeprefix("models/")
    if not bare or len(bare) > LONGEST_MODEL or not bare.isprintable() or " " in bare:
        raise ArgumentError(
            f"model is no model id: {model[:40]!r}.",
            "list_models shows those of this key; without it a default is used.",
        )
    return bare


def check_writing(max_output_tokens: int | None, stop: Sequence[str], seed: int | None) -> None:
    """Refuse what no model takes of how long an answer may get, where it stops, and its seed.

    Raises:
        ArgumentError: naming it; nothing was sent.
    """
    if max_output_tokens is not None and max_output_tokens < 1:
        raise ArgumentError("max_output_tokens must be at least 1.")
    if max_output_tokens is not None and max_output_tokens > _LARGEST:
        raise ArgumentError(
            f"max_output_tokens is at most {_LARGEST}.", "list_models shows what a model writes at most."
        )
    if len(stop) > MOST_STOPS:
        raise ArgumentError(f"Gemini takes at most {MOST_STOPS} stop sequences.", "Give fewer.")
    if not all(stop):
        raise ArgumentError("A stop sequence is empty.", "Leave it out.")
    if seed is not None and not -_LARGEST - 1 <= seed <= _LARGEST:
        raise ArgumentError(f"seed is a number from {-_LARGEST - 1} to {_LARGEST}.")


def request_model(model: str) -> str:
    """The `model` path parameter for a model id."""
    return resource_name(model)


def user_turn(prompt: str, attachments: list[Part]) -> Content:
    """The user's turn: media first, then the question about them, as Google recommends."""
    return Content(role="user", parts=[*attachments, *([text_part(prompt)] if prompt else [])])
