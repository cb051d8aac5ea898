"""What the API refuses in a well-formed generateContent request, in its words.

`schema` has already checked names and types; here are the rules of meaning. Turn order, function calls and signatures
are in `turns`, attachments in `media_refusals`, what is to be made in `output_refusals`, search and maps in
`tool_refusals`. Source: the API reference of
generateContent, the "Gemini 3" guide and the messages of the live service.
"""

from __future__ import annotations

import re

from .computer_use_rules import check_computer_use
from .errors import invalid
from .media import modality
from .media_refusals import check_media, check_transcription
from .models import ModelCard
from .output_refusals import check_output
from .tool_refusals import check_grounding
from .turns import check_turns
from .wire import Object

_TEXT_MIMES = ("text/plain", "application/json", "text/x.enum")
_FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_PDF_LIMIT = 50 * 1024 * 1024
_MAX_STOPS = 5
_MAX_LABELS = 64
_BESIDE = ("functionDeclarations", "mcpServers", "computerUse")
"""Tools whose calls go to the client, as those of functions do."""


def check_request(request: Object, card: ModelCard) -> None:
    """Refuse what the API refuses.

    Raises:
        ApiError: with the status and message of the first rule that is broken.
    """
    _contents(request)
    check_media(request["contents"], card)
    _config(request.get("generationConfig", {}), card)
    check_output(request, card)
    check_transcription(request, card)
    _tools(request, card)
    check_computer_use(request, card)
    check_grounding(request, card)
    if len(request.get("labels", {})) > _MAX_LABELS:
        raise invalid(f"* GenerateContentRequest.labels: at most {_MAX_LABELS} labels are allowed\n")
    check_turns(request, card)


def check_contents(contents: list[Object], field: str = "GenerateContentRequest.contents") -> None:
    """Refuse contents that are missing, empty, or without a proper role."""
    if not contents:
        raise invalid(f"* {field}: contents is not specified\n")
    problems: list[str] = []
    for index, content in enumerate(contents):
        if content.get("role", "user") not in ("user", "model", ""):
            raise invalid("Please use a valid role: user, model.")
        parts = content.get("parts", [])
        if not parts:
            problems.append(f"* {field}[{index}].parts: contents.parts must not be empty.\n")
        problems += _parts(parts, f"{field}[{index}]")
    if problems:
        raise invalid("".join(problems))


_DATA = (
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
    "toolCall", "toolResponse", "audioTranscription", "thoughtSignature",
)  # fmt: skip


def _parts(parts: list[Object], field: str) -> list[str]:
    problems: list[str] = []
    for index, part in enumerate(parts):
        place = f"{field}.parts[{index}]"
        if not any(name in part for name in _DATA):
            problems.append(f"* {place}.data: required oneof field 'data' must have one initialized field\n")
        if "inlineData" in part:
            _blob(part["inlineData"], place)
        if "fileData" in part:
            _file(part["fileData"]["fileUri"])
    return problems


def _blob(blob: Object, place: str) -> None:
    mime = blob.get("mimeType", "")
    if not mime:
        raise invalid(f"* {place}.inline_data.mime_type: mime_type must not be empty.\n")
    if not blob.get("data"):
        raise invalid(f"* {place}.inline_data: required oneof field 'data' must have one initialized field\n")
    if modality(mime) is None:
        raise invalid(f"Unsupported MIME type: {mime}")
    if mime == "application/pdf" and len(blob["data"]) * 3 // 4 > _PDF_LIMIT:
        raise invalid(f"The document is too large: the limit of an inline PDF is {_PDF_LIMIT} bytes.")


def _file(uri: str) -> None:
    if not re.match(r"https?://|gs://|files/[^/]+$", uri):
        raise invalid(f"Invalid or unsupported file uri: {uri}")


def _contents(request: Object) -> None:
    check_contents(request.get("contents", []))
    instruction = request.get("systemInstruction")
    if instruction is not None:
        if not all("text" in part for part in instruction.get("parts", [])):
            raise invalid("System instruction only supports text parts.")
        if not instruction.get("parts"):
            raise invalid("* GenerateContentRequest.system_instruction.parts: contents.parts must not be empty.\n")


def _config(config: Object, card: ModelCard) -> None:
    place = "* GenerateContentRequest.generation_config"
    _between(config, "temperature", 0, 2, place)
    _between(config, "topP", 0, 1, place)
    _between(config, "topK", 1, 2**31, place)
    _between(config, "presencePenalty", -2, 2, place)
    _between(config, "frequencyPenalty", -2, 2, place)
    _between(config, "logprobs", 0, 20, place)
    _between(config, "maxOutputTokens", 1, card.outputs, place)
    if "logprobs" in config and not config.get("responseLogprobs"):
        raise invalid("logprobs can only be set when response_logprobs is true.")
    stops = config.get("stopSequences", [])
    if len(stops) > _MAX_STOPS:
        raise invalid(f"{place}.stop_sequences: at most {_MAX_STOPS} stop sequences are allowed, found {len(stops)}\n")
    if "" in stops:
        raise invalid(f"{place}.stop_sequences: stop sequences must not be empty\n")
    _candidates(config.get("candidateCount", 1), card)
    _thinking(config.get("thinkingConfig", {}), card)
    _output_format(config, place)
    _modalities(config, card)


def _between(config: Object, name: str, low: float, high: float, place: str) -> None:
    value = config.get(name)
    if value is not None and not low <= value <= high:
        field = re.sub(r"([A-Z])", r"_\1", name).lower()
        raise invalid(f"{place}.{field}: {field} must be in the range [{low}, {high}].\n")


def _candidates(count: int, card: ModelCard) -> None:
    if count < 1 or count > 8:
        raise invalid("* GenerateContentRequest.generation_config.candidate_count: must be in the range [1, 8].\n")
    if count > 1 and card.generation >= 3:
        raise invalid("Multiple candidates is not enabled for this model")


def _thinking(thinking: Object, card: ModelCard) -> None:
    if not thinking:
        return
    level, budget = thinking.get("thinkingLevel"), thinking.get("thinkingBudget")
    if level is not None and budget is not None:
        raise invalid("You can only set only one of thinking budget and thinking level.")
    if not card.thinks:
        raise invalid(f"Thinking is not supported by this model: models/{card.id}.")
    if level not in (None, "THINKING_LEVEL_UNSPECIFIED") and level not in card.levels:
        if not card.levels:
            raise invalid("Thinking level is not supported for this model.")
        allowed = ", ".join(card.levels)
        raise invalid(f"Thinking level {level} is not supported for this model. Supported levels: {allowed}.")
    if budget is not None:
        _budget(budget, card)


def _budget(budget: int, card: ModelCard) -> None:
    if not card.takes_budget:
        raise invalid("Thinking budget is not supported for this model. Please use thinking level instead.")
    highest = 32_768 if "pro" in card.id else 24_576
    if budget == 0 and ("pro" in card.id or card.generation >= 3):
        raise invalid("Budget 0 is invalid. This model only works in thinking mode.")
    if budget < -1 or budget > highest:
        raise invalid(f"The thinking budget {budget} is invalid. Please choose a value between 1 and {highest}.")


def _output_format(config: Object, place: str) -> None:
    mime = config.get("responseMimeType", "")
    if mime and mime not in _TEXT_MIMES:
        allowed = ", ".join(f"`{name}`" for name in _TEXT_MIMES)
        raise invalid(f"{place}.response_mime_type: allowed mimetypes are {allowed}.\n")
    schemas: list[str] = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
    if config.get("responseFormat", {}).get("text", {}).get("schema") is not None:
        schemas.append("responseFormat")
    if len(schemas) > 1:
        raise invalid("Only one of response_schema, response_json_schema and response_format.text.schema may be set.")
    if schemas and schemas != ["responseFormat"] and mime not in ("application/json", "text/x.enum"):
        raise invalid(
            f"{place}.response_schema: only allowed with a response mime type of 'application/json' or 'text/x.enum'.\n"
        )
    if "responseSchema" in config:
        check_schema(config["responseSchema"], f"{place}.response_schema")


def check_schema(schema: Object, place: str) -> None:
    """Refuse an OpenAPI-subset schema that the API cannot read."""
    kind = schema.get("type", "TYPE_UNSPECIFIED")
    if kind == "TYPE_UNSPECIFIED" and "anyOf" not in schema:
        raise invalid(f"{place}.type: must be specified\n")
    if kind == "ARRAY" and "items" not in schema:
        raise invalid(f"{place}.items: missing field.\n")
    if schema.get("enum") is not None and kind not in ("STRING", "TYPE_UNSPECIFIED"):
        raise invalid(f"{place}.enum: only allowed for STRING type\n")
    properties: dict[str, Object] = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in properties:
            raise invalid(f"{place}.required[{schema['required'].index(name)}]: property is not defined\n")
    for name, child in properties.items():
        check_schema(child, f"{place}.properties[{name}]")
    if "items" in schema:
        check_schema(schema["items"], f"{place}.items")
    for index, child in enumerate(schema.get("anyOf", [])):
        check_schema(child, f"{place}.any_of[{index}]")


def _modalities(config: Object, card: ModelCard) -> None:
    asked: list[str] = config.get("responseModalities", [])
    if any(name not in card.modalities for name in asked):
        raise invalid(
            f"The requested combination of response modalities ({', '.join(asked)}) is not supported by the model. "
            f"models/{card.id} accepts the following combination of response modalities:\n* "
            f"{', '.join(card.modalities)}\n"
        )
    if card.modalities == ("AUDIO",) and asked != ["AUDIO"]:
        raise invalid(
            f"The requested combination of response modalities ({', '.join(asked) or 'TEXT'}) is not supported by the "
            f"model. models/{card.id} accepts the following combination of response modalities:\n* AUDIO\n"
        )


def _tools(request: Object, card: ModelCard) -> None:
    tools: list[Object] = request.get("tools", [])
    declarations = [one for tool in tools for one in tool.get("functionDeclarations", [])]
    built_in = sorted({name for tool in tools for name in tool if name not in _BESIDE})
    calling: Object = request.get("toolConfig", {}).get("functionCallingConfig", {})
    _declarations(tools)
    names = {one["name"] for one in declarations}
    if len(names) < len(declarations):
        raise invalid("Duplicate function declaration found.")
    if calling.get("mode") in ("ANY", "VALIDATED") and not declarations:
        raise invalid("Function calling config is set without function_declarations.")
    if calling.get("allowedFunctionNames"):
        if calling.get("mode") not in ("ANY", "VALIDATED"):
            raise invalid("Allowed function names should only be set when function calling mode is ANY or VALIDATED.")
        for name in calling["allowedFunctionNames"]:
            if name not in names:
                raise invalid(f"Allowed function name {name!r} is not among the function declarations.")
    if declarations and built_in:
        if card.generation < 3:
            raise invalid("Tool use with function calling is unsupported")
        if not request.get("toolConfig", {}).get("includeServerSideToolInvocations"):
            raise invalid(
                "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function "
                "calling."
            )
    if "googleSearchRetrieval" in built_in:
        raise invalid("google_search_retrieval is not supported. Please use google_search tool instead.")
    for tool in tools:
        for store in tool.get("fileSearch", {}).get("fileSearchStoreNames", []):
            _store(store)


def _store(name: str) -> None:
    if not re.fullmatch(r"fileSearchStores/[a-z0-9-]+", name):
        raise invalid(f"Invalid file search store name: {name}. It should be of the form fileSearchStores/{{id}}.")


def _declarations(tools: list[Object]) -> None:
    for at, tool in enumerate(tools):
        for index, one in enumerate(tool.get("functionDeclarations", [])):
            place = f"* GenerateContentRequest.tools[{at}].function_declarations[{index}]"
            if not _FUNCTION_NAME.fullmatch(one["name"]):
                raise invalid(
                    f"{place}.name: Invalid function name. Must start with a letter or an underscore. Must be "
                    "alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a "
                    "maximum length of 128.\n"
                )
            if "parameters" in one and "parametersJsonSchema" in one:
                raise invalid(f"{place}: only one of parameters and parameters_json_schema may be set.\n")
            if "parameters" in one:
                if one["parameters"].get("type") not in ("OBJECT", None):
                    raise invalid(f"{place}.parameters.type: should be OBJECT\n")
                check_schema({"type": "OBJECT", **one["parameters"]}, f"{place}.parameters")
