"""Google's own SDK, pointed at the emulator of a test."""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from gemini_emulator import Emulator


@pytest.fixture
async def sdk(emulator: Emulator) -> AsyncGenerator[tuple[Any, Any]]:
    """google-genai's client, pointed at the emulator, and its types."""
    genai = importlib.import_module("google.genai")
    options = genai.types.HttpOptions(base_url=emulator.url, api_version="v1beta")
    client = genai.Client(api_key="test-key", http_options=options)
    yield client, genai.types
    await client.aio.aclose()
    client.close()
