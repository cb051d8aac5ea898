"""The messages of a chat as the contents of a generateContent request.

Source: "Create chat completion" of OpenAI's API reference; `extra_content.google.thought_signature` is described in
"Thought signatures" of the Gemini API.
"""

from __future__ import annotations

import base64
import binascii
import json
import mimetypes
import re
from urllib.parse import unquote_to_bytes, urlsplit

from .errors import ApiError, invalid
from .media import modality
from .openai_errors import refused
from .openai_manner import Manner
from .wire import Object, is_list, is_object

_DATA_URL = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),(.*)", re.DOTALL)
_PICTURE = re.compile(r"!\[[^\]]*\]\((data:image/[^)]+)\)")
_AUDIO = {"wav": "audio/wav", "mp3": "audio/mpeg", "aac": "audio/aac", "ogg": "audio/ogg", "flac": "audio/flac",
          "aiff": "audio/aiff", "m4a": "audio/mp4"}  # fmt: skip
_ROLES = ("system", "developer", "user", "assistant", "tool")
_UNSIGNED = "skip_thought_signature_validator"
"""The documented signature for history that another model wrote: the OpenAI schema has no place for real ones."""


def conversation(messages: object, manner: Manner) -> tuple[list[Object], str]:
    """The contents of a chat, and its system instruction.

    Raises:
        ApiError: 400 for messages that cannot be read, or a tool message without its call.
    """
    if not is_list(messages) or not messages:
        raise refused("Invalid 'messages': a non-empty array is expected.", "messages")
    contents: list[Object] = []
    instructions: list[str] = []
    called: dict[str, str] = {}
    for index, message in enumerate(messages):
        place = f"messages.{index}"
        if not is_object(message) or message.get("role") not in _ROLES:
            raise refused(f"Invalid value at '{place}.role': one of {', '.join(_ROLES)} is expected.", f"{place}.role")
        match message["role"]:
            case "system" | "developer":
                instructions.append(_text_of(message.get("content"), f"{place}.content"))
            case "user":
                contents.append({"role": "user", "parts": _parts(message.get("content"), f"{place}.content", manner)})
            case "assistant":
                parts = _said(message, place, manner)
                called |= {
                    part["functionCall"]["id"]: part["functionCall"]["name"] for part in parts if "functionCall" in part
                }
                contents.append({"role": "model", "parts": parts})
            case _:
                response = _response(message, called, place)
                if contents and "functionResponse" in contents[-1]["parts"][0]:
                    contents[-1]["parts"].append(response)
                else:
                    contents.append({"role": "user", "parts": [response]})
    return contents, "\n".join(instructions)


def media_part(url: str, param: str) -> Object:
    """A part of a data URL or a web address; the type of what is at an address is told by its ending.

    Raises:
        ApiError: 400 for another kind of address, or broken base64.
    """
    found = _DATA_URL.fullmatch(url)
    if found is None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise refused(f"Invalid URL at '{param}': a data URL or a web address is expected.", param)
        guessed = mimetypes.guess_type(urlsplit(url).path)[0]
        return {"fileData": {"fileUri": url, **({"mimeType": guessed} if guessed else {})}}
    mime, options, data = found[1] or "text/plain", found[2], found[3]
    try:
        raw = base64.b64decode(data, validate=True) if ";base64" in options else unquote_to_bytes(data)
    except binascii.Error:
        raise refused(f"Invalid data URL at '{param}': its base64 cannot be read.", param) from None
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(raw).decode()}}


def _text_of(content: object, param: str) -> str:
    if isinstance(content, str):
        return content
    if is_list(content) and all(is_object(part) and isinstance(part.get("text"), str) for part in content):
        return "\n".join(part["text"] for part in content)
    raise refused(f"Invalid value at '{param}': a text, or an array of text parts, is expected.", param)


def _parts(content: object, place: str, manner: Manner) -> list[Object]:
    if isinstance(content, str):
        return [{"text": content}]
    if not is_list(content) or not content:
        raise refused(f"Invalid value at '{place}': a text, or a non-empty array of parts, is expected.", place)
    return [_part(part, f"{place}.{index}", manner) for index, part in enumerate(content)]


def _part(part: object, place: str, manner: Manner) -> Object:
    kind = part.get("type") if is_object(part) else None
    given: object = part.get(str(kind)) if is_object(part) else None
    if kind == "text" and isinstance(given, str):
        return {"text": given}
    if kind == "image_url" and is_object(given) and isinstance(given.get("url"), str):
        made = media_part(given["url"], f"{place}.image_url.url")
        blob: Object = made.get("inlineData") or made["fileData"]
        if not manner.any_media and modality(blob.get("mimeType", "image/png")) != "IMAGE":
            raise refused(f"Unsupported MIME type: {blob['mimeType']}. An image_url must be a picture.", place)
        return made
    if kind == "input_audio" and not manner.any_media and is_object(given):
        mime = _AUDIO.get(str(given.get("format")))
        if mime is None:
            raise refused(f"Invalid value at '{place}.input_audio.format': {given.get('format')!r}.", place)
        return media_part(f"data:{mime};base64,{given.get('data', '')}", f"{place}.input_audio.data")
    raise refused(f"Invalid content part at '{place}': the type {kind!r} is not supported or incomplete.", place)


def _said(message: Object, place: str, manner: Manner) -> list[Object]:
    """What the model said before: text, pictures in Markdown, and calls."""
    content = message.get("content")
    parts = _pictures(_text_of(content, f"{place}.content"), place) if content else []
    if parts and manner.google and (signature := _signature(message)):
        parts[-1]["thoughtSignature"] = signature
    calls: object = message.get("tool_calls")
    calls = [] if calls is None else calls
    if not is_list(calls):
        raise refused(f"Invalid value at '{place}.tool_calls': an array is expected.", f"{place}.tool_calls")
    for index, call in enumerate(calls):
        function: object = call.get("function") if is_object(call) else None
        if not is_object(call) or not is_object(function) or not function.get("name") or not call.get("id"):
            raise refused(f"Invalid tool call at '{place}.tool_calls.{index}': id and function.name are needed.", place)
        part: Object = {"functionCall": {"id": call["id"], "name": function["name"], "args": _arguments(function)}}
        signature = _signature(call) if manner.google else "" if index else _UNSIGNED
        parts.append({**part, **({"thoughtSignature": signature} if signature else {})})
    if not parts:
        raise refused(f"Invalid value at '{place}': an assistant message needs content or tool_calls.", place)
    return parts


def _pictures(text: str, place: str) -> list[Object]:
    pieces = _PICTURE.split(text)
    parts = [media_part(piece, place) if at % 2 else {"text": piece} for at, piece in enumerate(pieces)]
    return [part for part in parts if part.get("text", "…").strip()]


def _signature(owner: Object) -> str:
    extra: object = owner.get("extra_content")
    google: object = extra.get("google") if is_object(extra) else None
    return str(google.get("thought_signature", "")) if is_object(google) else ""


def _arguments(function: Object) -> Object:
    try:
        arguments: object = json.loads(function.get("arguments") or "{}")
    except (ValueError, TypeError):
        arguments = None
    if not is_object(arguments):
        raise invalid(f"The arguments of the function call {function['name']} are not a JSON object.")
    return arguments


def _response(message: Object, called: dict[str, str], place: str) -> Object:
    ident = message.get("tool_call_id")
    if not isinstance(ident, str) or ident not in called:
        raise _unanswered(place)
    text = _text_of(message.get("content"), f"{place}.content")
    try:
        told: object = json.loads(text)
    except ValueError:
        told = text
    response = told if is_object(told) else {"result": told}
    return {"functionResponse": {"id": ident, "name": called[ident], "response": response}}


def _unanswered(place: str) -> ApiError:
    return refused(
        "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
        f"{place}.tool_call_id",
    )
