"""Pictures and speech by `generateContent`: one request, or several at a time for several pictures.

What a tool's `wish` says to this work:

    count           how many requests are sent, each for one answer; 1 by default
    sources         what the model reads, as `generation.sources` names it: its words are shown accordingly
    conversation    {id, turns, pointers, settings}: the turn is added to it when it is answered, whoever waits
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import anyio.to_thread

from gemini_server.api import models
from gemini_server.api.models import GenerateContentRequest
from gemini_server.errors import MayHaveBeenBilled, NotFound, ToolserverError
from gemini_server.jobs.job import Job, Json, Media, Request, Spent, Step, Tell
from gemini_server.rest.body import RawJson
from gemini_server.toolkit import kept_media
from gemini_server.toolkit.generation.media_answer import Found, media_of, no_media
from gemini_server.toolkit.generation.options import request_model
from gemini_server.toolkit.generation.run import UNUSABLE, usage_of, with_replacement
from gemini_server.toolkit.generation.sources import of_names
from gemini_server.toolkit.generation.transcript import Transcript
from gemini_server.toolkit.generation.verdict import about_model
from gemini_server.toolkit.kept_turn import failure_is_a_warning
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.untrusted import label
from gemini_server.toolkit.work.foreground import Foreground, retrying

_LINK = re.compile(r"!\[[^\]\n]{0,300}\]\(https?://")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Answer:
    """One of the answers, or why there is none."""

    transcript: Transcript = field(default_factory=Transcript)
    found: Found = field(default_factory=Found)
    error: ToolserverError | None = None
    warnings: list[str] = field(default_factory=list[str])

    @property
    def media(self) -> list[Media]:
        return self.found.media


class Generate(Foreground):
    """Sends the request as often as there are pictures to make, and keeps what comes."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Send it.

        Raises:
            ToolserverError: nothing came and nothing was billed, or nobody can say.
        """
        answers = [_Answer() for _ in range(max(1, int(job.wish.get("count") or 1)))]

        async def ask(answer: _Answer) -> None:
            await self._ask(job, request, tell, answer)
            there = sum(bool(one.media) for one in answers)
            if there < len(answers):
                tell(f"{there} of {len(answers)} are there", there / len(answers))

        async with anyio.create_task_group() as tasks:
            for answer in answers:
                tasks.start_soon(ask, answer)
        with anyio.CancelScope(shield=True):  # it is paid for: what comes of it must not be lost on the way
            return await self._step(job, request, answers)
        raise AssertionError  # for the type checkers: this scope swallows nothing

    async def _ask(self, job: Job, request: Request, tell: Tell, answer: _Answer) -> None:
        transcript = answer.transcript
        try:
            async with self.runtime.slot():
                for again in (True, False):
                    transcript.begin()
                    reply = await self.runtime.client.call(
                        models.GENERATE, body=request.body, model=request_model(job.model), on_retry=retrying(tell)
                    )
                    transcript.retries += reply.retries
                    transcript.add(reply.value)
                    answer.found = await media_of(transcript, job.kind)
                    trouble = "" if answer.media else _trouble(job, transcript)
                    if not (trouble and again):
                        break
                    answer.warnings.append(f"Gemini gave {trouble} at first; it was asked a second time, billed again.")
                    transcript.forget_turn()
            if not answer.media and not self._linked(job, transcript):
                answer.error = no_media(transcript, job.kind)
        except NotFound as error:
            answer.error = with_replacement(self.runtime, job.model, error)
        except ToolserverError as error:
            answer.error = error
        except Exception:  # noqa: BLE001  one crash must not lose the pictures that the other requests bring
            _log.exception("job %s: a request failed", job.id)
            answer.error = MayHaveBeenBilled(
                "The request failed because of a fault in this server; the details are in its log (stderr)."
            )

    def _linked(self, job: Job, transcript: Transcript) -> bool:
        """Whether a gateway gave the address of a picture: that is paid for as well, and not to be lost."""
        dialect = self.runtime.settings.dialect
        return dialect == "openai" and job.kind == "image" and _LINK.search(transcript.text) is not None

    async def _step(self, job: Job, request: Request, answers: list[_Answer]) -> Step:
        usage = usage_of(self.runtime, job.model, [one for answer in answers for one in answer.transcript.usage])
        warnings = list(dict.fromkeys(warning for answer in answers for warning in answer.warnings))
        came = [answer for answer in answers if answer.error is None]
        if came and not usage.output_tokens:
            usage.cost_usd = None  # the counts leave out what was made: they are no price of it
        if came and usage.cost_usd is None and job.cost_usd is not None:
            # Without a breakdown of its tokens an answer has no price of its own: the estimate stands, by picture.
            made = sum(max(1, len(answer.media)) if job.kind == "image" else 1 for answer in came)
            usage.cost_usd = float(job.cost_usd * made / len(answers))
        spent = _spent(job, usage) if came or any(answer.transcript.usage for answer in answers) else None
        if not came:
            return _failed([answer.error for answer in answers if answer.error], usage, spent, warnings)
        for answer in answers:
            if answer.error is not None:
                warnings.append(f"{len(came)} of {len(answers)} came: {answer.error}")
            if answer.found.lost:
                warnings.append(f"{answer.found.lost} files came as no valid base64; they are lost.")
            reason = answer.transcript.finish_reason
            if not answer.media and answer.error is None:
                warnings.append(
                    "The gateway gave a link in place of a picture: it is in the text. Nothing is fetched from it "
                    "here; open it soon, it may expire."
                )
            if answer.media and reason not in (None, "STOP"):
                warnings.append(f"Gemini ended with {label(reason or '', 60)}; something may be missing.")
        first = came[0].transcript
        sources = of_names(job.wish.get("sources") or ()).found(first.grounding, first.pages)
        words = dict.fromkeys(text for answer in came if (text := sources.clean(answer.transcript.text).text.strip()))
        result: Json = {
            "text": "\n\n".join(words),
            "finish_reason": label(first.finish_reason or "UNKNOWN", 60),
            "model_version": label(first.model_version or ""),
            "untrusted": sources.shown if words else None,
            "retries": sum(answer.transcript.retries for answer in answers),
        }
        if job.wish.get("conversation"):
            result["conversation"] = await self._keep(job, request, came[0], warnings)
        warnings += about_model(self.runtime, job.model, first)
        result["warnings"] = list(dict.fromkeys(warnings))
        shown = {name: value for name, value in result.items() if value}
        return Step(
            state="finished",
            result={**shown, "usage": usage.structured()},
            media=[medium for answer in came for medium in answer.media],
            spent=spent,
        )

    async def _keep(self, job: Job, request: Request, answer: _Answer, warnings: list[str]) -> str | None:
        """Add the turn to its conversation; returns its id. Whatever fails is a warning: the picture is there."""
        wish: Json = job.wish["conversation"]
        known = None if wish["id"] == "new" else str(wish["id"])
        pointers = {int(position): pointer for position, pointer in wish.get("pointers", {}).items()}
        files = {position: kept_media.of_job(job.id, n) for n, position in enumerate(answer.found.positions)}
        conversations = self.runtime.conversations
        with failure_is_a_warning(warnings):
            turns = [
                await kept_media.said(await _last_turn(request), pointers),
                kept_media.pointed(answer.transcript.turn, files),
            ]
            begun = known or await conversations.create(
                job.principal, model=job.model, system=None, settings=wish["settings"]
            )
            await conversations.append(
                job.principal, begun, turns, expected_turns=wish["turns"], model=job.model, settings=wish["settings"]
            )
            return begun
        return known


def _trouble(job: Job, transcript: Transcript) -> str:
    """What is wrong with an answer that usually comes right when it is asked for once more."""
    if transcript.finish_reason in UNUSABLE:
        return transcript.finish_reason
    # A voice that answers in writing: it happens, and has nothing to do with the text.
    return "text instead of speech" if job.kind == "speech" and transcript.text else ""


def _spent(job: Job, usage: Usage) -> Spent:
    return Spent(job.model, usage.cost, usage.counts)


def _failed(errors: list[ToolserverError], usage: Usage, spent: Spent | None, warnings: list[str]) -> Step:
    """The end of a job without a file.

    Raises:
        ToolserverError: nothing was billed, or nobody can say.
    """
    unclear = [error for error in errors if isinstance(error, MayHaveBeenBilled)]
    error = [*unclear, *errors][0]
    if spent is None:
        raise error
    error.what = " ".join([error.what, *warnings, f"It used {usage}."])
    return Step(
        state="unknown" if unclear else "failed", error=error, result={"usage": usage.structured()}, spent=spent
    )


async def _last_turn(request: Request) -> Any:
    if isinstance(request.body, RawJson):
        return (await anyio.to_thread.run_sync(json.loads, request.body.data))["contents"][-1]
    return cast(GenerateContentRequest, request.body).contents[-1]


WORK = Generate
