"""Code execution with data and plots: a real picture of the real numbers."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from gemini_emulator import png
from gemini_emulator.curves import curve_in

from .conftest import Api, ask
from .drawing import inline

pytestmark = pytest.mark.anyio

CODE: list[dict[str, Any]] = [{"codeExecution": {}}]
CSV = b"month,rain,price\nJan,3,1.5\nFeb,9,2.5\nMar,6,5.0\n"
BLUE = (31, 119, 180)


async def run(api: Api, *parts: str | dict[str, Any]) -> list[dict[str, Any]]:
    response = await api.generate("", contents=ask(*parts)["contents"], tools=CODE)
    found: list[dict[str, Any]] = response["candidates"][0]["content"]["parts"]
    return found


def heights(part: dict[str, Any]) -> list[int]:
    """The topmost blue pixel of each column, counted from below the axis; 0 where there is none."""
    assert part["inlineData"]["mimeType"] == "image/png"
    picture = png.decode(base64.b64decode(part["inlineData"]["data"]))
    assert picture is not None
    rows = [picture.pixels(y) for y in range(picture.height)]
    tops = [next((y for y, row in enumerate(rows) if row[x] == BLUE), picture.height) for x in range(picture.width)]
    return [picture.height - top for top in tops]


async def test_a_function_is_plotted_between_code_and_result(api: Api) -> None:
    code, picture, result, text = await run(api, "Plot x^2 from 0 to 10")
    assert "y = x**2" in code["executableCode"]["code"]
    assert "np.linspace(0, 10, 200)" in code["executableCode"]["code"]
    assert "plt.show()" in code["executableCode"]["code"]
    assert result["codeExecutionResult"] == {"outcome": "OUTCOME_OK", "output": "plotted 200 points\n"}
    assert text["text"].startswith("[emulated] ")
    drawn = [height for height in heights(picture) if height]
    assert len(drawn) > 300
    assert drawn == sorted(drawn)
    middle = (drawn[len(drawn) // 2] - drawn[0]) / (drawn[-1] - drawn[0])
    assert middle == pytest.approx(0.25, abs=0.05)


async def test_bars_are_as_high_as_their_numbers(api: Api) -> None:
    code, picture, *_ = await run(api, "Make a bar chart of 3, 5, 2")
    assert "values = [3, 5, 2]" in code["executableCode"]["code"]
    assert "plt.bar(" in code["executableCode"]["code"]
    found = heights(picture)
    bars = [height - 40 for height, before in zip(found[1:], found, strict=False) if height and not before]
    assert [round(bar / bars[1], 1) for bar in bars] == [0.6, 1.0, 0.4]


async def test_the_column_that_is_named_is_plotted_and_averaged(api: Api) -> None:
    table = inline("text/csv", CSV)
    code, picture, *_ = await run(api, table, "Draw a bar chart of the rain")
    assert "values = [3, 9, 6]" in code["executableCode"]["code"]
    assert "['Jan', 'Feb', 'Mar']" in code["executableCode"]["code"]
    assert max(heights(picture)) > 0
    code, result, _ = await run(api, table, "What is the average price?")
    assert "input_file_0.csv" in code["executableCode"]["code"]
    assert result["codeExecutionResult"]["output"] == "3.0\n"
    _, result, _ = await run(api, "Sum of rain in\nmonth,rain\na,1\nb,2\nc,4\n")
    assert result["codeExecutionResult"]["output"] == "7\n"


@pytest.mark.parametrize("task", ["sum", "mean", "median", "max", "min", "count"])
async def test_programs_over_a_column_print_what_they_say(
    api: Api, task: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result, *_ = await run(api, inline("text/csv", CSV), f"The {task} of price, please")
    exec(compile(code["executableCode"]["code"], "program", "exec"), {})
    assert capsys.readouterr().out == result["codeExecutionResult"]["output"]


@pytest.mark.parametrize(
    ("text", "at_two"),
    [("plot sin(x)", 0.909297), ("graph y = 2x + 1", 5), ("plot 3x^2 - x", 10), ("chart sqrt(x)*4", 5.656854),
     ("draw a graph of e^x / 2", 3.694528), ("plot 1/x", 0.5), ("plot -x³", -8)],
)  # fmt: skip
async def test_functions_are_understood(text: str, at_two: float) -> None:
    curve = curve_in(text)
    assert curve is not None
    assert curve.at(2) == pytest.approx(at_two)


@pytest.mark.parametrize("text", ["plot the weather", "plot example.py", "explain graphs", "draw 1, 2, 3"])
async def test_other_texts_have_no_function_in_them(text: str) -> None:
    assert curve_in(text) is None


@pytest.mark.parametrize(
    "prompt",
    ["plot 1/x from -1 to 1", "plot 5, 5, 5", "line chart of -3 and -9", "bar chart of -1, 0, 4", "plot 7, 7.5",
     "plot x^50 from 1 to 400", "scatter chart of 1e3, 2, 3", "plot log(x) from -5 to 5", "plot x from 3 to 3",
     "plot exp(exp(x)) from 0 to 100", "plot " + "(" * 50 + "x" + ")" * 50],
)  # fmt: skip
async def test_odd_plots_are_drawn_nevertheless(api: Api, prompt: str) -> None:
    parts = await run(api, prompt)
    assert "inlineData" in parts[1]


@pytest.mark.parametrize("text", ["*" * 20_000, "1" * 20_000 + "a", "x " * 20_000, "1," * 20_000, "e" * 20_000])
async def test_no_prompt_keeps_the_emulator_busy(api: Api, text: str) -> None:
    began = time.process_time()
    await run(api, f"Plot {text}")
    await run(api, f"plot from {text} to {text}")
    assert time.process_time() - began < 3


async def test_a_plot_of_nothing_is_an_ordinary_program(api: Api) -> None:
    assert [set(part) - {"thoughtSignature"} for part in await run(api, "Plot my feelings")] == [
        {"executableCode"}, {"codeExecutionResult"}, {"text"},
    ]  # fmt: skip
