"""The messages of credentials, in the notation of `interaction_shapes`.

Source: the `…Config` and `…UpdateConfig` messages of credentials in the schema of the official SDK of November 2026.
"""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "HttpBearer": "id!:str token!:str header_name:str prefix:str",
    "OAuth2": "client_id!:str client_secret!:str id!:str refresh_token!:str token_url!:str scopes:[str]",
    "EnvironmentVariable": """id!:str injection_location!:#Injection/[#Injection] value!:str
        trusted_domains:[str]""",
    "HttpBearerUpdate": "token:str header_name:str prefix:str",
    "OAuth2Update": "client_id:str client_secret:str refresh_token:str token_url:str scopes:[str]",
    "EnvironmentVariableUpdate": "injection_location:#Injection/[#Injection] value:str trusted_domains:[str]",
}

UNIONS: dict[str, str] = {
    "Credential": "bearer_token=HttpBearer oauth2=OAuth2 environment_variable=EnvironmentVariable",
    "CredentialUpdate": """bearer_token=HttpBearerUpdate oauth2=OAuth2Update
        environment_variable=EnvironmentVariableUpdate""",
}

ENUMS: dict[str, str] = {"Injection": "header query body"}
