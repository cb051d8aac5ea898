"""The messages of environments, in the notation of `interaction_shapes`.

Source: `CreateEnvironmentRequest`, `Source`, `EnvironmentNetworkEgressAllowlist` and the environment of an agent
(`EnvironmentParam`) in the official SDK of November 2026.
"""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "CreateEnvironmentRequest": "from_environment:str network:#Network/Egress sources:[Source]",
    "BaseEnvironment": "type!:#Remote env:map environment_id:str network:#Network/Egress sources:[Source]",
    "EnvVar": "credential:str value:str",
    "Egress": "allowlist:#Network/[AllowlistEntry]",
    "AllowlistEntry": "domain!:str credential:str transform:{str}/[{str}]",
    "Source": "type!:#Mount content:str encoding:str source:str target:str",
}

ENUMS: dict[str, str] = {
    "Network": "disabled",
    "Remote": "remote",
    "Mount": "gcs inline repository skill_registry",
}
