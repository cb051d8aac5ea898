"""A client of the OpenAI dialect that reads nothing but what the dialect promises."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx2

Message = dict[str, Any]


class Chat:
    """Chat completions at one address.

    Args:
        http: the client, with its credentials.
        path: in front of `/chat/completions`.
    """

    def __init__(self, http: httpx2.AsyncClient, path: str) -> None:
        self.http = http
        self.path = path

    async def post(self, where: str, body: object) -> httpx2.Response:
        return await self.http.post(f"{self.path}{where}", json=body)

    async def complete(self, *messages: str | Message, **fields: Any) -> Message:
        """The first choice of a completion."""
        response = await self.post("/chat/completions", chat(*messages, **fields))
        assert response.status_code == 200, response.text
        body = response.json()
        assert body["object"] == "chat.completion"
        choice: Message = body["choices"][0]
        return choice

    async def stream(self, *messages: str | Message, **fields: Any) -> list[Message]:
        """The chunks of a stream, which must end as the dialect says."""
        response = await self.post("/chat/completions", chat(*messages, stream=True, **fields))
        assert response.headers["content-type"] == "text/event-stream", response.text
        events = response.text.removesuffix("\n\n").split("\n\n")
        assert events[-1] == "data: [DONE]"
        chunks: list[Message] = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
        assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
        return chunks

    async def refusal(self, body: object, status: int = 400, where: str = "/chat/completions") -> Any:
        response = await self.post(where, body)
        assert response.status_code == status, response.text
        return response.json()


def chat(*messages: str | Message, **fields: Any) -> Message:
    said = [{"role": "user", "content": one} if isinstance(one, str) else one for one in messages]
    return {"model": "gemini-3.8-flash", "messages": said, **fields}


def function(name: str, **properties: Any) -> Message:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def data_url(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def joined(chunks: list[Message]) -> Message:
    """The message of a stream, put together as clients do."""
    message: Message = {"content": "", "tool_calls": {}, "images": []}
    for chunk in chunks:
        for choice in chunk["choices"]:
            delta = choice["delta"]
            message["content"] += delta.get("content") or ""
            message["images"] += delta.get("images", [])
            for call in delta.get("tool_calls", []):
                known = message["tool_calls"].setdefault(call["index"], {"name": "", "arguments": ""})
                known["id"] = call.get("id", known.get("id"))
                known["name"] += call["function"].get("name", "")
                known["arguments"] += call["function"]["arguments"]
            message["finish_reason"] = choice["finish_reason"] or message.get("finish_reason")
    return message
