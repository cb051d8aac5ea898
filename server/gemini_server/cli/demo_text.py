"""The sections of the demo that show text."""

from __future__ import annotations

import json
from typing import cast

from rich.text import Text

from gemini_server.cli import drawing
from gemini_server.cli.shapes import JsonObject
from gemini_server.cli.stage import Stage, check
from gemini_server.toolkit.generation import json_answer

ROUNDS = 4
"""How often the model may ask for functions before the demo gives up."""


async def stream(stage: Stage) -> None:
    """Text while it is written."""
    prompt = "In three sentences: why are lighthouses striped?"
    stage.paper.ask(prompt)
    answer = await stage.call("generate_text", shown=True, prompt=prompt)
    check(answer["text"].strip(), "The answer is empty.")
    stage.paper.say(f"by {answer.get('model_version', 'Gemini')}, {answer['usage']['total_tokens']} tokens", "dim")


BOOKING: JsonObject = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "guests": {"type": "integer", "minimum": 1},
        "date": {"type": "string", "format": "date"},
        "email": {"type": "string"},
    },
    "required": ["name", "guests", "date", "email"],
}


async def json_by_schema(stage: Stage) -> None:
    """An answer that a program can use."""
    prompt = "Read the booking: a table for 4 on 2027-03-05, Anna Kowalska, anna@example.com"
    stage.paper.ask(prompt)
    answer = await stage.call("generate_text", prompt=prompt, json_schema=BOOKING)
    value, complaint = await json_answer.parse(answer["text"], BOOKING)
    check(complaint is None, complaint or "")
    check(answer.get("json") == value, "The parsed answer is missing from the result.")
    stage.paper.say(json.dumps(value, ensure_ascii=False, indent=2))
    stage.paper.say("valid: everything that the schema requires is there, with the right types", "dim")


async def picture(stage: Stage) -> None:
    """A question about a file on this machine."""
    file = stage.directory / "shapes.png"
    file.write_bytes(drawing.circle_and_square())
    prompt = "Which colours and shapes are in this picture? One sentence."
    stage.paper.say(f"(drawn just now: {file.name}, a red circle and a blue square on white)", "dim")
    stage.paper.ask(prompt)
    answer = await stage.call("generate_text", shown=True, prompt=prompt, attachments=[str(file)])
    seen = [colour for colour in ("red", "blue") if colour in answer["text"].lower()]
    check(seen, "The answer names neither of the colours in the picture.")


async def grounded(stage: Stage) -> None:
    """An answer from the web, with its sources."""
    prompt = "Which countries won the most medals at the latest Olympic Games?"
    stage.paper.ask(prompt)
    answer = await stage.call("generate_text", prompt=prompt, use=["search"])
    text: str = answer["text"]
    citations: list[JsonObject] = answer.get("citations") or []
    check(citations, "The answer cites nothing.")
    for citation in citations:
        in_range = 0 <= citation["start"] < citation["end"] <= len(text)
        check(in_range and citation["uri"].startswith("http"), "A citation does not point into the text.")
    stage.paper.say(marked(text, citations))
    last = (-1, -1)
    for number, citation in enumerate(citations, 1):
        span = (citation["start"], citation["end"])
        if span != last:
            stage.paper.say(quoted(text[slice(*span)]), margin=5)
        stage.paper.say(f"[{number}] {citation.get('title') or citation['uri']}", "dim", margin=7)
        last = span


def marked(text: str, citations: list[JsonObject]) -> Text:
    """The text, cited characters underlined, with the numbers of the citations behind them."""
    marked = Text(text)
    for citation in citations:
        marked.stylize("underline", citation["start"], citation["end"])
    numbers: dict[int, str] = {}
    for number, citation in enumerate(citations, 1):
        numbers[citation["end"]] = numbers.get(citation["end"], "") + f"[{number}]"
    out = Text()
    last = 0
    for end in sorted(numbers):
        out.append_text(marked[last:end]).append(numbers[end], style="bold")
        last = end
    return out.append_text(marked[last:])


def quoted(text: str, longest: int = 70) -> str:
    """A text in quotation marks, on one line."""
    flat = " ".join(text.split())
    return f"“{flat if len(flat) <= longest else flat[: longest - 1] + '…'}”"


def get_weather(city: str) -> JsonObject:
    """The function that the model calls: it runs here, in the demo's own process."""
    return {"city": city, "sky": "sunny", "celsius": 17 + len(city)}


WEATHER: JsonObject = {
    "name": "get_weather",
    "description": "The weather in a city right now.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


async def function_calls(stage: Stage) -> None:
    """The model calls a function of this program."""
    prompt = "What is the weather in Lisbon right now? Name the temperature."
    stage.paper.ask(prompt)
    answer = await stage.call("generate_text", prompt=prompt, functions=[WEATHER], conversation="new")
    check(answer.get("function_calls"), "The model called no function.")
    temperatures: list[int] = []
    for _ in range(ROUNDS):
        calls: list[JsonObject] = answer.get("function_calls") or []
        if not calls:
            break
        results: list[JsonObject] = []
        for call in calls:
            check(call["name"] == "get_weather", f"The model called {call['name']}, which there is not.")
            response = get_weather(**cast("dict[str, str]", call["arguments"]))
            temperatures.append(response["celsius"])
            results.append({"id": call["id"], "name": call["name"], "response": response})
            stage.paper.say(
                f"Gemini calls  get_weather({', '.join(f'{k}={v!r}' for k, v in call['arguments'].items())})"
            )
            stage.paper.say(f"it returns    {json.dumps(response)}")
        conversation: str = answer["conversation"]
        answer = await stage.call("submit_function_results", shown=True, conversation=conversation, results=results)
    told = any(str(temperature) in answer["text"] for temperature in temperatures)
    check(told, "The answer does not use what the function returned.")
