"""Batches in memory: how each of them goes on, and what it shows of itself.

A batch is a long-running operation whose metadata is the batch. It is pending, runs and ends while it is being read,
so that tests need no waiting; or it goes by the emulator's clock. What has not ended after 48 hours has expired.
Source: `batches` in the API reference, the guide "Batch API", and operations as the live service has sent them in 2026.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import RLock
from typing import Literal

from .batch_plan import KEPT, Plan
from .errors import ApiError
from .rpc_status import CODES
from .store import Clock, page, timestamp
from .wire import Object

_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main."
_LARGEST_PAGE = 100
USUAL_SECONDS = 3600.0
_UNSERVED: Object = {"error": {"code": CODES["CANCELLED"], "message": "The operation was cancelled."}}

State = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"]


class Batch:
    """One batch.

    Args:
        plan: what it is to do.
        display_name: its name for people.
        priority: larger ones come first; the emulator runs all at once.
        serve: answers one request with `response` or `error`.
        publish: makes a file of the responses, and gives its name.
        clock: the emulator's time.
    """

    def __init__(
        self,
        plan: Plan,
        display_name: str,
        priority: int,
        serve: Callable[[Object], Object],
        publish: Callable[[list[Object], str], str],
        clock: Clock,
    ) -> None:
        self.ident = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(36))
        self.plan = plan
        self.display_name = display_name
        self.priority = priority
        self._serve = serve
        self._publish = publish
        self._clock = clock
        self._created = self._updated = clock()
        self._state: State = "PENDING"
        self._ended: datetime | None = None
        self._reads = 0
        self._turn = plan.in_turn()
        self._results: dict[int, Object] = {}
        self._output: Object = {}
        self._error: Object | None = None
        self._lock = RLock()

    def look(self) -> Object:
        """The operation, one read further."""
        with self._lock:
            self._reads += 1
            self._go_on()
            return self.view()

    def view(self, *, brief: bool = False) -> Object:
        """The operation as it is.

        Args:
            brief: without the results, as lists show it.
        """
        with self._lock:
            if self.plan.lasts or self._clock() >= self._created + KEPT:
                self._go_on()
            shown: Object = {"name": f"batches/{self.ident}", "metadata": self.resource(brief=brief)}
            if self._ended is None:
                return shown
            shown["done"] = True
            if self._error is not None:
                return {**shown, "error": self._error}
            output = {"@type": f"{_TYPE}{self.plan.kind}BatchOutput", **self._output}
            return shown if brief else {**shown, "response": output}

    def resource(self, *, brief: bool = False) -> Object:
        """The batch itself, which is the metadata of the operation."""
        with self._lock:
            model = self.plan.model if "/" in self.plan.model else f"models/{self.plan.model}"
            shown: Object = {"@type": f"{_TYPE}{self.plan.kind}Batch", "model": model}
            if self.display_name:
                shown["displayName"] = self.display_name
            if self.plan.file_name:
                shown["inputConfig"] = {"fileName": self.plan.file_name}
            if self._output and not brief:
                shown["output"] = self._output
            shown["createTime"] = timestamp(self._created)
            if self._ended is not None:
                shown["endTime"] = timestamp(self._ended)
            shown |= {"updateTime": timestamp(self._updated), "batchStats": self._stats()}
            shown |= {"state": f"BATCH_STATE_{self._state}", "name": f"batches/{self.ident}"}
            return {**shown, "priority": str(self.priority)} if self.priority else shown

    def cancel(self) -> None:
        """Stop: what has been served is kept; a batch that has ended stays as it is."""
        with self._lock:
            self.view()
            if self._ended is not None:
                return
            if self._results:
                for position in self._turn:
                    self._results.setdefault(position, _UNSERVED)
                self._write()
            else:
                self._error = self._without_error()
            self._end("CANCELLED", self._clock())

    @property
    def ends(self) -> datetime:
        """When it is over by the clock alone; one that goes by reads gets an hour for them."""
        return self._created + min(KEPT, timedelta(seconds=self.plan.lasts or USUAL_SECONDS))

    @property
    def ended(self) -> bool:
        """Whether it has been seen to end."""
        return self._ended is not None

    def finish(self) -> Object:
        """The operation after all the reads that it takes to end."""
        with self._lock:
            while self._ended is None:
                self.look()
            return self.view()

    def update(self, changes: Object) -> Object:
        """Change `displayName` and `priority`, as far as they are given; None takes the old value away."""
        with self._lock:
            self.display_name = changes.get("displayName", self.display_name) or ""
            self.priority = changes.get("priority", self.priority) or 0
            self._updated = self._clock()
            return self.resource()

    def _go_on(self) -> None:
        if self._ended is not None:
            return
        now = self._clock()
        passed = now - self._created
        share = self.plan.share(self._reads, passed)
        if self.plan.expired(passed):
            self._results.clear()
            self._error = self._without_error()
            self._end("EXPIRED", self._created + KEPT)
        elif share >= 1:
            self._finish(self.plan.ends(self._created, now))
        elif share >= 0:
            self._state = "RUNNING"
            self._run(int(share * len(self._turn)))

    def _finish(self, moment: datetime) -> None:
        if self.plan.failure is not None:
            self._error = self.plan.failure
            self._end("FAILED", moment)
            return
        self._run(len(self._turn))
        self._write()
        self._end("SUCCEEDED", moment)

    def _run(self, count: int) -> None:
        for position in self._turn[:count]:
            if position not in self._results:
                self._results[position] = self._serve(self.plan.items[position].request)
                self._updated = self._clock()

    def _write(self) -> None:
        """Put the results where the input came from: into a file, or into the operation."""
        items = self.plan.items
        if self.plan.file_name:
            lines = [{**items[position].mark, **self._results[position]} for position in self._turn]
            self._output = {"responsesFile": self._publish(lines, self.ident)}
            return
        responses = [{**self._results[position], **item.mark} for position, item in enumerate(items)]
        self._output = {"inlinedResponses": {"inlinedResponses": responses}}

    def _end(self, state: State, moment: datetime) -> None:
        self._state = state
        self._ended = self._updated = moment

    def _without_error(self) -> Object:
        return {"code": CODES["INTERNAL"], "message": f"Batch {self.ident} failed without error."}

    def _stats(self) -> Object:
        failed = sum("error" in result for result in self._results.values())
        counts = {
            "requestCount": len(self._turn),
            "successfulRequestCount": len(self._results) - failed,
            "failedRequestCount": failed,
            "pendingRequestCount": len(self._turn) - len(self._results),
        }
        # A zero is the default of the field, and defaults are not written.
        return {name: str(count) for name, count in counts.items() if count}


class Batches:
    """The batches of one emulator.

    Args:
        clock: the emulator's time.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._batches: dict[str, Batch] = {}
        self._open: dict[str, Batch] = {}

    def add(self, batch: Batch) -> None:
        """Keep a batch."""
        self._batches[batch.ident] = batch
        self._open[batch.ident] = batch

    def over(self, heard: Callable[[Batch], bool]) -> list[Batch]:
        """Those that have ended since the last call, each once.

        Args:
            heard: whether somebody waits to hear of a batch; one that goes by reads ends by the clock only then.
        """
        now = self.clock()
        over = [one for one in list(self._open.values()) if one.ended or (now >= one.ends and heard(one))]
        for batch in over:
            self._open.pop(batch.ident, None)
        return over

    def next_end(self, heard: Callable[[Batch], bool]) -> datetime | None:
        """When the next of those that somebody waits to hear of is over by the clock."""
        return min((one.ends for one in list(self._open.values()) if heard(one)), default=None)

    def find(self, ident: str) -> Batch:
        """A batch.

        Raises:
            ApiError: 404 for one that is unknown or was deleted.
        """
        if ident not in self._batches:
            raise ApiError(404, f"Requested entity was not found: batches/{ident}")
        return self._batches[ident]

    def delete(self, ident: str) -> None:
        """Forget a batch, whether it has ended or not; that does not stop it.

        Raises:
            ApiError: as `find`.
        """
        del self._batches[self.find(ident).ident]
        self._open.pop(ident, None)

    def list_page(self, page_size: int | None, page_token: str) -> tuple[list[Object], str]:
        """One page of operations without their results, newest first, and the token of the next; this is no read."""
        newest = [batch.view(brief=True) for batch in reversed(self._batches.values())]
        return page(newest, page_size, page_token, default=10, largest=_LARGEST_PAGE)
