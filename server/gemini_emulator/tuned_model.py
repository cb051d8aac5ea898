"""A tuned model: its tuning, which goes on by the clock, and what it has learnt.

Source: `tunedModels` of the API reference, `CreateTunedModelMetadata` of the discovery document, and the guide "Model
tuning" as of 2025. The curve of the loss is the emulator's own.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from threading import RLock
from typing import Literal

from .errors import ApiError
from .legacy_likeness import likeness
from .permission_store import Permissions
from .retrieval_index import Entry
from .rpc_status import CODES
from .search_chunks import Passage
from .store import Clock, timestamp
from .wire import Object

_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1beta."
_MOST_SNAPSHOTS = 100

State = Literal["CREATING", "ACTIVE", "FAILED"]


@dataclass(frozen=True)
class Tuning:
    """What a model is tuned with, and how long that takes.

    Args:
        examples: inputs and the outputs that belong to them.
        epochs: how often all of them are gone through.
        batch_size: how many make a step.
        rate: `learningRate` or `learningRateMultiplier`, as it was given or is usual.
        lasts: how many seconds it takes by the clock.
        polls: how many reads find it unfinished, instead of a time; None goes by the clock.
        failure: the error that it ends with.
    """

    examples: tuple[tuple[str, str], ...]
    epochs: int
    batch_size: int
    rate: Object
    lasts: float
    polls: int | None = None
    failure: Object | None = None

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return math.ceil(len(self.examples) * self.epochs / self.batch_size)

    def share(self, reads: int, passed: timedelta) -> float:
        """How much is done; all from 1 on.

        Args:
            reads: how often it has been read.
            passed: how long it has been going on.
        """
        if self.polls is not None:
            return reads / (self.polls + 1)
        return passed.total_seconds() / self.lasts if self.lasts else 1

    def parameters(self) -> Object:
        """`hyperparameters`."""
        return {**self.rate, "epochCount": self.epochs, "batchSize": self.batch_size}


class TunedModel:
    """A tuned model.

    Args:
        ident: the id behind `tunedModels/`.
        origin: `baseModel`, or `tunedModelSource`.
        base: the model that it comes from in the end (`models/…`).
        fields: `displayName`, `description`, `temperature`, `topP`, `topK` and `readerProjectNumbers`.
        tuning: what it is tuned with.
        clock: the emulator's time.
        learnt: the examples of the tuned model that it comes from.

    Attributes:
        permissions: who may do what with it.
    """

    def __init__(
        self,
        ident: str,
        origin: Object,
        base: str,
        fields: Object,
        tuning: Tuning,
        clock: Clock,
        learnt: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.name = f"tunedModels/{ident}"
        self.operation_id = "".join(random.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(12))
        self.base = base
        self.fields = fields
        self.permissions = Permissions(self.name)
        self.examples = (*tuning.examples, *learnt)
        self._origin = origin
        self._tuning = tuning
        self._clock = clock
        self._created = self._updated = clock()
        self._ended: datetime | None = None
        self._error: Object | None = None
        self._stopped_at: int | None = None
        self._reads = 0
        self._lock = RLock()

    @property
    def state(self) -> State:
        """How far it is."""
        if self._ended is None:
            return "CREATING"
        return "FAILED" if self._error else "ACTIVE"

    def look(self) -> None:
        """Go one read further."""
        with self._lock:
            self._reads += 1
            self.go_on()

    def go_on(self) -> None:
        """Do what is due."""
        with self._lock:
            if self._ended is None and self._share() >= 1:
                in_time = self._created + timedelta(seconds=self._tuning.lasts)
                self._end(in_time if self._tuning.polls is None else self._clock(), self._tuning.failure)

    def cancel(self) -> None:
        """Stop the tuning; a model that is ready stays as it is."""
        with self._lock:
            self.go_on()
            if self._ended is None:
                self._end(self._clock(), {"code": CODES["CANCELLED"], "message": "The operation was cancelled."})

    def change(self, changes: dict[str, object]) -> None:
        """Change fields; None takes one away."""
        with self._lock:
            changed = {**self.fields, **changes}
            self.fields = {name: value for name, value in changed.items() if value is not None}
            self._updated = self._clock()

    def check_ready(self) -> None:
        """Refuse to use a model that is not ready.

        Raises:
            ApiError: 400 for that.
        """
        self.go_on()
        if self.state != "ACTIVE":
            message = f"The tuned model {self.name} is not in an ACTIVE state: it is {self.state}."
            raise ApiError(400, message, name="FAILED_PRECONDITION")

    def answer(self, prompt: str) -> str:
        """What the model says: the output of the example whose input is most like the prompt.

        Raises:
            ApiError: as `check_ready`.
        """
        self.check_ready()
        for given, output in self.examples:
            if given.strip() == prompt.strip():
                return output
        best = max(range(len(self.examples)), key=lambda at: likeness(self._entries[at], prompt))
        return self.examples[best][1]

    def resource(self) -> Object:
        """The `TunedModel`; what it was trained with is not shown."""
        with self._lock:
            self.go_on()
            task: Object = {"startTime": timestamp(self._created)}
            if self.state == "ACTIVE":
                task["completeTime"] = timestamp(self._ended or self._created)
            task |= self._snapshots()
            task["hyperparameters"] = self._tuning.parameters()
            times = {"createTime": timestamp(self._created), "updateTime": timestamp(self._updated)}
            return {"name": self.name, **self._origin, **self.fields, "state": self.state, **times, "tuningTask": task}

    def operation(self) -> Object:
        """The operation that makes the model, as it is."""
        with self._lock:
            self.go_on()
            shown: Object = {"name": f"{self.name}/operations/{self.operation_id}", "metadata": self._metadata()}
            if self._ended is None:
                return shown
            if self._error is not None:
                return {**shown, "done": True, "error": self._error}
            return {**shown, "done": True, "response": {"@type": f"{_TYPE}TunedModel", **self.resource()}}

    @cached_property
    def _entries(self) -> list[Entry]:
        return [Entry(Passage(given), "") for given, _ in self.examples]

    def _share(self) -> float:
        return self._tuning.share(self._reads, self._clock() - self._created)

    def _done(self) -> int:
        """How many steps are done, or were when it was stopped."""
        if self._stopped_at is not None:
            return self._stopped_at
        return int(min(self._share(), 1) * self._tuning.steps)

    def _end(self, moment: datetime, error: Object | None) -> None:
        self._stopped_at = self._done()
        self._ended = self._updated = moment
        self._error = error

    def _metadata(self) -> Object:
        steps, done = self._tuning.steps, self._done()
        shown: Object = {"@type": f"{_TYPE}CreateTunedModelMetadata", "tunedModel": self.name, "totalSteps": steps}
        if done:
            shown |= {"completedSteps": done, "completedPercent": round(100 * done / steps, 2)}
        return {**shown, **self._snapshots()}

    def _snapshots(self) -> Object:
        """`snapshots`: one for each step that is done, or for every n-th where there are many."""
        steps, done = self._tuning.steps, self._done()
        shown = range(1, done + 1, math.ceil(steps / _MOST_SNAPSHOTS))
        return {"snapshots": [self._snapshot(step) for step in shown]} if shown else {}

    def _snapshot(self, step: int) -> Object:
        passed = step / self._tuning.steps
        noise = random.Random(f"{self.name} {step}").uniform(-0.1, 0.1)
        moment = self._created + timedelta(seconds=self._tuning.lasts * passed)
        return {
            "step": step,
            "epoch": math.ceil(step * self._tuning.batch_size / len(self._tuning.examples)),
            "meanLoss": round(0.4 + 8 * math.exp(-3 * passed) * (1 + noise), 6),
            "computeTime": timestamp(moment),
        }
