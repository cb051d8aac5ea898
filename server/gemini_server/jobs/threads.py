"""Threads of the ledger's own: they take pieces of work in order, and go on to the next without asking anybody.

`anyio.to_thread` asks the event loop between two pieces, which costs a ledger more than the disk does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar, cast

import anyio
from anyio.lowlevel import current_token

T = TypeVar("T")

AT_ONCE = 64
"""Pieces of a group."""


class Piece:
    """A piece of work, and what came of it: a value, or an error.

    Attributes:
        function: the work.
        together: whether it may be done with others, by the function that `Threads` has for groups.
        value: what it returned.
        error: what it raised.
    """

    __slots__ = ("_done", "_wake", "error", "function", "together", "value")

    def __init__(self, function: Callable[..., Any], *, together: bool) -> None:
        self.function = function
        self.together = together
        self.value: Any = None
        self.error: BaseException | None = None
        self._done = anyio.Event()
        loop: Any = current_token().native_token  # asyncio's loop, or trio's token
        self._wake: Any = getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon

    def do(self) -> None:
        """Do it alone."""
        try:
            self.value = self.function()
        except BaseException as error:  # noqa: BLE001  it is raised where the work is waited for
            self.error = error

    def tell(self) -> None:
        """Wake whoever waits for it."""
        with suppress(RuntimeError):  # its loop may be closed by now: then nobody waits
            self._wake(self._done.set)

    async def wait(self) -> Any:
        """What came of it."""
        await self._done.wait()
        if self.error is not None:
            raise self.error
        return self.value


class Threads:
    """A few threads, started with the first piece of work.

    Args:
        name: shown by debuggers.
        number: pieces that are done at once.
        group: does several pieces that may be done together, and leaves in each what came of it.
    """

    def __init__(self, name: str, number: int = 1, *, group: Callable[[Sequence[Piece]], None] | None = None) -> None:
        self._name = name
        self._group = group
        self._number = number
        self._pieces: SimpleQueue[Piece | None] = SimpleQueue()
        self._started = 0
        self._busy = 0
        self._lock = threading.Lock()

    async def run(self, function: Callable[..., T], *, together: bool = False) -> T:
        """Does a piece of work; once called it is done, even if the caller is cancelled.

        Args:
            function: the work; without arguments, or what `group` takes where it may be done together with others.
            together: whether it may.
        """
        with anyio.CancelScope(shield=True):
            piece = Piece(function, together=together)
            self._pieces.put(piece)
            with self._lock:
                self._busy += 1
                if self._started < min(self._number, self._busy):
                    self._started += 1
                    threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()
            return cast("T", await piece.wait())
        raise AssertionError  # for the type checkers: this scope swallows nothing

    def end(self) -> None:
        """Ends the threads when what is waiting is done; a later piece of work starts new ones."""
        with self._lock:
            started, self._started = self._started, 0
        for _ in range(started):
            self._pieces.put(None)

    def _work(self) -> None:
        following: Piece | None = None
        while (piece := following or self._pieces.get()) is not None:
            following = None
            pieces = [piece]
            if piece.together and self._group is not None:
                ended = False
                while len(pieces) < AT_ONCE and not self._pieces.empty():
                    following = self._pieces.get()
                    if following is None or not following.together:
                        ended = following is None
                        break
                    pieces.append(following)
                    following = None
                self._group(pieces)
                if ended:
                    self._pieces.put(None)
            else:
                piece.do()
            with self._lock:
                self._busy -= len(pieces)
            for done in pieces:
                done.tell()
            del piece, pieces  # nothing is kept while the thread waits
