"""The other side: bare `mcp` servers, written as somebody would who wants nothing but the one tool.

- `bare.py echo`: for the start-up;
- `bare.py post`: posts a prompt with httpx2 and returns the text;
- `bare.py inline`: sends a file the usual way: read it, base64, json;
- `bare.py embed`: posts texts in batches of a hundred, four at a time, and reads the vectors that come.
"""

import asyncio
import base64
import os
import sys
from pathlib import Path

from mcp.server import MCPServer

server = MCPServer("bare", log_level="WARNING")


def serve_echo() -> None:
    @server.tool()
    async def echo(text: str) -> str:
        """Return the text."""
        return text


def serve_vectors() -> None:
    import httpx2

    url = f"{os.environ['GEMINI_BASE_URL']}/v1beta/models/gemini-embedding-2:batchEmbedContents"
    headers = {"x-goog-api-key": os.environ["GEMINI_API_KEY"]}
    client = httpx2.AsyncClient(timeout=600, trust_env=False)

    async def batch(texts: list[str]) -> int:
        contents = ({"role": "user", "parts": [{"text": text}]} for text in texts)
        requests = [
            {"model": "models/gemini-embedding-2", "content": content, "outputDimensionality": 768}
            for content in contents
        ]
        response = await client.post(url, json={"requests": requests}, headers=headers)
        response.raise_for_status()
        return len(response.json()["embeddings"])

    @server.tool()
    async def embed(items: list[str]) -> int:
        """Embed texts, and forget the vectors."""
        starts = iter(range(0, len(items), 100))
        counts: list[int] = []

        async def worker() -> None:
            for start in starts:
                counts.append(await batch(items[start : start + 100]))  # noqa: PERF401  one after the other

        await asyncio.gather(*(worker() for _ in range(4)))
        return sum(counts)


def serve_requests(*, files: bool) -> None:
    import httpx2

    url = f"{os.environ['GEMINI_BASE_URL']}/v1beta/models/gemini-3.8-flash:generateContent"
    headers = {"x-goog-api-key": os.environ["GEMINI_API_KEY"]}
    client = httpx2.AsyncClient(timeout=600, trust_env=False)

    async def answer(parts: list[dict[str, object]]) -> str:
        body = {"contents": [{"role": "user", "parts": parts}]}
        response = await client.post(url, json=body, headers=headers)
        response.raise_for_status()
        text: str = response.json()["candidates"][0]["content"]["parts"][0]["text"]
        return text

    if files:

        @server.tool()
        async def ask_about(prompt: str, path: str) -> str:
            """Ask Gemini about a file."""
            data = base64.b64encode(Path(path).read_bytes()).decode()  # noqa: ASYNC240 - this is the naive side
            return await answer([{"inlineData": {"mimeType": "image/png", "data": data}}, {"text": prompt}])

    else:

        @server.tool()
        async def ask(prompt: str) -> str:
            """Ask Gemini."""
            return await answer([{"text": prompt}])


if __name__ == "__main__":
    if sys.argv[1] == "echo":
        serve_echo()
    elif sys.argv[1] == "embed":
        serve_vectors()
    else:
        serve_requests(files=sys.argv[1] == "inline")
    server.run()
