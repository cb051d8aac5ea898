"""A Gemini that answers at once, in a process of its own: what is measured is the server before it.

Models whose name contains `slow` take `SLOW_SECONDS`. A batch of texts is answered with as many vectors of 768 numbers.
Prints its port and serves until its stdin is closed.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from functools import cache

SLOW_SECONDS = 2.0
DIMENSIONS = 768

_DETAILS = [{"modality": "TEXT", "tokenCount": 150}]
ANSWERS = {
    b"generateContent": {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": "A blackbird sings above the silent quay. " * 12}]},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 150,
            "candidatesTokenCount": 96,
            "totalTokenCount": 246,
            "promptTokensDetails": _DETAILS,
        },
        "modelVersion": "gemini-3.8-flash",
        "responseId": "mB7gaKvYF8uqkdUPv5uD2Ak",
    },
    b"countTokens": {"totalTokens": 150, "promptTokensDetails": _DETAILS},
    b"models": {
        "models": [
            {
                "name": f"models/gemini-{version}-flash",
                "version": version,
                "displayName": f"Gemini {version} Flash",
                "inputTokenLimit": 1048576,
                "outputTokenLimit": 65536,
                "supportedGenerationMethods": ["generateContent", "countTokens"],
            }
            for version in ("2.5", "3.6", "3.8")
        ]
    },
}


def _response(status: bytes, answer: object) -> bytes:
    body = json.dumps(answer).encode()
    return b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


@cache
def _vectors(number: int) -> bytes:
    """The answer to a batch of so many texts, with numbers as long as those of the service."""
    fair = random.Random(number)
    rows = [{"values": [round(fair.gauss(0, 0.036), 9) for _ in range(DIMENSIONS)]} for _ in range(number)]
    return _response(b"200 OK", {"embeddings": rows, "usageMetadata": {"promptTokenCount": 8 * number}})


RESPONSES = {method: _response(b"200 OK", answer) for method, answer in ANSWERS.items()}
BATCH = b":batchEmbedContents"
_TEXT = b'"content":'
NOT_FOUND = _response(b"404 Not Found", {"error": {"code": 404, "message": "no such model", "status": "NOT_FOUND"}})


class Connection(asyncio.Protocol):
    """One kept-alive connection; bodies are counted and thrown away."""

    texts = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.head = b""
        self.missing = 0
        self.target = b""

    def data_received(self, data: bytes) -> None:
        while data:
            if not self.missing:
                self.head += data
                head, found, data = self.head.partition(b"\r\n\r\n")
                if not found:
                    return
                self.head = b""
                line, *headers = head.split(b"\r\n")
                self.target = line.split(b" ")[1].partition(b"?")[0]
                lengths = [h[15:] for h in headers if h[:15].lower() == b"content-length:"]
                self.missing = int(lengths[0]) if lengths else 0
                self.texts, self.tail = 0, b""
            taken = min(self.missing, len(data))
            self.missing -= taken
            if self.target.endswith(BATCH):
                # What is inside of a text has its quotation marks escaped.
                piece = self.tail + data[:taken]
                self.texts += piece.count(_TEXT)
                self.tail = piece[1 - len(_TEXT) :]
            data = data[taken:]
            if not self.missing:
                self.answer()

    def answer(self) -> None:
        response = RESPONSES.get(self.target.rpartition(b":" if b":" in self.target else b"/")[2], NOT_FOUND)
        if self.target.endswith(BATCH):
            response = _vectors(self.texts)
        if b"missing" in self.target:
            response = NOT_FOUND
        if b"slow" in self.target:
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self.transport.write, response)
        else:
            self.transport.write(response)


async def main() -> None:
    """Serve until stdin is closed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
