"""The tuned models of one emulator, and the operations that make them.

Source: `tunedModels` and `tunedModels.operations` of the API reference.
"""

from __future__ import annotations

from .errors import ApiError
from .tuned_model import TunedModel


class TunedModels:
    """The tuned models, oldest first; one whose operation was deleted goes on without it."""

    def __init__(self) -> None:
        self._models: dict[str, TunedModel] = {}
        self._operations: dict[str, TunedModel] = {}

    def add(self, model: TunedModel) -> None:
        """Keep a model.

        Raises:
            ApiError: 409 for a name that is taken.
        """
        if model.name in self._models:
            raise ApiError(409, f"Requested entity already exists: {model.name}", name="ALREADY_EXISTS")
        self._models[model.name] = model
        self._operations[f"{model.name}/operations/{model.operation_id}"] = model

    def all(self) -> list[TunedModel]:
        """All models."""
        return list(self._models.values())

    def find(self, ident: str) -> TunedModel:
        """A model.

        Raises:
            ApiError: 404 for an unknown one.
        """
        name = f"tunedModels/{ident}"
        if name not in self._models:
            raise ApiError(404, f"Requested entity was not found: {name}")
        return self._models[name]

    def delete(self, ident: str) -> None:
        """Remove a model and its operation.

        Raises:
            ApiError: as `find`.
        """
        model = self.find(ident)
        del self._models[model.name]
        self._operations.pop(f"{model.name}/operations/{model.operation_id}", None)

    def operations(self) -> list[TunedModel]:
        """The models whose operations are known."""
        return list(self._operations.values())

    def operation(self, name: str) -> TunedModel:
        """The model that an operation makes.

        Args:
            name: the full name of the operation.

        Raises:
            ApiError: 404 for an unknown one.
        """
        if name not in self._operations:
            raise ApiError(404, f"Requested entity was not found: {name}")
        return self._operations[name]

    def forget(self, name: str) -> None:
        """Delete an operation; that does not stop it.

        Raises:
            ApiError: as `operation`.
        """
        self.operation(name)
        del self._operations[name]
