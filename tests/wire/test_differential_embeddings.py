"""What embed sends is what google-genai sends, where that SDK makes one vector of each item."""

from __future__ import annotations

from typing import Any

import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect, structured
from tests.wire.test_differential import essence

pytestmark = [
    pytest.mark.anyio,
    # google-genai warns about its own deprecated parameters; that is not what is tested here.
    pytest.mark.filterwarnings("ignore"),
]

V1, V2 = "gemini-embedding-001", "gemini-embedding-2"


@pytest.mark.parametrize(
    ("arguments", "config"),
    [
        ({"items": ["a"], "model": V1}, {}),
        ({"items": ["a", "b", "c"], "model": V1}, {}),
        ({"items": ["a", "b"], "model": V1, "dimensions": 768}, {"output_dimensionality": 768}),
        (
            {"items": ["a", "b"], "model": V1, "dimensions": 64, "task_type": "RETRIEVAL_DOCUMENT", "title": "T"},
            {"output_dimensionality": 64, "task_type": "RETRIEVAL_DOCUMENT", "title": "T"},
        ),
        ({"items": ["Zürich"], "model": V2}, {}),
        ({"items": ["a"], "model": V2, "dimensions": 1536}, {"output_dimensionality": 1536}),
    ],
)
async def test_the_batch_is_the_one_that_googles_sdk_sends(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], arguments: dict[str, Any], config: dict[str, Any]
) -> None:
    client, _ = sdk
    await client.aio.models.embed_content(model=arguments["model"], contents=arguments["items"], config=config or None)
    theirs = emulator.requests[-1]
    async with connect() as ours:
        structured(await ours.call_tool("embed", arguments))
    assert essence(emulator.requests[-1]) == essence(theirs)


async def test_a_list_of_texts_is_one_content_each_as_googles_sdk_sends_contents(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]
) -> None:
    client, types = sdk
    contents = [types.Content(role="user", parts=[types.Part(text=text)]) for text in ("a", "b", "c")]
    await client.aio.models.embed_content(model=V2, contents=contents)
    theirs = emulator.requests[-1]
    async with connect() as ours:
        found = structured(await ours.call_tool("embed", {"items": ["a", "b", "c"], "model": V2}))
        assert essence(emulator.requests[-1]) == essence(theirs)
        # The same list of strings is one vector with that SDK; here it never is.
        merged = await client.aio.models.embed_content(model=V2, contents=["a", "b", "c"])
    assert (len(merged.embeddings), found["count"]) == (1, 3)


async def test_a_picture_is_embedded_as_googles_sdk_does(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]
) -> None:
    client, types = sdk
    part = types.Part(file_data=types.FileData(file_uri="https://example.org/a.png", mime_type="image/png"))
    await client.aio.models.embed_content(model=V2, contents=[types.Content(role="user", parts=[part])])
    theirs = emulator.requests[-1]
    async with connect() as ours:
        structured(await ours.call_tool("embed", {"media": ["https://example.org/a.png"], "model": V2}))
    assert essence(emulator.requests[-1]) == essence(theirs)
