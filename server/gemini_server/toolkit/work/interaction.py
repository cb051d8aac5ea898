"""Interactions that go on at Google after they were asked for: films, research."""

from __future__ import annotations

import anyio

from gemini_server.api import interactions
from gemini_server.api.interaction_agent import CreateAgentInteraction
from gemini_server.api.interactions import Interaction
from gemini_server.errors import BadAnswer, NotFound, RequestRefused, ToolserverError
from gemini_server.jobs.job import Job, Request, Step, Tell
from gemini_server.rest.endpoint import Endpoint
from gemini_server.toolkit import owners
from gemini_server.toolkit.generation.run import with_replacement
from gemini_server.toolkit.interaction_known import NO_AGENT
from gemini_server.toolkit.interaction_outcome import is_known, step_of
from gemini_server.toolkit.interaction_result import environment_name
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.work.foreground import retrying

STILL = 5
"""Looks at which nothing may have changed before a state that this server does not know is taken as an end."""


class BackgroundInteraction:
    """Begins an interaction, asks how it stands, and stops it.

    The request says `background`; the operation of the job is the interaction's id.
    """

    background = True
    endpoint: Endpoint[Interaction] = interactions.BEGIN

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._seen: dict[str, tuple[tuple[object, ...], int]] = {}
        self._claimed: set[str] = set()

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Begin it. What is finished at once is taken at once."""
        try:
            reply = await self._runtime.client.call(self.endpoint, body=request.body, on_retry=retrying(tell))
        except NotFound as error:
            if isinstance(request.body, CreateAgentInteraction) and job.model in error.what:
                error.remedy = NO_AGENT
                raise
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
        return await self.outcome(job, reply.value, still=self._stands_still(job, reply.value))

    async def outcome(self, job: Job, interaction: Interaction, *, still: bool = False) -> Step:
        """The step that an interaction's state is; `still` says that it has not changed for long."""
        await self._claim(job, interaction)
        return await step_of(self._runtime, job, interaction, still=still)

    async def _claim(self, job: Job, interaction: Interaction) -> None:
        """Remember whose the sandbox is that was made for it: it lies at Google beside those of all callers."""
        if not job.wish.get("makes_environment") or not interaction.environment_id:
            return
        if job.id not in self._claimed:
            self._claimed.add(job.id)
            await owners.claim_for(self._runtime, job.principal, environment_name(interaction.environment_id))

    def _stands_still(self, job: Job, interaction: Interaction) -> bool:
        """Whether it has had the same state for long, one that is not known here, and nothing was added meanwhile."""
        before, looks = self._seen.pop(job.id, ((), 0))
        if is_known(interaction.status):
            return False
        tokens = interaction.usage.total_tokens if interaction.usage else 0
        now = (interaction.status, interaction.updated, len(interaction.steps or ()), tokens)
        looks = looks + 1 if now == before else 1
        if looks < STILL:
            self._seen[job.id] = now, looks
            return False
        self._seen[job.id] = now, STILL - 1
        return True

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
