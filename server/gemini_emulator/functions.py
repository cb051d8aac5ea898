"""Function calling: when to call, with which arguments, and what to say about the responses.

Source: "Function calling" of the Gemini API (modes AUTO, ANY, NONE, VALIDATED; parallel calls; call ids).
"""

from __future__ import annotations

from .facts import stems
from .json_instance import InstanceBuilder
from .prompt import Prompt
from .turns import calls
from .wire import Object, is_list, is_object

_PLACES = ("city", "location", "place", "destination", "country", "town", "origin")
_ENOUGH = 2
_MOST_CALLS = 8


def choose_calls(prompt: Prompt) -> list[Object]:
    """The function calls that the model makes for this request; none when it answers in text."""
    config: Object = prompt.request.get("toolConfig", {}).get("functionCallingConfig", {})
    mode = config.get("mode", "AUTO")
    allowed: list[str] = config.get("allowedFunctionNames") or []
    declared = [one for one in prompt.declarations if not allowed or one["name"] in allowed]
    if not declared or mode == "NONE":
        return []
    ranked = sorted(declared, key=lambda one: -_relevance(one, prompt))
    if mode == "ANY":
        return _calls(ranked[0], prompt)
    if prompt.function_responses:
        return []
    related = [one for one in ranked if _relevance(one, prompt) >= _ENOUGH]
    best = _relevance(related[0], prompt) if related else 0
    # Two functions are called together only when the prompt speaks of both about equally.
    chosen = [one for one in related if _relevance(one, prompt) >= max(_ENOUGH, best - 1) and _named(one, prompt)]
    return [call for one in (chosen or related[:1]) for call in _calls(one, prompt)][:_MOST_CALLS]


def _relevance(declaration: Object, prompt: Prompt) -> int:
    words = stems(prompt.text)
    named = len(words & stems(declaration["name"]))
    described = len(words & stems(declaration.get("description", "")))
    return 2 * named + described


def _named(declaration: Object, prompt: Prompt) -> bool:
    return bool(stems(prompt.text) & stems(declaration["name"]))


def parameters(declaration: Object) -> Object:
    """The parameter schema of a declaration, in whichever of the two fields it is."""
    schema: object = declaration.get("parametersJsonSchema") or declaration.get("parameters")
    return schema if is_object(schema) else {}


def _calls(declaration: Object, prompt: Prompt) -> list[Object]:
    schema = parameters(declaration)
    properties: Object = schema.get("properties") or {}
    places = [name for name in properties if _is_place(name) and _single_text(properties[name])]
    names = prompt.facts.names
    if len(places) > 1:
        # A journey: "from Berlin to Madrid" fills both ends in the order of the text.
        return [_call(declaration, schema, prompt, 0, dict(zip(places, names, strict=False)))]
    if places and len(names) > 1:
        return [_call(declaration, schema, prompt, at, {places[0]: name}) for at, name in enumerate(names)]
    return [_call(declaration, schema, prompt, 0, {})]


def _is_place(name: str) -> bool:
    return any(word in name.lower() for word in _PLACES)


def _single_text(schema: object) -> bool:
    return is_object(schema) and str(schema.get("type", "string")).lower() == "string" and not schema.get("enum")


def _call(declaration: Object, schema: Object, prompt: Prompt, position: int, fixed: Object) -> Object:
    name: str = declaration["name"]
    rng = prompt.rng(f"call {name} {position}")
    builder = InstanceBuilder(schema, prompt.facts, rng, prompt.today, say=prompt.say)
    properties: Object = schema.get("properties") or {}
    required: list[str] = schema.get("required") or []
    args: Object = {}
    for key, kind in properties.items():
        mentioned = _mentioned(kind, prompt)
        if key in fixed:
            args[key] = fixed[key]
        elif mentioned is not None:
            args[key] = mentioned
        elif key in required or _suggested(key, kind, prompt):
            args[key] = builder.value(kind, key, 1)
    for key in required:
        if key not in args:
            args[key] = builder.value(properties.get(key, {}), key, 1)
    return {"id": f"call_{rng.getrandbits(48):012x}", "name": name, "args": args}


def _mentioned(schema: object, prompt: Prompt) -> object:
    """A value of an enum that the prompt names."""
    options = schema.get("enum") if is_object(schema) else None
    text = prompt.text.lower()
    return next((one for one in options if str(one).lower() in text), None) if is_list(options) else None


def _suggested(name: str, schema: object, prompt: Prompt) -> bool:
    """Whether the prompt has something for an optional parameter."""
    kind = str(schema.get("type", "")).lower() if is_object(schema) else ""
    if kind in ("integer", "number"):
        return bool(prompt.facts.numbers)
    if _is_place(name):
        return bool(prompt.facts.names)
    if "date" in name.lower():
        return bool(prompt.facts.dates)
    return bool(stems(name) & stems(prompt.text))


def tell_responses(prompt: Prompt) -> str:
    """A text that uses the values of the function responses."""
    called = calls(prompt.turns[-2])
    sentences: list[str] = []
    for position, response in enumerate(prompt.function_responses):
        by_id = next((call for call in called if call.get("id") and call["id"] == response.get("id")), None)
        call = by_id or (called[position] if position < len(called) else {})
        given = ", ".join(str(value) for value in call.get("args", {}).values())
        subject = response["name"] + (f" for {given}" if given else "")
        sentences.append(f"According to {subject}: {_told(response.get('response', {}))}.")
    return " ".join(sentences)


def _told(value: object) -> str:
    if is_object(value):
        # SDKs wrap a plain return value into one of these.
        if set(value) in ({"result"}, {"output"}):
            return _told(next(iter(value.values())))
        return ", ".join(f"{key.replace('_', ' ')} is {_told(item)}" for key, item in value.items()) or "nothing"
    if is_list(value):
        return "; ".join(_told(item) for item in value) or "nothing"
    return str(value)
