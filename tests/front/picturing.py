"""What the tests of generate_image share: calls, pictures, a Gemini that draws what it is told."""

from __future__ import annotations

import base64
import io
import random
from pathlib import Path
from typing import Any

from mcp import Client
from mcp_types import CallToolResult, ImageContent
from PIL import Image

from gemini_emulator import Emulator
from tests.conftest import error_of, structured
from tests.front.conftest import Json, candidate

MODEL = "gemini-nano-banana-2.1"
IMAGEN = "imagen-4.0-generate-001"


async def make(client: Client, prompt: str = "A fox at dawn", **more: Any) -> Json:
    """The structured result of generate_image, which must succeed."""
    return structured(await making(client, prompt, **more))


async def making(client: Client, prompt: str = "A fox at dawn", **more: Any) -> CallToolResult:
    """generate_image."""
    return await client.call_tool("generate_image", {"prompt": prompt, **more})


async def refused(client: Client, prompt: str = "A fox at dawn", **more: Any) -> str:
    """The text of generate_image failing."""
    return error_of(await making(client, prompt, **more))


async def job(client: Client, identifier: str, wait: float = 20) -> Json:
    """A job when it has ended, or the time is over."""
    return structured(await client.call_tool("get_job", {"job": identifier, "wait_seconds": wait}))


def noise(side: int, form: str = "PNG") -> bytes:
    """A picture that no compression makes small: about three bytes a pixel."""
    picture = Image.frombytes("RGB", (side, side), random.Random(side).randbytes(3 * side * side))
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


def inline(data: bytes, mime_type: str = "image/png", **more: Any) -> Json:
    """A part with a file."""
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}, **more}


def drawn(*parts: Json, finish: str = "STOP", **more: Any) -> Json:
    """An answer of an image model."""
    tokens = 1120 * sum("inlineData" in part for part in parts)
    usage: Json = {"promptTokenCount": 10, "candidatesTokenCount": tokens, "totalTokenCount": 10 + tokens}
    usage["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": tokens}]
    return {**candidate(*parts, finish=finish, **more), "modelVersion": MODEL, "usageMetadata": usage}


def shown(result: CallToolResult) -> list[bytes]:
    """The pictures beside a result."""
    return [base64.b64decode(block.data) for block in result.content if isinstance(block, ImageContent)]


def on_the_wire(result: CallToolResult) -> int:
    """Bytes of a result as JSON."""
    return len(result.model_dump_json(by_alias=True, exclude_none=True).encode())


def file_of(artifact: Json) -> bytes:
    """The bytes of an artifact."""
    return Path(artifact["path"]).read_bytes()


def requests(emulator: Emulator) -> list[Json]:
    """The bodies of the requests for pictures that reached the emulator."""
    return [one["body"] for one in emulator.requests if one["method"] == "POST"]
