"""The base types of the Interactions family: snake_case on the wire, other errors, otherwise the same two attitudes.

`Read` is what Google says: unknown members are kept, unknown kinds of steps and content pass through. `Told` is what
this side says: a member that the API does not have is a mistake here.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, PlainSerializer, SecretStr


class Read(BaseModel):
    """A JSON object of the Interactions family that Google writes.

    Attributes:
        essential: as for `rest.endpoint.Wire`.
    """

    essential: ClassVar[frozenset[str] | None] = None

    model_config = ConfigDict(extra="allow", protected_namespaces=(), defer_build=True)


class Told(BaseModel):
    """A JSON object of the Interactions family that only this side writes."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), defer_build=True, populate_by_name=True)


def _open(secret: SecretStr) -> str:
    return secret.get_secret_value()


Secret = Annotated[SecretStr, PlainSerializer(_open, return_type=str, when_used="json")]
"""A secret that is sent: nobody reads it in a repr, a log or a traceback, and it goes out as the string it is."""

DISCLOSED = "disclosed"
"""Marks a member of an answer by which Google gives a secret away, once: it is shown to whoever asked, as it came."""
