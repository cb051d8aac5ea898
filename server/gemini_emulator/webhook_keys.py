"""The key that deliveries to the webhooks of a single request are signed with: RS256, and its public half as a JWKS.

The key protects nothing: it is the same for every emulator and stands here for all to read. Source: "Dynamic webhooks"
of the Gemini API; RFC 7515, RFC 7517 and RFC 8017 (EMSA-PKCS1-v1_5).
"""

from __future__ import annotations

import base64
import hashlib

from .wire import Object, dump

KEY_ID = "gemini-emulator-1"
_EXPONENT = 65_537
_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
"""The DER of `DigestInfo` for SHA-256, up to the digest."""
_P = """
    fa79cf5324b2639198e6fdb0aa2ca52612f3de3f0444dfbe138d8269689f53d666754d67e6dcf0581e1d21c2200ee1f2ed1f978f02c1
    f64d5b50ca1eeb306743d3f2cf506068147f35408d7a260028ff367b4691bf2aca6be6af35b434002db781bee723b367875da0ae99de
    eb40d5e68e57c4f6cfdb6e3492bc9c0f0e42d17d
"""
_Q = """
    d617425cf4d6623895021776cd78537723e9501e306fdc0ff7bd6dc9006dfb3de9fc0573294312daca9cc618cefef201d036a41d6238
    e74a7c9347938c707cffdb65aab8dc3427fa800a6dd42233d8c08958ba339e2bb14731ecbfedc2dcbdbe40bbe57a74f38e4f4dd31910
    e82b334507e75d0d02fd669b70bd49e5be6536ab
"""


def _number(text: str) -> int:
    return int("".join(text.split()), 16)


_MODULUS = _number(_P) * _number(_Q)
_SIZE = (_MODULUS.bit_length() + 7) // 8


def jwks() -> Object:
    """The public key, as `/.well-known/jwks.json` has it."""
    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID}
    return {"keys": [{**key, "n": _text(_bytes(_MODULUS)), "e": _text(_bytes(_EXPONENT))}]}


def token(claims: Object) -> str:
    """A JSON Web Token with these claims."""
    head = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
    signed = ".".join(_text(dump(part).encode()) for part in (head, claims))
    return f"{signed}.{_text(_signature(signed.encode()))}"


def _signature(message: bytes) -> bytes:
    hashed = _PREFIX + hashlib.sha256(message).digest()
    padded = b"\x00\x01" + b"\xff" * (_SIZE - len(hashed) - 3) + b"\x00" + hashed
    private = pow(_EXPONENT, -1, (_number(_P) - 1) * (_number(_Q) - 1))
    return pow(int.from_bytes(padded, "big"), private, _MODULUS).to_bytes(_SIZE, "big")


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
