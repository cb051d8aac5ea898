"""The methods of `voices`: create, list, get and delete.

Source: `CreateVoiceRequest`, `Voice` and the parameters of `ListVoices` in the official SDK of November 2026.
"""

from __future__ import annotations

import base64

from .environment_rules import decoded
from .errors import ApiError, invalid
from .exchange import Call, Reply, Route, Service
from .interaction_errors import missing, of_family, refused, unsupported
from .interaction_pages import PAGES, listed
from .interaction_schema import check
from .interaction_shapes import ENUMS
from .interaction_usage import of_response
from .media import modality
from .media_output import speak
from .music import wav_of
from .spoken import TOKENS_PER_SECOND
from .store import timestamp
from .tokens import of_text
from .voice_catalogue import pitch_name
from .voice_design import described, gender_of, key_of, recorded
from .voice_store import KEPT
from .voices import made
from .wire import Object, digest

_FILTERS = ("accent", "context", "gender", "language_code", "persona", "pitch", "region_code", "type")
_CLOSED = {"pitch": "Pitch", "type": "VoiceType"}
_LONGEST_SEARCH = 2048
_SHOWN = (
    "type", "display_name", "description", "accent", "context", "gender", "language_code", "persona", "pitch",
    "region_code", "prompted",
)  # fmt: skip
_MODEL = "gemini-3.8-flash-tts"
_RATE = 16_000
_SAMPLE = "Hello, this is how I sound."
_MIXED = "Page token is invalid: the filters differ from those of the call that returned it."


def create_voice(service: Service, call: Call) -> Reply:
    """`voices.create`."""
    body = check("CreateVoiceRequest", call.body)
    voice: Object = body["voice"]
    kind: str = voice["type"]
    store = body.get("store", False)
    if kind == "prebuilt":
        raise refused("A voice of the type 'prebuilt' cannot be created.")
    for name in ("prompted", "replicated"):
        if name != kind and name in voice:
            raise refused(f"'{name}' is not supported for a voice of the type '{kind}' at 'voice'.")
    if kind not in voice:
        raise missing(kind, "voice")
    if kind == "prompted" and not store:
        raise refused("'store' must be true for a voice of the type 'prompted'.")
    model = _model(service, call, voice.get("model", _MODEL))
    pitch, tokens = _designed(service, voice["prompted"]) if kind == "prompted" else _copied(voice["replicated"])
    sample = speak(_SAMPLE, [made(pitch)], _RATE)
    heard: Object = {"mime_type": "audio/wav", "data": base64.b64encode(wav_of(sample, _RATE, 1)).decode()}
    usage = {"usage": _usage(tokens, len(sample) / 2 / _RATE)}
    if not store:
        expires = service.clock() + KEPT
        key = {"key": key_of(pitch, expires), "expire_time": timestamp(expires)}
        return Reply({"type": kind, "model": model, **key, "sample_audio": heard, **usage})
    shown = {"pitch": pitch_name(pitch), **{name: voice[name] for name in _SHOWN if name in voice}, "model": model}
    if kind == "prompted":
        shown = {"gender": gender_of(voice["prompted"]["input"]), **shown}
    return Reply({**service.voices.create({**shown, "sample_audio": heard}, pitch), **usage})


def list_voices(service: Service, call: Call) -> Reply:
    """`voices.list`; values of one filter are alternatives, and filters all have to fit."""
    wanted = {name: {one.lower() for one in call.values[name]} for name in _FILTERS if name in call.values}
    for name, enum in _CLOSED.items():
        for value in sorted(wanted.get(name, set()) - set(ENUMS[enum])):
            raise unsupported(value, name, "")
    search = call.query.get("search", "").lower()
    if len(search.encode()) > _LONGEST_SEARCH:
        raise refused(f"'search' must not be longer than {_LONGEST_SEARCH} bytes.")
    found = [
        one
        for one in service.voices.all()
        if all(str(one.get(name, "")).lower() in values for name, values in wanted.items())
        and any(search in str(one.get(name, "")).lower() for name in ("display_name", "description"))
    ]
    mark = "." + digest({name: sorted(values) for name, values in wanted.items()}, search).hex()[:8]
    token = call.query.get("page_token", "")
    if token and not token.endswith(mark):
        raise invalid(_MIXED)
    call.query["page_token"] = token.removesuffix(mark)
    reply = listed(call, found, "voices")
    if "next_page_token" in reply.body:
        reply.body["next_page_token"] += mark
    return reply


def get_voice(service: Service, call: Call) -> Reply:
    """`voices.get`."""
    return Reply(service.voices.get(call.names["id"]))


def delete_voice(service: Service, call: Call) -> Reply:
    """`voices.delete`."""
    service.voices.delete(call.names["id"])
    return Reply()


def _model(service: Service, call: Call, name: str) -> str:
    try:
        card = service.catalogue.get(name, call.version)
    except ApiError as error:
        raise of_family(error) from None
    if card.modalities != ("AUDIO",) or not card.supports("generateContent"):
        raise refused(f"The model models/{card.id} cannot make voices.")
    return card.id


def _designed(service: Service, prompted: Object) -> tuple[int, dict[str, int]]:
    """The pitch of a voice that is described, and the tokens of the description."""
    text: str = prompted["input"]
    if not text.strip():
        raise missing("input", "voice.prompted")
    base: str = prompted.get("base_voice", "")
    pitch = described(text, service.voices.base(base.removeprefix("voices/")) if base else None)
    return pitch, {"TEXT": of_text(text)}


def _copied(replicated: Object) -> tuple[int, dict[str, int]]:
    """The pitch of a voice that is taken from a recording, and the tokens of both recordings."""
    size = 0
    for name in ("source_audio", "consent_audio"):
        audio: Object = replicated[name]
        place = f"voice.replicated.{name}"
        if modality(audio["mime_type"]) != "AUDIO":
            raise unsupported(audio["mime_type"], "mime_type", place)
        data = decoded(audio["data"], f"{place}.data")
        if not data:
            raise missing("data", place)
        size += len(data)
    source: str = replicated["source_audio"]["data"]
    return recorded(base64.b64decode(source)), {"AUDIO": max(1, size // (2 * _RATE) * 32)}


def _usage(read: dict[str, int], seconds: float) -> Object:
    details = [{"modality": name, "tokenCount": count} for name, count in read.items()]
    made_of = [{"modality": "AUDIO", "tokenCount": max(1, round(seconds * TOKENS_PER_SECOND))}]
    return of_response({"promptTokensDetails": details, "candidatesTokensDetails": made_of}, {})


ROUTES = (
    Route("POST", "voices", create_voice, slow=True),
    Route("GET", "voices", list_voices, PAGES | {*_FILTERS, "search"}),
    Route("GET", "voices/{id}", get_voice),
    Route("DELETE", "voices/{id}", delete_voice),
)
