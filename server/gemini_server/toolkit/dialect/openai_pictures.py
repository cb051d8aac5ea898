"""Pictures by the images method of the OpenAI dialect."""

from __future__ import annotations

from decimal import Decimal

import anyio.to_thread

from gemini_server.api.openai import ImagesRequest, MadePicture
from gemini_server.errors import BadAnswer
from gemini_server.toolkit import artifacts
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.dialect.openai_media import answered_part
from gemini_server.toolkit.generation.media_answer import decoded
from gemini_server.toolkit.generation.transcript import member
from gemini_server.toolkit.job_result import Pending
from gemini_server.toolkit.results import ArtifactOut, Result, Usage
from gemini_server.toolkit.untrusted import link


class OpenaiPictures(Result):
    """Pictures, or the job that makes them."""

    artifacts: list[ArtifactOut] | None = None
    usage: Usage | None = None
    warnings: list[str] | None = None
    retries: int | None = None
    job: Pending = None

    def as_text(self) -> str:
        """The files, or the job."""
        if self.job is not None:
            return self.job.as_text()
        files = [f"[artifact] {artifact}" for artifact in self.artifacts or ()]
        notes = [f"usage: {self.usage}"] if self.usage else []
        notes += [f"warning: {warning}" for warning in self.warnings or ()]
        return "\n".join([*files, f"[{'; '.join(notes)}]"])


async def drawn(call: Call, request: ImagesRequest, estimate: Decimal | None) -> OpenaiPictures:
    """Have pictures made, and keep them; what they cost goes into the books.

    Args:
        call: the job's own call.
        request: what is wanted.
        estimate: US dollars of all together, None where no price is known: the method counts no tokens.

    Raises:
        ToolserverError: nothing came.
    """
    runtime = call.runtime
    await runtime.may_spend(call.principal)
    async with runtime.slot():
        reply = await runtime.openai.draw(request, call.progress.retry)
    made = reply.value
    cost = None if estimate is None else float(estimate / (request.n or 1) * len(made.data))
    runtime.spending.record(call.principal, request.model, cost_usd=cost)
    result = OpenaiPictures(usage=Usage(cost_usd=cost), retries=reply.retries or None)
    warnings: list[str] = []
    kept: list[ArtifactOut] = []
    linked = False
    for one in made.data:
        data = await anyio.to_thread.run_sync(_bytes_of, one)
        if data:
            kept.append(await artifacts.keep(call, "image", data, announced="image/png"))
        elif one.url and (address := link(one.url)) is not None and address.startswith("http"):
            linked = True
            warnings.append(f"A picture came as a link; nothing is fetched from it here. Open it soon: {address}")
        else:
            warnings.append("A picture came as no valid base64; it is lost.")
    if not kept and not linked:
        what = " ".join(["No picture came.", *warnings])
        raise BadAnswer(what, "Say more plainly what is to be shown.", code="NO_IMAGE")
    if len(made.data) < (request.n or 1):
        warnings.append(f"{len(made.data)} of {request.n} pictures came.")
    result.artifacts, result.warnings = kept or None, warnings or None
    return result


def _bytes_of(one: MadePicture) -> bytes:
    """The bytes of a picture, whether they came as base64 or in a data URL."""
    told = one.b64_json or one.url or ""
    blob = member(answered_part(told), "inlineData")
    return decoded(blob["data"]) if blob else b""
