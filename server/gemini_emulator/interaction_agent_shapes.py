"""The messages that only interactions with agents have, in the notation of `interaction_shapes`.

Source: `CreateAgentInteraction` and the `*AgentConfig` messages in the schema of the official SDK of November 2026.
"""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "CreateAgentInteraction": """agent!:str agent_config:@AgentConfig background:bool continuation_token:str
        environment:str/BaseEnvironment input:str/@Content/[@Input] labels:{str} previous_interaction_id:str
        response_format:map/[map] response_mime_type:str response_modalities:[#Modality]
        safety_settings:[SafetySetting] service_tier:#ServiceTier store:bool stream:bool system_instruction:str
        tools:[@Tool] webhook_config:WebhookConfig""",
    "DeepResearch": """collaborative_planning:bool enable_bigquery_tool:bool thinking_summaries:#Summaries
        visualization:#Visualization""",
    "Antigravity": "max_total_tokens:int/str model:str",
    "CodeMender": "find_request:map fix_request:map model:str session_config:map session_id:str",
    "Dynamic": "*:any",
}

UNIONS: dict[str, str] = {
    "AgentConfig": "deep-research=DeepResearch antigravity=Antigravity code-mender=CodeMender dynamic=Dynamic",
}

ENUMS: dict[str, str] = {"Visualization": "off auto"}
