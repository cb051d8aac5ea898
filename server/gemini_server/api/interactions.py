"""The resource `interactions`: a turn that a model or agent takes, at once or in the background.

    queued ──> in_progress ──> completed
                    ├────────> requires_action        it waits for the result of a function
                    ├────────> requires_continuation  it goes on with `continuation_token`
                    ├────────> incomplete, budget_exceeded   it stopped early; what came is good
                    └────────> failed, cancelled

Source: https://ai.google.dev/api/interactions-api, and the official SDK's schema of November 2026.
"""

from __future__ import annotations

from typing import Any, ClassVar

from gemini_server.api.interaction_content import ListOf, Step, Trouble
from gemini_server.api.interaction_wire import Read
from gemini_server.rest.endpoint import Empty, Endpoint


class ModalityTokens(Read):
    """Tokens of one modality: text, image, audio, video, document."""

    modality: str | None = None
    tokens: int = 0


class ToolCount(Read):
    """How often a tool was used that is billed by use: google_search, google_maps, retrieval."""

    type: str | None = None
    count: int = 0


class Usage(Read):
    """Tokens of one interaction."""

    total_input_tokens: int = 0
    total_output_tokens: int = 0
    total_thought_tokens: int = 0
    total_cached_tokens: int = 0
    total_tool_use_tokens: int = 0
    total_tokens: int = 0
    input_tokens_by_modality: list[ModalityTokens] | None = None
    output_tokens_by_modality: list[ModalityTokens] | None = None
    cached_tokens_by_modality: list[ModalityTokens] | None = None
    grounding_tool_count: list[ToolCount] | None = None


class Interaction(Read):
    """A turn as it stands.

    Google's SDK shows `output_text`, `output_video` and the like, which it makes of the last `model_output` itself:
    what came is in `steps`.
    """

    essential: ClassVar[frozenset[str] | None] = frozenset({"id", "steps", "content"})

    id: str | None = None
    status: str = ""
    model: str | None = None
    agent: str | None = None
    created: str | None = None
    updated: str | None = None
    steps: ListOf[Step] | None = None
    errors: ListOf[Trouble] | None = None
    usage: Usage | None = None
    service_tier: str | None = None
    input: Any = None
    labels: dict[str, str] | None = None
    previous_interaction_id: str | None = None
    environment_id: str | None = None
    continuation_ids: list[str] | None = None
    continuation_token: str | None = None


CREATE = Endpoint("POST", "{version}/interactions", Interaction, repeat="foreground", family="interactions")
BEGIN = Endpoint("POST", "{version}/interactions", Interaction, repeat="background", family="interactions")
"""The same for a request with `background`: a second one would be a second bill."""
GET = Endpoint(
    "GET",
    "{version}/interactions/{id}",
    Interaction,
    query=("include_input",),
    family="interactions",
    billed=True,
)
CANCEL = Endpoint("POST", "{version}/interactions/{id}/cancel", Interaction, family="interactions")
DELETE = Endpoint("DELETE", "{version}/interactions/{id}", Empty, family="interactions")
