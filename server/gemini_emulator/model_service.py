"""The methods of `models`: list, get, generateContent, streamGenerateContent and countTokens.

Source: the API reference of the Gemini API, "Models", "Generating content" and "Counting tokens".
"""

from __future__ import annotations

from dataclasses import replace

from .cache_rules import cache_of, with_cache
from .errors import invalid
from .exchange import Call, Reply, Route, Service
from .faults import Directive
from .file_references import opened
from .generate import respond
from .pictures import Publish
from .prompt import Prompt
from .refusals import check_contents, check_request
from .retrieval_tool import check_file_search, searched
from .schema import check
from .store import page
from .streaming import events
from .tokens import Tally, of_prompt
from .voice_references import with_voices
from .wire import Object

_PAGE = 50
_LARGEST_PAGE = 1000


def list_models(service: Service, call: Call) -> Reply:
    """`models.list`."""
    models, token = page(
        service.catalogue.listed(call.version, legacy=service.options.legacy_media),
        call.integer("pageSize", "page_size"),
        call.query.get("pageToken", call.query.get("page_token", "")),
        default=_PAGE,
        largest=_LARGEST_PAGE,
    )
    return Reply({"models": models, **({"nextPageToken": token} if token else {})})


def get_model(service: Service, call: Call) -> Reply:
    """`models.get`."""
    legacy = service.options.legacy_media
    return Reply(service.catalogue.get(call.names["model"], call.version, legacy=legacy).resource())


def generate_content(service: Service, call: Call) -> Reply:
    """`models.generateContent`."""
    prompt, directive = _read(service, call, "generateContent")
    return Reply(respond(prompt, directive, _publisher(service, call, directive)), directive=directive)


def stream_generate_content(service: Service, call: Call) -> Reply:
    """`models.streamGenerateContent`."""
    prompt, directive = _read(service, call, "streamGenerateContent")
    sse = call.query.get("alt", call.query.get("$alt", "")) == "sse"
    response = respond(prompt, directive, _publisher(service, call, directive))
    return Reply(events=events(response), sse=sse, directive=directive)


def count_tokens(service: Service, call: Call) -> Reply:
    """`models.countTokens`."""
    card = service.catalogue.get(call.names["model"], call.version, "countTokens")
    body = check("CountTokensRequest", call.body, call.version)
    if "generateContentRequest" in body:
        if "contents" in body:
            raise invalid("Only one of contents and generate_content_request may be set.")
        request: Object = body["generateContentRequest"]
        if not request.get("model", "").startswith("models/"):
            raise invalid("* CountTokensRequest.generate_content_request.model: unexpected model name format\n")
        if request["model"] != f"models/{card.id}":
            raise invalid("* CountTokensRequest.generate_content_request.model: must be the model of the path\n")
        cached = cache_of(request, card, service.caches)
        request = _opened(request, service)
        check_contents(request.get("contents", []), "CountTokensRequest.generate_content_request.contents")
        check_file_search(request, service.search_stores)
        tally = of_prompt(request, card)
        if cached:
            tally.counts += cached.tally.counts
            return Reply(_counted(tally) | {
                "cachedContentTokenCount": cached.tally.total, "cacheTokensDetails": cached.tally.details(),
            })  # fmt: skip
    else:
        body = _opened(body, service)
        check_contents(body.get("contents", []), "CountTokensRequest.contents")
        tally = Tally()
        tally.add_contents(body["contents"], {}, card)
    return Reply(_counted(tally))


def _counted(tally: Tally) -> Object:
    return {"totalTokens": tally.total, "promptTokensDetails": tally.details()}


def _opened(request: Object, service: Service) -> Object:
    """A request with the data of the files that it refers to."""
    return {**request, "contents": opened(request["contents"], service.files)} if "contents" in request else request


def _publisher(service: Service, call: Call, directive: Directive) -> Publish:
    base_url = call.base_url(service.options.path_prefix)
    return lambda data, mime: service.files.add(
        data, mime, base_url=base_url, size=directive.number("bytes", 0) or None
    )


def _read(service: Service, call: Call, method: str) -> tuple[Prompt, Directive]:
    card = service.catalogue.get(call.names["model"], call.version, method)
    request = check("GenerateContentRequest", call.body, call.version)
    cached = cache_of(request, card, service.caches)
    request = with_voices(_opened(with_cache(request, cached), service), service.voices)
    before = cached.contents if cached else []
    check_request({**request, "contents": [*before, *request.get("contents", [])]}, card)
    if cached:
        check_contents(request.get("contents", []))
    prompt = Prompt(request, card, service.catalogue.serving(card), service.options.date(), cached=cached)
    _fits(prompt)
    prompt = searched(prompt, service.search_stores)
    directive = call.directive.merged(service.faults.from_prompt(prompt.directive_texts, call.path))
    return (replace(prompt, say=directive.said()) if "say" in directive else prompt), directive


def _fits(prompt: Prompt) -> None:
    count, limit = prompt.tally.total, prompt.card.inputs
    if count > limit:
        raise invalid(f"The input token count ({count}) exceeds the maximum number of tokens allowed ({limit}).")


ROUTES = (
    Route("GET", "models", list_models, frozenset({"pageSize", "pageToken", "page_size", "page_token"})),
    Route("GET", "models/{model}", get_model),
    Route("POST", "models/{model}:generateContent", generate_content),
    Route("POST", "models/{model}:streamGenerateContent", stream_generate_content),
    Route("POST", "models/{model}:countTokens", count_tokens),
)
