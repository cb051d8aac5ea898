"""Free JSON as Imagen and Veo read it: each field against a check of its own, in their wording of refusals.

The transcoder lets `instances` and `parameters` through as they are; what is wrong with them, the models say.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection
from typing import TypeAlias

from .errors import ApiError, invalid
from .wire import Object, dump, is_list, is_object

_ELSE = "refer to the Gemini API documentation for supported usage."
SEE = f"Please {_ELSE}"
PEOPLE = frozenset({"allow_all", "allow_adult", "dont_allow"})

Check: TypeAlias = Callable[[str, object], object]


def instance_of(request: Object, known: dict[str, Check]) -> Object:
    """The one instance of a request."""
    instances = request.get("instances", [])
    if not is_list(instances) or len(instances) != 1:
        raise invalid("Exactly one instance is supported.")
    return checked(as_object("instances", instances[0]), known)


def parameters_of(request: Object) -> Object:
    """The parameters of a request; none are an empty object."""
    return as_object("parameters", request.get("parameters") or {})


def checked(given: Object, known: dict[str, Check]) -> Object:
    """The fields that are known, each checked; null counts as absent."""
    for name in given:
        if name not in known:
            raise unsupported(name)
    return {name: known[name](name, value) for name, value in given.items() if value is not None}


def among(allowed: Collection[object]) -> Check:
    """One of some values."""
    numbers = all(isinstance(one, int) for one in allowed)

    def check(name: str, value: object) -> object:
        if numbers and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise invalid(f"The value type for `{name}` needs to be a number.")
        if is_list(value) or is_object(value) or value not in allowed:
            raise wrong(name, value)
        return int(value) if numbers and isinstance(value, float) else value

    return check


def word(allowed: Collection[str]) -> Check:
    """One of some words, in either case: the SDK sends its enum names."""

    def check(name: str, value: object) -> object:
        if not isinstance(value, str) or value.lower() not in allowed:
            raise wrong(name, value)
        return value.lower()

    return check


def text(name: str, value: object) -> object:
    """A string."""
    if not isinstance(value, str):
        raise invalid(f"The value type for `{name}` needs to be a string.")
    return value


def number(name: str, value: object) -> object:
    """A number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"The value type for `{name}` needs to be a number.")
    return value


def flag(name: str, value: object) -> object:
    """A boolean."""
    if not isinstance(value, bool):
        raise invalid(f"The value type for `{name}` needs to be a boolean.")
    return value


def object_of(name: str, value: object) -> object:
    """An object."""
    return as_object(name, value)


def as_object(name: str, value: object) -> Object:
    """The same, known to be an object."""
    if not is_object(value):
        raise invalid(f"The value type for `{name}` needs to be an object.")
    return value


def list_of(name: str, value: object) -> object:
    """A list."""
    if not is_list(value):
        raise invalid(f"The value type for `{name}` needs to be a list.")
    return value


def decoded(text: str, name: str) -> bytes:
    """The bytes of base64."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise invalid(f"`{name}` is not valid base64.") from None


def unsupported(name: str) -> ApiError:
    """400 for a field that a model does not have."""
    return invalid(f"`{name}` isn't supported by this model. Please remove it or {_ELSE}")


def wrong(name: str, value: object) -> ApiError:
    """400 for a value that a field does not take."""
    shown = value if isinstance(value, str) else dump(value)
    return invalid(f"`{name}` does not support `{shown}` as a valid value. {SEE}")
