"""Closed validation of request bodies: what Google's JSON transcoder refuses, in its words.

The result is the body with camelCase names, enum values in their documented spelling and nulls dropped, so that the
rest of the package reads one spelling only. Source: the proto3 JSON mapping and the messages of the live service.
"""

from __future__ import annotations

import binascii
import re
from functools import cache

from .errors import bad_fields
from .shapes import ENUMS, FIELDS, ONE_OF, REQUIRED
from .wire import Object, dump, is_list, is_object

_PACKAGE = "type.googleapis.com/google.ai.generativelanguage."
_DURATION = re.compile(r"-?\d+(\.\d{1,9})?s")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_INTEGER = re.compile(r"-?\d+(\.0+)?")
_LIMITS = {"int32": 2**31, "int64": 2**63}
_SHOWN = 200


def check(message: str, body: object, version: str = "v1beta") -> Object:
    """Validate a body against a message of `shapes`.

    Raises:
        ApiError: 400 with every finding, when anything does not fit.
    """
    reader = _Reader(version)
    if not is_object(body):
        reader.refuse("", 'Invalid JSON payload received. Unknown name "": Root element must be a message.')
        raise bad_fields(reader.violations)
    result = reader.message(message, body, "")
    if reader.violations:
        raise bad_fields(reader.violations)
    return result


@cache
def camel(name: str) -> str:
    """`max_output_tokens` as `maxOutputTokens`; a camelCase name stays as it is."""
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


@cache
def snake(name: str) -> str:
    """`maxOutputTokens` as `max_output_tokens`, the spelling of Google's error messages."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


class _Reader:
    def __init__(self, version: str) -> None:
        self.package = f"{_PACKAGE}{version}."
        self.violations: list[tuple[str, str]] = []

    def refuse(self, field: str, text: str) -> None:
        self.violations.append((field, text))

    def unknown(self, path: str, name: str, why: str) -> None:
        place = f" at '{path}'" if path else ""
        self.refuse(path, f'Invalid JSON payload received. Unknown name "{name}"{place}: {why}')

    def mistyped(self, path: str, kind: str, value: object, why: str = "") -> None:
        self.refuse(path, f"Invalid value at '{path}' ({kind}), {why or dump(value)[:_SHOWN]}")

    def message(self, name: str, value: Object, path: str) -> Object:
        fields = FIELDS[name]
        result: Object = {}
        for key, item in value.items():
            field = key if key in fields else camel(key)
            if field not in fields:
                self.unknown(path, key, "Cannot find field.")
            elif field in result:
                self.unknown(path, key, "Proto field is set more than once.")
            elif item is not None:
                result[field] = self.field(fields[field], item, _join(path, snake(field)), key)
        self.one_of(name, result, path)
        for field in REQUIRED.get(name, ()):
            if result.get(field) in (None, "", []):
                place = _join(path, snake(field))
                self.refuse(place, f"* GenerateContentRequest.{place}: {snake(field)} is required and not specified")
        return result

    def one_of(self, name: str, result: Object, path: str) -> None:
        if name not in ONE_OF:
            return
        group, members = ONE_OF[name]
        for extra in [field for field in members if field in result][1:]:
            self.mistyped(path or group, "oneof", None, f"oneof field '{group}' is already set. Cannot set '{extra}'")

    def field(self, kind: str, value: object, path: str, key: str) -> object:
        if kind.startswith("["):
            # One object where a list is declared is taken as a list of one: documented examples rely on it.
            items = value if is_list(value) else [value]
            if not is_list(value) and not is_object(value):
                self.mistyped(path, self.kind_name(kind[1:-1]), value)
                return []
            return [self.field(kind[1:-1], item, f"{path}[{index}]", key) for index, item in enumerate(items)]
        if kind == "any":
            return value
        if is_list(value):
            self.unknown(path.rpartition(".")[0], key, "Proto field is not repeating, cannot start list.")
            return None
        if kind == "struct" or kind.startswith("{"):
            return self.map(kind, value, path)
        if kind in FIELDS:
            if is_object(value):
                return self.message(kind, value, path)
            self.mistyped(path, self.kind_name(kind), value)
            return {}
        if is_object(value):
            self.unknown(path.rpartition(".")[0], key, "Proto field is not a message, cannot start object.")
            return None
        return self.enum(kind[1:], value, path) if kind.startswith("#") else self.scalar(kind, value, path)

    def map(self, kind: str, value: object, path: str) -> object:
        if not is_object(value):
            self.mistyped(path, "type.googleapis.com/google.protobuf.Struct" if kind == "struct" else "Map", value)
            return {}
        if kind == "struct":
            return value
        return {key: self.field(kind[1:-1], item, f"{path}[{key}]", key) for key, item in value.items()}

    def kind_name(self, kind: str) -> str:
        if kind in FIELDS:
            return self.package + kind
        return self.package + kind[1:] if kind.startswith("#") else f"TYPE_{_PROTO_NAMES.get(kind, kind).upper()}"

    def enum(self, name: str, value: object, path: str) -> object:
        values = ENUMS[name]
        if isinstance(value, str):
            for known in values:
                # The live service is lenient about case; the documented spelling is what goes on from here.
                if known.lower() == value.lower():
                    return known
        elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(values):
            return values[value]
        self.mistyped(path, self.kind_name("#" + name), value)
        return None

    def scalar(self, kind: str, value: object, path: str) -> object:
        if kind == "bool":
            fits = isinstance(value, bool)
        elif kind in _LIMITS:
            return self.integer(kind, value, path)
        elif kind == "float":
            fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        elif kind == "bytes":
            return self.base64(value, path)
        else:
            fits = isinstance(value, str) and _is_unicode(value)
            if isinstance(value, str) and kind == "duration" and not _DURATION.fullmatch(value):
                self.mistyped(path, "type.googleapis.com/google.protobuf.Duration", value, _ILLEGAL_DURATION)
            elif isinstance(value, str) and kind == "timestamp" and not _TIMESTAMP.fullmatch(value):
                self.mistyped(path, "type.googleapis.com/google.protobuf.Timestamp", value, _ILLEGAL_TIMESTAMP)
        if not fits:
            self.mistyped(path, self.kind_name(kind), value)
        return value

    def integer(self, kind: str, value: object, path: str) -> object:
        fits = isinstance(value, (int, str)) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not fits or not _INTEGER.fullmatch(str(value)):
            self.mistyped(path, self.kind_name(kind), value)
            return None
        number = int(float(value)) if isinstance(value, float) else int(str(value).partition(".")[0])
        if not -_LIMITS[kind] <= number < _LIMITS[kind]:
            self.mistyped(path, self.kind_name(kind), value)
        return number

    def base64(self, value: object, path: str) -> object:
        if not isinstance(value, str):
            self.mistyped(path, "TYPE_BYTES", value)
            return None
        text = value
        try:
            if "-" in text or "_" in text:
                text = text.replace("-", "+").replace("_", "/")
            if len(text) % 4:
                text += "=" * (-len(text) % 4)
            binascii.a2b_base64(text, strict_mode=True)
        except ValueError:
            self.mistyped(path, "TYPE_BYTES", value, f"Base64 decoding failed for {dump(value[:_SHOWN])}")
            return None
        return text


_PROTO_NAMES = {"str": "string", "float": "double"}
_ILLEGAL_DURATION = "Field 'duration', Illegal duration format; duration must end with 's'"
_ILLEGAL_TIMESTAMP = "Field 'timestamp', Invalid time format"


def _is_unicode(text: str) -> bool:
    """Whether a text can be UTF-8: JSON can spell half a surrogate pair, protobuf strings cannot hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
