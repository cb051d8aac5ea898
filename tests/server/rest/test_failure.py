"""The errors as the model reads them, word for word, for both formats of the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gemini_server.errors import (
    BadAnswer,
    Blocked,
    KeyRefused,
    NotFound,
    Overloaded,
    PaymentRequired,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ToolserverError,
)
from gemini_server.rest.complaint import clean, excerpt, read_complaint
from gemini_server.rest.endpoint import Repeat
from gemini_server.rest.failure import fault_of
from gemini_server.rest.quota import seconds_to_reset
from gemini_server.rest.retry import Fault

from .conftest import KEY

NOON = 1_795_000_000.0  # 2026-11-18 11:06:40 UTC, 03:06:40 in California


def rpc(name: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/google.rpc.{name}", **fields}


def google(code: int, status: str, message: str, *details: dict[str, Any]) -> bytes:
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return json.dumps({"error": error}).encode()


def interactions(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def violation(window: str, limit: str = "5") -> dict[str, Any]:
    return rpc(
        "QuotaFailure",
        violations=[
            {
                "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                "quotaId": f"GenerateRequests{window}PerProjectPerModel-FreeTier",
                "quotaDimensions": {"location": "global", "model": "gemini-3.8-flash"},
                "quotaValue": limit,
            }
        ],
    )


def fault(status: int, body: bytes, repeat: Repeat = "foreground", headers: dict[str, str] | None = None) -> Fault:
    return fault_of(read_complaint(status, body), headers or {}, repeat=repeat, wall=lambda: NOON)


GOLDEN: list[tuple[int, bytes, type[ToolserverError], str, str]] = [
    (
        400,
        google(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            rpc("ErrorInfo", reason="API_KEY_INVALID"),
        ),
        KeyRefused,
        "INVALID_ARGUMENT",
        (
            "Google does not accept the API key (400 INVALID_ARGUMENT): API key not valid. Please pass a "
            "valid API key. Only the person who runs this server can mend this: set GEMINI_API_KEY to a valid"
            " key (https://aistudio.google.com/apikey), then restart the server."
        ),
    ),
    (
        401,
        interactions("authentication", "Missing credentials"),
        KeyRefused,
        "authentication",
        (
            "Google does not accept the API key (401 authentication): Missing credentials. Only the person "
            "who runs this server can mend this: set GEMINI_API_KEY to a valid key "
            "(https://aistudio.google.com/apikey), then restart the server."
        ),
    ),
    (
        402,
        interactions("payment_required", "Prepaid credit is empty."),
        PaymentRequired,
        "payment_required",
        (
            "The credit of this Gemini account is used up (402 payment_required): Prepaid credit is empty. "
            "Only the person who runs this server can mend this: top up the account or turn on billing "
            "(https://aistudio.google.com). Do not repeat the call."
        ),
    ),
    (
        403,
        google(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."),
        KeyRefused,
        "PERMISSION_DENIED",
        (
            "Google has blocked this API key because it was found in public (403 PERMISSION_DENIED): Your API"
            " key was reported as leaked. Please use another API key. Only the person who runs this server "
            "can mend this: make a new key (https://aistudio.google.com/apikey), set GEMINI_API_KEY to it, "
            "delete the old."
        ),
    ),
    (
        403,
        google(403, "PERMISSION_DENIED", "You do not have permission to access the File abc or it may not exist."),
        RequestRefused,
        "PERMISSION_DENIED",
        (
            "Gemini does not give this key access (403 PERMISSION_DENIED): You do not have permission to "
            "access the File abc or it may not exist. A file belongs to the project of the key that uploaded "
            "it and expires after 48 h: check the name, or upload it again."
        ),
    ),
    (
        403,
        google(
            403,
            "PERMISSION_DENIED",
            "Requests from referer <empty> are blocked.",
            rpc("ErrorInfo", reason="API_KEY_HTTP_REFERRER_BLOCKED"),
        ),
        KeyRefused,
        "PERMISSION_DENIED",
        (
            "This API key may not do this (403 PERMISSION_DENIED): Requests from referer <empty> are blocked."
            " Only the person who runs this server can mend this: check the restrictions of the key and that "
            "the Gemini API is enabled in its project."
        ),
    ),
    (
        404,
        google(404, "NOT_FOUND", "models/gemini-1.0 is not found for API version v1beta"),
        NotFound,
        "NOT_FOUND",
        (
            "Gemini does not know this name (404 NOT_FOUND): models/gemini-1.0 is not found for API version "
            "v1beta. Check the name against the list of what exists; a model may have been shut down, a file "
            "may have expired."
        ),
    ),
    (
        404,
        interactions("model_not_found", "No such model"),
        NotFound,
        "model_not_found",
        (
            "Gemini does not know this name (404 model_not_found): No such model. Check the name against the "
            "list of what exists; a model may have been shut down, a file may have expired."
        ),
    ),
    (
        400,
        google(
            400,
            "INVALID_ARGUMENT",
            "Invalid value",
            rpc(
                "BadRequest",
                fieldViolations=[
                    {"field": "contents[0].parts", "description": "must not be empty."},
                    {"description": "x"},
                ],
            ),
        ),
        RequestRefused,
        "INVALID_ARGUMENT",
        (
            "Gemini refused the request (400 INVALID_ARGUMENT): Invalid value. Fields: contents[0].parts: "
            "must not be empty; (request): x. Change the argument it names, then call again; repeating the "
            "call unchanged gives the same answer."
        ),
    ),
    (
        429,
        google(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your quota. Please retry in 25.3s.",
            violation("PerMinute"),
            rpc("RetryInfo", retryDelay="25s"),
        ),
        RateLimited,
        "RESOURCE_EXHAUSTED",
        (
            "The rate limit GenerateRequestsPerMinutePerProjectPerModel-FreeTier "
            "(generate_content_free_tier_requests, limit 5, model gemini-3.8-flash) of Gemini is reached for "
            "now (429 RESOURCE_EXHAUSTED): You exceeded your quota. Please retry in 25.3s. Call again in 25 "
            "s."
        ),
    ),
    (
        429,
        google(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your quota.",
            violation("PerMinute"),
            violation("PerDay", "20"),
            rpc("RetryInfo", retryDelay="25s"),
        ),
        QuotaExhausted,
        "RESOURCE_EXHAUSTED",
        (
            "The daily quota GenerateRequestsPerDayPerProjectPerModel-FreeTier "
            "(generate_content_free_tier_requests, limit 20, model gemini-3.8-flash) of this API key is used "
            "up (429 RESOURCE_EXHAUSTED): You exceeded your quota. It resets at midnight Pacific time, in "
            "about 21 h. Until then use another model; calling again does not help."
        ),
    ),
    (
        429,
        google(429, "RESOURCE_EXHAUSTED", "Quota exceeded for metric: x, limit: 0", violation("PerMinute", "0")),
        QuotaExhausted,
        "RESOURCE_EXHAUSTED",
        (
            "The plan of this API key does not include this: the quota "
            "GenerateRequestsPerMinutePerProjectPerModel-FreeTier (generate_content_free_tier_requests, limit"
            " 0, model gemini-3.8-flash) is 0 (429 RESOURCE_EXHAUSTED): Quota exceeded for metric: x, limit: "
            "0. Use another model; waiting does not help. The person who runs this server can turn on billing"
            " at https://aistudio.google.com."
        ),
    ),
    (
        429,
        interactions("rate_limit_exceeded", "Slow down"),
        RateLimited,
        "rate_limit_exceeded",
        (
            "The rate limit of Gemini is reached for now (429 rate_limit_exceeded): Slow down. Wait a minute,"
            " then call again."
        ),
    ),
    (
        429,
        interactions("quota_exceeded", "Daily quota exceeded"),
        QuotaExhausted,
        "quota_exceeded",
        (
            "The daily quota of this API key is used up (429 quota_exceeded): Daily quota exceeded. It resets"
            " at midnight Pacific time, in about 21 h. Until then use another model; calling again does not "
            "help."
        ),
    ),
    (
        503,
        google(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        Overloaded,
        "UNAVAILABLE",
        (
            "Gemini is overloaded at the moment (503 UNAVAILABLE): The model is overloaded. Please try again "
            "later. Call again in a minute, or use another model."
        ),
    ),
    (
        504,
        google(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
        Overloaded,
        "DEADLINE_EXCEEDED",
        (
            "Gemini did not finish in time (504 DEADLINE_EXCEEDED): Deadline expired before operation could "
            "complete. Ask for less at once, or for a background job; then call again."
        ),
    ),
    (
        500,
        interactions("api_error", "Internal error"),
        Overloaded,
        "api_error",
        "Gemini failed (500 api_error): Internal error. Call again in a minute, or use another model.",
    ),
    (
        502,
        b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>no</h1></body></html>",
        Overloaded,
        "overloaded",
        "Gemini failed (502): 502 Bad Gateway. Call again in a minute, or use another model.",
    ),
    (
        400,
        interactions("safety", "The prompt was blocked"),
        Blocked,
        "safety",
        (
            "Gemini declined (400 safety): The prompt was blocked. Reword the request; repeating it unchanged"
            " gives the same answer."
        ),
    ),
    (
        409,
        interactions("already_exists", "It is there"),
        RequestRefused,
        "already_exists",
        (
            "Gemini refused the request (409 already_exists): It is there. Change the argument it names, then"
            " call again; repeating the call unchanged gives the same answer."
        ),
    ),
]


@pytest.mark.parametrize(("status", "body", "kind", "code", "text"), GOLDEN)
def test_each_refusal_says_what_why_and_what_to_do(
    status: int, body: bytes, kind: type[ToolserverError], code: str, text: str
) -> None:
    error = fault(status, body).error
    assert type(error) is kind
    assert str(error) == text
    assert error.code == code
    assert error.status == status


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_background_start_that_failed_says_that_something_may_have_started(status: int) -> None:
    found = fault(status, b"", "background")
    assert isinstance(found.error, Overloaded)
    assert not found.again
    assert "look whether the job exists" in found.error.remedy


def test_an_error_in_a_one_element_array_is_read_the_same() -> None:
    body = google(404, "NOT_FOUND", "gone")
    assert str(fault(404, b"[" + body + b"]").error) == str(fault(404, body).error)


def test_a_bad_key_without_details_is_still_a_bad_key() -> None:
    body = google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")
    assert isinstance(fault(400, body).error, KeyRefused)


def test_what_waits_and_what_does_not() -> None:
    minute = fault(
        429, google(429, "RESOURCE_EXHAUSTED", "x", violation("PerMinute"), rpc("RetryInfo", retryDelay="25s"))
    )
    assert (minute.again, minute.delay, minute.error.retry_after) == (True, 25, 25)
    day = fault(429, google(429, "RESOURCE_EXHAUSTED", "x", violation("PerDay"), rpc("RetryInfo", retryDelay="25s")))
    assert not day.again
    assert day.error.retry_after == seconds_to_reset(NOON)
    zero = fault(429, google(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 0"))
    assert not zero.again
    assert zero.error.retry_after is None
    assert not fault(402, b"").again
    assert not fault(400, b"").again


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (1_795_000_000.0, 20.888),  # 03:06:40 in California, winter
        (1_783_000_000.0, 17.222),  # 06:46:40 in California, summer
        (1_793_516_400.0, 25.0),  # midnight of the day that has 25 hours
        (1_772_956_800.0, 23.0),  # midnight of the day that has 23
    ],
)
def test_the_reset_is_the_next_midnight_in_california(now: float, hours: float) -> None:
    seconds = seconds_to_reset(now)
    assert seconds is not None
    assert seconds / 3600 == pytest.approx(hours, abs=0.001)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"error":null}',
        b'{"error":7}',
        b'{"error":{"code":{},"message":[],"status":7,"details":"x"}}',
        b'{"error":{"details":[null,7,{"@type":7},{"@type":"google.rpc.QuotaFailure","violations":7}]}}',
        b'{"error":{"details":[{"@type":"google.rpc.BadRequest","fieldViolations":[null,{}]}]}}',
        b"\xff\xfe\x00",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"error":' * 10_000,
    ],
)
@pytest.mark.parametrize("status", [400, 403, 404, 408, 418, 429, 500, 501, 503, 599, 304, 399])
def test_no_body_is_too_strange(status: int, body: bytes) -> None:
    error = fault(status, body).error
    assert isinstance(error, ToolserverError)
    assert error.status == status
    assert len(str(error)) < 1500


def test_an_unexpected_status_is_a_bad_answer() -> None:
    assert isinstance(fault(304, b"").error, BadAnswer)


def test_googles_text_is_bounded_cleaned_and_redacted() -> None:
    text = f"bad\u202e \x1b[31mred\x1b[0m\x1b]0;title\x07 key={KEY} ze\u200bro\r\n\r\n line " + "long " * 1000
    error = fault(400, google(400, "INVALID_ARGUMENT", text)).error
    assert KEY not in str(error)
    assert "bad red key=[hidden] zero line long" in error.what
    assert len(error.what) < 700
    assert not any(ord(c) < 32 for c in str(error))


def test_a_key_hidden_between_invisible_characters_is_found() -> None:
    assert KEY not in clean("\u200b".join(KEY))


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<html><head><title> Sign in </title></head><body>form</body></html>", "Sign in"),
        ("<html><body><script>alert(1)</script><p>No <b>route</b></p></body></html>", "No route"),
        ("<p>open <img src=x onerror=alert(1)", "open"),
        ("upstream connect error", "upstream connect error"),
        ("<title></title><p>words", "words"),
        ("a < b > c", "a c"),
        ("<!-- a > b --><p>c", "c"),
    ],
)
def test_of_a_page_only_its_words_are_shown(page: str, text: str) -> None:
    assert excerpt(page.encode()) == text
