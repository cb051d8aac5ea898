"""`metadataFilters`: which chunks of which documents a query looks at.

The filters must all be met, and of the conditions of one filter any. A document or a chunk without the key meets no
condition. Source: `MetadataFilter` and `Condition` of the API reference.
"""

from __future__ import annotations

from collections.abc import Callable

from .corpus_document import CorpusChunk, CorpusDocument
from .errors import invalid
from .retrieval_filter import values_of
from .wire import Object

Test = Callable[[CorpusDocument, CorpusChunk], bool]

_DOCUMENT, _CHUNK = "document.custom_metadata.", "chunk.custom_metadata."
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "LESS": lambda one, other: one < other,
    "LESS_EQUAL": lambda one, other: one <= other,
    "GREATER_EQUAL": lambda one, other: one >= other,
    "GREATER": lambda one, other: one > other,
}
_LISTS = ("INCLUDES", "EXCLUDES")


def compiled(filters: list[Object], place: str, *, documents: bool = True) -> Test:
    """The test that a chunk must pass.

    Args:
        filters: `metadataFilters`.
        place: the field, for refusals.
        documents: whether the metadata of documents can be asked for.

    Raises:
        ApiError: 400 for a key, a condition or a combination that is not supported.
    """
    tests: list[Test] = []
    for index, one in enumerate(filters):
        here = f"* {place}[{index}]"
        key, conditions = one.get("key", ""), one.get("conditions", [])
        _check_key(key, here, documents=documents)
        if not conditions:
            raise invalid(f"{here}.conditions: conditions is required and not specified\n")
        for number, condition in enumerate(conditions):
            _check_condition(condition, f"{here}.conditions[{number}]")
        tests.append(_test(key, conditions))
    texts = [one["key"] for one in filters if any("stringValue" in condition for condition in one["conditions"])]
    if len(texts) > len(set(texts)):
        raise invalid(f"* {place}: string values support only OR for one key, so it can have one filter only\n")
    return lambda document, chunk: all(test(document, chunk) for test in tests)


def _check_key(key: str, place: str, *, documents: bool) -> None:
    if key.startswith(_DOCUMENT) and not documents:
        raise invalid(f"{place}.key: a query to one document can filter by metadata of chunks only\n")
    if key in (_DOCUMENT, _CHUNK) or not key.startswith((_DOCUMENT, _CHUNK)):
        raise invalid(f"{place}.key: {key!r} is not of the form {_DOCUMENT}{{key}} or {_CHUNK}{{key}}\n")


def _check_condition(condition: Object, place: str) -> None:
    operation = condition.get("operation", "OPERATOR_UNSPECIFIED")
    if operation == "OPERATOR_UNSPECIFIED":
        raise invalid(f"{place}.operation: operation is required and not specified\n")
    if "stringValue" not in condition and "numericValue" not in condition:
        raise invalid(f"{place}: required oneof field 'value' must have one initialized field\n")
    if operation in _ORDERS and "numericValue" not in condition:
        raise invalid(f"{place}.operation: {operation} is supported for numeric values only\n")
    if operation in _LISTS and "stringValue" not in condition:
        raise invalid(f"{place}.operation: {operation} is supported for string values only\n")


def _test(key: str, conditions: list[Object]) -> Test:
    of_document = key.startswith(_DOCUMENT)
    name = key.removeprefix(_DOCUMENT if of_document else _CHUNK)

    def test(document: CorpusDocument, chunk: CorpusChunk) -> bool:
        values = values_of(document.metadata if of_document else chunk.metadata)
        return name in values and any(_met(values[name], condition) for condition in conditions)

    return test


def _met(value: object, condition: Object) -> bool:
    operation: str = condition["operation"]
    wanted: object = condition.get("stringValue", condition.get("numericValue"))
    if operation in _LISTS:
        return isinstance(value, list) and (wanted in value) == (operation == "INCLUDES")
    if operation in _ORDERS:
        return isinstance(value, int | float) and _ORDERS[operation](value, condition["numericValue"])
    same_kind = isinstance(value, str) == isinstance(wanted, str) and not isinstance(value, list)
    return same_kind and (value == wanted) == (operation == "EQUAL")
