"""A chat completion request as a generateContent request.

Source: "Create chat completion" of OpenAI's API reference, and "OpenAI compatibility" of the Gemini API for what Google
adds to it and for what `reasoning_effort` means to each generation of models.
"""

from __future__ import annotations

from .errors import bad_fields, invalid
from .models import ModelCard
from .openai_errors import refused
from .openai_manner import Manner
from .openai_messages import conversation
from .schema import camel
from .wire import Object, dump, is_list, is_object

_NUMBER = (int, float)
_FIELDS: dict[str, tuple[type, ...]] = {
    "model": (str,), "messages": (list,), "stream": (bool,), "stream_options": (dict,), "max_tokens": (int,),
    "max_completion_tokens": (int,), "temperature": _NUMBER, "top_p": _NUMBER, "n": (int,), "stop": (str, list),
    "seed": (int,), "presence_penalty": _NUMBER, "frequency_penalty": _NUMBER, "logprobs": (bool,),
    "top_logprobs": (int,), "response_format": (dict,), "tools": (list,), "tool_choice": (str, dict),
    "parallel_tool_calls": (bool,), "reasoning_effort": (str,), "service_tier": (str,), "modalities": (list,),
    "user": (str,),
}  # fmt: skip
_PLAIN = {
    "max_tokens": "maxOutputTokens", "max_completion_tokens": "maxOutputTokens", "temperature": "temperature",
    "top_p": "topP", "n": "candidateCount", "seed": "seed", "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty", "logprobs": "responseLogprobs", "top_logprobs": "logprobs",
}  # fmt: skip
_GOOGLE = frozenset({"cached_content", "thinking_config", "safety_settings"})
_EFFORTS = ("none", "minimal", "low", "medium", "high")
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576}
_CHOICES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


def checked(body: object, manner: Manner) -> Object:
    """A body whose fields are known and of their types; those that are null are left out.

    Raises:
        ApiError: 400 for any other.
    """
    if not is_object(body):
        raise refused("The body must be a JSON object.")
    given: Object = {name: value for name, value in body.items() if value is not None}
    fields = {**_FIELDS, "extra_body": (dict,)} if manner.google else _FIELDS
    for name, value in given.items():
        if name not in fields:
            raise _unknown(name, manner)
        if not isinstance(value, fields[name]) or (isinstance(value, bool) and bool not in fields[name]):
            raise refused(f"Invalid value at '{name}': {dump(value)[:100]}", name)
    if not given.get("model"):
        raise refused("You must provide a model parameter.", "model")
    return given


def generate_request(body: Object, card: ModelCard, manner: Manner) -> Object:
    """The generateContent request of a checked body.

    Raises:
        ApiError: 400 for what cannot be said to Gemini.
    """
    contents, instruction = conversation(body.get("messages"), manner)
    request: Object = {"contents": contents}
    if instruction:
        request["systemInstruction"] = {"parts": [{"text": instruction}]}
    google = _google(body, manner)
    config = {_PLAIN[name]: value for name, value in body.items() if name in _PLAIN}
    if "stop" in body:
        config["stopSequences"] = body["stop"] if is_list(body["stop"]) else [body["stop"]]
    config |= _format(body.get("response_format", {}))
    thinking = _thinking(body, google, card)
    if thinking:
        config["thinkingConfig"] = thinking
    if "modalities" in body:
        config["responseModalities"] = [str(one).upper() for one in body["modalities"]]
    if config:
        request["generationConfig"] = config
    request |= _tools(body, manner)
    if body.get("service_tier", "auto") not in ("auto", "default"):
        request["serviceTier"] = body["service_tier"]
    for name in ("cached_content", "safety_settings"):
        if name in google:
            request[camel(name)] = google[name]
    return request


def wants_usage(body: Object) -> bool:
    """Whether a stream is to end with the usage."""
    return body.get("stream_options", {}).get("include_usage") is True


def _unknown(name: str, manner: Manner) -> Exception:
    if manner.google:
        return bad_fields([("", f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')])
    return refused(f"Unknown parameter: '{name}'.", name, "unknown_parameter")


def _google(body: Object, manner: Manner) -> Object:
    extra: Object = body.get("extra_body", {})
    google: object = extra.get("google", {})
    unknown = [f"extra_body.{name}" for name in extra if name != "google"]
    if not is_object(google):
        raise refused("Invalid value at 'extra_body.google': an object is expected.", "extra_body.google")
    unknown += [f"extra_body.google.{name}" for name in google if name not in _GOOGLE]
    if unknown:
        raise _unknown(unknown[0], manner)
    return google


def _format(form: Object) -> Object:
    match form.get("type", "text"):
        case "text":
            return {}
        case "json_object":
            return {"responseMimeType": "application/json"}
        case "json_schema":
            named: object = form.get("json_schema")
            if not is_object(named) or not named.get("name") or not is_object(named.get("schema")):
                param = "response_format.json_schema"
                raise refused(f"Invalid value at '{param}': name and schema are needed.", param)
            return {"responseMimeType": "application/json", "responseJsonSchema": named["schema"]}
        case other:
            raise refused(f"Invalid value at 'response_format.type': {other!r}.", "response_format.type")


def _thinking(body: Object, google: Object, card: ModelCard) -> Object:
    given: object = google.get("thinking_config", {})
    if not is_object(given):
        raise refused("Invalid value at 'extra_body.google.thinking_config'.", "extra_body")
    config: Object = {camel(name): value for name, value in given.items()}
    effort = body.get("reasoning_effort")
    if effort is None:
        return config
    if "thinkingLevel" in config or "thinkingBudget" in config:
        raise invalid("Expected one of either `reasoning_effort` or custom `thinking_config`; found both.")
    if effort not in _EFFORTS:
        raise refused(f"Invalid value at 'reasoning_effort': {effort!r}.", "reasoning_effort")
    if effort == "none":
        return {**config, "thinkingBudget": 0}
    if not card.levels:
        return {**config, "thinkingBudget": _BUDGETS[effort]}
    level = "LOW" if effort == "minimal" and "MINIMAL" not in card.levels else effort.upper()
    return {**config, "thinkingLevel": level}


def _tools(body: Object, manner: Manner) -> Object:
    declared: list[Object] = []
    hosted: list[Object] = []
    for index, tool in enumerate(body.get("tools", [])):
        function: object = tool.get("function") if is_object(tool) and tool.get("type") == "function" else None
        if not is_object(function) or not isinstance(function.get("name"), str):
            raise refused(f"Invalid value at 'tools.{index}': a function with a name is expected.", f"tools.{index}")
        if function["name"] in manner.hosted:
            hosted.append(dict(manner.hosted[function["name"]]))
            continue
        one: Object = {name: function[name] for name in ("name", "description") if function.get(name)}
        declared.append(
            {**one, **({"parametersJsonSchema": function["parameters"]} if "parameters" in function else {})}
        )
    settings: Object = _calling(body["tool_choice"]) if "tool_choice" in body and declared else {}
    if declared and hosted:
        settings["includeServerSideToolInvocations"] = True
    tools = [*hosted, *([{"functionDeclarations": declared}] if declared else [])]
    return {**({"tools": tools} if tools else {}), **({"toolConfig": settings} if settings else {})}


def _calling(choice: object) -> Object:
    if isinstance(choice, str) and choice in _CHOICES:
        return {"functionCallingConfig": {"mode": _CHOICES[choice]}}
    function: object = choice.get("function") if is_object(choice) else None
    if not is_object(function) or not function.get("name"):
        raise refused(f"Invalid value at 'tool_choice': {dump(choice)[:100]}", "tool_choice")
    return {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [function["name"]]}}
