"""Computer Use: what to do next on a screen, for a client that does it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gemini_server.toolkit.call import Call
from gemini_server.toolkit.computer_request import Environment, Past, tool_of
from gemini_server.toolkit.computer_use import NextAction, Wish, next_action
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("computer_use", "The next action on a screen, for a client that carries it out.")


@TOOLSET.tool(read_only=True, destructive=False, idempotent=False, open_world=True)
async def next_computer_action(
    call: Call,
    goal: Annotated[str, Field(description="what is to be reached")],
    screenshot: Annotated[str, Field(description="the screen now: path, artifact, data: URI; others give no pixels")],
    history: Annotated[
        list[Past] | None,
        Field(description="with conversation: what became of the last actions; else all that was done"),
    ] = None,
    environment: Annotated[Environment, Field(description="what is operated")] = "browser",
    excluded_actions: Annotated[list[str] | None, Field(description="never to do, e.g. drag_and_drop")] = None,
    detect_injection: Annotated[bool | None, Field(description="look for hidden instructions on the screen")] = None,
    conversation: Annotated[str | None, Field(description="the id of the step before")] = None,
    model: ModelName = None,
) -> NextAction:
    """Ask what to do next on a screen to reach a goal: actions in pixels of the screenshot, and whether a person has to
    agree first (safety). This server does nothing of it: you do it, then call again with the new screenshot and the
    conversation, until done. What needs confirmation goes on with history=[{action, confirmed}]. Billed by token.
    """
    tool = tool_of(environment, excluded_actions or (), detect_injection=detect_injection)
    return await next_action(call, Wish(goal, screenshot, history or (), tool, model, conversation))
