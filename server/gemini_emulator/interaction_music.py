"""Music of the Lyria models.

Source: the guide to music generation of the Gemini API, in its Interactions form. Songs are longer than what is played
here; the answer says so. The encodings are those that the emulator can write.
"""

from __future__ import annotations

from collections.abc import Callable

from .answers import MARK
from .interaction_errors import InteractionError, refused
from .interaction_outcome import Order, Outcome, forced, prompt_of
from .interaction_usage import SOUND_TOKENS, of_media
from .media_output import MusicType, compose
from .prompt import Prompt
from .wire import Object

_CLIP_SECONDS = 30
_SONG_SECONDS = 40
_RATE = 48_000
_RATES = range(8_000, 48_001)
_TYPES: dict[str, MusicType] = {"audio/l16": "audio/l16", "audio/wav": "audio/wav", "audio/mp3": "audio/mp3"}


def prepare(order: Order) -> Callable[[], Outcome]:
    """Check the request of a music model; it plays later.

    Raises:
        InteractionError: for an encoding or a sample rate that is not to be had.
    """
    prompt = prompt_of(order)
    wanted: Object = order.formats.get("audio", {})
    mime = _TYPES.get(wanted.get("mime_type", "audio/mp3"))
    if mime is None:
        raise InteractionError(501, "not_implemented", f"This emulator cannot encode '{wanted['mime_type']}'.")
    rate: int = wanted.get("sample_rate", _RATE)
    if rate not in _RATES:
        raise refused(f"The sample rate {rate} is not supported at 'response_format'.")
    seconds = _CLIP_SECONDS if "clip" in order.card.id else _SONG_SECONDS

    def played() -> Outcome:
        early = forced(order, of_media(prompt, {}))
        if early is not None:
            return early
        content: list[Object] = []
        text = ""
        if "text" in order.formats or not order.formats:
            text = _told(prompt, seconds) if prompt.say is None else prompt.say
            content.append({"type": "text", "text": text})
        if "audio" in order.formats or not order.formats:
            data = compose(prompt.text, seconds, rate=rate, mime_type=mime)
            heard = order.deliver(data, mime, wanted.get("delivery", "inline"))
            content.append({"type": "audio", **heard, "sample_rate": rate, "channels": 2})
        usage = of_media(prompt, {"audio": seconds * SOUND_TOKENS}, text)
        return Outcome(steps=[{"type": "model_output", "content": content}], usage=usage)

    return played


def _told(prompt: Prompt, seconds: int) -> str:
    topic, other = prompt.facts.topic(), prompt.facts.topic(1)
    return (
        f"{MARK}Music about {topic}; {seconds} seconds of it are played by an emulator.\n"
        f"[Intro]\n[Verse]\nOf {topic} I sing, of {other} too\n[Chorus]\n{topic.capitalize()}, {topic}\n[Outro]"
    )
