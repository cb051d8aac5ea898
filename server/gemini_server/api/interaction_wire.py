"""The base types of the Interactions family: snake_case on the wire, other errors, otherwise the same two attitudes.

`Read` is what Google says: unknown members are kept, unknown kinds of steps and content pass through. `Told` is what
this side says: a member that the API does not have is a mistake here.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


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
