"""Pictures by Imagen's `predict`. A tool's `wish` says the `size` of the pictures, by which they are priced."""

from __future__ import annotations

import anyio
import anyio.to_thread

from gemini_server.api import predict
from gemini_server.api.predict import Prediction
from gemini_server.errors import BadAnswer, Blocked, NotFound, ToolserverError
from gemini_server.jobs.job import Job, Media, Request, Spent, Step, Tell
from gemini_server.toolkit.generation.media_answer import decoded
from gemini_server.toolkit.generation.options import request_model
from gemini_server.toolkit.generation.run import with_replacement
from gemini_server.toolkit.generation.verdict import LONGEST, REPHRASE
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.untrusted import label
from gemini_server.toolkit.work.foreground import Foreground, retrying


class Predict(Foreground):
    """Sends the request; what the filters held back is no picture, and is not billed."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Send it.

        Raises:
            ToolserverError: nothing came.
        """
        try:
            async with self.runtime.slot():
                reply = await self.runtime.client.call(
                    predict.PREDICT, body=request.body, model=request_model(job.model), on_retry=retrying(tell)
                )
        except NotFound as error:
            raise with_replacement(self.runtime, job.model, error) from None
        with anyio.CancelScope(shield=True):  # as for `generate`
            return await self._step(job, reply.value.predictions, reply.retries)
        raise AssertionError  # for the type checkers: this scope swallows nothing

    async def _step(self, job: Job, predictions: list[Prediction], retries: int) -> Step:
        media, lost = await anyio.to_thread.run_sync(_media, job.kind, predictions)
        reasons = [label(one.rai_filtered_reason, LONGEST) for one in predictions if one.rai_filtered_reason]
        cost, price_date = self.runtime.catalogue.cost(
            job.model,
            images=len(media) + lost,
            image_size=str(job.wish.get("size") or "1K"),
            on=self.runtime.today(),
        )
        usage = Usage(cost_usd=None if cost is None else float(cost), price_date=price_date)
        spent = Spent(job.model, cost)
        if not media:
            error = _filtered(reasons, lost)
            return Step(state="failed", error=error, result={"usage": usage.structured()}, spent=spent)
        warnings = [f"A picture was filtered: {reason}" for reason in dict.fromkeys(reasons)]
        if lost:
            warnings.append(f"{lost} pictures came as no valid base64; they are lost.")
        result = {"usage": usage.structured(), "retries": retries, "warnings": warnings}
        return Step(
            state="finished", result={name: value for name, value in result.items() if value}, media=media, spent=spent
        )


def _media(kind: str, predictions: list[Prediction]) -> tuple[list[Media], int]:
    """The pictures, and how many could not be read."""
    came = [one for one in predictions if one.bytes_base64_encoded]
    read = [(one.mime_type or "image/png", decoded(one.bytes_base64_encoded)) for one in came]
    media = [Media(kind, mime_type, data, bytes=len(data)) for mime_type, data in read if data]
    return media, len(came) - len(media)


def _filtered(reasons: list[str], lost: int) -> ToolserverError:
    if lost:
        return BadAnswer("What came is no picture: it cannot be decoded. It may have been billed.", "Call again.")
    why = " ".join(dict.fromkeys(reasons)) or "it gives no reason, which is what its safety filter does."
    return Blocked(f"Imagen made no picture: {why}", REPHRASE, code="IMAGE_SAFETY")


WORK = Predict
