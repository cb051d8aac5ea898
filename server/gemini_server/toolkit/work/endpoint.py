"""Methods that were called by name and go on at Google: operations of any service."""

from __future__ import annotations

import json
from typing import Any, cast

import anyio.to_thread

from gemini_server.api import batches, reference
from gemini_server.api.operations import Operation
from gemini_server.errors import NotFound, RequestRefused
from gemini_server.jobs.job import Job, Json, Media, Request, Step, Tell
from gemini_server.rest.endpoint import Endpoint, JsonObject
from gemini_server.toolkit.endpoint_answer import INLINE
from gemini_server.toolkit.endpoint_call import explained
from gemini_server.toolkit.untrusted import json_value
from gemini_server.toolkit.work.foreground import retrying
from gemini_server.toolkit.work.operation import OperationWork


class NamedMethod(OperationWork):
    """Begins what the job's wish names, and gives the answer as it comes: a long one as a file."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Begin it."""
        wish = job.wish
        method = reference.find(wish["endpoint"])
        endpoint = Endpoint(
            method.verb, method.path, Operation, "background", method.query, wish.get("version") or method.version
        )
        path: dict[str, Any] = wish["path"]
        try:
            reply = await self._runtime.client.call(
                endpoint, body=request.body, query=wish["query"], on_retry=retrying(tell), **path
            )
        except NotFound as error:
            raise explained(method, error) from None
        return await self.step(job, reply.value)

    async def finished(self, job: Job, response: JsonObject) -> Step:
        """The answer as it is."""
        clean = cast(Json, await anyio.to_thread.run_sync(lambda: json_value(response)))
        text = await anyio.to_thread.run_sync(lambda: json.dumps(response, indent=1).encode())
        result: Json = {"endpoint": job.wish["endpoint"], "untrusted": "api"}
        if len(text) <= INLINE:
            return Step("finished", result={**result, "answer": clean})
        return Step("finished", result=result, media=[Media(job.kind, "application/json", data=text)])

    async def cancel(self, job: Job) -> Step | None:
        """Ask Google to stop it: a batch, the tuning of a model."""
        if not (job.operation or "").startswith("batches/"):
            return await super().cancel(job)
        try:
            await self._runtime.client.call(batches.CANCEL, name=job.operation or "")
        except RequestRefused:
            return None  # it has ended meanwhile: asking for it says how
        return None


WORK = NamedMethod
