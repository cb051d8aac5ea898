"""A gateway that speaks the OpenAI dialect alone: `…/v1/chat/completions` for everything, with a licence as the key.

Such gateways stand in front of Gemini in companies and shops of API access. Pictures, recordings, films and documents
all come as `image_url`; pictures go out through chat; `codeExecution` is the name of a function that the gateway runs
itself. Nothing of Google's own paths is there. Source: what users of such gateways report of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from .exchange import Call, Reply, Route, Service
from .openai_errors import OpenaiError
from .openai_manner import GATEWAY
from .openai_service import chat, embeddings, list_models, model_of
from .options import Options
from .wire import Object


def check_license(headers: Mapping[str, str], query: Mapping[str, str], options: Options) -> None:
    """Refuse a caller whose `Authorization` is not a bare licence.

    Raises:
        ApiError: 401 for a header that is missing, has a scheme in front, or holds a licence that is not known.
    """
    license_key = headers.get("authorization", "").strip()
    if not license_key:
        raise OpenaiError(401, "No license was given: send it in the Authorization header.", code="invalid_api_key")
    known = options.keys is None or license_key in options.keys
    if " " in license_key or license_key.startswith("invalid") or not known:
        raise OpenaiError(401, "The license in the Authorization header is not valid.", code="invalid_api_key")


def _chat(service: Service, call: Call) -> Reply:
    return chat(service, call, GATEWAY)


def _embeddings(service: Service, call: Call) -> Reply:
    if not service.options.gateway_embeddings:
        raise LookupError(call.path)
    return embeddings(service, call)


def _list_models(service: Service, call: Call) -> Reply:
    return Reply({"object": "list", "data": [_plain(one) for one in list_models(service, call).body["data"]]})


def _get_model(service: Service, call: Call) -> Reply:
    card = model_of(service, call.names["model"], "")
    return Reply(_plain({"id": card.id}))


def _plain(model: Object) -> Object:
    return {"id": model["id"].removeprefix("models/"), "object": "model", "created": 0, "owned_by": "google"}


ROUTES = (
    Route("POST", "chat/completions", _chat, slow=True),
    Route("POST", "embeddings", _embeddings, slow=True),
    Route("GET", "models", _list_models),
    Route("GET", "models/{model}", _get_model),
)
