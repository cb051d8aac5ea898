"""Research by an agent: begun once, followed by its events, and brought home as a report.

What a tool's `wish` says to this work:

    sources     what it reads, as `generation.sources` names it
    question    the first line of what was asked, the title of the report
    plan        whether a plan is wanted, and no report
    answer      whether an answer about a report is wanted, and no report
    web         False where it was kept off the web, which follow_up_research keeps to

The events only say what is going on, a thought or a tool at a time: nothing of the answer is gathered from them. When
they end, or break, the interaction itself is asked for. An interruption is taken up after the last event that came.
"""

from __future__ import annotations

import anyio
import anyio.to_thread

from gemini_server.api.interaction_events import FOLLOW, heard
from gemini_server.api.interactions import Interaction
from gemini_server.errors import NotFound, RequestRefused, ToolserverError
from gemini_server.jobs.job import Job, Media, Step, Tell
from gemini_server.rest.stream import StreamBroken
from gemini_server.toolkit.interaction_run import first_line
from gemini_server.toolkit.research_report import report, shortened
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.work.interaction import BackgroundInteraction

FOLLOWED = 60.0
"""Seconds for which events are followed until the ledger hears what is going on."""
FOLLOWED_AT_ONCE = 50
"""Jobs whose events are followed; each takes a connection for as long. Others are asked for now and then."""
AT_WORK = "Gemini is at work"
PLANNED = (
    "This is a plan: follow_up_research with this job and a word of consent goes ahead; with plan_only it is changed."
)


class Research(BackgroundInteraction):
    """Research in the background."""

    follows = True

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self._heard: dict[str, str] = {}
        self._silent: set[str] = set()
        self._following = 0

    async def poll(self, job: Job, tell: Tell) -> Step:
        """Follow its events for a while, then ask how it stands."""
        note = ""
        if not (job.cancelling or job.id in self._silent) and self._following < FOLLOWED_AT_ONCE:
            self._following += 1
            try:
                note, goes_on = await self._follow(job, tell)
            finally:
                self._following -= 1
            if goes_on:
                return Step("running", operation=job.operation, message=note or job.message or AT_WORK, pause=0.0)
        step = await self.asked(job)
        if step.state == "running":
            if note and step.message == AT_WORK:
                step.message = note
        else:
            self._forget(job)
        return step

    async def cancel(self, job: Job) -> Step | None:
        """Ask Google to stop it, and what it had spent by then."""
        step = await super().cancel(job)
        if step is not None:
            self._forget(job)
        if step is not None and step.state == "cancelled" and step.spent is None:
            try:
                asked = await self.asked(job)
            except ToolserverError:
                return step
            return asked if asked.state == "cancelled" else step
        return step

    async def _follow(self, job: Job, tell: Tell) -> tuple[str, bool]:
        """Hear its events; the last thing that they tell, and whether they went on until the time was over."""
        note, before = "", self._heard.get(job.id)
        query: dict[str, str | bool | None] = {"stream": True, "last_event_id": before}
        try:
            with anyio.move_on_after(FOLLOWED) as scope:
                async with self._runtime.client.stream(FOLLOW, id=job.operation or "", query=query) as events:
                    async for event in events:
                        if isinstance(event.event_id, str):
                            self._heard[job.id] = event.event_id
                        if said := heard(event).note:
                            note = first_line(said)
                            tell(note)
            # A stream that hangs, or tells the same again, does not say how it stands.
            return note, scope.cancelled_caught and self._heard.get(job.id) != before
        except StreamBroken:
            pass  # taken up when it has been asked for
        except (RequestRefused, NotFound):
            # It cannot be heard, or not from there on: it is asked for alone.
            self._silent.add(job.id)
            self._heard.pop(job.id, None)
        except ToolserverError:
            pass  # asking for it says what is wrong, or that nothing is
        return note, False

    async def outcome(self, job: Job, interaction: Interaction, *, still: bool = False) -> Step:
        """How it stands, with its report as a file where it is finished."""
        step = await super().outcome(job, interaction, still=still)
        text: str = step.result.get("text", "")
        if step.state != "finished":
            return step
        for name in ("thoughts", "steps", "code"):
            step.result.pop(name, None)  # of an hour's work they are as long as the report
        if not text or job.wish.get("answer"):
            return step
        if job.wish.get("plan"):
            step.result["warnings"] = [*step.result.get("warnings", ()), PLANNED]
            return step
        title, cited = job.wish.get("question") or "", step.result.get("citations") or ()
        whole = await anyio.to_thread.run_sync(report, title, text, cited)
        step.media.insert(0, Media("report", "text/markdown", data=whole.encode("utf-8", "replace")))
        shortened(step.result)
        return step

    def _forget(self, job: Job) -> None:
        self._heard.pop(job.id, None)
        self._silent.discard(job.id)


WORK = Research
