"""AQA: `models.generateAnswer`, an answer that rests on given passages alone, and how sure the model is of it.

Without `Options.legacy_services` the model answers 404, as Google does. Source: `GenerateAnswerRequest` and
`GenerateAnswerResponse` of the API reference; how sure it is follows from the passages' scores, by the emulator's own
measure.
"""

from __future__ import annotations

import re

from .answer_service_passages import Source, sources_of
from .answers import MARK
from .candidate import ratings
from .errors import invalid
from .exchange import Call, Reply, Route, Service
from .faults import Directive, without_directives
from .legacy_calls import beta, check_between, check_model
from .refusals import check_contents
from .retrieval_index import terms
from .schema import check
from .wire import Object

_PLACE = "GenerateAnswerRequest"
_RELEVANT = 0.2
_BESIDE_THE_BEST = 0.6
_MOST_SOURCES = {"ABSTRACTIVE": 2, "EXTRACTIVE": 1, "VERBOSE": 4}
_UNKNOWN_SHARE = 0.3
_SENTENCE = re.compile(r"(?<=[.!?。])\s+|\n+")


def generate_answer(service: Service, call: Call) -> Reply:
    """`models.generateAnswer`."""
    card = service.catalogue.get(call.names["model"], call.version, "generateAnswer")
    request = check(_PLACE, call.body, call.version)
    check_model(request, f"models/{card.id}", _PLACE)
    asked = _question(request)
    question = without_directives(asked)
    style = request.get("answerStyle", "ANSWER_STYLE_UNSPECIFIED")
    if style not in _MOST_SOURCES:
        raise invalid(f"* {_PLACE}.answer_style: answer_style is required and not specified\n")
    check_between(request, "temperature", 0, 1, _PLACE)
    sources = sources_of(request, question, service)
    directive = call.directive.merged(service.faults.from_prompt([asked], call.path))
    if "block" in directive:
        reason = "OTHER" if directive.get("block") == "OTHER" else "SAFETY"
        feedback = {"blockReason": reason, "safetyRatings": ratings("HIGH")}
        return Reply({"inputFeedback": feedback}, directive=directive)
    return Reply(_answered(question, style, sources, directive), directive=directive)


def _question(request: Object) -> str:
    """The text of the last content."""
    contents: list[Object] = request.get("contents", [])
    check_contents(contents, f"{_PLACE}.contents")
    if not all("text" in part for content in contents for part in content["parts"]):
        raise invalid(f"* {_PLACE}.contents: only text is supported\n")
    if contents[-1].get("role", "user") == "model":
        raise invalid(f"* {_PLACE}.contents: the last content must be the question of the user\n")
    return "\n".join(part["text"] for part in contents[-1]["parts"])


def _answered(question: str, style: str, sources: list[Source], directive: Directive) -> Object:
    best = sources[0].score if sources else 0
    used = [one for one in sources if one.score >= max(_RELEVANT, _BESIDE_THE_BEST * best)][: _MOST_SOURCES[style]]
    text = directive.said()
    if text is None:
        text = MARK + (_told(used, question, style) or "The passages do not answer this question.")
    finish = directive.get("finish", "STOP")
    answer: Object = {"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": finish}
    if used:
        answer["groundingAttributions"] = [source.attribution() for source in used]
    return {"answer": answer, "answerableProbability": _probability(best, grounded=bool(used))}


def _told(used: list[Source], question: str, style: str) -> str:
    """The answer in its style: a quotation, a sentence with its sources, or all that the passages say."""
    wanted = terms(question)
    if style == "VERBOSE":
        return " ".join(" ".join(source.text.split()) for source in used)
    quoted = list(dict.fromkeys(_best_sentence(source.text, wanted) for source in used))
    if style == "EXTRACTIVE" or not quoted:
        return " ".join(quoted)
    return f"According to the passages: {' '.join(quoted)}"


def _best_sentence(text: str, wanted: frozenset[str]) -> str:
    sentences = [" ".join(one.split()) for one in _SENTENCE.split(text) if one.strip()]
    return max(sentences, key=lambda sentence: len(terms(sentence) & wanted), default="")


def _probability(best: float, *, grounded: bool) -> float:
    """How sure the answer is: above 0.5 when a passage fits, and far below when none does."""
    share = 0.5 + 0.49 * best if grounded else _UNKNOWN_SHARE * best
    return round(max(share, 0.01), 4)


ROUTES = (Route("POST", "models/{model}:generateAnswer", beta(generate_answer), slow=True),)
