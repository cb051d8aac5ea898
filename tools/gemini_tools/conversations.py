"""The conversations that are kept on this machine."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.options import Options
from gemini_server.toolkit.generation.sources import Sources, of_request
from gemini_server.toolkit.params import ConversationName
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.untrusted import label

TOOLSET = Toolset("text", "Text, JSON by schema, chat and function calls.")


class ConversationOut(Result):
    """A kept conversation."""

    id: str
    turns: int
    model: str
    created: str


class ConversationList(Result):
    """Kept conversations, the newest first."""

    conversations: list[ConversationOut]
    truncated: Annotated[bool | None, Field(description="there are older ones")] = None

    def as_text(self) -> str:
        """A line for each."""
        lines = [f"{c.id}: {c.turns} turns with {c.model}, created {c.created}" for c in self.conversations]
        return "\n".join(lines) or "No conversations are kept."


class Deleted(Result):
    """What was deleted."""

    deleted: str


LISTED = 100


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=False)
async def list_conversations(
    call: Call,
    id: Annotated[str | None, Field(description="only this one")] = None,  # noqa: A002  the catalogue's name
) -> ConversationList:
    """List the conversations that are kept on this machine, the newest first, up to 100. Free."""
    if id is not None:
        one = await call.runtime.conversations.get(call.principal, id)
        shown = ConversationOut(id=id, turns=len(one.turns), model=one.model, created=one.created.isoformat())
        return ConversationList(conversations=[shown])
    found = await call.runtime.conversations.list(call.principal, limit=LISTED + 1)
    return ConversationList(
        conversations=[
            ConversationOut(id=item.id, turns=item.turns, model=item.model, created=item.created.isoformat())
            for item in found[:LISTED]
        ],
        truncated=len(found) > LISTED or None,
    )


@TOOLSET.tool(read_only=False, destructive=True, idempotent=True, open_world=False)
async def delete_conversation(call: Call, id: ConversationName) -> Deleted:  # noqa: A002  the catalogue's name
    """Delete a kept conversation with all its turns from this machine, for good. Free."""
    await call.runtime.conversations.delete(call.principal, id)
    return Deleted(deleted=id)


async def _ids(call: Call, prefix: str) -> list[str]:
    found = await call.runtime.conversations.list(call.principal, limit=LISTED)
    return [item.id for item in found if item.id.startswith(prefix)]


@TOOLSET.resource(
    "gemini://conversations/{id}", description="A kept conversation: its turns as text.", complete={"id": _ids}
)
async def conversation(call: Call, id: str) -> ConversationText:  # noqa: A002  the template's name
    """A conversation's turns; media and signatures are left out."""
    kept = await call.runtime.conversations.get(call.principal, id)
    sources = of_request(Options.model_validate(kept.settings), kept.turns)
    return ConversationText(
        id=kept.id,
        model=kept.model,
        created=kept.created.isoformat(),
        system=kept.settings.get("system") or None,  # the first one may have been replaced
        untrusted=sources.shown,
        turns=[_readable(turn, sources) for turn in kept.turns],
    )


class TurnText(Result):
    """One turn, readable."""

    role: str
    text: str | None = None
    attachments: list[str] | None = None
    function_calls: list[dict[str, Any]] | None = None
    function_results: list[dict[str, Any]] | None = None


class ConversationText(Result):
    """A conversation, readable."""

    id: str
    model: str
    created: str
    system: str | None = None
    untrusted: str | None = None
    turns: list[TurnText]


def _readable(turn: dict[str, Any], sources: Sources) -> TurnText:
    parts: list[dict[str, Any]] = turn.get("parts") or []
    blobs = [f"{part['inlineData'].get('mimeType')} inline" for part in parts if "inlineData" in part]
    files = [str(part["fileData"].get("fileUri")) for part in parts if "fileData" in part]
    text = "".join(str(part["text"]) for part in parts if part.get("text") and not part.get("thought"))
    if turn.get("role") == "model":
        text = sources.clean(text).text
    return TurnText(
        role=str(turn.get("role") or "user"),
        text=text or None,
        attachments=[label(source) for source in (*blobs, *files)] or None,
        function_calls=[part["functionCall"] for part in parts if "functionCall" in part] or None,
        function_results=[_without_media(part["functionResponse"]) for part in parts if "functionResponse" in part]
        or None,
    )


def _without_media(response: dict[str, Any]) -> dict[str, Any]:
    # The screenshots of Computer Use: megabytes of base64.
    return {name: value for name, value in response.items() if name != "parts"}
