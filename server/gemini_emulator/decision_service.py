"""The method of `decisions`: structured questions about one input, answered with probabilities.

Source: `CreateDecisionRequest`, its questions and its answers in the official SDK of November 2026.
"""

from __future__ import annotations

from .decision_answer import Evidence, answer_to
from .errors import ApiError
from .exchange import Call, Reply, Route, Service
from .faults import Directive, without_directives
from .interaction_errors import missing, of_family, refused
from .interaction_files import opened
from .interaction_input import contents_of, steps_of, texts_of
from .interaction_schema import check
from .interaction_usage import of_response
from .models import ModelCard
from .tokens import Tally, attachment, of_json, of_text
from .wire import Object, is_list, is_object

_FEWEST, _MOST = 2, 255
_REASONS = ("safety", "other", "blocklist", "prohibited_content", "image_safety")


def create_decision(service: Service, call: Call) -> Reply:
    """`decisions.create`."""
    body = check("CreateDecisionRequest", call.body)
    card = _model(service, call, body["model"])
    questions: dict[str, Object] = body["questions"]
    if not questions:
        raise refused("At least one question is required at 'questions'.")
    instructions = {name: _instructions(question, f"questions.{name}") for name, question in questions.items()}
    for name, question in questions.items():
        _check_criteria(question, f"questions.{name}.criteria")
    steps = opened(steps_of(body["input"]), service.files)
    contents = contents_of(steps)
    tally = Tally()
    tally.add_contents(contents, {}, card)
    tally.counts["TEXT"] += sum(map(of_text, instructions.values()))
    tally.counts["TEXT"] += sum(of_json(one["criteria"]) for one in questions.values() if "criteria" in one)
    if tally.total > card.inputs:
        raise refused(
            f"The input token count ({tally.total}) exceeds the maximum number of tokens allowed ({card.inputs})."
        )
    directive = call.directive.merged(service.faults.from_prompt(texts_of(steps), call.path))
    if "block" in directive:
        return Reply({"prompt_feedback": _blocked(directive), "usage": _usage(tally, 0)}, directive=directive)
    evidence = Evidence(_text(contents, card))
    answers = {name: answer_to(question, instructions[name], evidence) for name, question in questions.items()}
    return Reply({"answers": answers, "usage": _usage(tally, sum(map(of_json, answers.values())))}, directive=directive)


def _model(service: Service, call: Call, name: str) -> ModelCard:
    try:
        card = service.catalogue.get(name, call.version)
    except ApiError as error:
        raise of_family(error) from None
    if card.modalities != ("TEXT",) or not card.supports("generateContent") or card.transcribes:
        raise refused(f"Decisions are not supported by the model models/{card.id}.")
    return service.catalogue.serving(card)


def _instructions(question: Object, place: str) -> str:
    """What is asked: a text, one text content, or several."""
    given: object = question["instructions"]
    if is_list(given):
        text = "\n".join(one["text"] for one in given)
    else:
        text = given["text"] if is_object(given) else str(given)
    if not text.strip():
        raise missing("instructions", place)
    return text


def _check_criteria(question: Object, place: str) -> None:
    if question["type"] == "noul":
        return
    criteria: list[str] = list(question["criteria"])
    what = "options" if question["type"] == "choice" else "levels"
    if not _FEWEST <= len(criteria) <= _MOST:
        raise refused(f"Between {_FEWEST} and {_MOST} {what} are required at '{place}', not {len(criteria)}.")
    for one in criteria:
        if not one.strip():
            raise refused(f"The {what} at '{place}' must not be empty.")
        if question["type"] == "choice" and (one != one.strip() or not one.isprintable()):
            raise refused(f"The option '{one}' at '{place}' has control characters or blanks around it.")


def _text(contents: list[Object], card: ModelCard) -> str:
    """The text of the input, and what can be told about what is attached to it."""
    told: list[str] = []
    for content in contents:
        for part in content["parts"]:
            found = attachment(part, {}, card)
            if found is not None:
                told.append(found.media.text or found.media.about)
            elif "text" in part:
                told.append(without_directives(part["text"]))
    return "\n".join(told)


def _blocked(directive: Directive) -> Object:
    reason = directive.get("block", "safety").lower()
    message = directive.get("message", "Request blocked due to its content.").replace("_", " ")
    return {"block_reason": reason if reason in _REASONS else "other", "block_reason_message": message}


def _usage(tally: Tally, made: int) -> Object:
    return of_response({"promptTokensDetails": tally.details(), "candidatesTokenCount": made}, {})


ROUTES = (Route("POST", "decisions", create_decision, slow=True),)
