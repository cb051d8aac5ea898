"""The sections of the demo that make something: a picture, its edit, a video, speech, music."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from gemini_server.cli.shapes import JsonObject
from gemini_server.cli.stage import Stage, check

SPENDS = "about half a dollar"
"""What these sections cost together at Gemini."""

_BEGINS: dict[str, tuple[bytes, ...]] = {
    "image": (b"\x89PNG", b"\xff\xd8\xff", b"RIFF"),
    "video": (b"ftyp",),
    "audio": (b"RIFF", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xfa", b"OggS"),
}


async def picture(stage: Stage) -> None:
    """A picture, and then the same one changed."""
    prompt = "A red lighthouse on a cliff at dusk, calm sea"
    stage.paper.ask(prompt)
    made = await stage.call(
        "generate_image", prompt=prompt, aspect_ratio="16:9", size="1K", conversation="new", preview="none"
    )
    _show(stage, made, "image")
    change = "Make it a green lighthouse in the morning"
    stage.paper.ask(change)
    edited = await stage.call("generate_image", prompt=change, conversation=made["conversation"], preview="none")
    _show(stage, edited, "image")
    check(edited["artifacts"][0]["sha256"] != made["artifacts"][0]["sha256"], "The edit changed nothing.")


async def video(stage: Stage) -> None:
    """A video: the call reports progress; had it taken longer, it would have handed over a job."""
    prompt = "Waves roll in below a lighthouse, slow pan to the right"
    stage.paper.ask(prompt)
    job = await stage.call("generate_video", remarks=True, prompt=prompt, duration_seconds=3, wait_seconds=100)
    while job["status"] in ("submitting", "running", "downloading"):
        stage.paper.say(f"(handed over as job {job['id']}; asking get_job)", "dim")
        job = await stage.call("get_job", remarks=True, job=job["id"], wait_seconds=100)
    check(job["status"] == "done", f"The video is {job['status']}: {job.get('error', {}).get('message', '')}")
    _show(stage, job, "video")


async def speech(stage: Stage) -> None:
    """Two people who talk."""
    text = "Anna: The ferry leaves at nine.\nBen: Then we still have time for coffee."
    stage.paper.ask(text.replace("\n", " / "))
    said = await stage.call("synthesize_speech", text=text, speakers={"Anna": "Kore", "Ben": "Puck"})
    _show(stage, said, "audio")


async def music(stage: Stage) -> None:
    """A clip of music."""
    prompt = "A calm piano melody with soft strings"
    stage.paper.ask(prompt)
    composed = await stage.call("compose_music", prompt=prompt, seconds=30)
    _show(stage, composed, "audio")


def _show(stage: Stage, made: JsonObject, family: str) -> None:
    check(made.get("artifacts"), f"There is no {family}.")
    for artifact in made["artifacts"]:
        path = Path(artifact["path"])
        head = path.read_bytes()[:16]
        check(any(begin in head for begin in _BEGINS[family]), f"{path} is no {artifact['mime_type']} by its bytes.")
        facts = [artifact["mime_type"], f"{artifact['bytes'] / 1024:.0f} KiB"]
        if artifact.get("width"):
            facts.append(f"{artifact['width']}x{artifact['height']}")
        if artifact.get("duration_seconds") is not None:
            facts.append(f"{artifact['duration_seconds']:.1f} s")
        stage.paper.say(f"[{', '.join(facts)}]", "dim")
        stage.paper.path(path)


SECTIONS: tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...] = (
    ("A picture, and its edit", picture),
    ("A video, with progress", video),
    ("Speech by two voices", speech),
    ("Music", music),
)
