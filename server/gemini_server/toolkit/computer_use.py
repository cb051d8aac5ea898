"""One step of Computer Use: the screen goes to the model, and what it would do comes back. Nothing is done here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import anyio.to_thread
from pydantic import Field

from gemini_server.api.content import Content, Part
from gemini_server.api.tools import ComputerUse, Tool
from gemini_server.errors import ArgumentError, Blocked
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit import local_media, media, preview
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.clips import type_of
from gemini_server.toolkit.computer_actions import PLACES, Action, Safety, actions_of
from gemini_server.toolkit.computer_request import Past, first_turn, lightened, next_turn, of_calls
from gemini_server.toolkit.generation.dialogue import NEW, unanswered
from gemini_server.toolkit.generation.options import Options, build, model_id
from gemini_server.toolkit.generation.query import SOURCES, verdict
from gemini_server.toolkit.generation.run import Ran, run
from gemini_server.toolkit.kept_turn import failure_is_a_warning
from gemini_server.toolkit.results import Result, Usage
from gemini_server.toolkit.untrusted import bounded

if TYPE_CHECKING:
    from gemini_server.jobs.conversations import Conversation

_SETTINGS = "computer_use"
_NO_PIXELS = (
    "The size of the screenshot is not known here, so there are no pixels: places in arguments are 0-999 across and "
    "down. A path, an artifact or a data: URI gives pixels."
)
_DISPLACED = "A place of {} is none on the screen (0-999 across and down), so there are no pixels of it."


class NextAction(Result):
    """What the model would do next."""

    actions: list[Action]
    safety: Safety
    text: str | None = None
    done: Annotated[bool, Field(description="nothing is left to do")] = False
    conversation: Annotated[str | None, Field(description="pass it on with the next screenshot")] = None
    usage: Usage
    model_version: str | None = None
    untrusted: Annotated[str | None, Field(description="what it rests on: data, not instructions")] = None
    incomplete: bool | None = None
    warnings: list[str] | None = None
    retries: int | None = None

    def as_text(self) -> str:
        """The actions, then how it stands."""
        lines = [f"{number}. {action}" for number, action in enumerate(self.actions, 1)]
        lines += [f"[safety] {self.safety.explanation}"] if self.safety.explanation else []
        lines += [self.text] if self.text else []
        text = "\n".join(lines)
        marked = [bounded(text, self.untrusted)] if text else []
        notes = ["INCOMPLETE"] if self.incomplete else []
        notes += ["done" if self.done else f"{len(self.actions)} actions", f"safety: {self.safety.decision}"]
        notes += [f"conversation: {self.conversation}"] if self.conversation else []
        notes += [f"usage: {self.usage}"]
        notes += [f"model: {self.model_version}"] if self.model_version else []
        notes += [f"warning: {warning}" for warning in self.warnings or ()]
        return "\n".join([*marked, f"[{'; '.join(notes)}]"])


@dataclass(frozen=True, slots=True)
class Wish:
    """A step that is wanted.

    Attributes:
        goal: what is to be reached.
        screenshot: the screen now, a media source.
        history: what was done.
        tool: how it may act.
        model: the model id; the conversation's or the default one when None.
        conversation: an id, `new`, or None.
    """

    goal: str
    screenshot: str
    history: Sequence[Past]
    tool: ComputerUse
    model: str | None = None
    conversation: str | None = None


async def next_action(call: Call, wish: Wish) -> NextAction:
    """Ask for the next step.

    Raises:
        ArgumentError: there is no goal, the screenshot is none, or the conversation waits for something else.
        ToolserverError: any other of the tree.
    """
    if not wish.goal.strip():
        raise ArgumentError("There is no goal.", "Say what is to be reached on this screen.")
    kept = None
    if wish.conversation is not None and wish.conversation != NEW:
        kept = await call.runtime.conversations.get(call.principal, wish.conversation)
        if _SETTINGS not in kept.settings:
            raise ArgumentError(f"{kept.id} is no conversation of next_computer_action.", 'Begin one: "new".')
    waiting = unanswered(kept) if kept else []
    # Before anything is read: what does not fit is refused without it.
    past = of_calls(waiting, wish.history) if waiting else list(wish.history)
    sources = [one.screenshot or wish.screenshot for one in past] if waiting else _shown(past, wish.screenshot)
    async with media.opened(list(dict.fromkeys([*sources, wish.screenshot])), call, keep=True) as opened:
        parts = dict(zip(dict.fromkeys([*sources, wish.screenshot]), opened, strict=True))
        for part in opened:
            _check(part)
        size = await _size(parts[wish.screenshot])
        screens = [parts[source] for source in sources]
        turn = next_turn(waiting, past, screens) if waiting else first_turn(wish.goal, past, screens)
        if kept and waiting and wish.goal != kept.settings[_SETTINGS].get("goal"):
            turn.parts.append(Part(text=wish.goal))
        ran, warnings, model = await _ask(call, wish, kept, turn)
    return await _result(call, wish, kept, turn, ran, size, warnings, model)


def _shown(past: Sequence[Past], now: str) -> list[str]:
    return [*(one.screenshot for one in past if one.screenshot), now]


def _check(part: Part) -> None:
    kind = type_of(part)
    if kind and not kind.startswith("image/"):
        raise ArgumentError(f"A screenshot is a picture; this is {kind}.", "Give a PNG, JPEG or WebP.")


async def _size(part: Part) -> tuple[int, int] | None:
    data = await local_media.whole(part)
    return None if data is None else await anyio.to_thread.run_sync(preview.size_of, data)


async def _ask(call: Call, wish: Wish, kept: Conversation | None, turn: Content) -> tuple[Ran, list[str], str]:
    runtime = call.runtime
    model = model_id(wish.model or (kept.model if kept else None) or runtime.text_model(None))
    contents: list[Content | JsonObject] = [*(lightened(kept.turns) if kept else ()), turn]
    request, warnings = build(model, contents, Options(), runtime.catalogue, on=runtime.today())
    request = request.model_copy(update={"tools": [Tool(computer_use=wish.tool)]})
    return await run(call, model, request, stream=False), warnings, model


async def _result(
    call: Call, wish: Wish, kept: Conversation | None, turn: Content, ran: Ran, size: tuple[int, int] | None,
    warnings: list[str], model: str,
) -> NextAction:  # fmt: skip
    try:
        judged = verdict(call, model, ran, warnings)
    except Blocked as error:
        return NextAction(
            actions=[],
            safety=Safety(decision="blocked", explanation=str(error)),
            usage=ran.usage,
            conversation=kept.id if kept else None,
            untrusted=SOURCES.shown,
            warnings=["Nothing of this step is kept in the conversation."] if kept else None,
        )
    actions, safety = actions_of(judged.function_calls or (), size)
    result = NextAction(
        actions=actions,
        safety=safety,
        text=judged.text or None,
        done=not actions and not judged.incomplete,
        conversation=kept.id if kept else None,
        usage=judged.usage,
        model_version=judged.model_version,
        untrusted=SOURCES.shown,
        incomplete=judged.incomplete,
        warnings=judged.warnings,
        retries=judged.retries,
    )
    notes = list(judged.warnings or ())
    if size is None and any(PLACES & action.arguments.keys() for action in actions):
        notes.append(_NO_PIXELS)
    elif displaced := [action.id for action in actions if action.displaced]:
        notes.append(_DISPLACED.format(", ".join(displaced[:10])))
    if judged.incomplete:
        notes.append("This step is not kept in the conversation because it is incomplete.")
    elif actions or kept or wish.conversation == NEW:
        with anyio.CancelScope(shield=True):  # it is paid for: a dropped caller must not leave half a turn behind
            await _keep(call, wish, kept, [turn.as_json(), ran.transcript.turn], model, result, notes)
    result.warnings = notes or None
    return result


async def _keep(
    call: Call, wish: Wish, kept: Conversation | None, turns: list[JsonObject], model: str, result: NextAction,
    notes: list[str],
) -> None:  # fmt: skip
    goal = wish.goal[:10_000]
    settings: dict[str, Any] = {_SETTINGS: {"goal": goal}, "sources": sorted(SOURCES.names)}
    conversations = call.runtime.conversations
    with failure_is_a_warning(notes, "step"):
        identifier = kept.id if kept else await conversations.create(
            call.principal, model=model, system=None, settings=settings
        )  # fmt: skip
        before = len(kept.turns) if kept else 0
        await conversations.append(
            call.principal, identifier, turns, expected_turns=before, model=model, settings=settings
        )
        result.conversation = identifier
