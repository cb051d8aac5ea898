"""The messages of triggers, in the notation of `interaction_shapes`.

Source: `TriggerCreateParams` and `TriggerUpdate` in the schema of the official SDK of November 2026.
"""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "TriggerCreateParams": """interaction!:CreateAgentInteraction schedule!:str time_zone!:str display_name:str
        environment_id:str execution_timeout_seconds:int max_consecutive_failures:int""",
    "TriggerUpdate": "display_name:str status:#TriggerStatus",
    "RunTriggerRequest": "",
}

ENUMS: dict[str, str] = {"TriggerStatus": "active paused error"}
