"""A file of requests, looked at line by line before anything of it is sent: a batch that fails tomorrow is no answer.

A line is `{"key": "…", "request": {…}}`, the request as the API takes it, in either spelling of its members.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import anyio.to_thread

from gemini_server.api.batches import FILE_BYTES
from gemini_server.api.files import FILE_NAME
from gemini_server.errors import ArgumentError
from gemini_server.rest.json_values import list_of, object_of
from gemini_server.toolkit import artifacts, owners
from gemini_server.toolkit.batch_request import LONGEST_KEY, Kind
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.foreign_names import check_names
from gemini_server.toolkit.open_file import OpenFile
from gemini_server.toolkit.untrusted import label

KEPT_KEYS = 1024 * 1024
"""Characters of keys that are remembered, for the order of the answers; those of larger batches come in any order."""
LONGEST_LINE = 256 * 1024 * 1024
"""Bytes of a line; a request has 100 MB at most."""
SHOWN = 5
"""Faults after which no more are looked for."""

_PIECE = 1024 * 1024
_MEMBERS = ("key", "request", "metadata")
_SCHEME = re.compile(r"(?:(?=data:)|(?=[a-z][a-z0-9+.-]+://))([a-z0-9+.-]+):", re.IGNORECASE)
_FORM = 'A line is {"key": "1", "request": {…}}'
_BOM = b"\xef\xbb\xbf"
_MEDIA = {"inlineData", "inline_data", "fileData", "file_data"}
_TOOLS = {"googleSearch": "web", "googleMaps": "maps", "urlContext": "pages", "fileSearch": "documents"}

Object = dict[str, Any]


@dataclass
class Looked:
    """What is in a file of requests.

    Attributes:
        digest: SHA-256 of its bytes, in hex.
        bytes: how many there are.
        count: of the requests.
        keys: theirs, in order; None where they are too many to be remembered.
        wants_json: the positions of those whose answer is to be JSON.
        sources: what their answers may repeat of others' words.
        shortened: whether vectors are wanted with fewer dimensions than the model gives.
        names: of what at Google its requests refer to, where there are other callers.
    """

    digest: str = ""
    bytes: int = 0
    count: int = 0
    keys: list[str] | None = field(default_factory=list[str])
    wants_json: list[int] = field(default_factory=list[int])
    sources: set[str] = field(default_factory=set[str])
    shortened: bool = False
    names: set[str] = field(default_factory=set[str])


def is_uploaded(call: Call, source: str) -> bool:
    """Whether a source names a file that Google has, in a place that batches are made of."""
    stored = call.runtime.backend.batch_files
    return FILE_NAME.fullmatch(source) is not None or (stored.endswith("://") and source.startswith(stored))


async def looked_at(call: Call, source: str, kind: Kind, model: str) -> Looked:
    """Check a file of requests.

    Args:
        call: the call.
        source: a path, or an artifact.
        kind: what its requests are for.
        model: the model of all of them.

    Raises:
        ArgumentError: naming the lines that are wrong. Nothing was sent.
        FileRefused: a path that is not read.
        NotFound: no such artifact, or a line names what another caller made.
    """
    async with await _opened(call, source) as file:
        scan = _Scan(kind, model, names=call.has_others)
        read = 0
        async for piece in file.chunks(_PIECE):
            await anyio.to_thread.run_sync(scan.feed, piece)
            read += len(piece)
            if len(scan.faults) >= SHOWN:
                break
            await call.progress.note(f"checked {read >> 20} of {file.size >> 20} MiB", value=read, total=file.size)
        else:
            await anyio.to_thread.run_sync(scan.end)
    if scan.faults:
        raise ArgumentError(
            f"{file.name} is no batch as it stands: {'; '.join(scan.faults[:SHOWN])}. Nothing was sent.",
            f"{_FORM}, each key once, the request as the API takes it.",
        )
    if not scan.found.count:
        raise ArgumentError(f"{file.name} has no requests; nothing was sent.", f"{_FORM}.")
    await check_names(call, sorted(scan.found.names))
    return scan.result()


async def _opened(call: Call, source: str) -> OpenFile:
    scheme = _SCHEME.match(source)
    if scheme and scheme[1].lower() not in ("gemini", "file"):
        raise ArgumentError(
            f"A batch cannot be read from {scheme[1].lower()}:….",
            "Give a path, gemini://artifacts/ID, or files/ID of a file that was uploaded; or give requests.",
        )
    file = await artifacts.open_source(call, source, max_bytes=FILE_BYTES)
    return file or await call.runtime.disk.open(source, max_bytes=FILE_BYTES)


class _Scan:
    """Goes through a file piece by piece. Everything here blocks: run it in a thread."""

    def __init__(self, kind: Kind, model: str, *, names: bool) -> None:
        self.kind: Kind = kind
        self.model = model
        self.found = Looked()
        self.faults: list[str] = []
        self.number = 0
        self._names = names
        self._rest = bytearray()
        self._digest = hashlib.sha256()
        self._seen: dict[str, int] = {}
        self._characters = 0

    def feed(self, piece: bytes) -> None:
        self._digest.update(piece)
        self.found.bytes += len(piece)
        *lines, rest = piece.split(b"\n")
        for line in lines:
            self._rest += line
            self._take(bytes(self._rest))
            self._rest.clear()
            if len(self.faults) >= SHOWN:
                return
        self._rest += rest
        if len(self._rest) > LONGEST_LINE:
            self.faults += [f"line {self.number + 1} is longer than {LONGEST_LINE >> 20} MiB"] * SHOWN

    def end(self) -> None:
        if self._rest:
            self._take(bytes(self._rest))

    def result(self) -> Looked:
        self.found.digest = self._digest.hexdigest()
        return self.found

    def _take(self, line: bytes) -> None:
        self.number += 1
        if not line.strip():
            return
        try:
            value: Any = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            self._fault("is not UTF-8")
        except (ValueError, RecursionError) as error:
            bom = self.number == 1 and line.startswith(_BOM)
            self._fault("begins with a byte order mark" if bom else f"is no JSON ({label(_why(error), 80)})")
        else:
            self._check(value)

    def _check(self, value: Any) -> None:
        if not isinstance(value, dict):
            self._fault("is no object")
            return
        line = cast(Object, value)
        unknown = [label(name, 40) for name in line if name not in _MEMBERS]
        if unknown:
            self._fault(f"has {', '.join(unknown[:3])}, which no line of a batch has")
            return
        key, request = line.get("key"), line.get("request")
        if not isinstance(key, str) or not key.strip() or len(key) > LONGEST_KEY:
            self._fault(f"has no key: a text of 1 to {LONGEST_KEY} characters")
        elif key in self._seen:
            self._fault(f"has the key of line {self._seen[key]}, {label(key, 40)!r}")
        elif not isinstance(request, dict):
            self._fault("has no request")
        else:
            wrong = self._amiss(cast(Object, request))
            if wrong:
                self._fault(wrong)
            else:
                self._count(key, cast(Object, request))

    def _amiss(self, request: Object) -> str:
        wanted = "content" if self.kind == "embed" else "contents"
        given = request.get(wanted)
        if given is None and (request.get("contents") or request.get("content")):
            other = "generate" if self.kind == "embed" else "embed"
            return f"is a request of kind {other}, not {self.kind}"
        turns = list_of(given) if self.kind == "generate" else [given]
        if not turns:
            return f"has no request.{wanted}"
        if not all(list_of(object_of(turn).get("parts")) for turn in turns):
            return f"has no parts in request.{wanted}"
        model = request.get("model")
        if model is not None and str(model).removeprefix("models/") != self.model.removeprefix("models/"):
            return f"is for {label(str(model), 60)}, the batch for {self.model}: all requests have one model"
        return ""

    def _count(self, key: str, request: Object) -> None:
        found = self.found
        self._seen[key] = self.number
        self._characters += len(key)
        if found.keys is not None:
            found.keys.append(key)
            if self._characters > KEPT_KEYS:
                found.keys = None
        config = object_of(_either(request, "generationConfig"))
        if "json" in str(_either(config, "responseMimeType") or ""):
            found.wants_json.append(found.count)
        found.shortened = found.shortened or _either(request, "outputDimensionality") is not None
        found.sources |= _sources(request)
        if self._names:
            found.names |= set(owners.names_in(request))
        found.count += 1

    def _fault(self, what: str) -> None:
        self.faults.append(f"line {self.number} {what}")


def _why(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"


def _sources(request: Object) -> set[str]:
    named = {name for tool in list_of(request.get("tools")) for name in object_of(tool)}
    found = {source for tool, source in _TOOLS.items() if tool in named or _snake(tool) in named}
    parts = [part for turn in list_of(request.get("contents")) for part in list_of(object_of(turn).get("parts"))]
    if _either(request, "cachedContent") or any(_MEDIA & object_of(part).keys() for part in parts):
        found.add("attachments")
    return found


def _either(value: Mapping[str, Any], name: str) -> Any:
    """A member in camel case, or in the snake case that the API takes as well."""
    return value.get(name, value.get(_snake(name)))


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found.group().lower()}", name)
