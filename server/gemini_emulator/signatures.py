"""Thought signatures and continuation tokens: opaque bytes that only this emulator can have issued.

Both carry an authentication code instead of being remembered, so a conversation survives a restart of the emulator.
Source: the "Thought signatures" page of the Gemini API.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass

from .errors import ApiError, invalid
from .wire import digest, dump

_SECRET = b"gemini-emulator signatures, version 1"
_MARK = b"emu1"
_CODE_LENGTH = 16

# Documented for histories that another model produced. In the padded standard alphabet, as the validator leaves them.
_ESCAPES = frozenset({"context/engineering/is/the/way/to/go", "skip/thought/signature/validator"})


def sign(*content: object) -> str:
    """The signature of some content, in base64."""
    return _seal(b"thought", digest(*content)[:24])


def issued(signature: str) -> bool:
    """Whether a signature is one of ours, or one of the documented escapes."""
    return signature in _ESCAPES or _open(b"thought", signature) is not None


def check_signature(signature: str) -> None:
    """Refuse a signature that was altered or made up."""
    if not issued(signature):
        raise invalid("Corrupted thought signature.")


def missing_signature(function: str, position: int) -> ApiError:
    """400 for a function call that came back without its signature."""
    return invalid(
        "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
        "correctly, and missing thought_signature may lead to degraded model performance. Additional data, function "
        f"call `default_api:{function}` , position {position}. Please refer to "
        "https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
    )


@dataclass(frozen=True)
class Continuation:
    """How far a long answer has come: the next hop out of `hops`, for the request with this fingerprint."""

    hop: int
    hops: int
    request: str

    def token(self) -> str:
        """The token that asks for the next hop."""
        payload = dump([self.hop, self.hops, self.request]).encode()
        return _seal(b"continuation", payload)

    @classmethod
    def read(cls, token: str, request: str) -> Continuation:
        """The state behind a token, refused unless it belongs to this very request."""
        payload = _open(b"continuation", token)
        if payload is None:
            raise invalid("Invalid continuation_token.")
        hop, hops, fingerprint = json.loads(payload)
        if fingerprint != request:
            raise invalid("The continuation_token does not belong to this request; it must not change.")
        return cls(hop, hops, fingerprint)


def _seal(purpose: bytes, payload: bytes) -> str:
    return base64.b64encode(_MARK + _code(purpose, payload) + payload).decode()


def _open(purpose: bytes, text: str) -> bytes | None:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    code, payload = raw[len(_MARK) : len(_MARK) + _CODE_LENGTH], raw[len(_MARK) + _CODE_LENGTH :]
    return payload if raw.startswith(_MARK) and hmac.compare_digest(code, _code(purpose, payload)) else None


def _code(purpose: bytes, payload: bytes) -> bytes:
    return hmac.new(_SECRET, purpose + b"\0" + payload, hashlib.sha256).digest()[:_CODE_LENGTH]
