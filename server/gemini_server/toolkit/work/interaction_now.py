"""Interactions whose answer is waited for: pictures, speech, songs."""

from __future__ import annotations

from gemini_server.api import interactions
from gemini_server.jobs.job import Job, Request, Step, Tell
from gemini_server.toolkit.work.interaction import BackgroundInteraction


class Interaction(BackgroundInteraction):
    """Asks for an interaction and takes its answer; the request does not say `background`."""

    background = False
    endpoint = interactions.CREATE

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Ask, among as many calls as may be under way at once."""
        async with self._runtime.slot():
            return await super().submit(job, request, tell)


WORK = Interaction
