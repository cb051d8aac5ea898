"""Methods that were called by name and go on at Google: operations of any service, but batches (`endpoint_batch`)."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import anyio.to_thread
from pydantic import BaseModel

from gemini_server.api import reference
from gemini_server.api.operations import Operation
from gemini_server.errors import NotFound
from gemini_server.jobs.job import Job, Json, Media, Request, Step, Tell
from gemini_server.rest.endpoint import Endpoint, JsonObject
from gemini_server.toolkit.endpoint_answer import INLINE, defanged
from gemini_server.toolkit.endpoint_call import explained
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.work.foreground import retrying
from gemini_server.toolkit.work.operation import OperationWork

AnswerT = TypeVar("AnswerT", bound=BaseModel)


async def begun(runtime: Runtime, job: Job, request: Request, tell: Tell, answer: type[AnswerT]) -> AnswerT:
    """Send the request of the method that a job's wish names, once.

    Raises:
        ToolserverError: as `Work.submit`.
    """
    wish = job.wish
    method = reference.find(wish["endpoint"])
    version = wish.get("version") or method.version
    endpoint = Endpoint(method.verb, method.path, answer, "background", method.query, version)
    path: dict[str, Any] = wish["path"]
    try:
        reply = await runtime.client.call(
            endpoint, body=request.body, query=wish["query"], on_retry=retrying(tell), **path
        )
    except NotFound as error:
        raise explained(method, error) from None
    return reply.value


class NamedMethod(OperationWork):
    """Begins what the job's wish names, and gives the answer as it comes: a long one as a file."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Begin it."""
        return await self.step(job, await begun(self._runtime, job, request, tell, Operation))

    async def finished(self, job: Job, response: JsonObject) -> Step:
        """The answer as it is."""
        clean = await anyio.to_thread.run_sync(defanged, response)
        text = await anyio.to_thread.run_sync(lambda: json.dumps(response, indent=1).encode())
        result: Json = {"endpoint": job.wish["endpoint"], "untrusted": "api"}
        if len(text) <= INLINE:
            return Step("finished", result={**result, "answer": clean})
        return Step("finished", result=result, media=[Media(job.kind, "application/json", data=text)])


WORK = NamedMethod
