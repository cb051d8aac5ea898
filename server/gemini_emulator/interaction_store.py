"""The interactions of one emulator: those that were stored, and how far those in the background have come.

A background interaction is in progress for some polls, or for some time by the emulator's clock. A stream that follows
it drives it as well: what a client has seen of it has happened. Source: "Background execution" and "Interactions API"
(data retention) of the Gemini API.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from threading import Lock

from .clock import EmulatorClock
from .faults import Directive
from .interaction_errors import not_found, refused, unready
from .interaction_events import completed, events, numbered
from .interaction_outcome import Outcome
from .wire import Object, digest

_NAME = re.compile(r"v1_[\w-]{20,}")
_POLLS = 2


class Interaction:
    """One interaction.

    Args:
        ident: its id.
        model: who answers.
        body: the request.
        asked: the steps that the answer is drawn from.
        said: the steps before the answer, as the next turn sees them; a continued answer has its beginning here.
        make: writes the answer; called once, and maybe in a thread.
        directive: what a test wants to happen.
        clock: the emulator's time.
    """

    def __init__(
        self,
        ident: str,
        model: str,
        body: Object,
        asked: list[Object],
        said: list[Object],
        make: Callable[[], Outcome],
        directive: Directive,
        clock: EmulatorClock,
    ) -> None:
        self.ident = ident
        self.model = model
        self.body = body
        self.asked = asked
        self.said = said
        self.directive = directive
        self.background: bool = bool(body.get("background"))
        self._make = make
        self._made: Outcome | None = None
        self._making = Lock()
        self._clock = clock
        self.created: datetime = clock()
        self._polls_left = directive.number("polls", _POLLS)
        self._lasts = directive.seconds("lasts") if self.background else 0.0
        self._seen = 0
        self._looks = 0
        self._events: list[Object] = []
        self._kept: list[Object] | None = None

    @property
    def outcome(self) -> Outcome:
        """How it ends, or would have ended; written when it is first asked for."""
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    @property
    def status(self) -> str:
        """The status at this moment."""
        if self._kept is not None:
            return "cancelled"
        if not self._running():
            return self.outcome.status
        return "queued" if "queued" in self.directive and not self._looks else "in_progress"

    @property
    def head(self) -> Object:
        """The fields that every snapshot of it has."""
        moment = self.created.strftime("%Y-%m-%dT%H:%M:%SZ")
        head: Object = {"id": self.ident, "object": "interaction", "model": self.model}
        head |= {"created": moment, "updated": moment, "service_tier": self.body.get("service_tier", "standard")}
        return head

    def view(self, *, include_input: bool = False) -> Object:
        """The `Interaction` resource."""
        status = self.status
        resource: Object = {**self.head, "status": status}
        for name in ("previous_interaction_id", "labels"):
            if name in self.body:
                resource[name] = self.body[name]
        if include_input and "input" in self.body:
            resource["input"] = self.body["input"]
        if status in ("queued", "in_progress", "cancelled"):
            return resource
        outcome = self.outcome
        resource |= {"steps": outcome.steps, "usage": outcome.usage}
        if outcome.errors:
            resource["errors"] = outcome.errors
        if outcome.token:
            resource["continuation_token"] = outcome.token
        return resource

    def look(self, *, include_input: bool = False) -> Object:
        """The resource as a poll gets it; polls are what time is counted in, unless `lasts=` says otherwise."""
        resource = self.view(include_input=include_input)
        self._looks += 1
        if not self._lasts:
            self._polls_left = max(0, self._polls_left - 1)
        return resource

    def cancel(self) -> None:
        """Stop it.

        Raises:
            InteractionError: 400 when it is not in the background, or not running.
        """
        if not self.background:
            raise unready("Only background interactions can be cancelled.")
        if self._kept is not None or not self._running():
            raise unready(f"The interaction is {self.status}; only a running one can be cancelled.")
        kept = self._all()[: self.released() if self._lasts else self._seen]
        self._kept = [*kept, *numbered(self.ident, [completed(self.head, Outcome("cancelled"))], len(kept))]
        self._clock.wake()

    def events(self) -> list[Object]:
        """All events that it will ever have, as things stand."""
        return self._all() if self._kept is None else self._kept

    def released(self) -> int:
        """How many of its events have happened by now; a stream makes the others happen by going on."""
        total = len(self.events())
        if self._kept is not None or not self._lasts:
            return total
        passed = (self._clock() - self.created).total_seconds()
        return sum(passed >= self._lasts * number / total for number in range(total))

    async def wait(self, number: int) -> None:
        """Wait for an event to happen, or for something else to."""
        await self._clock.wait(self.created + timedelta(seconds=self._lasts * number / len(self.events())))

    def saw(self, number: int) -> None:
        """A stream delivers an event."""
        self._seen = max(self._seen, number + 1)

    def _all(self) -> list[Object]:
        if not self._events:
            self._events = events(self.ident, self.head, self.outcome)
        return self._events

    def _running(self) -> bool:
        if not self.background:
            return False
        if self._lasts:
            return self._clock() < self.created + timedelta(seconds=self._lasts)
        return self._polls_left > 0 and (not self._seen or self._seen < len(self._all()))


class Interactions:
    """The stored interactions.

    Args:
        clock: the emulator's time.
        days: how long one is kept: 55 days on the paid tier, one on the free tier.
    """

    def __init__(self, clock: EmulatorClock, days: float = 55) -> None:
        self.clock = clock
        self._kept = timedelta(days=days)
        self._items: dict[str, Interaction] = {}
        self._numbers = count(1)

    def name(self, body: Object) -> str:
        """A new id, drawn from the request and from how many there have been."""
        raw = b"emulated:%d:" % next(self._numbers) + digest(body)[:18]
        return f"v1_{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"

    def add(self, interaction: Interaction) -> None:
        """Store an interaction."""
        self._items[interaction.ident] = interaction

    def find(self, ident: str) -> Interaction:
        """A stored interaction.

        Raises:
            InteractionError: 404 for one that is not there, 400 for what is no id.
        """
        for name, item in list(self._items.items()):
            if self.clock() >= item.created + self._kept:
                del self._items[name]
        if not _NAME.fullmatch(ident):
            raise refused(f"Invalid interaction name: '{ident}'.")
        if ident not in self._items:
            raise not_found(f"Interaction {ident} was not found.")
        return self._items[ident]

    def delete(self, ident: str) -> None:
        """Forget an interaction.

        Raises:
            InteractionError: 404 for one that is not there.
        """
        del self._items[self.find(ident).ident]
