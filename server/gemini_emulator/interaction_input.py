"""What was said in an interaction, as steps, and the same as the contents that the text machinery reads.

Source: "Interactions API" and "Function calling" of the Gemini API. Steps that only report what the service itself did
(searches, code, pages) are part of a history but say nothing that the next answer depends on.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable

from .interaction_errors import missing, refused
from .wire import Object, dump, is_list, is_object

_LEVEL = "MEDIA_RESOLUTION_"
_KINDS = {"document": "application/pdf", "image": "image/png", "audio": "audio/wav", "video": "video/mp4"}
_CONTENT = ("text", *_KINDS)


def steps_of(given: object) -> list[Object]:
    """The steps of an `input`: a text, one content, contents, or steps.

    Raises:
        InteractionError: 400 for an empty input, a mixed one, or media without data.
    """
    if isinstance(given, str):
        given = [{"type": "text", "text": given}] if given else []
    items: list[Object] = given if is_list(given) else [given] if is_object(given) else []
    if not items:
        raise missing("input")
    contents = [item for item in items if item["type"] in _CONTENT]
    if contents and len(contents) < len(items):
        raise refused("The items of 'input' must be either all content or all steps.")
    steps: list[Object] = [{"type": "user_input", "content": contents}] if contents else items
    for step in steps:
        _check_media(step)
    return steps


def texts_of(steps: list[Object]) -> list[str]:
    """What the user wrote in some steps."""
    return [one["text"] for one in user_contents(steps) if one["type"] == "text"]


def user_contents(steps: list[Object]) -> list[Object]:
    """The contents of the user in some steps."""
    return [one for step in steps if step["type"] == "user_input" for one in step.get("content", [])]


def _check_media(step: Object) -> None:
    for index, content in enumerate(step.get("content", [])):
        place = f"input.content[{index}]"
        if content["type"] == "text":
            continue
        if ("data" in content) == ("uri" in content):
            raise refused(f"Exactly one of 'data' and 'uri' must be set at '{place}'.")
        if "data" in content and "mime_type" not in content:
            raise missing("mime_type", place)
        if "data" in content:
            content["data"] = _standard(content["data"], place)


def _standard(data: str, place: str) -> str:
    """Base64 in the standard alphabet, with padding; both alphabets are taken."""
    text = data.replace("-", "+").replace("_", "/")
    try:
        return base64.b64encode(base64.b64decode(text + "=" * (-len(text) % 4), validate=True)).decode()
    except (binascii.Error, ValueError):
        raise refused(f"Invalid base64 at '{place}.data'.") from None


def decoded(content: Object) -> bytes:
    """The bytes of a content that has been checked."""
    return base64.b64decode(content["data"])


def contents_of(steps: list[Object]) -> list[Object]:
    """The contents of a generateContent request that says the same.

    Raises:
        InteractionError: 400 for the result of a function that was not called.
    """
    contents: list[Object] = []
    called: dict[str, str] = {}
    signature = ""

    def add(role: str, part: Object) -> None:
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"].append(part)
        else:
            contents.append({"role": role, "parts": [part]})

    for step in steps:
        match step["type"]:
            case "user_input" | "model_output":
                role = "user" if step["type"] == "user_input" else "model"
                for content in step.get("content", []):
                    # What was delivered as a file is not read again.
                    if role == "user" or "uri" not in content:
                        add(role, part_of(content))
            case "thought":
                signature = step.get("signature", "")
            case "function_call":
                called[step["id"]] = step["name"]
                call = {"id": step["id"], "name": step["name"], "args": step["arguments"]}
                add("model", {"functionCall": call, **({"thoughtSignature": signature} if signature else {})})
                signature = ""
            case "function_result":
                add("user", _response(step, called))
            case _:
                continue
    return contents


def _response(step: Object, called: dict[str, str]) -> Object:
    name = step.get("name") or called.get(step["call_id"])
    if name is None:
        raise refused(f"The function result with call_id '{step['call_id']}' does not answer any function call.")
    result: object = step["result"]
    parts: list[Object] = []
    if is_list(result):
        parts = [part_of(one) for one in result if one["type"] == "image" and "data" in one]
        texts = [one.get("text") or dump(one) for one in result if one["type"] != "image" or "data" not in one]
        result = _read(" ".join(texts))
    response = result if is_object(result) else {"result": result}
    if step.get("is_error"):
        response = {"error": response}
    answer: Object = {"id": step["call_id"], "name": name, "response": response}
    return {"functionResponse": {**answer, **({"parts": parts} if parts else {})}}


def _read(text: str) -> object:
    """The object that a text is in JSON, as the results of actions on a screen are sent; else the text."""
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found if is_object(found) else text


def part_of(content: Object) -> Object:
    """One content as a part."""
    if content["type"] == "text":
        return {"text": content["text"]}
    mime: str = content.get("mime_type", "")
    if "data" in content:
        part: Object = {"inlineData": {"mimeType": mime, "data": content["data"]}}
    else:
        # A document without a type may be any file; only the service knows its kind.
        guessed = mime or ("" if content["type"] == "document" else _KINDS[content["type"]])
        part = {"fileData": {"fileUri": content["uri"], **({"mimeType": guessed} if guessed else {})}}
    if "resolution" in content:
        part["mediaResolution"] = {"level": _LEVEL + content["resolution"].upper()}
    processing: object = content.get("processing")
    if processing == "agentic":
        part["mediaProcessing"] = "AGENTIC"
    if is_object(processing):
        part |= _SECTIONS.get(content["type"], _nothing)(processing)
    return part


def _offsets(processing: Object) -> Object:
    names = {"start_offset": "startOffset", "end_offset": "endOffset", "fps": "fps"}
    return {names[name]: value for name, value in processing.items() if name in names}


def _pages(processing: Object) -> Object:
    options: Object = processing.get("page_options", {})
    names = {"start_page": "startPage", "end_page": "endPage"}
    return {"documentMetadata": {names[name]: value for name, value in options.items() if name in names}}


def _nothing(_: Object) -> Object:
    return {}


_SECTIONS: dict[str, Callable[[Object], Object]] = {
    "audio": lambda processing: {"audioMetadata": _offsets(processing)},
    "video": lambda processing: {"videoMetadata": _offsets(processing)},
    "document": _pages,
}
