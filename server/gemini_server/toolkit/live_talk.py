"""One turn of a Live session: connect, say it, hear the answer, and survive connections that end.

Until the turn has been said to its end nothing is generated, so a connection that ends before is replaced by another,
on which it is said again. After that nothing is ever said a second time: a generation that breaks off goes on where
Gemini gives a handle in the middle of it, and is incomplete where it does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import anyio

from gemini_server.api.content import Content
from gemini_server.api.live import (
    METHOD,
    ClientContent,
    ClientMessage,
    ServerMessage,
    Setup,
)
from gemini_server.errors import (
    ConnectionFailed,
    GeminiError,
    MayHaveBeenBilled,
    NotFound,
    Overloaded,
    RequestRefused,
    ToolserverError,
)
from gemini_server.rest import websocket
from gemini_server.rest.config import ClientConfig
from gemini_server.rest.socket_end import SocketClosed
from gemini_server.toolkit.live_heard import Heard
from gemini_server.toolkit.live_messages import messages
from gemini_server.toolkit.live_request import Turn, opening, takes_turns
from gemini_server.toolkit.live_waiting import LiveSocket

QUIET = 60.0
"""Seconds without a message after which nothing more is expected."""
DEADLINE = 900.0
"""Seconds that a turn may take."""
AFTERWARDS = 2.0
"""Seconds that the handle, the tokens and the transcripts of a turn may come after its end."""
GOES_ON = 5.0
"""Seconds in which an answer that was cut goes on, if it does."""
CONNECTIONS = 3
"""How often a turn that was not said to its end is begun."""

_CUT = "answer_cut"

Hear = Callable[[str], Awaitable[None]]


class Talk:
    """A turn.

    Args:
        config: where Gemini is.
        model: the model id.
        setup: of the session.
        turn: what is said.
        history: what was said before, for a session that does not know it.
        handle: of the conversation that goes on; None for a new session.
        hear: is told each piece of the transcript.

    Attributes:
        heard: what came of it.
        forgotten: whether Google did not know the handle any more.
        socket: the open connection, where the model waits on it for the results of functions; the caller closes it.
    """

    def __init__(
        self,
        config: ClientConfig,
        model: str,
        setup: Setup,
        turn: Turn,
        *,
        history: Sequence[Content] = (),
        handle: str | None = None,
        hear: Hear,
    ) -> None:
        self.heard = Heard()
        self.forgotten = False
        self.socket: LiveSocket | None = None
        self._config = config
        self._older = takes_turns(model)
        self._setup = setup
        self._turn = turn
        self._history = list(history)
        self._handle = handle
        self._hear = hear
        self._begun = False

    async def hold(self, waiting: LiveSocket | None = None) -> ToolserverError | None:
        """Have the turn; why its answer is not whole, where some of it came.

        Args:
            waiting: the connection on which the model waits for the results of this turn.

        Raises:
            MayHaveBeenBilled: it was said, and nothing came of it.
            ToolserverError: it could not be said; any of the tree.
        """
        with anyio.move_on_after(DEADLINE):
            return await self._hold(waiting)
        late = Overloaded(f"The answer takes longer than {DEADLINE / 60:.0f} minutes.", code="deadline_exceeded")
        return self._left_with(late)

    async def _hold(self, waiting: LiveSocket | None) -> ToolserverError | None:
        for attempt in range(CONNECTIONS):
            try:
                socket = waiting or await self._connect()
                waiting = None
                await self._on(socket, self._say)
            except ToolserverError as error:
                if not self._begun and _passes(error) and attempt + 1 < CONNECTIONS:
                    self.heard = Heard()  # what was heard of half a turn is heard again
                    continue
                if self._begun and await self._goes_on(error):
                    return None
                return self._left_with(error)
            return None
        raise AssertionError  # the last attempt returns or raises

    def _left_with(self, error: ToolserverError) -> ToolserverError | None:
        heard = self.heard
        if heard.over:
            return None  # all there is has come: how the connection ended does not matter
        if heard.anything:
            return error
        if self._begun and isinstance(error, GeminiError):
            raise MayHaveBeenBilled(
                f"{error.what} It had been said by then, and nothing of an answer had come.", code=error.code
            ) from error
        raise error

    async def _goes_on(self, error: ToolserverError) -> bool:
        """Whether an answer that was cut went on with the handle that came in the middle of it."""
        handle = self.heard.handle
        if handle is None or self.heard.over or not isinstance(error, SocketClosed):
            return False
        self._handle = handle
        try:
            await self._on(await self._connect(), None, quiet=GOES_ON)
        except ToolserverError:
            return self.heard.over
        return True

    async def _connect(self) -> LiveSocket:
        """Open a connection and set it up; with a handle that is not known any more, without it."""
        while True:
            socket = await websocket.opened(
                self._config, METHOD, version=self._config.api_version, sends=ClientMessage, hears=ServerMessage
            )
            try:
                await self._set_up(socket)
            except (NotFound, RequestRefused, SocketClosed) as error:
                await socket.aclose()
                if self._handle is None or self._begun or error.code == _CUT:
                    raise
                self._handle, self.forgotten = None, True
            except BaseException:
                await socket.aclose()
                raise
            else:
                return socket

    async def _set_up(self, socket: LiveSocket) -> None:
        told = self._history if self._handle is None else []
        seeded = bool(told) and not self._older
        await socket.send(ClientMessage(setup=opening(self._setup, self._handle, seeded=seeded)))
        while (message := await socket.receive(QUIET)).setup_complete is None:
            await self._note(message)
        if told and (seeded or self._turn.sound):
            await socket.send(ClientMessage(client_content=ClientContent(turns=told, turn_complete=seeded)))

    async def _on(
        self,
        socket: LiveSocket,
        say: Callable[[LiveSocket], Coroutine[Any, Any, None]] | None,
        *,
        quiet: float | None = None,
    ) -> None:
        """Speak and listen at once: Gemini tells what it hears while it is being said."""
        trouble: ToolserverError | None = None
        kept = False
        try:
            async with anyio.create_task_group() as tasks:
                if say is not None:
                    tasks.start_soon(say, socket)
                try:
                    await self._listen(socket, quiet or QUIET)
                except ToolserverError as error:
                    trouble = error
                tasks.cancel_scope.cancel()
            kept = bool(self.heard.calls) and trouble is None and not (self.heard.complete or self.heard.withdrawn)
        finally:
            if kept:
                self.socket = socket
            else:
                await socket.aclose()
        if trouble is not None:
            raise trouble

    async def _say(self, socket: LiveSocket) -> None:
        told = self._history if self._handle is None else []
        try:
            for message, last in messages(self._turn, told, older=self._older):
                if socket.ended and not self._turn.results:
                    return  # it never was said to its end, so another connection may hear it
                self._begun = self._begun or last
                await socket.send(message)
        except ToolserverError:
            return  # whoever listens hears the same, and why

    async def _listen(self, socket: LiveSocket, quiet: float) -> None:
        heard = self.heard
        while not (heard.complete or heard.calls):
            if not heard.generated:
                message = await socket.receive(quiet)
                quiet = QUIET if message.server_content is not None else quiet
                await self._note(message)
            elif self._all_there:
                return
            else:
                # All has come, and the end of the turn is told when it has been played.
                try:
                    await self._note(await socket.receive(heard.seconds + AFTERWARDS))
                except Overloaded:
                    return
        if heard.calls:
            await self._take_calls(socket)
            return
        end = anyio.current_time() + AFTERWARDS
        try:
            while not self._all_there and (left := end - anyio.current_time()) > 0:
                await self._note(await socket.receive(left))
        except ToolserverError:
            return  # it goes on without a handle, by its transcripts

    async def _take_calls(self, socket: LiveSocket) -> None:
        """Take what has come already: calls that are made at once may come in several messages."""
        try:
            while True:
                await self._note(await socket.receive(0))
        except ToolserverError:
            return  # nothing more, or the end of the session, which is told when the results come

    @property
    def _all_there(self) -> bool:
        """Whether nothing is missing that may come after the end: no order is promised of transcripts."""
        heard = self.heard
        told = bool(heard.transcript or not heard.sound) and bool(heard.asked or not self._turn.sound)
        return told and heard.covered and heard.usage is not None

    async def _note(self, message: ServerMessage) -> None:
        update = message.session_resumption_update
        if update is not None and not self._begun:
            # It stands for what was before this turn, which a further connection goes on with.
            self._handle = update.new_handle if update.resumable and update.new_handle else self._handle
            message.session_resumption_update = None
        words = await self.heard.add(message)
        if words:
            await self._hear(words)


def _passes(error: ToolserverError) -> bool:
    """Whether another connection may do where this one did not."""
    return isinstance(error, SocketClosed) or (isinstance(error, ConnectionFailed) and error.code != "certificate")
