"""The sections of the demo that show understanding: pictures, sound, the web, places, pages, code, meaning."""

from __future__ import annotations

import math
import struct
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path

from gemini_server.cli import drawing
from gemini_server.cli.shapes import JsonObject
from gemini_server.cli.stage import Stage, check


async def several_pictures(stage: Stage) -> None:
    """Two files, one question."""
    picture, notes = stage.directory / "shapes.png", stage.directory / "notes.txt"
    picture.write_bytes(drawing.circle_and_square())
    notes.write_text("The sign shows a red circle to the left of a blue square.", encoding="utf-8")
    question = "Does the note describe the picture?"
    stage.paper.say("(shapes.png and notes.txt)", "dim")
    stage.paper.ask(question)
    answer = await stage.call("analyze_media", media=[str(picture), str(notes)], question=question)
    check(answer["text"].strip(), "The answer is empty.")
    stage.paper.say(answer["text"])


async def boxes(stage: Stage) -> None:
    """Where things are in a picture."""
    picture = stage.directory / "shapes.png"
    picture.write_bytes(drawing.circle_and_square())
    found = await stage.call("detect_objects", image=str(picture), what="the shapes")
    check(found["objects"], "Nothing was found in the picture.")
    for thing in found["objects"]:
        left, top, right, bottom = thing["box_px"]
        stage.paper.say(f"{thing['label']}: pixels {left:g},{top:g} to {right:g},{bottom:g}")
    _show_files(stage, found, "boxes")


async def transcript(stage: Stage) -> None:
    """Words in a recording, with times."""
    if not stage.emulated:
        stage.paper.say("(left out: the demo has tones to offer, and only the emulator hears words in them)", "dim")
        return
    sound = stage.directory / "call.wav"
    _tones(sound, seconds=6.0)
    heard = await stage.call("transcribe_audio", audio=str(sound), format="srt", speakers=True)
    check(heard["segments"], "The transcript has no segments.")
    for segment in heard["segments"]:
        who = segment.get("speaker", "?")
        stage.paper.say(f"{segment['start']:5.2f}-{segment['end']:5.2f} s  {who}: {segment['text']}")
    _show_files(stage, heard, "subtitles")


async def web(stage: Stage) -> None:
    """Recent news, with what was searched for."""
    found = await stage.call("search_web", query="What is new about sea otters?", time_range="month")
    check(found.get("citations"), "The answer cites nothing.")
    stage.paper.say(found["text"])
    stage.paper.say(f"searched for: {', '.join(found['queries'])}", "dim")


async def places(stage: Stage) -> None:
    """What is near a point."""
    found = await stage.call("search_maps", query="quiet cafés", latitude=47.3769, longitude=8.5417)
    check(found.get("places"), "No place was found.")
    for place in found["places"][:4]:
        stage.paper.say(f"{place['name']}  {place.get('uri', '')}")


async def pages(stage: Stage) -> None:
    """What a page says; Google reads it."""
    found = await stage.call("read_urls", urls=["https://example.com/"], question="What is this page for?")
    check(found["pages"], "No page was reported.")
    stage.paper.say(found["text"])
    for page in found["pages"]:
        stage.paper.say(f"{page['status']}: {page['url']}", "dim")


async def plot(stage: Stage) -> None:
    """Code that runs at Google, and its plot."""
    ran = await stage.call("run_code", task="Plot x^2 from 0 to 10.")
    check(ran["code"], "No code was run.")
    for run in ran["code"]:
        for line in run["code"].strip().splitlines()[:8]:
            stage.paper.say(f"| {line}", "dim")
    for output in ran.get("outputs", ()):
        stage.paper.say(f"prints: {output.strip()}")
    _show_files(stage, ran, "plot")


async def vectors(stage: Stage) -> None:
    """One vector for each text."""
    texts = ["a kitten asleep in the sun", "a young cat napping", "quarterly tax report"]
    made = await stage.call("embed", items=texts, dimensions=768)
    check(len(made["vectors"]) == len(texts), "There is not one vector for each text.")
    lengths = {len(vector) for vector in made["vectors"]}
    check(lengths == {768}, "The vectors do not have the dimensions that were asked for.")
    stage.paper.say(f"{len(texts)} texts became {made['count']} vectors of {made['dimensions']} numbers")


async def nearest(stage: Stage) -> None:
    """What is closest in meaning."""
    candidates = ["The invoice is overdue.", "A kitten sleeps on the sofa.", "Rain is expected tomorrow."]
    stage.paper.ask("a young cat having a nap")
    ranked = await stage.call("rank_by_similarity", query="a young cat having a nap", candidates=candidates)
    for match in ranked["matches"]:
        stage.paper.say(f"{match['score']:.3f}  {match['text']}")
    check(ranked["matches"][0]["index"] == 1, "The closest text is not the one about the kitten.")


def _show_files(stage: Stage, result: JsonObject, what: str) -> None:
    files: list[JsonObject] = result.get("artifacts") or []
    check(files, f"There is no file with the {what}.")
    for file in files:
        path = Path(file["path"])
        check(path.stat().st_size == file["bytes"], f"The file with the {what} is not what the result says.")
        size = f", {file['width']}×{file['height']} pixels" if file.get("width") else ""
        stage.paper.say(f"saved: {path.name} ({file['mime_type']}, {file['bytes']} bytes{size})", "dim")


def _tones(path: Path, *, seconds: float, rate: int = 8000) -> None:
    """A recording of tones with pauses between them, as voices that take turns would make."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        for n in range(int(seconds * rate)):
            at = n / rate
            speaking = at % 2.0 < 1.5
            level = int(9000 * math.sin(2 * math.pi * (220 if at % 4 < 2 else 330) * at)) if speaking else 0
            sound.writeframesraw(struct.pack("<h", level))


SECTIONS: tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...] = (
    ("Several files, one question", several_pictures),
    ("Where things are in a picture", boxes),
    ("Words in a recording", transcript),
    ("News from the web", web),
    ("Places near a point", places),
    ("What a page says", pages),
    ("Code that runs at Google, and its plot", plot),
    ("Meaning as numbers", vectors),
    ("The closest in meaning", nearest),
)
