"""`gemini-toolserver demo`: what a newcomer sees first. Each section calls the server as a client would, and checks it.

A new capability adds a function to `SECTIONS`; the function raises `Failed` when what it shows is not as it should be.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio

from gemini_server.cli import demo_agents, demo_context, demo_making, demo_text, demo_understanding, peer
from gemini_server.cli.choices import Choices
from gemini_server.cli.stage import Failed, Paper, Stage, check

UNWANTED = tuple(
    f"GEMINI_TOOLSERVER_{name}" for name in ("TOOLSETS", "TOOLS", "EXCLUDE_TOOLS", "READ_ONLY", "LOG_LEVEL")
)
"""Variables that would hide what is to be shown."""


async def ready(stage: Stage) -> None:
    """Whether the server finds its key, Gemini and its directories; free."""
    status = await stage.call("server_status")
    faults = [found["detail"] for found in status["checks"] if found["status"] == "failed"]
    check(not faults, " ".join(faults))


Section = Callable[[Stage], Awaitable[None]]

SECTIONS: tuple[tuple[str, Section], ...] = (
    ("Text, while it is written", demo_text.stream),
    ("JSON by schema", demo_text.json_by_schema),
    ("A question about a picture", demo_text.picture),
    ("An answer from the web, with sources", demo_text.grounded),
    ("A function call, there and back", demo_text.function_calls),
    *demo_understanding.SECTIONS,
    *demo_context.QUICK,
)


def run(*, emulate: bool, output_dir: Path | None = None, media: bool = False) -> int:
    """Show everything; the exit status.

    Args:
        emulate: ask the emulator even where there is a key.
        output_dir: where what is made goes; a new temporary directory if None.
        media: make pictures, video, speech and music with Gemini itself too, which costs more than the rest.
    """
    return anyio.run(_run, emulate, output_dir, media)


async def _run(emulate: bool, output_dir: Path | None, media: bool) -> int:
    settings = Choices(emulate=emulate).settings()
    emulated = settings.emulate or not settings.has_credential
    paper = Paper()
    paper.say("gemini-toolserver demo", "bold", margin=0)
    if emulated:
        why = "as asked" if settings.emulate else "no GEMINI_API_KEY and no key file"
        paper.say(f"Against the embedded emulator ({why}): no network, no cost, made-up answers.", margin=0)
    else:
        paper.say(
            f"Against Gemini at {settings.base_url} (key from {settings.key_source}): it costs a cent or less.",
            margin=0,
        )
    making = (*demo_making.SECTIONS, *demo_context.SLOW, *demo_agents.SECTIONS) if media or emulated else ()
    sections = (*SECTIONS, *making)
    output = output_dir or Path(tempfile.mkdtemp(prefix="gemini-toolserver-demo-made-"))
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gemini-toolserver-demo-") as name:
        directory = Path(name)
        (directory / "files").mkdir()
        choices = Choices(
            emulate=emulated,
            allow_dirs=(directory / "files",),
            state_dir=directory / "state",
            output_dir=output,
            toolsets=("all",),
        )
        async with peer.started(choices, without=UNWANTED) as client:
            stage = Stage(client, paper, directory / "files", emulated)
            failed = await _sections(stage, sections)
    if not making:
        paper.say("", margin=0)
        paper.say(
            f"Left out: picture, video, speech, music, batch, research, Live ({demo_making.SPENDS}); --media shows "
            "them.",
            margin=0,
        )
    _close(
        stage,
        failed,
        len(sections),
        time.monotonic() - begun,
        output,
        emulated=emulated,
        keyless=not settings.has_credential,
    )
    return 1 if failed else 0


async def _sections(stage: Stage, sections: Sequence[tuple[str, Section]]) -> list[str]:
    """Every section in turn; the titles of those that failed."""
    failed: list[str] = []
    try:
        await ready(stage)
    except Failed as error:
        # Without a key that works, every section would fail alike.
        stage.paper.say(f"It did not work: {error}", "red", margin=0)
        return [title for title, _ in sections]
    for number, (title, section) in enumerate(sections, 1):
        stage.paper.say(f"\n{number}. {title}", "bold", margin=0)
        try:
            await section(stage)
        except Failed as error:
            stage.paper.end_flow()
            stage.paper.say(f"It did not work: {error}", "red")
            failed.append(title)
    return failed


def _close(
    stage: Stage, failed: list[str], shown: int, seconds: float, output: Path, *, emulated: bool, keyless: bool
) -> None:
    paper = stage.paper
    worked = shown - len(failed)
    used = ", ".join(f"{name} ×{count}" for name, count in stage.calls.items())
    price = "price unknown" if stage.cost is None else f"${stage.cost:.4f}"
    spent = f"{price} had it been Gemini" if emulated else price
    paper.say("", margin=0)
    paper.say(
        f"{worked} of {shown} worked in {seconds:.1f} s: {used}; {stage.tokens} tokens, {spent}.",
        "bold",
        margin=0,
    )
    if failed:
        print(
            f"gemini-toolserver: did not work: {', '.join(failed)}. `gemini-toolserver doctor` looks further.",
            file=sys.stderr,
        )
        return
    paper.path(output, "What was made lies in ")
    paper.say(
        "Next: add it to your client with gemini-toolserver print-config CLIENT (claude-desktop, claude-code, …).",
        margin=0,
    )
    if emulated and keyless:
        paper.say(
            "With a key (https://aistudio.google.com/apikey) in GEMINI_API_KEY, the same demo asks Gemini.", margin=0
        )
