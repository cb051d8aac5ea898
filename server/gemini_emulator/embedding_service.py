"""The methods `models.embedContent` and `models.batchEmbedContents`.

Source: the API reference of "Embeddings" and the guide of that name, with the limits of both embedding models.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import dataclass

from . import regions
from .colours import shares
from .embedding import DIMENSIONS, Features, of_concepts, of_words, shortened, vector
from .errors import invalid
from .exchange import Call, Reply, Route, Service
from .faults import Directive, without_directives
from .file_references import opened
from .media import Media
from .models import ModelCard
from .refusals import check_contents
from .schema import check
from .tokens import CHARACTERS_PER_TOKEN, Tally, attachment
from .wire import Object, digest

_MOST_REQUESTS = 100
_MOST_IMAGES = 6
_MOST_PAGES = 6
_MOST_VIDEO_SECONDS = 120
_KINDS = {"IMAGE": "picture", "AUDIO": "sound", "VIDEO": "video", "DOCUMENT": "document"}
_PDF_TEXT = re.compile(rb"\(((?:[^()\\]|\\.){2,})\)\s*Tj")


@dataclass(frozen=True)
class Model:
    """The rules of one embedding model."""

    card: ModelCard

    @property
    def multimodal(self) -> bool:
        """Whether it reads more than text, ignores the task type, and scales shortened vectors."""
        return self.card.id != "gemini-embedding-001"


def embed_content(service: Service, call: Call) -> Reply:
    """`models.embedContent`."""
    model = Model(service.catalogue.get(call.names["model"], call.version, "embedContent"))
    request = _opened(service, check("EmbedContentRequest", call.body, call.version))
    directive = _directive(service, call, [request])
    tally = Tally()
    embedding = _embedding({"model": f"models/{model.card.id}", **request}, model, tally, "EmbedContentRequest")
    return Reply({"embedding": embedding, "usageMetadata": _usage(tally)}, directive=directive)


def batch_embed_contents(service: Service, call: Call) -> Reply:
    """`models.batchEmbedContents`."""
    model = Model(service.catalogue.get(call.names["model"], call.version, "batchEmbedContents"))
    requests: list[Object] = check("BatchEmbedContentsRequest", call.body, call.version).get("requests", [])
    if not requests:
        raise invalid("* BatchEmbedContentsRequest.requests: requests must not be empty\n")
    if len(requests) > _MOST_REQUESTS:
        raise invalid(f"* BatchEmbedContentsRequest.requests: at most {_MOST_REQUESTS} requests can be in one batch\n")
    requests = [_opened(service, request) for request in requests]
    directive = _directive(service, call, requests)
    tally = Tally()
    embeddings = [
        _embedding(request, model, tally, f"BatchEmbedContentsRequest.requests[{index}]")
        for index, request in enumerate(requests)
    ]
    return Reply({"embeddings": embeddings, "usageMetadata": _usage(tally)}, directive=directive)


def _opened(service: Service, request: Object) -> Object:
    """A request with the data of the files that it refers to."""
    return {**request, "content": opened([request["content"]], service.files)[0]} if "content" in request else request


def _directive(service: Service, call: Call, requests: list[Object]) -> Directive:
    texts = [
        part["text"]
        for request in requests
        for part in request.get("content", {}).get("parts", [])
        if "[emulate:" in part.get("text", "")
    ]
    return call.directive.merged(service.faults.from_prompt(texts, call.path))


def _usage(tally: Tally) -> Object:
    return {"promptTokenCount": tally.total, "promptTokenDetails": tally.details()}


def _embedding(request: Object, model: Model, tally: Tally, place: str) -> Object:
    card = model.card
    _model_name(request.get("model", ""), card, place)
    if "content" not in request:
        raise invalid(f"* {place}.content: content is not specified\n")
    check_contents([request["content"]], f"{place}.content")
    config: Object = {**request, **request.get("embedContentConfig", {})}
    size = config.get("outputDimensionality", DIMENSIONS)
    if not 1 <= size <= DIMENSIONS:
        raise invalid(f"* {place}.output_dimensionality: must be in the range [1, {DIMENSIONS}], found {size}\n")
    features = _features(request["content"]["parts"], model, config, tally, place)
    if not model.multimodal:
        features += _task(config, place)
    return {"values": shortened(vector(features.items(), card.id), size, normalised=model.multimodal)}


def _model_name(name: str, card: ModelCard, place: str) -> None:
    if not name.startswith("models/"):
        raise invalid(f"* {place}.model: unexpected model name format\n")
    if name != f"models/{card.id}":
        raise invalid(f"* {place}.model: {name} does not match the model of the request, models/{card.id}\n")


def _task(config: Object, place: str) -> Counter[str]:
    """What the task type, and the title that goes with one of them, add to a text."""
    task = config.get("taskType", "TASK_TYPE_UNSPECIFIED")
    title = config.get("title", "")
    if title and task != "RETRIEVAL_DOCUMENT":
        raise invalid(f"* {place}.title: title is only applicable when task_type is RETRIEVAL_DOCUMENT\n")
    added = Counter(of_words(title))
    if task != "TASK_TYPE_UNSPECIFIED":
        added[f"task:{task}"] = 3
    return added


def _features(parts: list[Object], model: Model, config: Object, tally: Tally, place: str) -> Counter[str]:
    """The features of all parts together, with the tokens they take counted."""
    features: Counter[str] = Counter()
    counted, limit = Tally(), model.card.inputs
    media: list[Media] = []
    for index, part in enumerate(parts):
        found = attachment(part, {}, model.card)
        if found is not None:
            if not model.multimodal:
                raise invalid(f"models/{model.card.id} only supports text content.")
            media.append(found.media)
            counted.counts[found.media.modality] += found.tokens
            features.update(_of_media(part, found.media))
            continue
        if not part.get("text"):
            raise invalid(f"* {place}.content: parts[{index}] is an empty Part\n")
        text = without_directives(part["text"])
        counted.add_part({"text": text}, {}, model.card)
        features.update(of_words(text[: limit * CHARACTERS_PER_TOKEN]))
    _media_limits(media)
    if counted.total > limit:
        if config.get("autoTruncate") is False:
            raise invalid(
                f"The input token count ({counted.total}) exceeds the maximum number of tokens allowed ({limit})."
            )
        counted.counts = Counter({name: count * limit // counted.total for name, count in counted.counts.items()})
    tally.counts += counted.counts
    return features


def _media_limits(media: list[Media]) -> None:
    images = [one for one in media if one.modality == "IMAGE"]
    if len(images) > _MOST_IMAGES:
        raise invalid(f"At most {_MOST_IMAGES} images are allowed in one request, found {len(images)}.")
    for one in media:
        if one.modality == "IMAGE" and one.mime and one.mime not in ("image/png", "image/jpeg", "image/jpg"):
            raise invalid(f"Unsupported MIME type: {one.mime}")
        if one.modality == "VIDEO" and one.seconds > _MOST_VIDEO_SECONDS:
            raise invalid(f"The video is too long: at most {_MOST_VIDEO_SECONDS} seconds are supported.")
        if one.pages > _MOST_PAGES:
            raise invalid(f"The document has {one.pages} pages: at most {_MOST_PAGES} are supported.")


def _of_media(part: Object, media: Media) -> Features:
    """What can be seen of a medium, and a little of its identity, so that no two are the same."""
    blob: Object = part.get("inlineData") or part.get("fileData") or {}
    features: Counter[str] = Counter({f"bytes:{digest(blob.get('data'), blob.get('fileUri')).hex()[:16]}": 6})
    features.update(of_concepts({_KINDS.get(media.modality, "document"): 0.3}))
    features.update(of_words(media.text or str(blob.get("fileUri", "")).rpartition("/")[2]))
    if media.png:
        features.update(_of_picture(media.png))
    elif media.modality == "DOCUMENT" and "data" in blob:
        for text in _PDF_TEXT.findall(base64.b64decode(blob["data"])):
            features.update(of_words(text.decode("latin-1")))
    return features


def _of_picture(raw: bytes) -> Features:
    # White is mostly the paper that something is drawn on.
    weights = {colour: share * (0.3 if colour == "white" else 1) for colour, share in shares(raw).items()}
    found = regions.find(raw) or []
    whole = sum(one.area for one in found)
    for region in found[:5]:
        weights[region.colour] = weights.get(region.colour, 0) + region.area / whole
        weights[region.shape] = weights.get(region.shape, 0) + 0.8 * region.area / whole
    return of_concepts(weights)


ROUTES = (
    Route("POST", "models/{model}:embedContent", embed_content),
    Route("POST", "models/{model}:batchEmbedContents", batch_embed_contents),
)
