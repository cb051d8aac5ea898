"""The models that a key can use, with what is known of their limits, prices and ends."""

from __future__ import annotations

import time
from datetime import date
from typing import Annotated, Literal
from weakref import WeakKeyDictionary

import anyio
from pydantic import Field

from gemini_server.api import models as api
from gemini_server.api.model_facts import ModelFacts
from gemini_server.api.models import Model
from gemini_server.errors import NotFound, ToolserverError
from gemini_server.toolkit import completion
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.untrusted import label

TOOLSET = Toolset("models", "The models that a key can use.")

Capability = Literal[
    "text", "image", "video", "speech", "transcription", "live", "embedding", "music", "research", "agent", "open"
]

_AGENTS = {"agent", "research"}

FRESH_SECONDS = 300.0
"""How long the list of models is taken as it was: it changes a few times a month."""


class ModelOut(Result):
    """A model in brief."""

    id: str
    capabilities: list[str] | None = None
    input_tokens: Annotated[int | None, Field(description="limit")] = None
    output_tokens: Annotated[int | None, Field(description="limit")] = None
    thinking: Annotated[list[str] | None, Field(description="levels or 'budget'")] = None
    input_usd_per_million: float | None = None
    output_usd_per_million: float | None = None
    usd_per: Annotated[dict[str, float] | None, Field(description="image, second, song, media tokens")] = None
    price_date: str | None = None
    shutdown: str | None = None
    replacement: str | None = None
    default_for: list[str] | None = None
    description: str | None = None
    methods: list[str] | None = None


class ModelList(Result):
    """What the key can use."""

    models: list[ModelOut]
    warnings: list[str] | None = None

    def as_text(self) -> str:
        """A line for each model."""
        return "\n".join([*(_line(model) for model in self.models), *(self.warnings or ())]) or "No model matches."


def _line(model: ModelOut) -> str:
    facts = [", ".join(model.capabilities or ["unknown"])]
    if model.input_tokens:
        facts.append(f"{model.input_tokens} tokens in, {model.output_tokens or '?'} out")
    if model.input_usd_per_million is not None:
        facts.append(f"${model.input_usd_per_million}/${model.output_usd_per_million} per million tokens")
    facts += [f"${price:g} per {unit}" for unit, price in (model.usd_per or {}).items()]
    if model.shutdown:
        facts.append(f"shut-down date {model.shutdown}" + (f", use {model.replacement}" if model.replacement else ""))
    if model.default_for:
        facts.append(f"default for {', '.join(model.default_for)}")
    return f"{model.id}: {'; '.join(facts)}"


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True, default=True)
async def list_models(
    call: Call,
    name: Annotated[str | None, Field(description="one model in detail, or part of a name")] = None,
    capability: Annotated[Capability | None, Field(description="only models for this")] = None,
) -> ModelList:
    """List the models that this key can use, by capability, with token limits, prices, shut-down dates and
    replacements. Free.
    """
    served, truncated = await _known(call.runtime)
    wanted = label((name or "").strip().removeprefix("models/").lower())
    exact = [model for model in served if _id(model) == wanted]
    found = exact or [model for model in served if wanted in _id(model).lower()]
    listed = [_described(call, model, detail=bool(exact)) for model in found]
    if capability:
        listed = [model for model in listed if capability in (model.capabilities or ())]
    warnings = ["The list is longer than 1,000 models; the rest is left out."] if truncated else []
    if call.runtime.settings.dialect == "openai":
        warnings.append(
            "Asked in the openai dialect, which tells names alone: what is known of them comes from this server."
        )
    own = {_id(model) for model in served if model.supported_generation_methods is None}
    if (capability or wanted) and own.intersection(model.id for model in listed):
        warnings.append("Gemini does not list its agents: these are those that this server knows.")
    if not listed and found and capability:
        warnings.append(f"{wanted} is served, but not for {capability}." if wanted else _nothing(call, "", capability))
    elif not listed:
        warnings.append(_nothing(call, wanted, capability))
    return ModelList(models=listed, warnings=warnings or None)


def _nothing(call: Call, wanted: str, capability: str | None) -> str:
    retirement = call.runtime.catalogue.retirement(wanted, call.runtime.today()) if wanted else None
    if retirement is not None and retirement.replacement:
        return f"{wanted} is not served any more; use {retirement.replacement}."
    close = [one for one in call.runtime.catalogue.suggest(wanted) if one != wanted] if wanted else []
    named = repr(wanted[:100])
    if close:
        return f"No model matches {named}; close names: {', '.join(close[:3])}."
    return f"This key can use no model for {capability}." if capability and not wanted else f"No model matches {named}."


async def _known(runtime: Runtime) -> tuple[list[Model], bool]:
    """What Gemini lists, and after that the agents: it serves them without listing them."""
    served, truncated = await _served(runtime)
    if runtime.settings.dialect == "openai" or not runtime.backend.ends_models:
        return served, truncated
    listed = {_id(model) for model in served}
    return [*served, *(_agent(facts) for facts in _agents(runtime) if facts.id not in listed)], truncated


def _agents(runtime: Runtime) -> list[ModelFacts]:
    ends = ((facts, runtime.catalogue.retirement(facts.id, runtime.today())) for facts in runtime.catalogue.models)
    return [facts for facts, end in ends if _AGENTS.intersection(facts.capabilities) and not (end and end.past)]


def _agent(facts: ModelFacts) -> Model:
    return Model(name=f"models/{facts.id}", input_token_limit=facts.input_limit, output_token_limit=facts.output_limit)


async def _served(runtime: Runtime) -> tuple[list[Model], bool]:
    known = _lists.get(runtime)
    if known and time.monotonic() - known[0] < FRESH_SECONDS:
        return known[1]
    answer = await runtime.client.pages(api.LIST, items="models", query={"pageSize": 1000})
    _lists[runtime] = (time.monotonic(), answer)
    return answer


_lists: WeakKeyDictionary[Runtime, tuple[float, tuple[list[Model], bool]]] = WeakKeyDictionary()


def _id(model: Model) -> str:
    return model.name.removeprefix("models/")


def _described(call: Call, model: Model, *, detail: bool) -> ModelOut:
    catalogue = call.runtime.catalogue
    today = call.runtime.today()
    facts = catalogue.get(_id(model))
    price = facts.price(today) if facts else None
    # Where the backend is another, other days hold.
    retirement = catalogue.retirement(_id(model), today) if call.runtime.backend.ends_models else None
    return ModelOut(
        id=_id(model),
        capabilities=list(facts.capabilities) if facts else _guessed(model),
        input_tokens=model.input_token_limit,
        output_tokens=model.output_token_limit,
        thinking=_thinking(call, _id(model)),
        # A song has one price, whatever its tokens: two zeros would look like a free model.
        input_usd_per_million=price.input if price and price.per_song is None else None,
        output_usd_per_million=price.output if price and price.per_song is None else None,
        usd_per=(price.units() or None) if price else None,
        price_date=str(price.valid_from) if price else None,
        shutdown=_shutdown(retirement.shutdown) if retirement else None,
        replacement=retirement.replacement if retirement else None,
        default_for=catalogue.default_for(_id(model)) or None,
        description=label(model.description or "", 1000) or None if detail else None,
        methods=model.supported_generation_methods if detail else None,
    )


def _shutdown(day: date | None) -> str | None:
    return str(day) if day else None


def _thinking(call: Call, model: str) -> list[str] | None:
    rules = call.runtime.catalogue.family(model)
    return list(rules.thinking.levels) or (["budget"] if rules.thinking.style == "budget" else None)


def _guessed(model: Model) -> list[str] | None:
    methods = set(model.supported_generation_methods or ())
    if methods & {"embedContent", "batchEmbedContents"}:
        return ["embedding"]
    if "bidiGenerateContent" in methods:
        return ["live"]
    return ["text"] if "generateContent" in methods else None


async def _complete(call: Call, prefix: str) -> list[str]:
    names = set(call.runtime.catalogue.complete(prefix))
    if call.runtime.settings.has_credential:
        with anyio.move_on_after(completion.SECONDS):
            try:
                served, _ = await _served(call.runtime)
            except ToolserverError:
                served = []
            names |= {_id(model) for model in served if _id(model).startswith(prefix)}
    return sorted(names)


@TOOLSET.resource("gemini://models", description="The models that this key can use, in brief.")
async def models(call: Call) -> ModelList:
    """All models."""
    served, _ = await _known(call.runtime)
    return ModelList(models=[_described(call, model, detail=False) for model in served])


@TOOLSET.resource("gemini://models/{id}", description="One model in detail.", complete={"id": _complete})
async def model(call: Call, id: str) -> ModelOut:  # noqa: A002  the template's name
    """One model."""
    try:
        reply = await call.runtime.client.call(api.GET, model=api.resource_name(id))
    except NotFound as error:
        agents = [facts for facts in _agents(call.runtime) if facts.id == id]
        if agents:
            return _described(call, _agent(agents[0]), detail=True)
        raise NotFound(_nothing(call, id, None), status=error.status) from None
    return _described(call, reply.value, detail=True)
