"""Closed validation of the requests of the Interactions API, in the words of its errors.

The first thing that does not fit is refused: `parameter_unknown` for a field that does not exist, `invalid_request` for
anything else. Nulls are dropped, for the API takes them as absent. Source: "API errors" of the Gemini API.
"""

from __future__ import annotations

from .interaction_errors import InteractionError, missing, refused, unknown, unsupported
from .interaction_shapes import ENUMS, FIELDS, REQUIRED, UNIONS
from .wire import Object, dump, is_list, is_object

_SHOWN = 120
_NAMES = {"str": "a string", "bool": "a boolean", "int": "an integer", "num": "a number"}


def check(message: str, body: object) -> Object:
    """A body that fits a message of `interaction_shapes`, without its nulls.

    Raises:
        InteractionError: 400 for the first finding.
    """
    if not is_object(body):
        raise refused("The request body must be a JSON object.")
    return _message(message, body, "", {})


def check_union(name: str, value: object, place: str) -> Object:
    """A value that fits one of the messages of a union.

    Raises:
        InteractionError: 400 for the first finding.
    """
    if not is_object(value):
        raise _mistyped(value, "an object", place)
    return _union(name, value, place)


def _message(name: str, value: Object, place: str, given: Object) -> Object:
    fields = FIELDS[name]
    result: Object = dict(given)
    for key, item in value.items():
        if key in given:
            continue
        if key not in fields and "*" not in fields:
            raise unknown(key, place)
        if item is not None:
            result[key] = _value(fields.get(key, "any"), item, key, f"{place}.{key}" if place else key, place)
    for key in REQUIRED[name]:
        if key not in result:
            raise missing(key, place)
    return result


def _union(name: str, value: Object, place: str) -> Object:
    kinds = UNIONS[name]
    kind: object = value.get("type")
    if kind is None:
        raise missing("type", place)
    if not isinstance(kind, str) or kind not in kinds:
        raise unsupported(kind, "type", place)
    return _message(kinds[kind], value, place, {"type": kind})


def _value(kind: str, value: object, key: str, place: str, parent: str) -> object:
    alternatives = kind.split("/")
    chosen = next((one for one in alternatives if _has_form(one, value)), None)
    if chosen is None:
        raise _mistyped(value, " or ".join(_called(one) for one in alternatives), place)
    if chosen.startswith("[") and is_list(value):
        return [_value(chosen[1:-1], item, key, f"{place}[{at}]", parent) for at, item in enumerate(value)]
    if chosen.startswith("{") and is_object(value):
        return {name: _value(chosen[1:-1], item, name, f"{place}.{name}", place) for name, item in value.items()}
    if chosen.startswith("#"):
        if value not in ENUMS[chosen[1:]]:
            raise unsupported(value, key, parent)
    elif chosen.startswith("@") and is_object(value):
        return _union(chosen[1:], value, place)
    elif chosen in FIELDS and is_object(value):
        return _message(chosen, value, place, {})
    return value


def _has_form(kind: str, value: object) -> bool:
    """Whether a value has the JSON form of a type; what is inside is looked at later."""
    match kind:
        case "any":
            return True
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "num":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "str":
            return isinstance(value, str)
        case _:
            if kind.startswith("#"):
                return isinstance(value, str)
            return is_list(value) if kind.startswith("[") else is_object(value)


def _called(kind: str) -> str:
    if kind.startswith("["):
        return "an array"
    return "a string" if kind.startswith("#") else _NAMES.get(kind, "an object")


def _mistyped(value: object, expected: str, place: str) -> InteractionError:
    return refused(f"Invalid value {dump(value)[:_SHOWN]} at '{place}': expected {expected}.")
