"""What the Interactions API refuses in a well-formed request, apart from what generateContent refuses too.

Source: the Interactions API reference, "Background execution", and the guides to video, music and speech.
"""

from __future__ import annotations

import re

from .interaction_errors import missing, refused, unready
from .interaction_formats import Kind
from .interaction_input import user_contents
from .models import ModelCard
from .webhook_store import check_uri
from .wire import Object

_MOST_LABELS = 64
_LABEL_KEY = re.compile(r"[^\W\d_A-Z][\w-]{0,62}")
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")
_VIDEO_UNSUPPORTED = ("temperature", "top_p", "stop_sequences", "thinking_level", "tool_choice")
_CONFIGS: dict[str, Kind] = {"video_config": "video", "speech_config": "speech", "image_config": "image"}
_MOST_PICTURES_FOR_MUSIC = 10


def check_order(body: Object, card: ModelCard, kind: Kind, fresh: list[Object]) -> None:
    """Refuse what makes no sense.

    Raises:
        InteractionError: 400 for the first rule that is broken.
    """
    if body.get("background") and body.get("store") is False:
        raise refused("Background interactions must be stored: 'background' requires 'store' to be true.")
    _labels(body.get("labels", {}))
    if "webhook_config" in body:
        _webhook(body)
    config: Object = body.get("generation_config", {})
    for name, needed in _CONFIGS.items():
        if name in config and kind != needed:
            raise refused(f"'{name}' is not supported by the model models/{card.id}.")
    if kind in ("video", "music", "speech") and body.get("tools"):
        raise refused(f"Tools are not supported by the model models/{card.id}.")
    names = [tool["name"] for tool in body.get("tools", []) if tool["type"] == "function" and "name" in tool]
    if len(set(names)) < len(names):
        raise refused("Duplicate function declaration found.")
    if kind == "video":
        _video(body, config, card)
    if kind == "music":
        _music(fresh, card)


def check_previous(status: str, ident: str) -> None:
    """Refuse to go on from an interaction that has no answer.

    Raises:
        InteractionError: 400 `failed_precondition`.
    """
    if status in ("in_progress", "queued"):
        raise unready(f"The previous interaction {ident} is still in progress.")
    if status in ("failed", "cancelled"):
        raise unready(f"The previous interaction {ident} is {status} and cannot be continued.")


def _labels(labels: dict[str, str]) -> None:
    if len(labels) > _MOST_LABELS:
        raise refused(f"At most {_MOST_LABELS} labels are allowed.")
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value) or value != value.lower():
            raise refused(
                f"Invalid label '{key}': at most 63 lowercase letters, digits, underscores and dashes, the key "
                "beginning with a letter."
            )


def _webhook(body: Object) -> None:
    if not body.get("background"):
        raise refused("'webhook_config' requires 'background' to be true.")
    uris: list[str] = body["webhook_config"].get("uris", [])
    if not uris:
        raise missing("uris", "webhook_config")
    for uri in uris:
        check_uri(uri, "webhook_config.uris")


def _music(fresh: list[Object], card: ModelCard) -> None:
    types = [one["type"] for one in user_contents(fresh)]
    if set(types) - {"text", "image"}:
        raise refused(f"The model models/{card.id} takes text and images only.")
    if types.count("image") > _MOST_PICTURES_FOR_MUSIC:
        raise refused(f"The model models/{card.id} takes at most {_MOST_PICTURES_FOR_MUSIC} images.")


def _video(body: Object, config: Object, card: ModelCard) -> None:
    if body.get("system_instruction"):
        raise refused(f"System instructions are not supported by the model models/{card.id}.")
    for name in _VIDEO_UNSUPPORTED:
        if name in config:
            raise refused(f"'{name}' is not supported by the model models/{card.id}.")
