"""A file on its way over a session: chunk after chunk, and after trouble from where the server says it has got to.

Nothing is sent twice but what was lost on the way: of every chunk that breaks off, what has arrived stays, and the rest
is sent again. `step` sends one chunk, so that whoever drives it can write down how far it is; `run` does all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from gemini_server.errors import (
    BadAnswer,
    Busy,
    ConnectionFailed,
    NotFound,
    Overloaded,
    RateLimited,
    RequestRefused,
    ToolserverError,
)

from .config import MIB
from .retry import backoff
from .upload import Received, Session, Uploads
from .upload_chunk import OnBytes, Source

CHUNK = 32 * MIB
"""Bytes that are sent in the first request; a request is the most that is lost by a cut."""
LARGEST = 128 * MIB
"""Bytes that are sent in one request over a fast line, where the pause between two of them counts."""
QUICK = 1.0
"""Seconds: a chunk that took less is followed by one twice as long, until something goes wrong."""
FRUITLESS = 10
"""Steps in a row that bring nothing before it is given up; each of them makes the chunks half as long."""

_TOO_LARGE = 413


def transient(error: ToolserverError) -> bool:
    """Whether it may go on after a while: the network or the server had trouble, and nothing is lost."""
    cut = isinstance(error, BadAnswer) and error.code == "answer_cut"
    return cut or isinstance(error, ConnectionFailed | Overloaded | RateLimited | Busy)


class Sending:
    """One upload that is under way.

    Args:
        uploads: what sends.
        session: the upload.
        size: bytes of the whole.
        offset: how many have arrived; None to ask for that first, because another process has sent them.
        chunk: bytes of one request, made a multiple of the session's granularity; None for as many as the line makes
            good: `CHUNK` at first, up to `LARGEST` as long as that is quick and nothing goes wrong.

    Attributes:
        offset: how many bytes have arrived, as far as that is known; None after trouble.
    """

    def __init__(
        self, uploads: Uploads, session: Session, size: int, *, offset: int | None = None, chunk: int | None = None
    ) -> None:
        self.session = session
        self.offset = offset
        self._uploads = uploads
        self._size = size
        self._chunk = max(session.granularity, (chunk or CHUNK) // session.granularity * session.granularity)
        self._largest = LARGEST if chunk is None else self._chunk
        self._best = -1
        self._fruitless = 0

    async def step(self, source: Source, on_bytes: OnBytes | None = None) -> Received | None:
        """Send the next chunk; after trouble, ask first how much has arrived.

        Args:
            source: the bytes.
            on_bytes: is told of each piece that is handed to the network.

        Returns:
            What the server says when all bytes have arrived; None while there are more.

        Raises:
            NotFound: the session is over (`session_gone`): cancelled, expired, or never there.
            FileRefused: the source is not what it was.
            BadAnswer: the server takes nothing (`upload_stuck`).
            ToolserverError: any other of the tree; where it is `transient`, a further step goes on.
        """
        known, self.offset = self.offset, None  # whatever happens now, it is not known any more
        if known is None:
            received = await self._uploads.query(self.session)
        else:
            length = min(self._chunk, self._size - known)
            largest, self._largest = self._largest, self._chunk  # what breaks off is not tried at greater length
            began = anyio.current_time()
            try:
                received = await self._uploads.push(self.session, source, known, length, on_bytes=on_bytes)
            except RequestRefused as refused:
                if refused.status != _TOO_LARGE or length <= self.session.granularity:
                    raise
                received = Received("active", known)  # a proxy takes no requests of this length
            else:
                self._largest = largest
                if anyio.current_time() - began < QUICK and 2 * self._chunk <= largest:
                    self._chunk *= 2
            if received.status == "active" and received.size is None:
                received = Received("active", known + length)
        if received.status == "final":
            return received
        if received.status == "gone":
            raise _gone()
        self._advance(received)
        return None

    def _advance(self, received: Received) -> None:
        if received.status == "active" and received.size is not None and received.size <= self._size:
            self.offset = received.size
        if self.offset is not None and self.offset > self._best:
            self._best, self._fruitless = self.offset, 0
            return
        self._fruitless += 1
        granularity = self.session.granularity
        self._chunk = self._largest = max(granularity, self._chunk // 2 // granularity * granularity)
        if self._fruitless >= FRUITLESS:
            raise _stuck(received)

    async def run(
        self,
        source: Source,
        *,
        on_bytes: OnBytes | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        random: Callable[[], float],
    ) -> Received:
        """Send all that is left.

        Args:
            source: the bytes.
            on_bytes: as for `step`.
            sleep: waits after trouble.
            random: 0 to 1, for the jitter of these waits.

        Raises:
            ToolserverError: as `step`; what is transient only after some tries in a row that brought nothing.
        """
        failures, best = 0, -1
        while True:
            try:
                received = await self.step(source, on_bytes)
            except ToolserverError as error:
                if self._best > best:
                    failures, best = 0, self._best
                failures += 1
                if not transient(error) or failures >= FRUITLESS:
                    raise
                await sleep(error.retry_after or backoff(failures, random))
            else:
                if received is not None:
                    return received


def _gone() -> NotFound:
    return NotFound(
        "Google does not know this upload any more: it was cancelled, or has expired.",
        "Begin it again.",
        code="session_gone",
    )


def _stuck(received: Received) -> BadAnswer:
    lacking = (
        "its answers lack the headers of the upload protocol" if received.status == "unsaid" else "nothing arrives"
    )
    return BadAnswer(
        f"The upload does not get on: {lacking}.",
        "If a proxy or gateway stands between, it changes what is sent: the person who runs this server corrects it.",
        code="upload_stuck",
    )
