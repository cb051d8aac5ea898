"""Work that goes on when all that it asks is answered."""

from __future__ import annotations

import json

from gemini_server.jobs.job import Job, Request, Step, Tell
from gemini_server.toolkit.runtime import Runtime


class Ask:
    """Asks, and says what was answered."""

    background = True

    def __init__(self, runtime: Runtime) -> None:
        """Nothing of the runtime is needed."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Ask."""
        return Step(state="input_required", inputs=job.wish["questions"], message="waits for an answer")

    async def poll(self, job: Job, tell: Tell) -> Step:
        """See whether everything is answered."""
        questions, answers = job.wish["questions"], job.answers or {}
        if set(questions) <= set(answers):
            return Step(state="finished", result={"text": json.dumps(answers)})
        return Step(state="input_required", inputs=questions, message="waits for an answer")

    async def cancel(self, job: Job) -> Step | None:
        """Nobody has to be told."""
        return Step(state="cancelled")


WORK = Ask
