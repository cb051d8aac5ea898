"""The Live API (`BidiGenerateContent`): a conversation by voice and text that either side may interrupt.

Source: the WebSockets API reference of the Live API and its guides to capabilities, tools and session management. A
connection lasts ten minutes and is announced to end a minute before.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from .errors import ApiError, invalid
from .faults import Directive
from .live_input import Intake
from .live_setup import Plan, check_model, checked, fixed
from .live_speaker import Speaker, Turn
from .live_store import PREFIX, Token
from .realtime import Session
from .refusals import check_contents
from .schema import check
from .wire import Object

_MESSAGE = "BidiGenerateContentClientMessage"
_LASTS = timedelta(minutes=10)
_NOTICE = timedelta(minutes=1)
_GOING = 10.0
_PHASED_OUT = "realtime_input.media_chunks is deprecated. Use audio, video, or text instead."
_ONLY_SEEDS = "Request contains an invalid argument. client_content is for the initial history only on this model."
_AGAIN = "Request contains an invalid argument. setup can be sent only once."
_UNSEEDED = "Request contains an invalid argument. The initial history is to be completed by client_content first."


async def serve(session: Session) -> None:
    """Serve one session of a caller with a key.

    Raises:
        ApiError: for a message that is refused.
    """
    await _serve(session, None)


async def serve_constrained(session: Session) -> None:
    """Serve one session of a caller with an ephemeral token (`BidiGenerateContentConstrained`).

    Raises:
        ApiError: 403 without a token, 401 for one that is not accepted; and for a message that is refused.
    """
    if session.version == "v1":
        raise ApiError(404, "Method not found.")
    scheme, _, name = session.headers.get("authorization", "").partition(" ")
    name = name.strip() if scheme.lower() in ("token", "bearer") else session.query.get("access_token", "")
    if not name:
        raise ApiError(
            403,
            "Method doesn't allow unregistered callers (callers without established identity). Please use a token.",
        )
    await _serve(session, session.service.tokens.get(name if name.startswith(PREFIX) else f"{PREFIX}{name}"))


async def _serve(session: Session, token: Token | None) -> None:
    message = check(_MESSAGE, await session.connection.receive(), session.version)
    if "setup" not in message:
        raise invalid("Request contains an invalid argument. The first message must be setup.")
    setup: Object = message["setup"] if token is None else fixed(token, message["setup"])
    name: str = setup.get("model", "")
    if not name.startswith("models/"):
        raise invalid("* BidiGenerateContentSetup.model: unexpected model name format")
    card = session.service.catalogue.get(name, session.version, "bidiGenerateContent")
    check_model(card, session.version)
    plan = checked(setup, card)
    history = session.service.conversations.find(plan.handle, card.id) if plan.handle else []
    if token is not None and not plan.handle:
        session.service.tokens.use(token)
    await session.connection.send({"setupComplete": {}})
    await _Talk(session, plan, token, history).run()


class _Talk:
    """One connection after its setup: one task listens, one speaks, and one watches the time."""

    def __init__(self, session: Session, plan: Plan, token: Token | None, history: list[Object]) -> None:
        self._session = session
        self._service = session.service
        self._plan = plan
        self._token = token
        self._seeding = plan.seeded
        self._intake = Intake(plan.manual, plan.silence)
        self._speaker = Speaker(session, plan, history, self._leave)
        self._leaving = self._service.clock() + _LASTS - _NOTICE
        self._left = _NOTICE.total_seconds()
        fault = session.connection.directive
        if "goaway" in fault and "after" not in fault:
            self._leave(fault)

    async def run(self) -> None:
        """Talk until the client leaves, or the connection has to end."""
        tasks = [asyncio.create_task(work) for work in (self._listen(), self._speaker.run(), self._end())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _end(self) -> None:
        """Announce the end of the connection, and end it."""
        clock = self._service.clock
        while clock() < self._leaving:
            await clock.wait(self._leaving)
        await self._session.connection.send({"goAway": {"timeLeft": f"{self._left:g}s"}})
        end = clock() + timedelta(seconds=self._left)
        while clock() < end:
            await clock.wait(end)
        raise ApiError(504)

    def _leave(self, directive: Directive) -> None:
        if self._leaving > self._service.clock():
            self._leaving = self._service.clock()
            self._left = directive.seconds("goaway") or _GOING
            self._service.clock.wake()

    async def _listen(self) -> None:
        while True:
            message = check(_MESSAGE, await self._session.connection.receive(), self._session.version)
            if self._token is not None:
                self._service.tokens.alive(self._token)
            if "realtimeInput" in message:
                self._realtime(message["realtimeInput"])
            elif "clientContent" in message:
                self._content(message["clientContent"])
            elif "toolResponse" in message:
                self._speaker.respond(message["toolResponse"].get("functionResponses", []))
            elif "contextUpdate" in message:
                self._speaker.update(message["contextUpdate"])
            else:
                raise invalid(_AGAIN if "setup" in message else "Request contains an invalid argument.")

    def _realtime(self, given: Object) -> None:
        if self._seeding:
            raise invalid(_UNSEEDED)
        if "mediaChunks" in given:
            given = self._old_style(given)
        turns: list[list[Object]] = []
        if "activityStart" in given:
            self._intake.start()
            self._speaker.interrupt()
        if "audio" in given:
            began, turns = self._intake.audio(given["audio"])
            if began:
                self._speaker.interrupt()
        if "video" in given:
            self._intake.frame(given["video"])
        if given.get("text"):
            if not self._plan.manual:
                self._speaker.interrupt()
            turns = [*turns, *self._intake.text(given["text"])]
        if given.get("audioStreamEnd"):
            turns = [*turns, *self._intake.end_of_stream()]
        if "activityEnd" in given:
            turns = [*turns, *self._intake.end()]
        for turn in turns:
            self._speaker.put(Turn(({"role": "user", "parts": turn},)))

    def _old_style(self, given: Object) -> Object:
        """Media as the models before 3.1 took them."""
        if not self._plan.takes_turns:
            raise invalid(_PHASED_OUT)
        blobs: list[Object] = given["mediaChunks"]
        named = {("audio" if one.get("mimeType", "").startswith("audio/") else "video"): one for one in blobs}
        return {**{name: value for name, value in given.items() if name != "mediaChunks"}, **named}

    def _content(self, given: Object) -> None:
        turns: list[Object] = given.get("turns", [])
        if turns:
            check_contents(turns, "BidiGenerateContentClientContent.turns")
        turns = [{"role": one.get("role") or "user", "parts": one["parts"]} for one in turns]
        if self._seeding:
            self._speaker.put(Turn(tuple(turns), answered=False))
            self._seeding = not given.get("turnComplete")
            return
        if not self._plan.takes_turns:
            raise invalid(_ONLY_SEEDS)
        self._speaker.interrupt()
        self._speaker.put(Turn(tuple(turns), bool(given.get("turnComplete"))))
