"""File Search stores, and the files that fill them, as a raw client sees them."""

from __future__ import annotations

import json
import zlib
from typing import Any

import httpx2

from .conftest import Api, ask

MODEL = "gemini-3.8-flash"
BOUNDARY = "a-part-ends-here"
HANDBOOK = """Every employee has 28 vacation days a year. New employees get theirs pro rata.

Requests for vacation go to the team lead at least two weeks ahead.
The office in Zürich 🏔 is closed between Christmas and New Year.
Laptops are replaced after four years, telephones after three.
"""


async def create_store(api: Api, name: str = "Staff handbook", **fields: Any) -> str:
    response = await api.http.post("/v1beta/fileSearchStores", json={"displayName": name, **fields})
    assert response.status_code == 200, response.text
    return str(response.json()["name"])


async def send(
    api: Api, path: str, data: bytes | str, description: dict[str, Any], mime: str = "text/plain"
) -> httpx2.Response:
    """An upload in one request."""
    head = f"--{BOUNDARY}\r\nContent-Type: application/json\r\n\r\n{json.dumps(description)}\r\n"
    media = f"--{BOUNDARY}\r\nContent-Type: {mime}\r\n\r\n".encode()
    raw = data.encode() if isinstance(data, str) else data
    body = head.encode() + media + raw + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {"X-Goog-Upload-Protocol": "multipart", "Content-Type": f"multipart/related; boundary={BOUNDARY}"}
    return await api.http.post(f"/upload/v1beta/{path}", content=body, headers=headers)


async def upload(
    api: Api, store: str, data: bytes | str, name: str = "handbook.md", mime: str = "text/plain", **fields: Any
) -> dict[str, Any]:
    """The operation of an upload into a store."""
    described = {"displayName": name, **fields}
    response = await send(api, f"{store}:uploadToFileSearchStore", data, described, mime)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def upload_refused(api: Api, store: str, data: bytes | str, mime: str = "text/plain", **fields: Any) -> str:
    response = await send(api, f"{store}:uploadToFileSearchStore", data, fields, mime)
    assert response.status_code == 400, response.text
    return str(response.json()["error"]["message"])


async def indexed(api: Api, operation: dict[str, Any]) -> dict[str, Any]:
    """An operation when it is done."""
    for _ in range(10):
        if operation.get("done"):
            return operation
        operation = await got(api, operation["name"])
    raise AssertionError(operation)


async def fill(
    api: Api, store: str, data: bytes | str, name: str = "handbook.md", mime: str = "text/plain", **fields: Any
) -> str:
    """The name of a document that is ready."""
    done = await indexed(api, await upload(api, store, data, name, mime, **fields))
    assert "error" not in done, done
    return str(done["response"]["documentName"])


async def new_file(api: Api, data: bytes | str, mime: str = "text/plain", **fields: Any) -> dict[str, Any]:
    response = await send(api, "files", data, {"file": fields}, mime)
    assert response.status_code == 200, response.text
    return dict(response.json()["file"])


async def got(api: Api, name: str) -> dict[str, Any]:
    response = await api.http.get(f"/v1beta/{name}")
    assert response.status_code == 200, response.text
    return dict(response.json())


def tool(*stores: str, **options: Any) -> list[dict[str, Any]]:
    return [{"fileSearch": {"fileSearchStoreNames": list(stores), **options}}]


async def answer(api: Api, question: str, *stores: str, **options: Any) -> dict[str, Any]:
    """The candidate for a question to some stores."""
    response = await api.generate(question, tools=tool(*stores, **options))
    return dict(response["candidates"][0])


async def refusal(api: Api, *stores: str, status: int = 400, **options: Any) -> str:
    return await api.refusal({**ask("Vacation?"), "tools": tool(*stores, **options)}, status=status)


def contexts(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    """The chunks that an answer rests on."""
    chunks = candidate.get("groundingMetadata", {}).get("groundingChunks", [])
    return [chunk["retrievedContext"] for chunk in chunks]


def metadata(**values: str | float | list[str]) -> list[dict[str, Any]]:
    """`customMetadata`."""
    entries: list[dict[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, list):
            entries.append({"key": key, "stringListValue": {"values": value}})
        else:
            entries.append({"key": key, "stringValue" if isinstance(value, str) else "numericValue": value})
    return entries


def pdf(*pages: str, packed: bool = True) -> bytes:
    """A PDF with a line of text on each page."""
    objects: dict[int, bytes] = {1: b"<< /Type /Catalog /Pages 2 0 R >>"}
    kids = " ".join(f"{3 + 2 * at} 0 R" for at in range(len(pages)))
    objects[2] = f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode()
    for at, text in enumerate(pages):
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        content = f"BT /F1 12 Tf 72 720 Td ({escaped}) Tj ET".encode("cp1252")
        stream = zlib.compress(content) if packed else content
        said = b" /Filter /FlateDecode" if packed else b""
        number = 3 + 2 * at
        objects[number] = f"<< /Type /Page /Parent 2 0 R /Contents {number + 1} 0 R >>".encode()
        objects[number + 1] = b"<< /Length %d%b >>\nstream\n%b\nendstream" % (len(stream), said, stream)
    body = b"".join(b"%d 0 obj\n%b\nendobj\n" % one for one in objects.items())
    return b"%PDF-1.7\n" + body + b"trailer << /Root 1 0 R >>\n%%EOF\n"
