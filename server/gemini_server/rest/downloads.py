"""How a download begins: the link resolved, the part asked for that is missing, and what comes judged.

What comes in the place of a file (an error as JSON, the page of a proxy, a description of the file) is an error and
never handed on as bytes. An answer that is fine up to its first bytes counts as begun: what fails before is repeated
like any read, what fails later is for the caller, who knows what he has and asks for the rest.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import unquote

import httpx2

from gemini_server.errors import BadAnswer, NotFound, RequestRefused

from . import answer, failure, redirect
from .answer import CutError
from .attempts import Attempts, OnRetry, about_key, read_refusal
from .complaint import Complaint, complaint_of, error_object, excerpt
from .config import ClientConfig
from .credentials import Header
from .download import PIECE, Download, OpenDownload, broken
from .exchange import Exchange, Order
from .link import Links
from .retry import AttemptError, Fault

_ERROR_BYTES = 256 * 1024
_LONGEST_ETAG = 200
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,18})", re.ASCII)
_MD5 = re.compile(r"(?:^|[,\s])md5=([A-Za-z0-9+/]{22}==)", re.ASCII)
_NOT_MEDIA = ("application/json", "text/html")
_WORKSPACE = re.compile(r"/environments/[^/]+/files/")
"""The path of a file in a workspace. It may be JSON or a page itself: only its status says that an answer is none."""
_HTML = (b"<!doctype html", b"<html")


class Downloads:
    """Opens downloads with the connections and the retries of a client.

    Args:
        config: the limits.
        links: resolves links.
        exchange: what sends.
        attempts: what repeats.
        wall: seconds since 1970.
    """

    def __init__(
        self, config: ClientConfig, links: Links, exchange: Exchange, attempts: Attempts, wall: Callable[[], float]
    ) -> None:
        self._config = config
        self._links = links
        self._exchange = exchange
        self._attempts = attempts
        self._wall = wall

    def follows(self, uri: str) -> bool:
        """As `GeminiClient.follows`."""
        try:
            self._exchange.gate.admits_link(self._links.url(uri))
        except BadAnswer:
            return False
        return True

    @asynccontextmanager
    async def open(
        self,
        uri: str,
        offset: int,
        if_range: str | None,
        timeout: float | None,
        on_retry: OnRetry | None,
        trace: list[Header],
    ) -> AsyncGenerator[OpenDownload]:
        """As `GeminiClient.open_download`."""
        url = self._links.url(uri)
        if self._exchange.gate.admits_link(url):
            self._exchange.require_key()
        headers = [*trace]
        if offset:
            headers.append((b"range", b"bytes=%d-" % offset))
            if if_range and not if_range.startswith("W/"):  # a weak mark is not one of the very bytes
                headers.append((b"if-range", if_range.encode("ascii", "ignore")))
        order = Order("GET", str(url), None, "read", headers, link=True)
        anything = bool(_WORKSPACE.search(url.path)) or self._exchange.gate.stored(url)

        async def take(response: httpx2.Response, deadline: float) -> OpenDownload:
            return await self._begun(response, offset, anything=anything)

        opened, retries = await self._attempts.run(order, take, timeout, on_retry)
        opened.about.retries = retries
        try:
            yield opened
        finally:
            await opened.aclose()

    async def _begun(self, response: httpx2.Response, offset: int, *, anything: bool) -> OpenDownload:
        """The download that a response begins.

        Args:
            response: with its body still to come.
            offset: from which byte on it was asked for.
            anything: whether the file may be JSON or a page.

        Raises:
            AttemptError: it is not one.
        """
        status, headers = response.status_code, response.headers
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        etag = headers.get("etag", "").strip()
        etag = etag if len(etag) <= _LONGEST_ETAG else ""
        about = Download(0, None, etag, content_type, _md5(headers.get("x-goog-hash", "")))
        if status == 416 and offset:
            total = _UNSATISFIED.fullmatch(headers.get("content-range", "").strip())
            about.offset, about.size, about.beyond = offset, int(total[1]) if total else None, True
            return OpenDownload(about, response, [], _nothing(), self._config.idle_timeout)
        if status not in (200, 206):
            raise AttemptError(await self._refused(response))
        if content_type in _NOT_MEDIA and not anything:
            raise AttemptError(await self._no_media(response, content_type))
        if headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
            raise AttemptError(_bad("it came compressed, which was not asked for", status))
        if status == 206:
            about.offset, about.size = _placed(headers.get("content-range", ""), offset)
        elif (declared := headers.get("content-length", "")).isdecimal():
            about.size = int(declared[:18])
        rest = response.aiter_raw()
        first = await self._first(rest, status, about, anything=anything)
        return OpenDownload(about, response, first, rest, self._config.idle_timeout)

    async def _first(
        self, rest: AsyncGenerator[bytes, None], status: int, about: Download, *, anything: bool
    ) -> list[bytes]:
        """The first bytes; none of an empty file."""
        first: list[bytes] = []
        try:
            while chunk := await anext(rest, b""):
                first.append(chunk)
                # Only a whole text shows whether it is an error; a file is looked at no further than this.
                if anything or not _may_be_error(first[0], about) or sum(map(len, first)) > _ERROR_BYTES:
                    break
            else:
                self._judge(b"".join(first))
        except httpx2.TransportError as exc:
            raise AttemptError(Fault(broken(exc, self._config.idle_timeout), again=True)) from exc
        if not anything and about.offset == 0 and first and first[0].lstrip()[:20].lower().startswith(_HTML):
            raise AttemptError(_bad(f"it is a page, which says: {excerpt(first[0])}", status))
        return [data[at : at + PIECE] for data in first for at in range(0, len(data), PIECE)]

    def _judge(self, data: bytes) -> None:
        error = _error_in(data)
        if error is not None:
            raise AttemptError(failure.fault_of(complaint_of(error), {}, repeat="read", wall=self._wall))

    async def _no_media(self, response: httpx2.Response, content_type: str) -> Fault:
        """What JSON or a page in the place of a file means."""
        try:
            body = await answer.read(response, cap=_ERROR_BYTES, idle=self._config.connect_timeout)
        except (CutError, BadAnswer):
            body = b""
        error = _error_in(body)
        if error is not None:
            return failure.fault_of(complaint_of(error), response.headers, repeat="read", wall=self._wall)
        words = f", which says: {excerpt(body)}" if content_type == "text/html" and body else ""
        return _bad(f"it is {content_type}{words}", response.status_code)

    async def _refused(self, response: httpx2.Response) -> Fault:
        complaint = await read_refusal(response, self._config)
        fault = failure.fault_of(complaint, response.headers, repeat="read", wall=self._wall)
        status = response.status_code
        if status < 300:
            return _bad(f"its status is {status}", status)
        # No key went to another origin, so a refusal there is about the link and not about the key.
        gate, url = self._exchange.gate, response.request.url
        stored = gate.stored(url)
        keyed = stored or gate.keyed(url)
        foreign = not keyed and status in (400, 401, 403)
        if keyed:
            about_key(fault, response, self._exchange.credential)
        denied = status == 403 and (stored or isinstance(fault.error, RequestRefused))
        if status in (404, 410) or foreign or denied:
            fault.error = _not_there(complaint, url) if stored else _gone(complaint)
        return fault


def _placed(content_range: str, offset: int) -> tuple[int, int | None]:
    """Where the bytes of a partial answer belong, and how many there are of the whole."""
    found = _RANGE.fullmatch(content_range.strip())
    if found is None or int(found[1]) != offset or int(found[2]) < offset:
        raise AttemptError(_bad("it is another part of the file than was asked for", 206))
    total = None if found[3] == "*" else int(found[3])
    if total is not None and int(found[2]) >= total:
        raise AttemptError(_bad("it is a part beyond the end of the file", 206))
    return offset, total


def _may_be_error(head: bytes, about: Download) -> bool:
    return about.offset == 0 and head.lstrip()[:1] in (b"{", b"[") and (about.size or 0) <= _ERROR_BYTES


def _error_in(data: bytes) -> Any:
    """The error object in a text; None where there is more than that: a line of results may have an error too."""
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    error = error_object(value)
    top = cast("dict[str, Any]", value[0] if isinstance(value, list) else value) if error is not None else {}
    return error if top.keys() == {"error"} else None


def _md5(header: str) -> bytes | None:
    found = _MD5.search(header)
    return base64.b64decode(found[1]) if found else None


async def _nothing() -> AsyncGenerator[bytes, None]:
    return
    yield b""


def _bad(why: str, status: int) -> Fault:
    return Fault(
        BadAnswer(
            f"What came from the link is not the file: {why}.",
            "Call again later; if it stays, check that GEMINI_BASE_URL points at the Gemini API.",
            code="not_media",
            status=status,
        ),
        again=False,
    )


def _gone(complaint: Complaint) -> NotFound:
    words = f": {complaint.message}" if complaint.message else ""
    return NotFound(
        f"The file is not to be had at its link any more ({complaint.status}{words}).",
        "Google keeps files and produced media for two days, and only for the project of the key; make it again.",
        code="link_expired",
        status=complaint.status,
    )


def _not_there(complaint: Complaint, url: httpx2.URL) -> NotFound:
    words = f": {complaint.message}" if complaint.message else ""
    bucket, _, path = url.raw_path.decode("ascii").partition("?")[0].removeprefix(redirect.OBJECTS).partition("/o/")
    return NotFound(
        f"There is no object gs://{bucket}/{unquote(path)[:300]} in Cloud Storage that this server may read "
        f"({complaint.status}{words}).",
        "See that it is there, and that the account of this server may read objects in its bucket.",
        code="no_object",
        status=complaint.status,
    )
