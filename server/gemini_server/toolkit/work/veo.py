"""Videos of Veo: begun with `predictLongRunning`, finished as an operation that names files."""

from __future__ import annotations

import anyio.to_thread

from gemini_server.api import predict
from gemini_server.api.models import resource_name
from gemini_server.api.predict import GeneratedVideos, PredictLongRunningResponse, Video
from gemini_server.errors import BadAnswer, Blocked, NotFound
from gemini_server.jobs.job import Job, Json, Media, Request, Spent, Step, Tell
from gemini_server.rest.answer import parse_value
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.generation.media_answer import decoded
from gemini_server.toolkit.generation.run import with_replacement
from gemini_server.toolkit.untrusted import label
from gemini_server.toolkit.work.foreground import retrying
from gemini_server.toolkit.work.operation import OperationWork

_TYPE = "video/mp4"
_STORED = "gs://"
_LONGEST = 1300
"""Characters of the address of an object."""
_REPHRASE = "Rephrase the prompt, or change the pictures (no children, no famous people), then make it again."


class Veo(OperationWork):
    """Begins a video and takes it."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Begin it."""
        try:
            reply = await self._runtime.client.call(
                predict.PREDICT_LONG_RUNNING, body=request.body, on_retry=retrying(tell), model=resource_name(job.model)
            )
        except NotFound as error:
            raise with_replacement(self._runtime, job.model, error) from None
        return await self.step(job, reply.value)

    async def finished(self, job: Job, response: JsonObject) -> Step:
        """The videos, and what of them was filtered."""
        try:
            read = parse_value(PredictLongRunningResponse, response)
        except BadAnswer:
            read = PredictLongRunningResponse()
        came = read.generate_video_response or GeneratedVideos()
        videos = [one.video for one in came.generated_samples if one.video]
        stored = [one.uri for one in videos if one.uri and one.uri.startswith(_STORED)]
        if stored and not self._runtime.backend.storage:
            videos = [one for one in videos if one.uri not in stored]
        media = await anyio.to_thread.run_sync(_media, job, videos)
        reasons = [label(reason, 300).rstrip(".") for reason in came.rai_media_filtered_reasons or ()][:5]
        filtered = came.rai_media_filtered_count or len(reasons)
        why = (
            f" because of Google's rules for content: {'; '.join(reasons)}." if reasons else " without a reason given."
        )
        if not media and not stored and filtered:
            return Step("failed", error=Blocked(f"Veo held the video back{why}", _REPHRASE, code="filtered"))
        if not media and not stored:
            nothing = "Veo says that the video is finished, but named no file."
            error = BadAnswer(nothing, "Make it again: that may be billed anew.", code="no_media")
            return Step("failed", error=error)
        # Veo is billed by the second, so the estimate is the bill; nothing is taken for what was filtered.
        warnings = [f"{filtered} more of the videos were held back{why}"] if filtered else []
        places = [label(uri, _LONGEST) for uri in stored]
        if stored and not self._runtime.backend.storage:
            warnings.append(f"Not saved here, because this server has no access to Cloud Storage: {', '.join(places)}")
        result: Json = {"storage": places} if places else {}
        if warnings:
            result["warnings"] = warnings
        return Step("finished", result=result, media=media, spent=Spent(job.model, job.cost_usd))


def _media(job: Job, videos: list[Video]) -> list[Media]:
    found: list[Media] = []
    for video in videos:
        if video.uri:
            found.append(Media(job.kind, video.encoding or _TYPE, uri=video.uri))
        elif data := decoded(video.video):
            found.append(Media(job.kind, video.encoding or _TYPE, data=data))
    return found


WORK = Veo
