"""Whose API is at the base URL: how it differs from the Developer API, as data and as functions of one call.

The tools ask in the terms of the Developer API. A backend takes such a call and says what is sent instead, and how the
answer is brought back into those terms; what it has nothing for it refuses, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .config import DEFAULT_VERSION, ClientConfig
from .endpoint import Endpoint, JsonObject

Query = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A call on its way to a backend.

    Attributes:
        endpoint: what is called.
        names: the values of its path template.
        query: its query parameters.
        body: a new body in the place of the caller's.
        rewrite: what makes the body that is sent of the caller's, both as JSON; it may raise an `ArgumentError`.
        answered: what makes the caller's answer of the one that comes.
    """

    endpoint: Endpoint[Any]
    names: Mapping[str, str]
    query: Query = field(default_factory=dict[str, Any])
    body: JsonObject | None = None
    rewrite: Callable[[JsonObject], JsonObject] | None = None
    answered: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend.

    Attributes:
        name: as the setting has it.
        title: for people.
        version: the API version where none is set.
        way: how a call is made there; None where it is made as it is. It raises `ArgumentError` for what the backend
            lacks.
        ends_models: whether models are gone there on the day that the catalogue says.
        stops: the beginnings of the names of operations that it can cancel.
        storage: where the objects of Cloud Storage are that answers name as `gs://`, for the backend's own credential;
            empty where it opens none.
        batch_files: how the names of files begin that batches can be made of.
        at_once: how many items one request for vectors of a model takes; None where as many as anywhere.
    """

    name: str
    title: str
    version: str = DEFAULT_VERSION
    way: Callable[[Asked], Asked] | None = None
    ends_models: bool = False
    stops: tuple[str, ...] = ()
    storage: str = ""
    batch_files: str = "files/"
    at_once: Callable[[str], int] | None = None

    def asked(self, endpoint: Endpoint[Any], names: Mapping[str, str], query: Query | None = None) -> Asked:
        """How a call is made here.

        Raises:
            ArgumentError: the backend has nothing for it. Nothing was sent.
        """
        call = Asked(endpoint, names, query or {})
        return call if self.way is None else self.way(call)


DEVELOPER = Backend("developer", "the Gemini Developer API", ends_models=True, stops=("tunedModels/",))


def of(config: ClientConfig) -> Backend:
    """The backend of a configuration."""
    return config.backend or DEVELOPER
