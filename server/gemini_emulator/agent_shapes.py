"""The message of `agents.create`, in the notation of `interaction_shapes`.

Source: `Agent` in the schema of the official SDK of November 2026. The SDK writes 64-bit integers as strings.
"""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "Agent": """agent_config:@OwnAgentConfig base_agent:str base_environment:str/BaseEnvironment description:str id:str
        system_instruction:str tools:[@AgentTool]""",
    "OwnAntigravity": "max_total_tokens:int/str model:str",
}

UNIONS: dict[str, str] = {
    "OwnAgentConfig": "antigravity=OwnAntigravity",
    "AgentTool": """code_execution=CodeExecution function=Function google_search=GoogleSearch mcp_server=McpServer
        url_context=UrlContext""",
}
