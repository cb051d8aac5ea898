"""Answers of the models that generateContent serves too: what its machinery responds, as steps.

Source: "Interactions API", "Function calling", "Google Search" and "Thinking" of the Gemini API. Tools that the service
runs itself are pairs of steps, a call and its result; sources are annotations whose indices count bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .generate import respond
from .interaction_errors import InteractionError
from .interaction_outcome import Order, Outcome, blocked, prompt_of
from .interaction_usage import of_response
from .prompt import Prompt
from .retrieval_filter import values_of
from .signatures import sign
from .wire import Object

_SPEECH_RATE = 24_000
_STATUS = {"MAX_TOKENS": "incomplete", "CONTINUATION": "requires_continuation", "STOP": "completed"}


def prepare(order: Order) -> Callable[[], Outcome]:
    """Check a request; the answer is made later.

    Raises:
        InteractionError: for a request that makes no sense.
    """
    form = order.formats.get("audio", {})
    if form.get("mime_type", "audio/l16") not in ("audio/l16", "audio/wav"):
        raise InteractionError(501, "not_implemented", f"This emulator cannot encode '{form['mime_type']}'.")
    prompt = prompt_of(order)
    rate: int = form.get("sample_rate", _SPEECH_RATE)
    return lambda: _outcome(respond(prompt, order.directive, order.publish), prompt, rate)


def _outcome(response: Object, prompt: Prompt, rate: int) -> Outcome:
    metadata: Object = response["usageMetadata"]
    if "promptFeedback" in response:
        reason = response["promptFeedback"]["blockReason"]
        return blocked(reason, "Request blocked due to its content.", of_response(metadata, {}))
    if not response.get("candidates"):
        return Outcome(usage=of_response(metadata, {}))
    candidate: Object = response["candidates"][0]
    finish: str = candidate["finishReason"]
    if finish not in _STATUS:
        message = candidate.get("finishMessage") or "The response was blocked."
        return blocked(finish, message, of_response(metadata, {}))
    steps = _steps(candidate, prompt, rate)
    outcome = Outcome(_STATUS[finish], steps, of_response(metadata, _grounded(candidate)))
    if any(step["type"] == "function_call" for step in steps):
        outcome = replace(outcome, status="requires_action")
    return replace(outcome, token=candidate.get("continuationToken", ""))


def _grounded(candidate: Object) -> dict[str, int]:
    grounding: Object = candidate.get("groundingMetadata", {})
    if not grounding:
        return {}
    queries = len(grounding.get("webSearchQueries", [])) + len(grounding.get("imageSearchQueries", []))
    if _retrieved(grounding):
        return {"retrieval": 1}
    return {"google_search": queries} if queries else {"google_maps": 1}


def _steps(candidate: Object, prompt: Prompt, rate: int) -> list[Object]:
    parts: list[Object] = candidate.get("content", {}).get("parts", [])
    steps = [*_thought(parts), *_pages(candidate, prompt), *_searched(candidate, prompt)]
    content: list[Object] = []
    ran = ""
    for part in parts:
        if part.get("thought"):
            continue
        if "functionCall" in part:
            call: Object = part["functionCall"]
            steps.append({"type": "function_call", "id": call["id"], "name": call["name"], "arguments": call["args"]})
        elif "executableCode" in part:
            ran = _ident(prompt, "code")
            arguments = {"language": "python", "code": part["executableCode"]["code"]}
            steps.append(step_call("code_execution", ran, arguments))
        elif "codeExecutionResult" in part:
            output: str = part["codeExecutionResult"].get("output", "")
            steps.append(step_result("code_execution", ran, output) | {"is_error": False})
        elif "inlineData" in part or "fileData" in part:
            content.append(_media(part, rate))
        elif part.get("text"):
            content.append({"type": "text", "text": part["text"]})
    if content:
        _annotate(content, candidate, parts)
        steps.append({"type": "model_output", "content": content})
    return steps


def _thought(parts: list[Object]) -> list[Object]:
    """One step for the thinking: its summary, and the signature that has to be sent back."""
    summary = [
        {"type": "text", "text": part["text"]} if "text" in part else _media(part, 0)
        for part in parts
        if part.get("thought")
    ]
    signature = next((part["thoughtSignature"] for part in parts if "thoughtSignature" in part), "")
    step: Object = {"type": "thought"}
    if signature:
        step["signature"] = signature
    if summary:
        step["summary"] = summary
    return [step] if len(step) > 1 else []


def _media(part: Object, rate: int) -> Object:
    """A picture or speech; sound has its sample rate in a field of its own."""
    blob: Object = part.get("inlineData") or part["fileData"]
    where = {"data": blob["data"]} if "data" in blob else {"uri": blob["fileUri"]}
    mime: str = blob["mimeType"].partition(";")[0].lower()
    if mime.startswith("audio/"):
        return {"type": "audio", "mime_type": mime, **where, "sample_rate": rate, "channels": 1}
    return {"type": "image", "mime_type": mime, **where}


def _ident(prompt: Prompt, purpose: str) -> str:
    return f"{prompt.rng(f'step {purpose}').getrandbits(40):010x}"


def step_call(tool: str, ident: str, arguments: Object) -> Object:
    """The step of a call to a tool of the service."""
    return {"type": f"{tool}_call", "id": ident, "arguments": arguments, "signature": sign(tool, ident, arguments)}


def step_result(tool: str, ident: str, result: object) -> Object:
    """The step of what such a tool answered."""
    return {"type": f"{tool}_result", "call_id": ident, "result": result, "signature": sign(tool, ident, result)}


def _pages(candidate: Object, prompt: Prompt) -> list[Object]:
    entries: list[Object] = candidate.get("urlContextMetadata", {}).get("urlMetadata", [])
    if not entries:
        return []
    ident = _ident(prompt, "pages")
    prefix = "URL_RETRIEVAL_STATUS_"
    results = [
        {"url": one["retrievedUrl"], "status": one["urlRetrievalStatus"].removeprefix(prefix).lower()}
        for one in entries
    ]
    urls = [one["retrievedUrl"] for one in entries]
    read = step_result("url_context", ident, results) | {"is_error": False}
    return [step_call("url_context", ident, {"urls": urls}), read]


def _retrieved(grounding: Object) -> bool:
    return any("retrievedContext" in chunk for chunk in grounding.get("groundingChunks", []))


def _searched(candidate: Object, prompt: Prompt) -> list[Object]:
    if prompt.retrieved is not None:
        call = _ident(prompt, "files")
        return [
            {"type": "file_search_call", "id": call, "signature": sign("file_search", call)},
            {"type": "file_search_result", "call_id": call, "signature": sign("file_search", call, "result")},
        ]
    grounding: Object = candidate.get("groundingMetadata", {})
    if not grounding:
        return []
    ident = _ident(prompt, "search")
    images = grounding.get("imageSearchQueries", [])
    queries = [*grounding.get("webSearchQueries", []), *images]
    if queries:
        shown = grounding.get("searchEntryPoint", {}).get("renderedContent", "")
        kind = "image_search" if len(images) == len(queries) else "web_search"
        return [
            step_call("google_search", ident, {"queries": queries}) | {"search_type": kind},
            step_result("google_search", ident, [{"search_suggestions": shown}]) | {"is_error": False},
        ]
    places = [
        {"name": one["title"], "place_id": one["placeId"], "url": one["uri"]}
        for one in (chunk.get("maps", {}) for chunk in grounding.get("groundingChunks", []))
        if one
    ]
    found: Object = {"places": places}
    if "googleMapsWidgetContextToken" in grounding:
        found["widget_context_token"] = grounding["googleMapsWidgetContextToken"]
    asked = {"queries": [prompt.facts.topic()]}
    return [step_call("google_maps", ident, asked), step_result("google_maps", ident, [found])]


def _annotate(content: list[Object], candidate: Object, parts: list[Object]) -> None:
    """Add the annotations of the text: the sources of its claims, or the words of a transcript."""
    text = next((one for one in reversed(content) if one["type"] == "text"), None)
    if text is None:
        return
    annotations = [*_citations(candidate.get("groundingMetadata", {})), *_words(text["text"], parts)]
    if annotations:
        text["annotations"] = annotations


def _citations(grounding: Object) -> list[Object]:
    chunks: list[Object] = grounding.get("groundingChunks", [])
    found: list[Object] = []
    for support in grounding.get("groundingSupports", []):
        segment: Object = support["segment"]
        where = {"start_index": segment.get("startIndex", 0), "end_index": segment["endIndex"]}
        indices: list[int] = support["groundingChunkIndices"]
        found += [citation_of(chunks[index]) | where for index in indices]
    return found


def citation_of(chunk: Object) -> Object:
    """A grounding chunk as an annotation, without its place in the text."""
    if "maps" in chunk:
        place: Object = chunk["maps"]
        return {"type": "place_citation", "place_id": place["placeId"], "name": place["title"], "url": place["uri"]}
    if "retrievedContext" in chunk:
        return _file_citation(chunk["retrievedContext"])
    source: Object = chunk.get("web") or chunk["image"]
    return {"type": "url_citation", "url": source.get("uri") or source["sourceUri"], "title": source["title"]}


def _file_citation(context: Object) -> Object:
    citation: Object = {"type": "file_citation", "file_name": context["title"]}
    names = {"text": "source", "pageNumber": "page_number", "mediaId": "media_id"}
    citation |= {names[name]: value for name, value in context.items() if name in names}
    metadata = values_of(context.get("customMetadata", []))
    return {**citation, **({"custom_metadata": metadata} if metadata else {})}


def _words(text: str, parts: list[Object]) -> list[Object]:
    """The words of a transcript with their times, or its segments with their speakers."""
    spoken: list[Object] = []
    for part in parts:
        segment: Object = part.get("audioTranscription", {})
        speaker = {"speaker": segment["speakerLabel"]} if "speakerLabel" in segment else {}
        if "words" in segment:
            spoken += [{"text": one["word"], **_times(one), **speaker} for one in segment["words"]]
        elif speaker:
            spoken.append({"text": segment["text"], **_times(segment), **speaker})
    annotations: list[Object] = []
    at = 0
    for one in spoken:
        found = text.find(one["text"], at)
        if found < 0:
            continue
        at = found + len(one["text"])
        where = {"start_index": len(text[:found].encode()), "end_index": len(text[:at].encode())}
        annotations.append({"type": "word_info", **where, **one})
    return annotations


def _times(spoken: Object) -> Object:
    return {"start_offset": spoken["startOffset"], "end_offset": spoken["endOffset"]}
