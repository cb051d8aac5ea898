"""What has happened since one last looked: ends of background work, as the events that webhooks hear of.

Source: the catalogue of events in "Webhooks" of the Gemini API. An interaction that ends `incomplete`, over its budget
or in want of a continuation has an answer, so it counts as completed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from .batch_store import Batch
from .exchange import Service
from .interaction_store import Interaction
from .webhook_delivery import News
from .wire import Object

_INTERACTIONS = {"failed": "interaction.failed", "requires_action": "interaction.requires_action"}
_BATCHES = {"SUCCEEDED": "batch.succeeded", "FAILED": "batch.failed", "EXPIRED": "batch.expired"}


@dataclass(frozen=True)
class Ended:
    """Background work that is over.

    Args:
        kinds: the events that it may be.
        tell: makes the events; it may take a while.
        uris: where its own request wants them to be told.
    """

    kinds: tuple[str, ...]
    tell: Callable[[], list[News]]
    uris: tuple[str, ...]


def ended(service: Service) -> list[Ended]:
    """The work that has ended since the last call."""
    interactions = [_interaction(one, service) for one in service.interactions.ended()]
    return [*interactions, *(_batch(one, service) for one in service.batches.over(lambda one: heard(one, service)))]


def next_end(service: Service) -> datetime | None:
    """When the next work is over, whoever looks or not."""
    moments = (service.interactions.next_end(), service.batches.next_end(lambda one: heard(one, service)))
    return min((moment for moment in moments if moment), default=None)


def heard(batch: Batch, service: Service) -> bool:
    """Whether somebody waits to hear of a batch."""
    return bool(batch.plan.webhook.get("uris")) or any(service.webhooks.subscribers(kind) for kind in _BATCHES.values())


def _interaction(one: Interaction, service: Service) -> Ended:
    config: Object = one.body.get("webhook_config", {})
    moment = service.clock()
    metadata: Object = config.get("user_metadata", {})

    def tell() -> list[News]:
        status = one.status
        if status == "cancelled":
            return []
        data: Object = {"id": one.ident}
        kind = _INTERACTIONS.get(status, "interaction.completed")
        found = [News(kind, moment, {**data, **_error(one.outcome.errors[:1])}, metadata)]
        if one.outcome.film is not None:
            found.append(News("video.generated", moment, {**data, **_video(one.outcome.steps)}, metadata))
        return found

    kinds = (*_INTERACTIONS.values(), "interaction.completed", "video.generated")
    return Ended(kinds, tell, tuple(config.get("uris", [])))


def _video(steps: list[Object]) -> Object:
    """Where a video is, when it was delivered as a file."""
    contents = [one for step in steps if step["type"] == "model_output" for one in step["content"]]
    uri: str = next((one["uri"] for one in contents if "uri" in one), "")
    if not uri:
        return {}
    name = urlsplit(uri).path.rpartition("/")[2].partition(":")[0]
    return {"output_file_uri": uri, "file_name": f"files/{name}"}


def _error(errors: list[Object]) -> Object:
    return {"error_code": errors[0]["code"], "error_message": errors[0]["message"]} if errors else {}


def _batch(one: Batch, service: Service) -> Ended:
    config = one.plan.webhook

    def tell() -> list[News]:
        shown = one.finish()
        resource: Object = shown["metadata"]
        kind = _BATCHES.get(resource["state"].removeprefix("BATCH_STATE_"), "")
        if not kind:
            return []
        data: Object = {"id": one.ident}
        if kind == "batch.failed":
            data |= {"error_code": shown["error"]["code"], "error_message": shown["error"]["message"]}
        if "responsesFile" in resource.get("output", {}):
            data["output_file_uri"] = service.files.get(resource["output"]["responsesFile"])["uri"]
        return [News(kind, service.clock(), data, config.get("userMetadata", {}))]

    return Ended(tuple(_BATCHES.values()), tell, tuple(config.get("uris", [])))
