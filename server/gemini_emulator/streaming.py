"""streamGenerateContent: one response cut into the events of a stream.

Source: the API reference of `models.streamGenerateContent`. Usage is cumulative, the finish reason and everything that
concerns the whole answer come last, and so does a signature, on a part whose text is empty.
"""

from __future__ import annotations

from .usage import visible_tokens
from .wire import Object

_CHUNKS = 6
_SMALLEST = 24


def events(response: Object) -> list[Object]:
    """The stream of a response: concatenated, its texts are the text of the response."""
    candidates: list[Object] = response.get("candidates", [])
    if len(candidates) != 1 or not candidates[0].get("content", {}).get("parts"):
        return [response]
    candidate = candidates[0]
    pieces = [piece for part in candidate["content"]["parts"] for piece in _pieces(part)]
    shared: Object = {
        name: response[name] for name in ("modelVersion", "responseId", "modelStatus") if name in response
    }
    produced = 0
    stream: list[Object] = []
    for position, piece in enumerate(pieces):
        produced += visible_tokens(piece)
        last = position == len(pieces) - 1
        content = {"parts": [piece], "role": "model"}
        one = {**candidate, "content": content} if last else {"content": content, "index": candidate["index"]}
        usage = response["usageMetadata"] if last else _so_far(response["usageMetadata"], produced)
        stream.append({"candidates": [one], "usageMetadata": usage, **shared})
    return stream


def _pieces(part: Object) -> list[Object]:
    if part.get("inlineData", {}).get("mimeType", "").startswith("audio/L16"):
        return _sounds(part)
    if "text" not in part:
        return [part]
    text: str = part["text"]
    size = max(_SMALLEST, -(-len(text) // _CHUNKS))
    texts: list[str] = []
    while text:
        cut = text.find(" ", size)
        cut = len(text) if cut < 0 else cut
        texts.append(text[:cut])
        text = text[cut:]
    kind = {"thought": True} if part.get("thought") else {}
    pieces: list[Object] = [{"text": one, **kind} for one in texts]
    if "thoughtSignature" in part:
        pieces.append({"text": "", "thoughtSignature": part["thoughtSignature"]})
    return pieces


def _sounds(part: Object) -> list[Object]:
    """Raw speech in pieces, each of whole samples: eight characters of base64 are three of them."""
    blob: Object = part["inlineData"]
    data: str = blob["data"]
    size = max(8, -(-len(data) // _CHUNKS) // 8 * 8)
    return [{**part, "inlineData": {**blob, "data": data[at : at + size]}} for at in range(0, max(1, len(data)), size)]


def _so_far(usage: Object, produced: int) -> Object:
    final = usage.get("candidatesTokenCount", 0)
    produced = min(produced, final)
    return {**usage, "candidatesTokenCount": produced, "totalTokenCount": usage["totalTokenCount"] - final + produced}
