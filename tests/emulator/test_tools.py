"""Built-in tools: grounding, URL context and code execution."""

from __future__ import annotations

import pytest

from gemini_emulator.code import calculate, execute

from .conftest import Api, text_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("tool", ["googleSearch", "googleMaps"])
async def test_segments_are_byte_offsets_into_multibyte_text(api: Api, tool: str) -> None:
    response = await api.generate("Where is the best café in Zürich? 🍰", tools=[{tool: {}}])
    metadata = response["candidates"][0]["groundingMetadata"]
    text = text_of(response)
    raw = text.encode()
    assert len(raw) > len(text)
    assert metadata["groundingSupports"]
    for support in metadata["groundingSupports"]:
        segment = support["segment"]
        assert raw[segment["startIndex"] : segment["endIndex"]].decode() == segment["text"]
        assert max(support["groundingChunkIndices"]) < len(metadata["groundingChunks"])


async def test_search_shows_queries_suggestions_and_redirect_links(api: Api) -> None:
    response = await api.generate("Latest news on tides", tools=[{"googleSearch": {}}])
    metadata = response["candidates"][0]["groundingMetadata"]
    assert metadata["webSearchQueries"]
    assert "<a " in metadata["searchEntryPoint"]["renderedContent"]
    assert all(".example/" in chunk["web"]["uri"] for chunk in metadata["groundingChunks"])


async def test_maps_give_places_and_a_widget_on_request(api: Api) -> None:
    response = await api.generate("Bakeries in Basel", tools=[{"googleMaps": {"enableWidget": True}}])
    metadata = response["candidates"][0]["groundingMetadata"]
    assert metadata["groundingChunks"][0]["maps"]["placeId"].startswith("places/")
    assert metadata["googleMapsWidgetContextToken"]


async def test_pages_named_in_the_prompt_are_read(api: Api) -> None:
    prompt = "Compare https://a.example/x and https://gone.invalid/y."
    response = await api.generate(prompt, tools=[{"urlContext": {}}])
    entries = response["candidates"][0]["urlContextMetadata"]["urlMetadata"]
    assert {one["retrievedUrl"]: one["urlRetrievalStatus"].rpartition("_")[2] for one in entries} == {
        "https://a.example/x": "SUCCESS",
        "https://gone.invalid/y": "ERROR",
    }
    assert response["usageMetadata"]["toolUsePromptTokenCount"] > 0


async def test_code_is_shown_with_its_result(api: Api) -> None:
    response = await api.generate("What is the sum of the first 50 primes?", tools=[{"codeExecution": {}}])
    code, result, text = response["candidates"][0]["content"]["parts"]
    assert code["executableCode"]["language"] == "PYTHON"
    assert result["codeExecutionResult"] == {"outcome": "OUTCOME_OK", "output": "5117\n"}
    assert "5117" in text["text"]


@pytest.mark.parametrize(
    "prompt",
    ["the first 10 primes", "factorial of 20", "fibonacci 12", "(3 + 4) * 5.5", "sum of 3, 4 and 5",
     "average of 3 and 4", "count these words"],
)  # fmt: skip
async def test_what_a_program_printed_is_what_it_prints(prompt: str, capsys: pytest.CaptureFixture[str]) -> None:
    run = execute(prompt)
    exec(compile(run.source, "program", "exec"), {})
    assert capsys.readouterr().out.strip() == run.output


async def test_calculation_gives_up_on_anything_that_is_not_arithmetic() -> None:
    assert calculate("on 2026-11-22 we met") is None
    assert calculate("9**9**9") is None
    assert calculate("1/0") is None
    assert calculate("version 3.8 of 4") is None
