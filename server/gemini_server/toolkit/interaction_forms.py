"""Parts of an interaction that callers write as the API has them: checked member by member, and named when wrong."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, cast

from pydantic import Field, TypeAdapter, ValidationError

from gemini_server.api.interaction_agent import AgentConfig
from gemini_server.api.interaction_environment import Sandbox
from gemini_server.api.interaction_request import ResponseFormat, SafetySetting, TextFormat, WebhookConfig
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject

_CONFIGS: Any = AgentConfig
_FORMATS: Any = Annotated[ResponseFormat, Field(discriminator="type")]
_FAMILIES = ("deep-research", "antigravity", "code-mender")


def agent_config(agent: str, given: JsonObject) -> Any:
    """How an agent works; its type follows from the agent where none is given."""
    family = next((one for one in _FAMILIES if agent.startswith(one)), "dynamic")
    return _valid(_CONFIGS, {"type": family, **given}, "agent_config")


def response_format(schema: JsonObject | None, given: Any) -> Any:
    """In which form the answer is wanted: JSON by a schema, or as the API has it; None where nothing is said."""
    if schema is not None:
        return TextFormat(mime_type="application/json", schema=schema)
    if isinstance(given, list):
        return [_valid(_FORMATS, one, "response_format") for one in cast("list[object]", given)]
    return None if given is None else _valid(_FORMATS, given, "response_format")


def safety(category: str, threshold: str) -> SafetySetting:
    """From which likelihood on a category is blocked; spelled as the API does, or as its other family."""
    plain = {"type": _word(category).removeprefix("harm_category_"), "threshold": _word(threshold)}
    return cast(SafetySetting, _valid(SafetySetting, plain, f"safety.{category[:60]}"))


def webhook(given: JsonObject | None) -> WebhookConfig | None:
    """Where Google reports the end."""
    return None if given is None else cast(WebhookConfig, _valid(WebhookConfig, given, "webhook"))


def sandbox(given: str | JsonObject | None) -> Sandbox | str | None:
    """Where an agent works: `remote`, an id, or a description."""
    if given is None or isinstance(given, str):
        return given or None
    return cast(Sandbox, _valid(Sandbox, given, "environment"))


def _word(spelled: str) -> str:
    return spelled.strip().lower().replace("-", "_").replace(" ", "_")


def _valid(kind: Any, raw: Any, argument: str) -> Any:
    """A part of a type.

    Raises:
        ArgumentError: naming the member that is wrong, without repeating its value.
    """
    try:
        return _adapter(kind).validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join([argument, *(str(step) for step in first["loc"])])
        why = "there is no such member" if first["type"] == "extra_forbidden" else first["msg"]
        raise ArgumentError(f"{where}: {why}.") from None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
