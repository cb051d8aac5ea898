"""The tuning of a model: begun with `tunedModels.create`, ended when its operation has made the model."""

from __future__ import annotations

from gemini_server.api import tuned_models
from gemini_server.api.tuned_models import TunedModel
from gemini_server.errors import BadAnswer, NotFound
from gemini_server.jobs.job import Job, Request, Spent, Step, Tell
from gemini_server.rest.answer import parse_value
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.resource_view import shown
from gemini_server.toolkit.retired import TUNING, gone
from gemini_server.toolkit.work.foreground import retrying
from gemini_server.toolkit.work.operation import OperationWork


class Tuning(OperationWork):
    """Begins it, and takes what is known of the model; Google stops it when it is asked to."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Begin it."""
        try:
            reply = await self._runtime.client.call(
                tuned_models.CREATE,
                body=request.body,
                query={"tunedModelId": job.wish.get("id")},
                on_retry=retrying(tell),
            )
        except NotFound as error:
            raise gone(error, TUNING) from None
        return await self.step(job, reply.value)

    async def finished(self, job: Job, response: JsonObject) -> Step:
        """The model."""
        try:
            model = parse_value(TunedModel, response)
        except BadAnswer:
            model = TunedModel()
        if not model.name:
            error = BadAnswer("Google says that the tuning is finished, but named no model.", "See list_tuned_models.")
            return Step("failed", error=error)
        return Step("finished", result={"tuned_model": shown(model)}, spent=Spent(job.model))


WORK = Tuning
