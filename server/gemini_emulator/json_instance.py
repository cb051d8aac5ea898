"""An instance of a JSON Schema (or of the OpenAPI subset), with values that suit the property names and the prompt.

Source: "Structured output" of the Gemini API, and JSON Schema 2020-12 for the keywords that it names.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

from .facts import Facts
from .patterns import matching
from .wire import Object, dump, is_list, is_object

T = TypeVar("T")

_DEEP = 6
_LONG_ARRAY = 3
_FIRST_NAMES = ("Ada", "Noah", "Mira", "Jonas", "Lucía", "Kenji")
_CITIES = ("Zürich", "Lisbon", "Osaka", "Nairobi", "Montréal", "Wellington")
_NUMBERS: dict[str, tuple[float, float]] = {
    "age": (21, 64), "year": (1990, 2026), "price": (5, 200), "cost": (5, 200), "amount": (10, 500), "total": (10, 900),
    "rating": (1, 5), "score": (0, 1), "confidence": (0, 1), "probability": (0, 1), "percent": (0, 100),
    "temperature": (-5, 32), "latitude": (-60, 60), "longitude": (-180, 180), "minutes": (5, 90), "day": (1, 28),
    "month": (1, 12), "quantity": (1, 12), "count": (1, 20), "calories": (120, 700), "population": (9e4, 9e6),
}  # fmt: skip


class InstanceBuilder:
    """Builds instances of one schema.

    Args:
        schema: the root, to which `$ref` pointers refer.
        facts: what the prompt mentions.
        rng: decides what is left open; seeded by the request.
        today: the date for date formats.
        say: what every free text is to say; None leaves it to the prompt.
    """

    def __init__(
        self, schema: object, facts: Facts, rng: random.Random, today: date, *, say: str | None = None
    ) -> None:
        self.root = schema
        self.say = say
        self.facts = facts
        self.rng = rng
        self.today = today

    def build(self) -> object:
        """An instance of the whole schema."""
        return self.value(self.root, "value", 0)

    def value(self, schema: object, name: str, depth: int) -> object:
        """An instance of a subschema; `name` is the property it is for."""
        if not is_object(schema):
            return self._words(name)
        schema = self.resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            options: list[object] = schema["enum"]
            return self._choice([one for one in options if one is not None] or options)
        branches = schema.get("anyOf") or schema.get("oneOf")
        if is_list(branches) and branches:
            rest = {key: item for key, item in schema.items() if key not in ("anyOf", "oneOf")}
            return self.value(self._merge(rest, self._branch(branches, depth)), name, depth)
        return self._typed(_kind(schema), schema, name, depth)

    def _typed(self, kind: str, schema: Object, name: str, depth: int) -> object:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in ("integer", "number"):
            return self._number(schema, name, kind)
        if kind == "boolean":
            return self.rng.random() < 0.7
        return None if kind == "null" else self._string(schema, name)

    def resolved(self, schema: Object) -> Object:
        """A schema with its references and `allOf` taken in."""
        hops = 0
        while "$ref" in schema and hops < 20:
            rest = {key: item for key, item in schema.items() if key != "$ref"}
            schema = self._merge(self._pointer(str(schema["$ref"])), rest)
            hops += 1
        for part in schema.get("allOf", []):
            schema = self._merge({key: item for key, item in schema.items() if key != "allOf"}, self.resolved(part))
        return schema

    def _pointer(self, reference: str) -> Object:
        found: object = self.root
        for step in reference.removeprefix("#").split("/")[1:]:
            if is_object(found):
                found = found.get(step.replace("~1", "/").replace("~0", "~"))
            elif is_list(found):
                found = found[int(step)]
        return found if is_object(found) else {}

    def _merge(self, one: Object, other: object) -> Object:
        if not is_object(other):
            return one
        merged = {**one, **other}
        if "properties" in one and "properties" in other:
            merged["properties"] = {**one["properties"], **other["properties"]}
        if "required" in one and "required" in other:
            merged["required"] = list(dict.fromkeys([*one["required"], *other["required"]]))
        return merged

    def _branch(self, branches: list[object], depth: int) -> object:
        """The first branch that is not null; once deep, one that cannot recurse."""
        usable = [one for one in branches if not (is_object(one) and _kind(one) == "null")]
        if depth >= _DEEP or not usable:
            leaves = [one for one in branches if is_object(one) and "$ref" not in one and _kind(one) not in _CONTAINERS]
            return leaves[0] if leaves else branches[0]
        return usable[0]

    def _object(self, schema: Object, depth: int) -> Object:
        properties: Object = schema.get("properties") or {}
        required: list[str] = schema.get("required") or []
        ordering: list[str] = schema.get("propertyOrdering") or []
        order = [name for name in ordering if name in properties]
        names = [*order, *(name for name in properties if name not in order)]
        limit = schema.get("maxProperties")
        result: Object = {}
        for name in names:
            optional = name not in required
            if optional and ((depth >= 2 and self._recursive(properties[name])) or depth >= _DEEP):
                continue
            if optional and limit is not None and len(result) >= int(limit) - len(set(required) - set(result)):
                continue
            result[name] = self.value(properties[name], name, depth + 1)
        for name in required:
            if name not in result:
                result[name] = self.value(schema.get("additionalProperties", {}), name, depth + 1)
        self._free_entries(result, schema, properties, depth)
        return result

    def _free_entries(self, result: Object, schema: Object, properties: Object, depth: int) -> None:
        free = schema.get("additionalProperties", not properties)
        wanted = max(int(schema.get("minProperties") or 0), 1 if is_object(free) and not properties else 0)
        position = 0
        while free is not False and len(result) < wanted:
            key = re.sub(r"\W+", "_", self.facts.topic(position)).lower() + ("" if not position else f"_{position}")
            result.setdefault(key, self.value(free, key, depth + 1))
            position += 1

    def _recursive(self, schema: object) -> bool:
        return '"$ref"' in dump(schema)

    def _array(self, schema: Object, name: str, depth: int) -> list[object]:
        least = int(schema.get("minItems") or 0)
        items = schema.get("items", {})
        most = int(schema["maxItems"]) if schema.get("maxItems") is not None else max(least, _LONG_ARRAY)
        usual = 0 if depth >= _DEEP or (depth >= 3 and self._recursive(items)) else min(most, _LONG_ARRAY)
        length = min(most, max(least, usual))
        single = name.removesuffix("s")
        first = [self.value(one, single, depth + 1) for one in schema.get("prefixItems", [])]
        if items is False:
            return first
        result: list[object] = first[:most]
        attempts = 0
        while len(result) < length and attempts < 20 * length:
            candidate = self.value(items, single, depth + 1)
            attempts += 1
            if candidate not in result or (attempts > length * 10 and not schema.get("uniqueItems")):
                result.append(candidate)
            elif attempts > length * 2 and len(result) >= least:
                break
        return result

    def _number(self, schema: Object, name: str, kind: str) -> float | int:
        low, high = _bounds(schema)
        usual = next((span for key, span in _NUMBERS.items() if key in name.lower()), (1.0, 100.0))
        low_limit, high_limit = -math.inf if low is None else low, math.inf if high is None else high
        mentioned = [number for number in self.facts.numbers if low_limit <= number <= high_limit]
        if mentioned and kind == "integer":
            mentioned = [number for number in mentioned if number.is_integer()]
        if mentioned and usual == (1.0, 100.0):
            number = self._choice(mentioned)
        else:
            start, end = max(usual[0], low_limit), min(usual[1], high_limit)
            if start > end:
                start, end = (low_limit, low_limit + 10) if low is not None else (high_limit - 10, high_limit)
                start, end = max(start, low_limit), min(end, high_limit)
            number = self.rng.uniform(start, end)
        return _fitted(number, schema, kind, low, high)

    def _string(self, schema: Object, name: str) -> str:
        pattern = schema.get("pattern")
        if pattern:
            return matching(str(pattern), self.rng)
        text = self._formatted(str(schema.get("format", "")))
        if not text and self.say is not None:
            return self.say
        text = text or self._named(name, str(schema.get("description", "")))
        least, most = int(schema.get("minLength") or 0), schema.get("maxLength")
        while len(text) < least:
            text = f"{text} {self.facts.topic(len(text))}"
        if most is None:
            return text
        cut = text[: int(most)]
        return cut.rstrip() if len(cut.rstrip()) >= least else cut

    def _formatted(self, form: str) -> str:
        day = self.facts.dates[0] if self.facts.dates else str(self.today + timedelta(days=self.rng.randint(0, 28)))
        clock = f"{self.rng.randint(8, 18):02}:{self.rng.randint(0, 59):02}:00"
        hexadecimal = f"{self.rng.getrandbits(128):032x}"
        return {
            "date": day,
            "date-time": f"{day}T{clock}Z",
            "time": f"{clock}Z",
            "email": self.facts.emails[0] if self.facts.emails else "ada@example.com",
            "uri": self.facts.urls[0] if self.facts.urls else "https://example.com/page",
            "url": self.facts.urls[0] if self.facts.urls else "https://example.com/page",
            "uuid": "-".join((hexadecimal[:8], hexadecimal[8:12], "4" + hexadecimal[13:16], "a" + hexadecimal[17:20],
                              hexadecimal[20:])),
            "ipv4": f"192.0.2.{self.rng.randint(1, 254)}",
            "ipv6": "2001:db8::1",
            "hostname": "host.example",
            "duration": "PT15M",
        }.get(form, "")  # fmt: skip

    def _named(self, name: str, description: str) -> str:
        about = name.lower()
        facts = self.facts
        if "mail" in about:
            return self._formatted("email")
        if "url" in about or "link" in about:
            return self._formatted("uri")
        if "date" in about or about == "day":
            return self._formatted("date")
        if about in ("query", "question", "prompt", "text", "message", "search", "input"):
            return facts.quoted[0] if facts.quoted else facts.text[:200] or "emulated"
        if any(word in about for word in ("city", "location", "place", "country", "destination", "origin")):
            return self._choice(facts.names or list(_CITIES))
        if "name" in about or about in ("author", "person", "user"):
            return self._choice(facts.quoted or facts.names or list(_FIRST_NAMES))
        if any(word in about for word in ("summary", "description", "reason", "explanation", "answer", "content")):
            return f"An emulated {about.replace('_', ' ')} about {facts.topic()} and {facts.topic(1)}."
        if any(word in about for word in ("title", "subject", "heading")):
            return f"On {facts.topic()}"
        return self._words(name if name != "value" else description or name)

    def _words(self, name: str) -> str:
        readable = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower()
        return f"{self._choice(self.facts.words or ['emulated'])} {readable}".strip()

    def _choice(self, options: Sequence[T]) -> T:
        return options[self.rng.randrange(len(options))]


_CONTAINERS = ("object", "array")


def _kind(schema: Object) -> str:
    kind = schema.get("type")
    if is_list(kind):
        named = [str(one).lower() for one in kind]
        return next((one for one in named if one != "null"), "null")
    if isinstance(kind, str) and kind.upper() != "TYPE_UNSPECIFIED":
        return kind.lower()
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    return "number" if "minimum" in schema or "maximum" in schema else "string"


def _bounds(schema: Object) -> tuple[float | None, float | None]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if schema.get("exclusiveMinimum") is not None:
        low = max(float(schema["exclusiveMinimum"]), -math.inf if low is None else float(low))
    if schema.get("exclusiveMaximum") is not None:
        high = min(float(schema["exclusiveMaximum"]), math.inf if high is None else float(high))
    return low, high


def _fitted(number: float, schema: Object, kind: str, low: float | None, high: float | None) -> float | int:
    """The nearest number that also is a multiple, an integer, and strictly inside exclusive bounds."""
    step = float(schema.get("multipleOf") or (1 if kind == "integer" else 0))
    if kind == "integer":
        step = max(1.0, step)
    if not step:
        short = round(number, 2)
        inside = (low is None or short > low) and (high is None or short < high)
        return short if inside else number
    steps = round(number / step)
    if low is not None and (steps * step < low or steps * step == schema.get("exclusiveMinimum")):
        steps = math.floor(low / step) + 1 if schema.get("exclusiveMinimum") is not None else math.ceil(low / step)
    if high is not None and (steps * step > high or steps * step == schema.get("exclusiveMaximum")):
        steps = math.ceil(high / step) - 1 if schema.get("exclusiveMaximum") is not None else math.floor(high / step)
    return int(steps * step) if (steps * step).is_integer() else round(steps * step, 10)
