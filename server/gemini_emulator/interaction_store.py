"""The interactions of one emulator: those that were stored, and how far those in the background have come.

`interaction_progress` says how far one in the background has come. A stream that follows it drives it as well: what a
client has seen of it has happened. Source: "Background execution" and "Interactions API"
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
from .interaction_progress import Progress
from .interaction_usage import partly
from .wire import Object, digest

_NAME = re.compile(r"v1_[\w-]{20,}")


class Interaction:
    """One interaction.

    Args:
        ident: its id.
        who: who answers, `{"model": …}` or `{"agent": …}`, with the other fields that each snapshot has.
        body: the request.
        asked: the steps that the answer is drawn from.
        said: the steps before the answer, as the next turn sees them; a continued answer has its beginning here.
        make: writes the answer; called once, and maybe in a thread.
        directive: what a test wants to happen.
        progress: how far it has come.
        clock: the emulator's time.
        environment: the id of the environment that an agent works in.
    """

    def __init__(
        self,
        ident: str,
        who: Object,
        body: Object,
        asked: list[Object],
        said: list[Object],
        make: Callable[[], Outcome],
        directive: Directive,
        progress: Progress,
        clock: EmulatorClock,
        environment: str = "",
    ) -> None:
        self.ident = ident
        self.who = who
        self.body = body
        self.asked = asked
        self.said = said
        self.directive = directive
        self.background: bool = bool(body.get("background"))
        self.environment = environment
        self.created: datetime = progress.created
        self.progress = progress
        self._make = make
        self._made: Outcome | None = None
        self._making = Lock()
        self._clock = clock
        self._seen = 0
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
        if not self.running:
            return self.outcome.status
        return "queued" if "queued" in self.directive and not self.progress.looked_at else "in_progress"

    @property
    def running(self) -> bool:
        """Whether there is more to come; asking makes nothing that has not been looked at."""
        if self._kept is not None or self.progress.share >= 1:
            return False
        return not self._seen or self._seen < len(self._all())

    @property
    def head(self) -> Object:
        """The fields that every snapshot of it has."""
        moment = self.created.strftime("%Y-%m-%dT%H:%M:%SZ")
        head: Object = {"id": self.ident, "object": "interaction", **self.who}
        head |= {"created": moment, "updated": moment, "service_tier": self.body.get("service_tier", "standard")}
        return head

    def view(self, *, include_input: bool = False) -> Object:
        """The `Interaction` resource."""
        status = self.status
        resource: Object = {**self.head, "status": status}
        for name in ("previous_interaction_id", "labels", "agent_config", "webhook_config"):
            if name in self.body:
                resource[name] = self.body[name]
        if self.environment:
            resource["environment_id"] = self.environment
        if include_input and "input" in self.body:
            resource["input"] = self.body["input"]
        if status in ("queued", "in_progress", "cancelled"):
            return {**resource, **self._so_far()}
        outcome = self.outcome
        resource |= {"steps": outcome.steps, "usage": outcome.usage}
        if outcome.errors:
            resource["errors"] = outcome.errors
        if outcome.token:
            resource["continuation_token"] = outcome.token
        return resource

    def look(self, *, include_input: bool = False) -> Object:
        """The resource as a poll gets it."""
        resource = self.view(include_input=include_input)
        self.progress.look()
        return resource

    def cancel(self) -> None:
        """Stop it.

        Raises:
            InteractionError: 400 when it is not in the background, or not running.
        """
        if not self.background:
            raise unready("Only background interactions can be cancelled.")
        if not self.running:
            raise unready(f"The interaction is {self.status}; only a running one can be cancelled.")
        kept = self._all()[: self._happened()]
        usage: Object = self._so_far().get("usage", {})
        ending = completed(self.head, Outcome("cancelled", usage=usage))
        self._kept = [*kept, *numbered(self.ident, [ending], len(kept))]
        self._clock.wake()

    def events(self) -> list[Object]:
        """All events that it will ever have, as things stand."""
        return self._all() if self._kept is None else self._kept

    def released(self) -> int:
        """How many of its events have happened by now; a stream makes the others happen by going on."""
        total = len(self.events())
        if self._kept is not None or not self.progress.lasts:
            return total
        share = self.progress.share
        return sum(share >= number / total for number in range(total))

    async def wait(self, number: int) -> None:
        """Wait for an event to happen, or for something else to."""
        await self._clock.wait(self.progress.moment(number / len(self.events())))

    def saw(self, number: int) -> None:
        """A stream delivers an event."""
        self._seen = max(self._seen, number + 1)

    def _all(self) -> list[Object]:
        if not self._events:
            self._events = events(self.ident, self.head, self.outcome, told="agent" in self.who)
        return self._events

    def _happened(self) -> int:
        """How many events somebody may know of: those that a stream has delivered, or that time and polls allow."""
        if self.progress.lasts:
            return self.released()
        return max(self._seen, int(self.progress.share * len(self._all())) if self.progress.share else 0)

    def _so_far(self) -> Object:
        """What an agent has done by now, and what that cost; models show nothing of their work before its end."""
        if "agent" not in self.who:
            return {}
        # At the beginning nothing has to be made to know this.
        if self._kept is None and not self._seen and not self.progress.share:
            return {}
        if self._kept is not None:
            happened, total = len(self._kept) - 1, len(self._all())
        else:
            happened, total = self._happened(), len(self._all())
        done = sum(event["event_type"] == "step.stop" for event in self._all()[:happened])
        if not done:
            return {}
        return {"steps": self.outcome.steps[:done], "usage": partly(self.outcome.usage, happened / total)}


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
        self._open: dict[str, Interaction] = {}
        self._numbers = count(1)

    def name(self, body: Object) -> str:
        """A new id, drawn from the request and from how many there have been."""
        raw = b"emulated:%d:" % next(self._numbers) + digest(body)[:18]
        return f"v1_{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"

    def add(self, interaction: Interaction) -> None:
        """Store an interaction."""
        self._items[interaction.ident] = interaction
        if interaction.background:
            self._open[interaction.ident] = interaction

    def ended(self) -> list[Interaction]:
        """Those in the background that have ended since the last call, each once."""
        over = [item for item in list(self._open.values()) if not item.running]
        for item in over:
            self._open.pop(item.ident, None)
        return over

    def next_end(self) -> datetime | None:
        """When the next of those in the background ends by the clock."""
        return min((item.progress.ends for item in list(self._open.values()) if item.progress.ends), default=None)

    def find(self, ident: str) -> Interaction:
        """A stored interaction.

        Raises:
            InteractionError: 404 for one that is not there, 400 for what is no id.
        """
        for name, item in list(self._items.items()):
            if self.clock() >= item.created + self._kept:
                self._drop(name)
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
        self._drop(self.find(ident).ident)

    def _drop(self, ident: str) -> None:
        del self._items[ident]
        self._open.pop(ident, None)
