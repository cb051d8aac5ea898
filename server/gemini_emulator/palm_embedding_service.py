"""Vectors of PaLM: `models.embedText` and `models.batchEmbedText`.

Without `Options.legacy_services` the model answers 404, as Google does. Source: `embedText` and its neighbours in the
discovery document of January 2026; the model has 768 dimensions.
"""

from __future__ import annotations

from .embedding import of_words, shortened, vector
from .errors import invalid
from .exchange import Call, Reply, Route, Service
from .faults import without_directives
from .legacy_calls import beta, check_model
from .models import ModelCard
from .schema import check
from .tokens import CHARACTERS_PER_TOKEN
from .wire import Object

_DIMENSIONS = 768
_MOST = 100


def embed_text(service: Service, call: Call) -> Reply:
    """`models.embedText`."""
    card = service.catalogue.get(call.names["model"], call.version, "embedText")
    request = check("EmbedTextRequest", call.body, call.version)
    check_model(request, f"models/{card.id}", "EmbedTextRequest")
    text = _text(request.get("text", ""), "EmbedTextRequest.text")
    directive = call.directive.merged(service.faults.from_prompt([text], call.path))
    return Reply({"embedding": _embedding(text, card)}, directive=directive)


def batch_embed_text(service: Service, call: Call) -> Reply:
    """`models.batchEmbedText`."""
    card = service.catalogue.get(call.names["model"], call.version, "embedText")
    place = "BatchEmbedTextRequest"
    given = check(place, call.body, call.version)
    check_model(given, f"models/{card.id}", place)
    texts: list[str] = given.get("texts", [])
    requests: list[Object] = given.get("requests", [])
    if bool(texts) == bool(requests):
        raise invalid(f"* {place}: exactly one of texts and requests must be set\n")
    for index, one in enumerate(requests):
        if "model" not in one:
            raise invalid(f"* {place}.requests[{index}].model: model is required and not specified\n")
        check_model(one, f"models/{card.id}", f"{place}.requests[{index}]")
    field = "texts" if texts else "requests"
    texts = texts or [one.get("text", "") for one in requests]
    if len(texts) > _MOST:
        raise invalid(f"* {place}.{field}: at most {_MOST} texts can be in one batch, found {len(texts)}\n")
    texts = [_text(text, f"{place}.{field}[{index}]") for index, text in enumerate(texts)]
    directive = call.directive.merged(service.faults.from_prompt(texts, call.path))
    return Reply({"embeddings": [_embedding(text, card) for text in texts]}, directive=directive)


def _text(text: str, place: str) -> str:
    if not text:
        raise invalid(f"* {place}: text is required and not specified\n")
    return text


def _embedding(text: str, card: ModelCard) -> Object:
    seen = without_directives(text)[: card.inputs * CHARACTERS_PER_TOKEN]
    return {"value": shortened(vector(of_words(seen).items(), card.id), _DIMENSIONS, normalised=True)}


ROUTES = (
    Route("POST", "models/{model}:embedText", beta(embed_text)),
    Route("POST", "models/{model}:batchEmbedText", beta(batch_embed_text), slow=True),
)
