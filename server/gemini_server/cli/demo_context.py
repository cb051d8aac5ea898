"""The sections of the demo that keep context at Google: an upload, a cache, a store that is searched, a batch."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from gemini_server.cli.shapes import JsonObject
from gemini_server.cli.stage import Stage, check

_FERRY = (
    "Harbour handbook. The ferry to the island leaves at nine and at five. Bicycles travel free of charge. "
    "Dogs pay half the fare and wear a muzzle on deck. The lighthouse opens on Sundays. "
)
_MENU = "Menu of the harbour inn. Monday: fish soup. Tuesday: apple cake. The kitchen closes at eight. "
_ENOUGH = 160
"""Times that the handbook repeats itself, so that it has the tokens that a cache needs."""


async def upload_and_cache(stage: Stage) -> None:
    """A document is uploaded once, cached, and asked."""
    handbook = stage.directory / "handbook.txt"
    handbook.write_text(_FERRY * _ENOUGH, encoding="utf-8")
    file: JsonObject = (await stage.call("upload_file", source=str(handbook), wait_seconds=60))["file"]
    stage.paper.say(f"{file['name']}: {file['bytes']} bytes, {file['state']}, until {file['expires']}")
    cache: JsonObject = (await stage.call("create_cache", contents=[file["name"]], ttl_seconds=300))["cache"]
    stage.paper.say(f"{cache['name']}: {cache['tokens']} tokens for {cache['model']}")
    question = "When does the ferry leave?"
    stage.paper.ask(question)
    answer = await stage.call("generate_text", prompt=question, cache=cache["name"])
    stage.paper.say(answer["text"])
    cached = answer["usage"]["cached_tokens"]
    check(cached, "Nothing was read from the cache.")
    stage.paper.say(f"[{cached} tokens came from the cache]", "dim")
    await stage.call("delete_cache", name=cache["name"])
    await stage.call("delete_file", name=file["name"])


async def search(stage: Stage) -> None:
    """A store of two documents, and an answer that cites one."""
    store: JsonObject = (await stage.call("create_store", display_name="demo"))["store"]
    try:
        for name, text in (("ferry.txt", _FERRY), ("menu.txt", _MENU)):
            document = stage.directory / name
            document.write_text(text, encoding="utf-8")
            added = await stage.call("add_to_store", store=store["name"], source=str(document), wait_seconds=60)
            check(added["status"] == "done", f"{name} is {added['status']}.")
        question = "What does a dog pay on the ferry?"
        stage.paper.ask(question)
        found = await stage.call("search_stores", question=question, stores=[store["name"]])
        check(found.get("citations"), "The answer cites no document.")
        stage.paper.say(found["text"])
        for citation in found["citations"][:2]:
            stage.paper.say(f"[from {citation.get('title') or citation['uri']}]", "dim")
    finally:
        await stage.call("delete_store", name=store["name"], force=True)


async def batch(stage: Stage) -> None:
    """Two prompts at half the price."""
    prompts = ["Name a colour.", "Name a fruit."]
    requests = [{"prompt": prompt} for prompt in prompts]
    job = await stage.call("create_batch", remarks=True, requests=requests, wait_seconds=100)
    while job["status"] in ("submitting", "running", "downloading"):
        job = await stage.call("get_job", remarks=True, job=job["id"], wait_seconds=100)
    check(job["status"] == "done", f"The batch is {job['status']}.")
    path = Path(job["artifacts"][0]["path"])
    lines = _lines(path)
    check(len(lines) == len(prompts), "Not every prompt has an answer.")
    for prompt, line in zip(prompts, lines, strict=True):
        stage.paper.say(f"{prompt}  {line.get('text', line.get('error'))}")
    stage.paper.path(path)


def _lines(path: Path) -> list[JsonObject]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


QUICK: tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...] = (
    ("A document, uploaded, cached and asked", upload_and_cache),
    ("A store that is searched", search),
)
SLOW: tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...] = (("A small batch", batch),)
"""At Gemini a batch may take hours."""
