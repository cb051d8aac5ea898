"""Long-running operations in memory: `models/{model}/operations/{id}`.

Source: `google.longrunning.Operation`, and the polling of Veo in the video guide. An operation ends after a number of
polls rather than after a time, so that tests need no waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from .store import Store
from .wire import Object

USUAL_POLLS = 2


class Operations:
    """The operations of one emulator; they are never forgotten."""

    def __init__(self) -> None:
        self._stores: dict[str, Store] = {}
        self._pending: dict[str, tuple[int, Callable[[], Object]]] = {}
        self._lock = Lock()

    def begin(self, model: str, polls: int, finish: Callable[[], Object]) -> Object:
        """Start an operation.

        Args:
            model: the model that it belongs to.
            polls: how often it is still running when it is asked for.
            finish: makes its `response` or `error`; called once, by the poll that finds it done.
        """
        with self._lock:
            name: str = self._store(model).create({})["name"]
            self._pending[name] = (polls, finish)
        return {"name": name}

    def poll(self, model: str, ident: str) -> Object:
        """The operation, one poll further.

        Raises:
            ApiError: 404 for an unknown one.
        """
        name = f"models/{model}/operations/{ident}"
        with self._lock:
            found = _shown(self._store(model).get(name))
            if name not in self._pending:
                return found
            left, finish = self._pending[name]
            if left > 0:
                self._pending[name] = (left - 1, finish)
                return found
            del self._pending[name]
            # Two polls at once must not make the result twice; the second waits for it.
            return _shown(self._store(model).set(name, done=True, **finish()))

    def list_page(self, model: str, page_size: int | None, page_token: str) -> tuple[list[Object], str]:
        """One page of a model's operations, and the token of the next; this is no poll."""
        with self._lock:
            found, token = self._store(model).list_page(page_size, page_token)
        return [_shown(one) for one in found], token

    def _store(self, model: str) -> Store:
        return self._stores.setdefault(model, Store(f"models/{model}/operations"))


def _shown(resource: Object) -> Object:
    return {key: value for key, value in resource.items() if key not in ("createTime", "updateTime")}
