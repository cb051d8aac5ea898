"""What asks back: by a request of its own in the older revisions, by `input_required` in 2026-07-28."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolResult,
    ElicitResult,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    InputResponseRequestParams,
    SamplingMessage,
    TextContent,
)

from tests.conformance.fixtures import Asked, Json, message, prompt, said, tool

Answer = CallToolResult | InputRequiredResult

KEY = secrets.token_bytes(32)
"""Seals what clients carry from round to round."""


def elicit(text: str, **properties: Json) -> Json:
    """A question to the user."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"method": "elicitation/create", "params": {"message": text, "requestedSchema": schema}}


def sample(text: str) -> Json:
    """A question to the client's model."""
    asked = {"role": "user", "content": {"type": "text", "text": text}}
    return {"method": "sampling/createMessage", "params": {"messages": [asked], "maxTokens": 100}}


ROOTS: Json = {"method": "roots/list", "params": {}}
STRING: Json = {"type": "string"}
BOOLEAN: Json = {"type": "boolean"}


def needed(requests: dict[str, Json], state: str | None = None) -> InputRequiredResult:
    """The result that asks."""
    return InputRequiredResult.model_validate({"inputRequests": requests, "requestState": state})


def sealed(step: str) -> str:
    """A state that only this server can have made."""
    return f"{step}.{hmac.new(KEY, step.encode(), hashlib.sha256).hexdigest()}"


def unsealed(state: str | None) -> str:
    """What a state says.

    Raises:
        MCPError: nobody here has made it.
    """
    step = (state or "").partition(".")[0]
    if state is None or not hmac.compare_digest(sealed(step).encode(), state.encode()):
        raise MCPError(INVALID_PARAMS, "The requestState was not made by this server.")
    return step


def content(params: InputResponseRequestParams, key: str) -> Json | None:
    """What a user answered; None when nobody asked him yet, or he declined."""
    answer = (params.input_responses or {}).get(key)
    return answer.content if isinstance(answer, ElicitResult) and answer.action == "accept" else None


def answered(params: InputResponseRequestParams, *keys: str) -> bool:
    """Whether all of these were answered."""
    return all(key in (params.input_responses or {}) for key in keys)


# -- 2026-07-28 --------------------------------------------------------------------------------------------------------

NAME = {"user_name": elicit("What is your name?", name=STRING)}
CONFIRM = {"confirm": elicit("Please confirm", ok=BOOLEAN)}


@tool("Asks for a name.")
async def test_input_required_result_elicitation(asked: Asked) -> Answer:
    given = content(asked.params, "user_name")
    return needed(NAME) if given is None else said(f"Hello, {given.get('name')}!")


@tool("Asks for a name.")
async def test_streaming_elicitation(asked: Asked) -> Answer:
    return await test_input_required_result_elicitation(asked)


@tool("Asks the client's model.")
async def test_input_required_result_sampling(asked: Asked) -> Answer:
    if not answered(asked.params, "capital_question"):
        return needed({"capital_question": sample("What is the capital of France?")})
    return said(str((asked.params.input_responses or {})["capital_question"].model_dump(mode="json")))


@tool("Asks for the client's roots.")
async def test_input_required_result_list_roots(asked: Asked) -> Answer:
    if not answered(asked.params, "client_roots"):
        return needed({"client_roots": ROOTS})
    return said(str((asked.params.input_responses or {})["client_roots"].model_dump(mode="json")))


async def _confirmed(asked: Asked) -> Answer:
    if content(asked.params, "confirm") is None:
        return needed(CONFIRM, sealed("confirm"))
    unsealed(asked.params.request_state)
    return said("state-ok")


@tool("Carries a state along.")
async def test_input_required_result_request_state(asked: Asked) -> Answer:
    return await _confirmed(asked)


@tool("Carries along a state that must not be changed.")
async def test_input_required_result_tampered_state(asked: Asked) -> Answer:
    return await _confirmed(asked)


@tool("Asks for several things at once.")
async def test_input_required_result_multiple_inputs(asked: Asked) -> Answer:
    requests = {**NAME, "greeting": sample("Generate a greeting"), "client_roots": ROOTS}
    if not answered(asked.params, *requests):
        return needed(requests, sealed("all"))
    unsealed(asked.params.request_state)
    return said("All of it has arrived.")


@tool("Asks one thing after the other.")
async def test_input_required_result_multi_round(asked: Asked) -> Answer:
    if asked.params.request_state is None:
        return needed({"step1": elicit("Step 1: What is your name?", name=STRING)}, sealed("1"))
    if unsealed(asked.params.request_state) == "1":
        return needed({"step2": elicit("Step 2: What is your favourite colour?", color=STRING)}, sealed("2"))
    return said("Both steps are done.")


@tool("Asks for what the client can give.")
async def test_input_required_result_capabilities(asked: Asked) -> Answer:
    able = asked.ctx.session.client_capabilities
    requests: dict[str, Json] = {}
    if able is not None and able.elicitation is not None:
        requests |= NAME
    if able is not None and able.sampling is not None:
        requests["capital_question"] = sample("What is the capital of France?")
    return needed(requests) if requests else said("The client can give nothing.")


@prompt("A prompt that asks back.")
async def test_input_required_result_prompt(params: GetPromptRequestParams) -> GetPromptResult | InputRequiredResult:
    given = content(params, "user_context")
    if given is None:
        return needed({"user_context": elicit("What context should the prompt use?", context=STRING)})
    return GetPromptResult(messages=[message(f"Use this context: {given.get('context')}")])


# -- before 2026-07-28 -------------------------------------------------------------------------------------------------


async def _elicited(asked: Asked, text: str, properties: Json) -> CallToolResult:
    schema: Json = {"type": "object", "properties": properties}
    answer = await asked.ctx.session.elicit_form(text, schema, asked.ctx.request_id)
    return said(f"Elicitation completed: action={answer.action}, content={json.dumps(answer.content)}")


@tool("Asks the client's model.", {"prompt": STRING}, required=("prompt",))
async def test_sampling(asked: Asked) -> CallToolResult:
    session: Any = asked.ctx.session  # this method of it is deprecated, and still to be tested
    text = TextContent(type="text", text=str(asked.arguments["prompt"]))
    question = SamplingMessage(role="user", content=text)
    answer = await session.create_message([question], max_tokens=100, related_request_id=asked.ctx.request_id)
    return said(f"LLM response: {answer.content.text}")


@tool("Asks the user.", {"message": STRING}, required=("message",))
async def test_elicitation(asked: Asked) -> CallToolResult:
    wanted = {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    }
    return await _elicited(asked, str(asked.arguments["message"]), wanted)


@tool("Asks the user, with defaults.")
async def test_elicitation_sep1034_defaults(asked: Asked) -> CallToolResult:
    wanted = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    return await _elicited(asked, "Are these right?", wanted)


def _titled(*titles: str) -> list[Json]:
    return [{"const": f"value{number}", "title": title} for number, title in enumerate(titles, 1)]


@tool("Asks the user to choose, in every way.")
async def test_elicitation_sep1330_enums(asked: Asked) -> CallToolResult:
    options = ["option1", "option2", "option3"]
    wanted: Json = {
        "untitledSingle": {"type": "string", "enum": options},
        "titledSingle": {"type": "string", "oneOf": _titled("First Option", "Second Option", "Third Option")},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
        "titledMulti": {"type": "array", "items": {"anyOf": _titled("First Choice", "Second Choice", "Third Choice")}},
    }
    return await _elicited(asked, "Choose.", wanted)
