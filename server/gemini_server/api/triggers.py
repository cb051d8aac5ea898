"""The resource `triggers`: an agent that runs by itself at set times, and its runs.

A trigger is active, paused, or stands in error after too many failures in a row. Each run is an interaction of its own.
Source: the schemas TriggerCreateParams, TriggerUpdate, Trigger and TriggerExecution of the Interactions API, November
2026.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from gemini_server.api.interaction_agent import CreateAgentInteraction
from gemini_server.api.interaction_wire import Read, Told
from gemini_server.rest.endpoint import Empty, Endpoint, JsonObject


def _shape() -> JsonObject:
    """What people say of an interaction; the whole of it would be longer than all other tools together."""
    text, mapping = {"type": "string"}, {"type": "object"}
    return {
        "type": "object",
        "properties": {
            "agent": {**text, "description": "agent id"},
            "input": {"anyOf": [text, {"type": "array", "items": mapping}], "description": "literal text, or content"},
            "system_instruction": text,
            "tools": {"type": "array", "items": mapping, "description": "{type, …}"},
            "environment": {"anyOf": [text, mapping], "description": "remote, an environment id, or what it has"},
            "agent_config": {**mapping, "description": "{type, …}"},
            "response_format": mapping,
            "labels": mapping,
            "webhook_config": {**mapping, "description": "{uris, user_metadata}"},
        },
        "required": ["agent", "input"],
    }


class NewTrigger(Told):
    """A trigger that is wanted."""

    schedule: str = Field(description="cron of five fields: 0 7 * * 1-5")
    time_zone: str = Field(description="IANA, e.g. Europe/Zurich")
    interaction: Annotated[CreateAgentInteraction, WithJsonSchema(_shape())] = Field(
        description="what the agent is asked each time, as the API has it"
    )
    environment_id: str | None = Field(None, description="that all runs share")
    display_name: str | None = Field(None, description="label")
    execution_timeout_seconds: int | None = Field(None, ge=1, description="after which a run is given up")
    max_consecutive_failures: int | None = Field(None, ge=1, description="after which it stops by itself")


class TriggerUpdate(Told):
    """What of a trigger can change."""

    display_name: str | None = Field(None, description="label")
    status: Literal["active", "paused"] | None = Field(None, description="whether it runs by itself")


class Trigger(Read):
    """A trigger as Google has it."""

    id: str | None = None
    display_name: str | None = None
    status: str | None = None
    schedule: str | None = None
    time_zone: str | None = None
    interaction: JsonObject | None = None
    environment_id: str | None = None
    execution_timeout_seconds: int | None = None
    max_consecutive_failures: int | None = None
    consecutive_failure_count: int | None = None
    previous_interaction_id: str | None = None
    next_run_time: str | None = None
    last_run_time: str | None = None
    last_pause_time: str | None = None
    last_resume_time: str | None = None
    create_time: str | None = None
    update_time: str | None = None


class ListTriggersResponse(Read):
    """A page of triggers."""

    triggers: list[Trigger] | None = None
    next_page_token: str | None = None


class TriggerExecution(Read):
    """A run; `status` is in_progress, completed, failed, skipped or timed_out."""

    id: str | None = None
    trigger_id: str | None = None
    status: str | None = None
    interaction_id: str | None = None
    environment_id: str | None = None
    error: str | None = None
    scheduled_time: str | None = None
    start_time: str | None = None
    end_time: str | None = None


class ListTriggerExecutionsResponse(Read):
    """A page of runs."""

    trigger_executions: list[TriggerExecution] | None = None
    next_page_token: str | None = None


_PAGE = ("page_size", "page_token")

# A second create would be a second trigger, and a second run a second bill.
CREATE = Endpoint("POST", "{version}/triggers", Trigger, repeat="background", family="interactions")
LIST = Endpoint("GET", "{version}/triggers", ListTriggersResponse, query=("filter", *_PAGE), family="interactions")
GET = Endpoint("GET", "{version}/triggers/{id}", Trigger, family="interactions")
UPDATE = Endpoint("PATCH", "{version}/triggers/{id}", Trigger, family="interactions")
DELETE = Endpoint("DELETE", "{version}/triggers/{id}", Empty, family="interactions")
RUN = Endpoint(
    "POST", "{version}/triggers/{id}/executions", TriggerExecution, repeat="background", family="interactions"
)
EXECUTIONS = Endpoint(
    "GET",
    "{version}/triggers/{id}/executions",
    ListTriggerExecutionsResponse,
    query=_PAGE,
    family="interactions",
)
