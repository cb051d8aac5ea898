"""Interactions that go on at Google after they were asked for: films, research."""

from __future__ import annotations

import anyio

from gemini_server.api import interactions
from gemini_server.api.interactions import Interaction
from gemini_server.errors import BadAnswer, NotFound, RequestRefused, ToolserverError
from gemini_server.jobs.job import Job, Request, Step, Tell
from gemini_server.rest.endpoint import Endpoint
from gemini_server.toolkit.generation.run import with_replacement
from gemini_server.toolkit.interaction_outcome import step_of
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.work.foreground import retrying


class BackgroundInteraction:
    """Begins an interaction, asks how it stands, and stops it.

    The request says `background`; the operation of the job is the interaction's id.
    """

    background = True
    endpoint: Endpoint[Interaction] = interactions.BEGIN

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Begin it. What is finished at once is taken at once."""
        try:
            reply = await self._runtime.client.call(self.endpoint, body=request.body, on_retry=retrying(tell))
        except NotFound as error:
            raise self._explained(job, error) from None
        with anyio.CancelScope(shield=True):  # what has come is paid for
            step = await self.outcome(job, reply.value)
            if step.state in ("running", "input_required") and not step.operation:
                raise BadAnswer(
                    "Gemini has begun the work, but gave it no name by which to ask for it.",
                    "It may have been billed.",
                    code="nameless",
                )
            return step
        raise AssertionError  # for the type checkers: this scope swallows nothing

    async def poll(self, job: Job, tell: Tell) -> Step:
        """Ask how it stands."""
        return await self.asked(job)

    async def asked(self, job: Job) -> Step:
        """How it stands, by the interaction itself."""
        reply = await self._runtime.client.call(interactions.GET, id=job.operation or "")
        return await self.outcome(job, reply.value)

    async def outcome(self, job: Job, interaction: Interaction) -> Step:
        """The step that an interaction's state is."""
        return await step_of(self._runtime, job, interaction)

    async def cancel(self, job: Job) -> Step | None:
        """Ask Google to stop it; what was finished by then is taken."""
        if not job.operation:
            return None
        try:
            reply = await self._runtime.client.call(interactions.CANCEL, id=job.operation)
        except RequestRefused:
            return None  # it has ended meanwhile, or cannot be stopped: asking for it says which
        except ToolserverError:
            step = await self.asked(job)
            if step.state in ("running", "input_required"):
                raise  # to be tried again
            return step  # it has ended, whether or not it was stopped
        step = await self.outcome(job, reply.value)
        return None if step.state in ("running", "input_required") else step

    def _explained(self, job: Job, error: NotFound) -> NotFound:
        if "interaction" in error.what.lower():
            error.remedy = (
                "Google keeps an interaction for 55 days, for a day without billing. What it made is still here: give "
                "its file, gemini://artifacts/ID, in its place."
            )
            return error
        return with_replacement(self._runtime, job.model, error)


WORK = BackgroundInteraction
