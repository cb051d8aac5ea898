"""One answer of a batch as a line of its results: what generate_text would say, a vector, or why there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast

from gemini_server.api.answer import GenerateContentResponse
from gemini_server.api.embeddings import EmbedContentResponse
from gemini_server.errors import BadAnswer, ToolserverError
from gemini_server.rest.answer import parse_value
from gemini_server.toolkit import vectors
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.embedding_cost import embedding_cost
from gemini_server.toolkit.generation import json_answer
from gemini_server.toolkit.generation.run import Ran, usage_of
from gemini_server.toolkit.generation.sources import Sources
from gemini_server.toolkit.generation.transcript import Transcript
from gemini_server.toolkit.generation.verdict import judge
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.trouble import trouble
from gemini_server.toolkit.untrusted import label

TIER = "batch"
"""By whose prices answers are billed."""
FIRST = 5
"""Errors that a result shows."""
LONGEST = 1000
"""Characters of an error."""
NO_ANSWER = "no_answer"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the answers of one batch.

    Attributes:
        call: for whom.
        model: of the batch.
        sources: what its answers may repeat of others' words.
        unit: whether vectors are brought to unit length.
    """

    call: Call
    model: str
    sources: Sources = field(default_factory=Sources)
    unit: bool = False

    def line(self, key: str | None, raw: Json, *, wants_json: bool = False) -> Json:
        """What came for one request; blocks for a moment.

        Args:
            key: of the request.
            raw: Google's `{response}` or `{error}`.
            wants_json: whether the answer is to be JSON.
        """
        mark: Json = {} if key is None else {"key": key}
        error, response = raw.get("error"), raw.get("response")
        try:
            if isinstance(response, dict):
                found = cast(Json, response)
                body = self._vector(found) if "embedding" in found else self._words(found, wants_json=wants_json)
            else:
                raise _refused(cast(Json, error)) if isinstance(error, dict) else _nothing()
        except ToolserverError as failed:
            shown = {"code": failed.code, "message": label(str(failed), LONGEST)}
            return {**mark, "error": shown, **({"usage": failed.usage} if failed.usage else {})}
        return {**mark, **body}

    def _words(self, response: Json, *, wants_json: bool) -> Json:
        try:
            answer = parse_value(GenerateContentResponse, response)
        except BadAnswer:
            raise _unreadable() from None
        transcript = Transcript()
        transcript.begin()
        transcript.add(answer)
        used = [one.model_copy(update={"service_tier": None}) for one in transcript.usage]
        ran = Ran(transcript, [], usage=usage_of(self.call.runtime, self.model, used, TIER))
        result = judge(self.call, self.model, ran, self.sources, [])
        value: Any = None
        if wants_json and not result.function_calls:
            value = _parsed(transcript.text)
            if value is None:
                result.incomplete = True
                result.warn("The answer is not valid JSON.")
        made = result.structured()
        if value is not None:
            made["json"] = self.sources.json_value(value)
        media = [{"mime_type": one.mime_type, "data": one.data} for one in (*result.pictures(), *result.files)]
        return {**made, **({"media": media} if media else {})}

    def _vector(self, response: Json) -> Json:
        try:
            answer = parse_value(EmbedContentResponse, response)
            vector = vectors.packed(answer.embedding.values, unit=self.unit)
        except (BadAnswer, OverflowError):
            raise _unreadable() from None
        if not vector:
            raise _unreadable()
        made: Json = {"vector": vectors.rounded(vector)}
        usage = answer.usage_metadata
        if usage is not None and usage.prompt_token_count is not None:
            tokens = usage.prompt_token_count
            cost, day = embedding_cost(self.call.runtime, self.model, usage, service_tier=TIER)
            price = None if cost is None else float(cost)
            spent = Usage(input_tokens=tokens, total_tokens=tokens, cost_usd=price, price_date=day)
            made["usage"] = spent.structured()
        return made


@dataclass
class Tally:
    """What came of a batch, counted line by line.

    Attributes:
        succeeded: requests that have an answer.
        failed: requests that have none.
        unanswered: those of the failed for which Google says nothing at all.
        errors: the first of them.
        usage: what all of it took; the price is None as soon as that of one answer is not known.
    """

    succeeded: int = 0
    failed: int = 0
    unanswered: int = 0
    errors: list[Json] = field(default_factory=list[Json])
    usage: Usage = field(default_factory=lambda: Usage(cost_usd=0.0))

    def add(self, line: Json) -> None:
        """Count a line of the results."""
        error = cast("Json | None", line.get("error"))
        if error is None:
            self.succeeded += 1
        else:
            self.failed += 1
            self.unanswered += error["code"] == NO_ANSWER
            if len(self.errors) < FIRST:
                key = {"key": label(str(line["key"]), 200)} if "key" in line else {}
                self.errors.append({**key, "code": error["code"], "message": error["message"]})
        self._spend(line.get("usage"), free=error is not None)

    def _spend(self, usage: Json | None, *, free: bool) -> None:
        total = self.usage
        if usage is None:
            total.cost_usd = total.cost_usd if free else None
            return
        for name in (*total.counts, "total_tokens"):
            setattr(total, name, getattr(total, name) + int(usage.get(name) or 0))
        cost = usage.get("cost_usd")
        total.cost_usd = None if cost is None or total.cost_usd is None else round(total.cost_usd + cost, 9)
        total.price_date = usage.get("price_date") or total.price_date

    def shown(self) -> Json:
        """As a job's result has it."""
        made: Json = {"counts": {"succeeded": self.succeeded, "failed": self.failed}}
        if self.errors:
            made["errors"] = self.errors
        return {**made, "usage": self.usage.structured()}

    def warnings(self) -> list[str]:
        """What is worth knowing."""
        if not self.failed:
            return []
        total = self.succeeded + self.failed
        said = [f"{self.failed} of {total} requests have no answer: see errors, and `error` in the lines of the file."]
        if self.unanswered:
            said.append(f"{self.unanswered} of these were not answered at all before the batch ended.")
        return said


def no_answer(key: str | None) -> Json:
    """The line of a request for which nothing came."""
    mark: Json = {} if key is None else {"key": key}
    return {**mark, "error": {"code": NO_ANSWER, "message": "The batch ended before this request was answered."}}


def written(line: Json) -> bytes:
    """A line as it stands in the file."""
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _parsed(text: str) -> Any:
    try:
        value: Any = json.loads(text, parse_constant=json_answer.refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value if json_answer.within(value, json_answer.DEPTH) else None


def _refused(said: Json) -> ToolserverError:
    """Google's own error for one request, in its words alone: there are many of them in a file."""
    error = trouble(said.get("code"), None)
    error.what, error.remedy = label(str(said.get("message") or error.what), LONGEST), ""
    return error


def _nothing() -> BadAnswer:
    return BadAnswer("Google gave neither an answer nor an error.", code=NO_ANSWER)


def _unreadable() -> BadAnswer:
    return BadAnswer("What came is no answer that can be read.", "It may have been billed.", code="unreadable")
