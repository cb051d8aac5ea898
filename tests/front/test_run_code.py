"""run_code through the front door: programs, what they print, what they draw and write, and how they fail."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from mcp_types import CallToolResult, ImageContent, TextContent

from gemini_emulator import Emulator
from tests.conftest import Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, candidate, said, sent, warned

pytestmark = pytest.mark.anyio


async def run(connect: Connect, task: str, **arguments: Any) -> CallToolResult:
    async with connect(toolsets=("code",)) as client:
        return await client.call_tool("run_code", {"task": task, **arguments})


async def run_fake(connect: Connect, fake: FakeGemini, *parts: Json) -> CallToolResult:
    fake.say(candidate(*parts))
    async with connect(toolsets=("code",), base_url=fake.url) as client:
        return await client.call_tool("run_code", {"task": "x"})


def program(code: str, output: str, outcome: str = "OK") -> list[Json]:
    return [
        {"executableCode": {"language": "PYTHON", "code": code}},
        {"codeExecutionResult": {"outcome": f"OUTCOME_{outcome}", "output": output}},
    ]


def blob(mime_type: str, data: bytes) -> Json:
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}}


async def test_a_program_and_its_output_come_back(connect: Connect, emulator: Emulator) -> None:
    result = await run(connect, "What is the sum of the first 50 primes?")
    answer = structured(result)
    assert sent(emulator)["tools"] == [{"codeExecution": {}}]
    assert answer["outputs"] == ["5117\n"]
    [one] = answer["code"]
    assert one["outcome"] == "OK"
    assert "primes" in one["code"]
    assert "5117" in answer["text"]
    assert not answer.keys() & {"untrusted", "artifacts", "warnings", "incomplete"}
    assert isinstance(result.content[0], TextContent)
    assert result.content[0].text == answer["text"], "the program is the model's own: nothing is marked"
    assert one["code"].strip() in text_of(result)


async def test_a_plot_is_a_file_with_a_preview_beside_the_text(connect: Connect) -> None:
    result = await run(connect, "Plot 1, 4, 9 as a line")
    [plot] = structured(result)["artifacts"]
    assert plot["mime_type"] == "image/png"
    assert Path(plot["path"]).read_bytes().startswith(b"\x89PNG")
    assert Path(plot["path"]).name.startswith("plot-")
    assert len([block for block in result.content if isinstance(block, ImageContent)]) == 1
    assert plot["uri"] in text_of(result)


async def test_attached_data_are_sent_and_mark_the_result(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    async with connect(toolsets=("code",)) as client:
        table = tmp_path / "allowed" / "prices.csv"
        table.write_text("item,price\na,10\nb,32\n")
        result = await client.call_tool("run_code", {"task": "Sum the column price", "attachments": [str(table)]})
    answer = structured(result)
    assert "inlineData" in sent(emulator)["contents"][0]["parts"][0]
    assert answer["outputs"] == ["42\n"]
    assert answer["untrusted"] == "files"
    assert text_of(result).startswith("<untrusted-")


async def test_files_that_a_program_writes_are_kept_with_their_type(connect: Connect, fake: FakeGemini) -> None:
    parts = [
        *program("save()", ""),
        blob("text/csv", b"a,b\n1,2\n"),
        blob("application/pdf", b"%PDF-1.7 x"),
        {"text": "Done."},
    ]
    result = await run_fake(connect, fake, *parts)
    answer = structured(result)
    assert [Path(one["path"]).suffix for one in answer["artifacts"]] == [".csv", ".pdf"]
    assert [one["mime_type"] for one in answer["artifacts"]] == ["text/csv", "application/pdf"]
    assert Path(answer["artifacts"][0]["path"]).read_bytes() == b"a,b\n1,2\n"
    assert "outputs" not in answer
    assert "warnings" not in answer


async def test_a_broken_file_costs_no_answer(connect: Connect, fake: FakeGemini) -> None:
    broken = {"inlineData": {"mimeType": "text/csv", "data": "A"}}
    answer = structured(await run_fake(connect, fake, *program("save()", "ok\n"), broken))
    assert answer["outputs"] == ["ok\n"]
    assert "no valid base64" in warned(answer)


async def test_a_program_that_failed_first_and_then_worked_is_no_shortfall(connect: Connect, fake: FakeGemini) -> None:
    parts = [*program("1/0", "ZeroDivisionError", "FAILED"), *program("print(1)", "1\n"), {"text": "It is 1."}]
    answer = structured(await run_fake(connect, fake, *parts))
    assert [one["outcome"] for one in answer["code"]] == ["FAILED", "OK"]
    assert answer["outputs"] == ["ZeroDivisionError", "1\n"]
    assert not answer.keys() & {"incomplete", "warnings"}


@pytest.mark.parametrize("outcome", ["FAILED", "DEADLINE_EXCEEDED"])
async def test_a_failed_program_with_words_about_it_is_visible(
    connect: Connect, fake: FakeGemini, outcome: str
) -> None:
    result = await run_fake(connect, fake, *program("1/0", "ZeroDivisionError", outcome), {"text": "It cannot be."})
    answer = structured(result)
    assert answer["code"] == [{"code": "1/0", "output": "ZeroDivisionError", "outcome": outcome}]
    assert answer["incomplete"] is True
    assert outcome in warned(answer)
    assert f"[output: {outcome}]\nZeroDivisionError" in text_of(result)


@pytest.mark.parametrize("outcome", ["FAILED", "DEADLINE_EXCEEDED"])
async def test_nothing_but_a_failed_program_is_an_error_that_says_how_it_failed(
    connect: Connect, fake: FakeGemini, outcome: str
) -> None:
    long = "Traceback\n" + "x" * 9000 + "\nZeroDivisionError\x1b[0m"
    error = error_of(await run_fake(connect, fake, *program("1/0", long, outcome)))
    assert outcome in error
    assert "billed" in error
    assert "smaller step" in error
    assert "\x1b" not in error


async def test_an_answer_without_a_program_says_so(connect: Connect, fake: FakeGemini) -> None:
    answer = structured(await run_fake(connect, fake, {"text": "42, I believe."}))
    assert "without running a program" in warned(answer)
    assert not answer.keys() & {"code", "outputs"}


async def test_a_program_without_a_result_is_incomplete(connect: Connect, fake: FakeGemini) -> None:
    answer = structured(await run_fake(connect, fake, program("print(1)", "")[0], {"text": "Running."}))
    assert answer["incomplete"] is True
    assert "no result" in warned(answer)


async def test_what_a_program_prints_keeps_its_signs_but_not_its_escape_sequences(
    connect: Connect, fake: FakeGemini
) -> None:
    parts = program("if a<b: print('<b>')", "\x1b[31m<b>\x1b[0m ![x](https://a.example)\u202e\n")
    answer = structured(await run_fake(connect, fake, *parts, {"text": "a<b"}))
    assert answer["code"][0]["code"] == "if a<b: print('<b>')"
    assert answer["outputs"] == ["<b> ![x](https://a.example)\n"]
    assert answer["text"] == "a<b"


async def test_an_empty_task_is_refused_and_nothing_is_sent(connect: Connect, emulator: Emulator) -> None:
    assert "task is empty" in error_of(await run(connect, " "))
    assert not emulator.requests


async def test_an_empty_answer_says_why(connect: Connect, fake: FakeGemini) -> None:
    fake.say(said("", finish="MAX_TOKENS"))
    async with connect(toolsets=("code",), base_url=fake.url) as client:
        assert "The answer is empty" in error_of(await client.call_tool("run_code", {"task": "x"}))
