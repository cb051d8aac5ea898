from __future__ import annotations

import io
import logging
import sys

import pytest

from gemini_server.redaction import RedactingFormatter, forget_secret, hide_known, redact, remember_secret

KEY = "AIza" + "Sy0123456789_abcdefghijklmnop-QRSTU"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"key {KEY}!", "key [hidden]!"),
        ("AQ.Ab8RN6Ix-yz_12 next", "[hidden] next"),
        ("token ya29.a0AfH6SM-x_y.z end", "token [hidden] end"),
        ("Authorization: Bearer abc.def-123", "Authorization: [hidden]"),
        ("got bearer abc.def-123, sorry", "got bearer [hidden], sorry"),
        ("{'authorization': 'raw-licence'}", "{'authorization': '[hidden]'}"),
        ('"x-goog-api-key": "some key"', '"x-goog-api-key": "[hidden] key"'),
        ("(b'x-goog-api-key', b'k')", "(b'x-goog-api-key', b'k')"),
        ("x-goog-upload-url: https://h/upload?upload_id=ABC", "x-goog-upload-url: [hidden]"),
        ("GET https://h/p?key=abc&alt=sse", "GET https://h/p?key=[hidden]&alt=sse"),
        ("https://h/u?upload_id=AB-c_d&x=1", "https://h/u?upload_id=[hidden]&x=1"),
        ("?X-Goog-Signature=00ff&X-Goog-Credential=me%40x", "?X-Goog-Signature=[hidden]&X-Goog-Credential=[hidden]"),
        ("wss://h?access_token=auth_tokens/abc", "wss://h?access_token=[hidden]"),
        ("name auth_tokens/abc-123 made", "name auth_tokens/[hidden] made"),
        ("token=abc", "token=[hidden]"),
        ("secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "secret [hidden]"),
    ],
)
def test_what_looks_like_a_credential_is_hidden(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "pageToken=abc",
        "the key is missing",
        "FAQ.html",
        "a bearer of news",
        "AIza is how keys begin",
        "monkey=banana",
        "maxOutputTokens: 5",
        "authorization is needed",
        "",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


def test_a_registered_secret_is_hidden_also_percent_encoded() -> None:
    remember_secret("  s3cret/with+signs \n")
    assert redact("a s3cret/with+signs b") == "a [hidden] b"
    assert redact("a s3cret%2Fwith%2Bsigns b") == "a [hidden] b"


def test_a_secret_that_opens_nothing_any_more_is_forgotten_and_others_are_not() -> None:
    remember_secret("a/session that is/over-0815")
    remember_secret("another-session-4711-0815")
    forget_secret("a/session that is/over-0815")
    forget_secret("was never remembered")
    said = "a/session that is/over-0815 another-session-4711-0815"
    assert redact(said) == hide_known(said) == "a/session that is/over-0815 [hidden]"


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    remember_secret("licence-one")
    remember_secret("licence-one-and-more")
    assert redact("licence-one-and-more") == "[hidden]"


def test_nothing_and_next_to_nothing_are_not_secrets() -> None:
    for secret in ("", "  ", "abc"):
        remember_secret(secret)
    assert redact("abc def") == "abc def"


def logged(message: str, *args: str, exc_info: BaseException | None = None, stack_info: bool = False) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("a logger of this test alone")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        logger.error(message, *args, exc_info=exc_info, stack_info=stack_info)
    finally:
        logger.removeHandler(handler)
    return out.getvalue()


def test_a_log_line_is_redacted_in_message_arguments_traceback_and_stack() -> None:
    secret = KEY
    assert KEY not in logged(f"got {KEY}")
    assert logged("got %s", KEY) == "ERROR got [hidden]\n"
    try:
        raise ValueError(f"bad {secret}")
    except ValueError as exc:
        text = logged("failed", exc_info=exc)
    assert "ValueError: bad [hidden]" in text
    assert KEY not in text
    assert "test_a_log_line" in logged("where", stack_info=True)


def test_the_traceback_kept_on_the_record_is_redacted_too() -> None:
    try:
        raise ValueError(f"bad {KEY}")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "m", None, sys.exc_info())
    RedactingFormatter().format(record)
    assert record.exc_text is not None
    assert KEY not in record.exc_text
