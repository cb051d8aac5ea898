"""Whoever speaks in a Live session: takes turns from a queue, answers them, and can be interrupted.

Source: the WebSockets API reference of the Live API and its guides to capabilities, tools and session management. An
answer comes faster than it is played, unless `Options.real_time` is set.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from anyio import to_thread

from .errors import invalid
from .faults import Directive
from .live_answer import RATE, Answer, Bill, Piece, answer, heard, prompt_of, split
from .live_setup import Plan, check_context
from .prompt import Prompt
from .realtime import Session
from .wire import Object

_MIME = f"audio/pcm;rate={RATE}"
_PACE = 0.01


@dataclass(frozen=True)
class Turn:
    """What the speaker finds in its queue.

    Args:
        contents: what joins the conversation.
        answered: whether the model is to answer.
        cancels: whether function calls that are at work are taken back, and nothing else.
        broken: set when the user breaks in, be it before the answer has begun.
    """

    contents: tuple[Object, ...] = ()
    answered: bool = True
    cancels: bool = False
    broken: asyncio.Event = field(default_factory=asyncio.Event, compare=False)

    @property
    def responds(self) -> bool:
        """Whether these are responses to function calls."""
        return any("functionResponse" in part for content in self.contents for part in content["parts"])


class Speaker:
    """The model's side of one connection; answers come in the order of the turns.

    Args:
        session: who listens.
        plan: the setup.
        history: the contents so far, which grow.
        leave: announces the end of the connection, as a directive asks for.
    """

    def __init__(self, session: Session, plan: Plan, history: list[Object], leave: Callable[[Directive], None]) -> None:
        self._session = session
        self._service = session.service
        self._plan = plan
        self._history = history
        self._leave = leave
        self._queue: asyncio.Queue[Turn] = asyncio.Queue()
        self._interrupted = asyncio.Event()
        self._open: list[asyncio.Event] = []
        self._calling = False
        self._pending: dict[str, Object | None] = {}
        self._cancelled: set[str] = set()
        self._bill = Bill()
        self._chunks = 0
        self._fault = session.connection.directive

    def put(self, turn: Turn) -> None:
        """Let a turn wait for its answer."""
        if turn.answered and not turn.cancels:
            self._open.append(turn.broken)
        self._queue.put_nowait(turn)

    def interrupt(self) -> None:
        """Let the user break in: on what is being said, or while functions are at work."""
        if not self._plan.interruptible:
            return
        if self._pending:
            self.put(Turn(cancels=True))
        for broken in self._open:
            broken.set()

    def respond(self, given: list[Object]) -> None:
        """Take responses to function calls; the model goes on when there is one to each.

        Raises:
            ApiError: 400 for a response to no call.
        """
        for response in given:
            ident = response.get("id", "")
            if ident in self._cancelled:
                continue
            if ident not in self._pending:
                raise invalid(f"Request contains an invalid argument. There is no function call with the id {ident!r}.")
            if not response.get("name"):
                raise invalid("* BidiGenerateContentToolResponse.function_responses.name: Name cannot be empty.")
            if not response.get("willContinue"):
                self._pending[ident] = response
        answers = [one for one in self._pending.values() if one is not None]
        if answers and len(answers) == len(self._pending):
            self._pending = {}
            parts = [{"functionResponse": one} for one in answers]
            self.put(Turn(({"role": "user", "parts": parts},)))

    def update(self, given: Object) -> None:
        """Change instruction and tools for the turns to come.

        Raises:
            ApiError: 400 for what a Live session does not have.
        """
        setup = dict(self._plan.setup)
        if "systemInstruction" in given:
            setup["systemInstruction"] = given["systemInstruction"]
        if "tools" in given:
            setup["tools"] = given["tools"].get("tools", [])
        check_context(setup, self._plan.card)
        self._plan = replace(self._plan, setup=setup)

    async def run(self) -> None:
        """Speak as long as the connection lasts.

        Raises:
            ApiError: 400 for a turn that cannot be answered.
        """
        waiting: list[Turn] = []
        while True:
            turn = await self._queue.get()
            if turn.cancels:
                await self._cancel()
            elif self._calling and not turn.responds:
                waiting.append(turn)
            else:
                await self._take(turn)
                while waiting and not self._calling:
                    await self._take(waiting.pop(0))

    async def _take(self, turn: Turn) -> None:
        """Let a turn join the conversation, and answer it."""
        self._interrupted = turn.broken
        if turn.responds:
            self._calling = False
        else:
            self._bill = Bill()
        for content in turn.contents:
            parts = await self._understood(content["parts"]) if content["role"] == "user" else content["parts"]
            self._history.append({"role": content["role"], "parts": parts})
        if turn.answered:
            await self._answer()
            self._open.remove(turn.broken)

    async def _understood(self, parts: list[Object]) -> list[Object]:
        """A turn with what is said in it."""
        said = await to_thread.run_sync(heard, self._plan, parts, self._service.options.date())
        if not said:
            return parts
        if self._plan.writes_input:
            for words in split(said, 2):
                await self._send({"serverContent": {"inputTranscription": {"text": words}}})
        return [*parts, {"text": said}]

    async def _answer(self) -> None:
        prompt = self._within()
        directive = self._directive(prompt)
        if "slow" in directive:
            await self._pause(directive.seconds("slow"))
        found: Answer = await to_thread.run_sync(answer, self._plan, prompt, directive)
        self._bill.prompt = prompt.tally
        if found.calls and not self._interrupted.is_set():
            await self._call(found.calls)
            return
        said: list[Piece] = []
        for piece in found.pieces:
            if self._interrupted.is_set():
                break
            self._go_away(directive, len(said))
            await self._say(piece)
            said.append(piece)
            self._bill.add(*piece.tokens())
            pace = piece.seconds if self._service.options.real_time else _PACE
            await self._pause(directive.seconds("pace") or pace)
        self._go_away(directive, len(said))
        self._history.append(_said("".join(piece.text for piece in said)))
        # What came too late to be broken off is not interrupted.
        if self._interrupted.is_set() and (found.calls or len(said) < len(found.pieces)):
            await self._send({"serverContent": {"interrupted": True}})
        else:
            if found.grounding:
                await self._send({"serverContent": {"groundingMetadata": found.grounding}})
            await self._send({"serverContent": {"generationComplete": True}})
        await self._complete(found.reason)

    def _go_away(self, directive: Directive, said: int) -> None:
        if "goaway" in directive and said == directive.number("after", 0):
            self._leave(directive)

    async def _say(self, piece: Piece) -> None:
        if not piece.sound:
            await self._content_part({"text": piece.text})
            return
        data = base64.b64encode(piece.sound).decode()
        await self._content_part({"inlineData": {"mimeType": _MIME, "data": data}})
        if self._plan.writes_output and piece.text:
            await self._send({"serverContent": {"outputTranscription": {"text": piece.text}}})

    async def _content_part(self, part: Object) -> None:
        await self._send({"serverContent": {"modelTurn": {"role": "model", "parts": [part]}}}, chunk=True)
        self._chunks += 1

    async def _complete(self, reason: str = "") -> None:
        content: Object = {"turnComplete": True, "interactionStatus": "IDLE"}
        if reason:
            content["turnCompleteReason"] = reason
        await self._send({"serverContent": content, "usageMetadata": self._bill.usage()})
        if self._plan.resumable:
            handle = self._service.conversations.keep(self._plan.card.id, self._history)
            await self._send({"sessionResumptionUpdate": {"newHandle": handle, "resumable": True}})

    async def _call(self, calls: list[Object]) -> None:
        self._history.append({"role": "model", "parts": [{"functionCall": call} for call in calls]})
        self._bill.calls(calls)
        self._pending = {call["id"]: None for call in calls}
        self._calling = True
        await self._send({"toolCall": {"functionCalls": calls}})

    async def _cancel(self) -> None:
        """Take back the function calls that have no response yet."""
        if not self._pending:
            return
        ids = list(self._pending)
        self._cancelled.update(ids)
        self._pending = {}
        self._calling = False
        # A call without a response cannot stay in the conversation.
        self._history[-1] = _said("")
        await self._send({"toolCallCancellation": {"ids": ids}})
        await self._send({"serverContent": {"interrupted": True}})
        await self._complete()

    def _within(self) -> Prompt:
        """The conversation, as much of it as there is room for.

        Raises:
            ApiError: 400 when it is too long and is not compressed.
        """
        today = self._service.options.date()
        if not self._history or self._history[-1]["role"] == "model":
            raise invalid("Request contains an invalid argument. There is no user turn to answer.")
        prompt = prompt_of(self._plan, self._history, today)
        total, window = prompt.tally.total, self._plan.window
        if window is not None and total > window[0]:
            while total > window[1] and (start := _oldest_turn(self._history)) < len(self._history):
                self._history = self._history[start:]
                prompt = prompt_of(self._plan, self._history, today)
                total = prompt.tally.total
        elif total > self._plan.card.inputs:
            raise invalid(
                f"The input token count ({total}) exceeds the maximum number of tokens allowed "
                f"({self._plan.card.inputs})."
            )
        return prompt

    def _directive(self, prompt: Prompt) -> Directive:
        """What is to happen in this turn; `after=` in a text counts from here."""
        instruction: list[Object] = self._plan.setup.get("systemInstruction", {}).get("parts", [])
        texts = [*(part["text"] for part in instruction), *prompt.directive_texts]
        path = f"live/{self._plan.card.id}"
        own = self._service.faults.from_prompt(texts, path)
        merged = self._fault.merged(own)
        breaks = any(name in own for name in ("close", "cut", "stall", "broken_json"))
        after = self._chunks + own.number("after", 0 if "close" in own else 1)
        self._session.connection.directive = Directive({**merged.items, "after": str(after)}) if breaks else merged
        return merged

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._interrupted.wait(), seconds)

    async def _send(self, body: Object, *, chunk: bool = False) -> None:
        await self._session.connection.send(body, chunk=chunk)


def _said(text: str) -> Object:
    return {"role": "model", "parts": [{"text": text}]}


def _oldest_turn(history: list[Object]) -> int:
    """Where the second exchange begins: what is before can be forgotten."""
    for index in range(1, len(history)):
        one = history[index]
        if one["role"] == "user" and not any("functionResponse" in part for part in one["parts"]):
            return index
    return len(history)
