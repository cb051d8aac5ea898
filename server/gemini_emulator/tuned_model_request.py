"""What is asked for when a model is to be tuned: checked, and with the usual values filled in.

Source: `TunedModel`, `TuningTask` and `Hyperparameters` of the API reference, and the limits of the guide "Model
tuning" as of 2025.
"""

from __future__ import annotations

import re

from .errors import invalid
from .exchange import Call, Service
from .faults import Directive
from .legacy_calls import check_between, check_length
from .legacy_models import TUNING_METHODS
from .models import ModelCard
from .rpc_status import asked_status
from .schema import check
from .search_document import unique
from .tuned_model import TunedModel, Tuning
from .wire import Object

_PLACE = "CreateTunedModelRequest.tuned_model"
_IDENT = re.compile(r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?")
_LONGEST_NAME = 40
_LONGEST_INPUT = 40_000
_LONGEST_OUTPUT = 5_000
_USUAL_SECONDS = 60.0
_FEW = 1000
_FAILED = "The tuning failed due to an internal error."

CHANGEABLE = ("displayName", "description", "temperature", "topP", "topK", "readerProjectNumbers")


def ordered(service: Service, call: Call) -> TunedModel:
    """The model that a request is to make.

    Raises:
        ApiError: 400 for what cannot be, 404 for a base model that is not there or cannot be tuned.
    """
    given = check("TunedModel", call.body, call.version)
    ident = _ident(call.query.get("tunedModelId", call.query.get("tuned_model_id", "")), given)
    check_fields(given, _PLACE)
    origin, card, source = _origin(service, call, given)
    task: Object = given.get("tuningTask", {})
    examples = _examples(task)
    directive = call.directive.merged(
        service.faults.from_prompt([given.get("displayName", ""), given.get("description", "")], call.path)
    )
    tuning = _tuning(task.get("hyperparameters", {}), examples, directive)
    usual = card.resource()
    sampling: Object = {name: usual[name] for name in ("temperature", "topP", "topK") if name in usual}
    fields: Object = {**sampling, **{name: given[name] for name in CHANGEABLE if name in given}}
    learnt = source.examples if source else ()
    return TunedModel(ident, origin, f"models/{card.id}", fields, tuning, service.clock, learnt)


def check_fields(given: Object, place: str) -> None:
    """Refuse values that the fields which can be changed may not have.

    Raises:
        ApiError: 400 for that.
    """
    check_length(given.get("displayName", ""), _LONGEST_NAME, f"{place}.display_name")
    check_between(given, "temperature", 0, 1, place)
    check_between(given, "topP", 0, 1, place)
    check_between(given, "topK", 1, 2**31, place)


def _ident(wanted: str, given: Object) -> str:
    if wanted and not _IDENT.fullmatch(wanted):
        raise invalid(f"* CreateTunedModelRequest.tuned_model_id: {wanted!r} does not match {_IDENT.pattern}\n")
    return wanted or unique(given.get("displayName", ""))


def _origin(service: Service, call: Call, given: Object) -> tuple[Object, ModelCard, TunedModel | None]:
    """What the model shows of where it comes from, its base, and the tuned model that it goes on from."""
    if "tunedModelSource" not in given:
        base: str = given.get("baseModel", "")
        if not base.startswith("models/"):
            raise invalid(f"* {_PLACE}.base_model: a name of the form models/{{id}} is required\n")
        return {"baseModel": base}, _tunable(service, call, base), None
    name: str = given["tunedModelSource"].get("tunedModel", "")
    if not name.startswith("tunedModels/"):
        raise invalid(f"* {_PLACE}.tuned_model_source.tuned_model: a name of the form tunedModels/{{id}} is required\n")
    source = service.tuned_models.find(name.removeprefix("tunedModels/"))
    source.check_ready()
    origin = {"tunedModelSource": {"tunedModel": name, "baseModel": source.base}}
    return origin, _tunable(service, call, source.base), source


def _tunable(service: Service, call: Call, base: str) -> ModelCard:
    card = service.catalogue.get(base, call.version)
    method = next((method for method in TUNING_METHODS if card.supports(method)), TUNING_METHODS[0])
    return service.catalogue.get(base, call.version, method)


def _examples(task: Object) -> tuple[tuple[str, str], ...]:
    place = f"{_PLACE}.tuning_task.training_data.examples"
    examples: list[Object] = task.get("trainingData", {}).get("examples", {}).get("examples", [])
    if not examples:
        raise invalid(f"* {place}: examples is required and must not be empty\n")
    pairs: list[tuple[str, str]] = []
    for index, one in enumerate(examples):
        here = f"{place}.examples[{index}]"
        if not one.get("textInput"):
            raise invalid(f"* {here}.text_input: text_input is required and not specified\n")
        if not one.get("output"):
            raise invalid(f"* {here}.output: output is required and not specified\n")
        check_length(one["textInput"], _LONGEST_INPUT, f"{here}.text_input")
        check_length(one["output"], _LONGEST_OUTPUT, f"{here}.output")
        pairs.append((one["textInput"], one["output"]))
    return tuple(pairs)


def _tuning(given: Object, examples: tuple[tuple[str, str], ...], directive: Directive) -> Tuning:
    place = f"{_PLACE}.tuning_task.hyperparameters"
    check_between(given, "epochCount", 1, 100, place)
    check_between(given, "batchSize", 1, 64, place)
    for name in ("learningRate", "learningRateMultiplier"):
        check_between(given, name, 1e-9, 10, place)
    few = len(examples) < _FEW
    rate: Object = {name: given[name] for name in ("learningRate", "learningRateMultiplier") if name in given}
    return Tuning(
        examples,
        given.get("epochCount", 5),
        given.get("batchSize", 4 if few else 16),
        rate or {"learningRate": 0.001 if few else 0.0002},
        directive.seconds("lasts") or _USUAL_SECONDS,
        directive.number("polls", 0) if "polls" in directive else None,
        asked_status(directive, _FAILED),
    )
