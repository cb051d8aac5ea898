"""The order of turns: user and model, function calls and their responses, and the signatures that travel with them.

Source: "Function calling" and "Thought signatures" of the Gemini API. A *step* is one model turn with function calls;
the *current turn* begins at the last user content that is not made of function responses. Signatures are demanded for
the steps of the current turn only, but one that is sent must always be a real one.
"""

from __future__ import annotations

from collections import Counter

from .errors import invalid
from .models import ModelCard
from .signatures import check_signature, missing_signature
from .wire import Object


def merged(contents: list[Object]) -> list[Object]:
    """Consecutive contents of one role, taken as one turn."""
    turns: list[Object] = []
    for content in contents:
        role = content.get("role") or "user"
        if turns and turns[-1]["role"] == role:
            turns[-1] = {"role": role, "parts": [*turns[-1]["parts"], *content["parts"]]}
        else:
            turns.append({"role": role, "parts": content["parts"]})
    return turns


def calls(turn: Object) -> list[Object]:
    """The function calls of a turn."""
    return [part["functionCall"] for part in turn["parts"] if "functionCall" in part]


def responses(turn: Object) -> list[Object]:
    """The function responses of a turn."""
    return [part["functionResponse"] for part in turn["parts"] if "functionResponse" in part]


def current_turn(turns: list[Object]) -> int:
    """The index of the user turn that began the current exchange."""
    for index in range(len(turns) - 1, -1, -1):
        if turns[index]["role"] == "user" and not responses(turns[index]):
            return index
    return 0


def check_turns(request: Object, card: ModelCard) -> None:
    """Refuse turns that the API would not take."""
    turns = merged(request["contents"])
    _signatures(turns, card)
    for index, turn in enumerate(turns):
        if turn["role"] == "model" and calls(turn):
            if index == 0:
                raise invalid(
                    "Please ensure that function call turn comes immediately after a user turn or after a function "
                    "response turn."
                )
            if index + 1 < len(turns) and not responses(turns[index + 1]):
                raise _count_mismatch()
        if responses(turn):
            previous: Object = turns[index - 1] if index else {"role": "user", "parts": []}
            _match(previous, turn, card)
    if turns[-1]["role"] == "model":
        _prefilled(turns, request, card)


def _signatures(turns: list[Object], card: ModelCard) -> None:
    begin = current_turn(turns)
    for index, turn in enumerate(turns):
        for part in turn["parts"]:
            if "thoughtSignature" in part:
                check_signature(part["thoughtSignature"])
        if card.generation < 3 or index < begin or turn["role"] != "model":
            continue
        first = next((part for part in turn["parts"] if "functionCall" in part), None)
        if first is not None and "thoughtSignature" not in first:
            raise missing_signature(first["functionCall"]["name"], index + 1)


def _match(call_turn: Object, turn: Object, card: ModelCard) -> None:
    called, answered = calls(call_turn), responses(turn)
    if call_turn["role"] != "model" or not called:
        raise invalid("Please ensure that function response turn comes immediately after a function call turn.")
    for response in answered:
        if not response.get("name"):
            raise invalid("* GenerateContentRequest.contents.parts.function_response.name: Name cannot be empty.\n")
        if not isinstance(response.get("response"), dict):
            raise invalid(
                "* GenerateContentRequest.contents.parts.function_response.response: response must be specified.\n"
            )
        if card.generation >= 3.8 and not response.get("id"):
            raise invalid(
                "* GenerateContentRequest.contents.parts.function_response.id: id is required for this model and must "
                f"be that of the function call {response['name']}.\n"
            )
    final = [response for response in answered if not response.get("willContinue")]
    if len({response.get("id") or position for position, response in enumerate(final)}) != len(called):
        raise _count_mismatch()
    if Counter(call["name"] for call in called) != Counter(response["name"] for response in final):
        raise invalid("Please ensure that each function response has the name of the function call that it answers.")
    known = {call["id"] for call in called if call.get("id")}
    if known and any(response.get("id") not in known for response in answered if response.get("id")):
        raise invalid("Please ensure that each function response has the id of the function call that it answers.")


def _count_mismatch() -> Exception:
    return invalid(
        "Please ensure that the number of function response parts is equal to the number of function call parts of the "
        "function call turn."
    )


def _prefilled(turns: list[Object], request: Object, card: ModelCard) -> None:
    if calls(turns[-1]):
        raise _count_mismatch()
    if card.generation >= 3.8 and "continuationToken" not in request:
        raise invalid("Please ensure that the last turn is a user turn: prefilled model turns are not supported.")
