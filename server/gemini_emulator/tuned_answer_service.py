"""What a tuned model answers: the output of the training example that is most like the prompt, with the usual mark.

All else is as for its base model: rules, refusals, tokens, streams. Vectors are those of an embedding model. Source:
`tunedModels.generateContent` and its neighbours in the API reference.
"""

from __future__ import annotations

import base64
from dataclasses import replace

from .answers import MARK
from .batch_service import create_batch
from .embedding_service import embed_content
from .exchange import Call, Handler, Reply, Route, Service
from .faults import Directive, without_directives
from .legacy_calls import beta, check_model
from .legacy_models import TEXT, TUNABLE
from .model_service import generate_content as generate_with_model
from .model_service import stream_generate_content as stream_with_model
from .palm_text_service import completed
from .schema import check
from .wire import Object

_EMBEDDING = "gemini-embedding-001"


def generate_content(service: Service, call: Call) -> Reply:
    """`tunedModels.generateContent`."""
    return _answered(service, call, generate_with_model)


def stream_generate_content(service: Service, call: Call) -> Reply:
    """`tunedModels.streamGenerateContent`."""
    return _answered(service, call, stream_with_model)


def generate_text(service: Service, call: Call) -> Reply:
    """`tunedModels.generateText`."""
    model = service.tuned_models.find(call.names["tuned"])
    card = service.catalogue.get(TEXT, call.version)
    return completed(service, call, card, model.name, lambda text, _: MARK + model.answer(text))


def batch_generate_content(service: Service, call: Call) -> Reply:
    """`tunedModels.batchGenerateContent`."""
    model = service.tuned_models.find(call.names["tuned"])
    # A model that is not ready refuses the batch, and not each of its requests.
    model.check_ready()
    return create_batch(service, call, "GenerateContent", model.name, generate_content)


def async_batch_embed_content(service: Service, call: Call) -> Reply:
    """`tunedModels.asyncBatchEmbedContent`."""
    model = service.tuned_models.find(call.names["tuned"])
    model.check_ready()
    return create_batch(service, call, "EmbedContent", model.name, _embedded)


def _answered(service: Service, call: Call, generate: Handler) -> Reply:
    """The answer of the base model, which is told what to say."""
    model = service.tuned_models.find(call.names["tuned"])
    request = check("GenerateContentRequest", call.body, call.version)
    check_model(request, model.name, "GenerateContentRequest")
    said = Directive({"say": _encoded(MARK + model.answer(_question(request)))})
    body = {name: value for name, value in request.items() if name != "model"}
    inner = replace(call, names={"model": _generating(service, model.base)}, body=body)
    inner.directive = said.merged(call.directive)
    reply = generate(service, inner)
    for response in [reply.body] if reply.events is None else reply.events:
        response["modelVersion"] = f"{model.name}-emulated"
    if inner.directive.get("say") == said.get("say"):
        rest = {name: value for name, value in reply.directive.items.items() if name != "say"}
        reply.directive = Directive(rest)
    return reply


def _embedded(service: Service, call: Call) -> Reply:
    request = check("EmbedContentRequest", call.body, call.version)
    check_model(request, f"tunedModels/{call.names['tuned']}", "EmbedContentRequest")
    body = {name: value for name, value in request.items() if name != "model"}
    return embed_content(service, replace(call, names={"model": _EMBEDDING}, body=body))


def _generating(service: Service, base: str) -> str:
    """The model whose rules hold: the base, or where that is PaLM one that can generate content."""
    ident = base.removeprefix("models/")
    return ident if service.catalogue.get(ident, "v1beta").supports("generateContent") else TUNABLE


def _question(request: Object) -> str:
    """The text of the last turn."""
    contents: list[Object] = request.get("contents", [])
    parts: list[Object] = contents[-1].get("parts", []) if contents else []
    return without_directives("\n".join(part["text"] for part in parts if part.get("text")))


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


ROUTES = (
    Route("POST", "tunedModels/{tuned}:generateContent", generate_content, slow=True),
    Route("POST", "tunedModels/{tuned}:streamGenerateContent", stream_generate_content, slow=True),
    Route("POST", "tunedModels/{tuned}:generateText", beta(generate_text), slow=True),
    Route("POST", "tunedModels/{tuned}:batchGenerateContent", beta(batch_generate_content), slow=True),
    Route("POST", "tunedModels/{tuned}:asyncBatchEmbedContent", beta(async_batch_embed_content), slow=True),
)
