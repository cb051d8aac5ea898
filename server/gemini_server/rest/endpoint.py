"""An endpoint of the API as a value, and the base of everything that travels as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """A JSON object of the generateContent family (camelCase on the wire).

    Tolerant when reading: fields and enum values that Google adds tomorrow are kept. Strict when writing is the
    business of the code that fills it: unset fields are never sent.

    Attributes:
        essential: for a billed answer, the wire names of the members without which it is worth nothing; any other
            member that is misshapen is left out instead of losing what was paid for. None: every member is essential.
        numeric: whether it is all numbers, up to a megabyte of them, whose type refuses by itself what JSON has not:
            then its text is not walked through once more before it is parsed.
    """

    essential: ClassVar[frozenset[str] | None] = None
    numeric: ClassVar[bool] = False

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="allow", protected_namespaces=(), defer_build=True
    )


class Empty(Wire):
    """An answer without content."""


AnswerT = TypeVar("AnswerT", bound=BaseModel)

Repeat = Literal["read", "foreground", "background"]
"""What may be repeated by itself when a call fails, and how far (see `retry`).

`read`: changes nothing. `foreground`: billed work that ends with the call (generate, count, embed). `background`:
creates work that goes on without the call; a second create would be a second bill.
"""


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[AnswerT]):
    """One method of the API: verb, path template, what it answers.

    Attributes:
        method: the HTTP verb.
        path: a template such as `{version}/{model}:generateContent`; `{version}` is the client's unless `version` is
            set.
        answer: the type of the answer.
        repeat: what may be repeated by itself.
        query: the names of the query parameters that the method takes.
        version: an API version that this endpoint needs whatever the client's is (`v1alpha` for tokens).
        billed: whether the answer brings what was paid for although asking changes nothing (the end of a job).
        family: whose error format it answers with: `google` (google.rpc), `interactions` (string codes) or `openai`.
    """

    method: str
    path: str
    answer: type[AnswerT]
    repeat: Repeat = "read"
    query: tuple[str, ...] = ()
    version: str | None = None
    family: Literal["google", "interactions", "openai"] = "google"
    billed: bool = False


@dataclass(frozen=True, slots=True)
class Reply(Generic[AnswerT]):
    """What a call brought: the answer, and how many further attempts it took."""

    value: AnswerT
    retries: int = 0


JsonObject = dict[str, Any]
