"""The answers of a batch, brought into one file: a line for each request, in the order of the requests.

Google writes the answers of a file in any order, and leaves out what it did not get to. The file is made in bounded
memory, and exactly once: its handle follows from the job, so that whoever finishes the job after a crash finds it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, cast

import anyio
import anyio.to_thread

from gemini_server.api.batches import BatchOutput, answered
from gemini_server.errors import NotFound
from gemini_server.jobs import part as parts
from gemini_server.jobs.artifact import Artifact, register
from gemini_server.jobs.download import fetch
from gemini_server.jobs.job import Job, Json, Tell
from gemini_server.jobs.part import part_name
from gemini_server.rest.json_values import object_of
from gemini_server.toolkit import owners
from gemini_server.toolkit.batch_answer import Reader, Tally, no_answer, written
from gemini_server.toolkit.batch_spool import Lines
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.sources import of_names
from gemini_server.toolkit.runtime import Runtime

KIND = "batch"
AT_ONCE = 100
"""Answers that are read in one go, off the event loop."""
_RAW = "batch-raw"
_PIECE = 1024 * 1024


class Answers(Protocol):
    """Google's answers, in its own order.

    Attributes:
        keys: of their requests, as far as it says them.
    """

    keys: list[str | None]

    def get(self, number: int) -> Json:
        """One of them; blocks."""
        ...


class Inline:
    """Answers that came with the operation; they are in the order of the requests.

    Args:
        raw: as they came.
        expected: the keys of the requests, where they are known.
    """

    def __init__(self, raw: list[Json], expected: Sequence[str] | None) -> None:
        self._raw = raw
        self.keys = [
            _key_of(one) or (expected[n] if expected and n < len(expected) else None) for n, one in enumerate(raw)
        ]

    def get(self, number: int) -> Json:
        """One of them."""
        return self._raw[number]


class InFile:
    """Answers in a file of JSON lines, which is gone through once to find out where each of them is.

    Args:
        descriptor: of the file; blocks.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._starts = array("q")
        self._ends = array("q")
        self.keys: list[str | None] = []
        with os.fdopen(os.dup(descriptor), "rb", buffering=_PIECE) as file:
            file.seek(0)
            start = 0
            for line in file:
                if line.strip():
                    self._starts.append(start)
                    self._ends.append(start + len(line))
                    self.keys.append(_key_of(_object(line)))
                start += len(line)

    def get(self, number: int) -> Json:
        """One of them."""
        start, end = self._starts[number], self._ends[number]
        os.lseek(self._descriptor, start, os.SEEK_SET)
        line = bytearray()
        while len(line) < end - start and (piece := os.read(self._descriptor, end - start - len(line))):
            line += piece
        return answered(_object(bytes(line)))


@dataclass(frozen=True, slots=True)
class Kept:
    """The results of a batch.

    Attributes:
        artifact: the file.
        tally: what is in it.
    """

    artifact: Artifact
    tally: Tally


async def kept(runtime: Runtime, job: Job, output: BatchOutput, tell: Tell) -> Kept:
    """Bring the answers of a batch into a file; a file that is there already is counted again.

    Args:
        runtime: what all calls share.
        job: of the batch; its wish says what is known of the requests.
        output: where the answers are.
        tell: hears how far it is.

    Raises:
        NotFound: Google has the answers no more.
        LocalError: the disk is full, or the directory or the ledger cannot be written; it may be tried again.
        ToolserverError: they cannot be fetched for now.
    """
    identifier = handle(job)
    raw, files = part_name(_RAW, job.created, identifier), runtime.artifacts.files
    there = await _there(runtime, job, identifier)
    if there is not None:
        await runtime.artifacts.forget(identifier, KIND, job.created)
        await anyio.to_thread.run_sync(parts.remove, files, raw)
        return Kept(there, await _counted(runtime, there))
    if output.inline is not None:
        return await _made(runtime, job, identifier, Inline(output.inline, expected(job)), tell)
    if not output.responses_file:
        return await _made(runtime, job, identifier, Inline([], None), tell)

    def on_bytes(have: int, size: int | None) -> None:
        of = f" of {size / 2**20:.1f}" if size else ""
        tell(f"downloading the answers: {have / 2**20:.1f}{of} MiB", have / size if size else None)

    await owners.claim_for(runtime, job.principal, output.responses_file)
    await fetch(runtime.client, files, raw, output.link, on_bytes=on_bytes)
    descriptor = await anyio.to_thread.run_sync(files.open, raw)
    try:
        answers = await anyio.to_thread.run_sync(InFile, descriptor)
        made = await _made(runtime, job, identifier, answers, tell)
    finally:
        os.close(descriptor)
    await anyio.to_thread.run_sync(parts.remove, files, raw)
    return made


def handle(job: Job) -> str:
    """The handle of the results of a job: always the same, and as hard to guess as the job's own."""
    digest = hashlib.sha256(f"the results of {job.id}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def expected(job: Job) -> list[str] | None:
    """The keys of the requests in their order; None where only Google knows them."""
    keys: object = job.wish.get("keys")
    if isinstance(keys, list):
        return cast("list[str]", keys)
    return [str(number + 1) for number in range(int(job.wish["counted"]))] if "counted" in job.wish else None


async def _there(runtime: Runtime, job: Job, identifier: str) -> Artifact | None:
    """The file, if a process that died has made it."""
    with suppress(NotFound):
        return await runtime.artifacts.get(job.principal, identifier)
    found = await runtime.artifacts.finished(identifier, KIND, job.created)
    if found is not None:
        await runtime.store.run(lambda ledger: register(ledger, job.principal, found))
    return found


async def _counted(runtime: Runtime, artifact: Artifact) -> Tally:
    descriptor = await runtime.artifacts.open_file(artifact)

    def count() -> Tally:
        tally = Tally()
        with os.fdopen(descriptor, "rb", buffering=_PIECE) as file:
            for line in file:
                tally.add(_object(line))
        return tally

    return await anyio.to_thread.run_sync(count)


async def _made(runtime: Runtime, job: Job, identifier: str, answers: Answers, tell: Tell) -> Kept:
    """Write the file."""
    lines = Lines(runtime, KIND, identifier, job.created)
    work = _Writing(runtime, job, answers, lines)
    try:
        await anyio.to_thread.run_sync(lines.open)
        total = len(work.order)
        for start in range(0, total, AT_ONCE):
            await anyio.to_thread.run_sync(work.write, start, min(start + AT_ONCE, total))
            tell(f"writing the results: {start} of {total}", start / total)
        await anyio.to_thread.run_sync(lines.end)
        return Kept(await lines.keep(job.principal), work.tally)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(lines.close)


class _Writing:
    """Writes the results; everything here blocks.

    Attributes:
        order: what comes after what: the number of an answer, or the key of a request that has none.
    """

    def __init__(self, runtime: Runtime, job: Job, answers: Answers, lines: Lines) -> None:
        self._answers = answers
        self._lines = lines
        self.tally = Tally()
        wish = job.wish
        sources = of_names(cast("list[str]", wish.get("sources") or ()))
        self._reader = Reader(Call(runtime, job.principal), job.model, sources, unit=bool(wish.get("unit")))
        keys = expected(job)
        wanted: Any = wish.get("json") or ()
        self._all_json = wanted == "all"
        self._json: set[str | None] = set()
        if keys and not self._all_json:
            self._json = {keys[n] for n in wanted if n < len(keys)}
        self.order: list[int | str] = _in_order(answers.keys, keys)

    def write(self, start: int, stop: int) -> None:
        for one in self.order[start:stop]:
            if isinstance(one, str):
                line = no_answer(one)
            else:
                key = self._answers.keys[one]
                wants_json = self._all_json or key in self._json
                line = self._reader.line(key, self._answers.get(one), wants_json=wants_json)
            self.tally.add(line)
            self._lines.write(written(line))


def _in_order(came: Sequence[str | None], wanted: Sequence[str] | None) -> list[int | str]:
    """The numbers of the answers in the order of the requests, with the keys of those that have none between them."""
    if wanted is None:
        return list(range(len(came)))
    places: dict[str | None, list[int]] = {key: [] for key in wanted}
    others: list[int] = []
    for number, key in enumerate(came):
        places.get(key, others).append(number)
    order: list[int | str] = []
    for key in wanted:
        order += places[key] or [key]
    return [*order, *others]


def _key_of(raw: Json) -> str | None:
    key: object = raw.get("key") or object_of(raw.get("metadata")).get("key")
    return str(key) if key is not None else None


def _object(line: bytes) -> Json:
    """A line as an object; an empty one for what is none."""
    try:
        return object_of(json.loads(line))
    except (ValueError, RecursionError):
        return {}
