"""Answers: read under a byte cap and an idle timeout, then parsed strictly as JSON and tolerantly as a type."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import Any, Literal, NoReturn, TypeVar

import anyio
import anyio.to_thread
import httpx2
from pydantic import BaseModel, ValidationError

from gemini_server.errors import BadAnswer

from .complaint import clean, excerpt
from .endpoint import Empty

T = TypeVar("T", bound=BaseModel)

OFF_LOOP = 1024 * 1024
"""Answers larger than this are parsed in a worker thread, so that they do not hold up everyone else."""


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


async def parse(answer: type[T], data: bytes, status: int | None = 200) -> T:
    """`data` as an `answer`, in a worker thread when it is large.

    Raises:
        BadAnswer: it is not JSON, or not what the API promises; the message names the field.
    """
    if len(data) > OFF_LOOP:
        return await anyio.to_thread.run_sync(parse_now, answer, data, status)
    return parse_now(answer, data, status)


def parse_now(answer: type[T], data: bytes, status: int | None = 200) -> T:
    """`parse`, here and now."""
    if not data.strip() and issubclass(answer, Empty):
        return answer()
    try:
        _strict.decode(data.decode())
        return answer.model_validate_json(data)
    except ValidationError as exc:
        raise _misshapen(exc, status) from None
    except RecursionError:
        raise _not_json("it is nested too deeply", data, status) from None
    except _ForbiddenError as exc:
        raise _not_json(str(exc), data, status) from None
    except ValueError:
        raise _not_json("it is cut, or something else answered", data, status) from None


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


def _misshapen(exc: ValidationError, status: int | None) -> BadAnswer:
    first = exc.errors(include_url=False, include_input=False, include_context=False)[0]
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
