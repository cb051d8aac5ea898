"""Answers: read under a byte cap and an idle timeout, then parsed strictly as JSON and tolerantly as a type."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, Literal, NoReturn, TypeVar, cast

import anyio
import anyio.to_thread
import httpx2
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gemini_server.errors import BadAnswer

from .complaint import clean, error_object, excerpt
from .endpoint import Empty
from .sse import BOM

T = TypeVar("T", bound=BaseModel)

OFF_LOOP = 128 * 1024
"""Answers larger than this are parsed in a worker thread, so that they do not hold up everyone else."""

_log = logging.getLogger(__name__)

_REFUSAL_BYTES = 256 * 1024  # no error object is larger
_ROUNDS = 8  # what hides behind a misshapen member shows only when that is gone
_SURROGATE = re.compile("[\ud800-\udfff]")


class CutError(Exception):
    """The body ended before it was complete.

    Args:
        why: `broken` (the connection died, or the compression is wrong) or `idle` (no byte for the idle timeout).
    """

    def __init__(self, why: Literal["broken", "idle"]) -> None:
        super().__init__(why)
        self.why = why


async def read(response: httpx2.Response, *, cap: int, idle: float) -> bytes:
    """The whole body, decompressed.

    Args:
        response: opened with `stream=True`.
        cap: bytes, counted after decompression.
        idle: seconds without a byte.

    Raises:
        BadAnswer: the body is larger than `cap`; the rest is not read.
        CutError: it ended too early.
    """
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > cap:
        raise too_large(cap, response.status_code)
    parts: list[bytes] = []
    size = 0
    with anyio.CancelScope(deadline=anyio.current_time() + idle) as scope:
        try:
            async with aclosing(response.aiter_bytes()) as chunks:
                async for chunk in chunks:
                    scope.deadline = anyio.current_time() + idle
                    size += len(chunk)
                    if size > cap:
                        raise too_large(cap, response.status_code)
                    parts.append(chunk)
        except (httpx2.TransportError, httpx2.DecodingError) as exc:
            raise CutError("broken") from exc
    if scope.cancelled_caught:
        raise CutError("idle")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def too_large(cap: int, status: int | None) -> BadAnswer:
    """The error for more bytes than this client takes."""
    return BadAnswer(
        f"Gemini's answer is larger than {cap / 1_048_576:.0f} MiB, the most that this server reads.",
        "Ask for less at once: fewer or smaller pictures, a shorter text, or a file to download.",
        code="answer_too_large",
        status=status,
    )


async def parse(answer: type[T], data: bytes, status: int | None = 200, *, billed: bool = False) -> T:
    """`data` as an `answer`, in a worker thread when it is large.

    Args:
        answer: the type.
        data: the body, or one event.
        status: the HTTP status, for the error.
        billed: whether it was paid for: then what is wrong beside the essential is mended instead of refused.

    Raises:
        BadAnswer: it is not JSON, or not what the API promises; the message names the field.
    """
    if len(data) > OFF_LOOP:
        return await anyio.to_thread.run_sync(lambda: parse_now(answer, data, status, billed=billed))
    return parse_now(answer, data, status, billed=billed)


def parse_now(answer: type[T], data: bytes, status: int | None = 200, *, billed: bool = False) -> T:
    """`parse`, here and now."""
    if not data.strip() and issubclass(answer, Empty):
        return answer()
    data = data.removeprefix(BOM)
    try:
        if not getattr(answer, "numeric", False):
            _strict.decode(data.decode())
        return answer.model_validate_json(data)
    except (ValueError, RecursionError) as exc:
        mended = _mended(answer, data, exc, billed=billed)
        if mended is None:
            raise _fault(exc, data, status) from None
        return mended


def parse_value(answer: type[T], value: object) -> T:
    """A value inside a billed answer, as an `answer`; what is wrong beside the essential is left out.

    Raises:
        BadAnswer: it is not what the API promises.
    """
    try:
        return answer.model_validate(value)
    except ValidationError:
        return parse_now(answer, json.dumps(value).encode(), billed=True)


def refusal(answer: type[BaseModel], data: bytes) -> Mapping[str, Any] | None:
    """The error object that came in the place of an answer.

    An operation or a file that failed carries an `error` too: beside its name, which the type knows.
    """
    if len(data) > _REFUSAL_BYTES or b'"error"' not in data:
        return None
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    error = error_object(value)
    if error is None:
        return None
    top = cast("dict[str, Any]", value if isinstance(value, dict) else value[0])
    members: frozenset[str] | None = getattr(answer, "answering", None)
    known = members or {field.alias or name for name, field in answer.model_fields.items()} - {"error"}
    return None if any(top.get(name) for name in known) else error


def _mended(answer: type[T], data: bytes, wrong: Exception, *, billed: bool) -> T | None:
    """`data` without what is wrong with it: nulls that stand for a default, and in a billed answer all that can go."""
    well_formed = isinstance(wrong, ValidationError) and _first(wrong)["type"] != "json_invalid"
    if not billed and not well_formed:
        return None
    dropped: list[str] = []
    try:
        value: Any = json.loads(data.decode("utf-8", "replace"), parse_constant=lambda _: None)
        for _ in range(_ROUNDS):
            try:
                found = answer.model_validate_json(_SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False)))
            except ValidationError as exc:
                if not _drop(value, exc, getattr(answer, "essential", None) if billed else None, dropped):
                    return None
            else:
                if dropped or not well_formed:
                    left_out = f"left out {', '.join(dropped[:5])}" if dropped else "read as well as it goes"
                    _log.warning("An answer of Gemini's does not have the promised form: %s", clean(left_out, 300))
                return found
    except (ValueError, RecursionError):
        pass
    return None


def _drop(value: Any, exc: ValidationError, essential: frozenset[str] | None, dropped: list[str]) -> bool:
    """Takes the members that `exc` names out of `value`; False when one of them has to stay."""
    members: dict[tuple[int, str], dict[str, Any]] = {}
    for error in exc.errors(include_url=False, include_input=False, include_context=False):
        member = _member(value, error["loc"])
        if member is None:
            return False
        holder, name = member
        if holder[name] is not None:
            # proto3: null is another way to write the default, whatever the member is.
            if essential is None or name in essential:
                return False
            dropped.append(".".join(map(str, error["loc"])))
        members[id(holder), name] = holder
    for (_, name), holder in members.items():
        del holder[name]
    return True


def _member(value: Any, loc: tuple[int | str, ...]) -> tuple[dict[str, Any], str] | None:
    """The innermost member of an object on the way to `loc`: an element of a list never goes alone, others count on it.

    Returns:
        The object and the member's name.
    """
    found: tuple[dict[str, Any], str] | None = None
    for step in loc:
        if isinstance(value, dict) and isinstance(step, str) and step in value:
            found = cast("dict[str, Any]", value), step
            value = found[0][step]
        elif isinstance(value, list) and isinstance(step, int):
            value = cast("list[object]", value)[step]
        else:
            break
    return found


def _fault(exc: Exception, data: bytes, status: int | None) -> BadAnswer:
    if isinstance(exc, ValidationError):
        return _misshapen(exc, status)
    if isinstance(exc, RecursionError):
        return _not_json("it is nested too deeply", data, status)
    if isinstance(exc, _ForbiddenError):
        return _not_json(str(exc), data, status)
    return _not_json("it is cut, or something else answered", data, status)


class _ForbiddenError(ValueError):
    """JSON that Python takes and the standard does not allow."""


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _ForbiddenError("a key comes twice in one object")


def _no_constant(name: str) -> NoReturn:
    raise _ForbiddenError(f"{name} is not JSON")


# pydantic's parser takes NaN and the last of two equal keys without a word, so the text is walked once before. An
# object becomes None here: the walk keeps nothing.
_strict = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _not_json(why: str, data: bytes, status: int | None) -> BadAnswer:
    text = excerpt(data[:2000])
    shown = f" It begins: {text}…" if text and data.lstrip()[:1] not in (b"{", b"[") else ""
    return BadAnswer(
        f"Gemini's answer is not the JSON that the API promises: {why}.{shown}",
        "Call again later; if it stays, check that GEMINI_BASE_URL points at the Gemini API.",
        code="not_json",
        status=status,
    )


def _first(exc: ValidationError) -> ErrorDetails:
    return exc.errors(include_url=False, include_input=False, include_context=False)[0]


def _misshapen(exc: ValidationError, status: int | None) -> BadAnswer:
    first = _first(exc)
    if first["type"] == "json_invalid":
        what = f"Gemini's answer is not the JSON that the API promises: {clean(first['msg'], 120)}."
    else:
        field = ".".join(str(part) for part in first["loc"]) or "(the whole answer)"
        wrong = clean(f"{field}: {first['msg']}", 200)
        what = f"Gemini's answer does not have the form that the API promises: {wrong}."
    return BadAnswer(
        what,
        "Call again later; if it stays, this server is older than the API: update it.",
        code="unexpected_answer",
        status=status,
    )
