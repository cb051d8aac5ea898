"""The resource `credentials`: secrets that Google adds to what an environment sends, so that no agent sees them.

A secret goes there and never comes back. Source: the schemas HTTPBearerConfig, OAuth2Config, EnvironmentVariableConfig,
their updates and Credential of the Interactions API, November 2026.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from gemini_server.api.interaction_wire import Read, Secret, Told
from gemini_server.rest.endpoint import Empty, Endpoint

CredentialType = Literal["bearer_token", "oauth2", "environment_variable"]
Location = Literal["header", "query", "body"]

_NEEDED: dict[str, tuple[str, ...]] = {
    "bearer_token": ("token",),
    "oauth2": ("client_id", "client_secret", "refresh_token", "token_url"),
    "environment_variable": ("value", "injection_location"),
}
_TAKEN: dict[str, tuple[str, ...]] = {
    "bearer_token": ("token", "header_name", "prefix"),
    "oauth2": ("client_id", "client_secret", "refresh_token", "token_url", "scopes"),
    "environment_variable": ("value", "injection_location", "trusted_domains"),
}


class _Kinds(Told):
    """The members of all three types; a request has those of its own."""

    type: CredentialType = Field(description="decides on what else is given")
    token: Secret | None = Field(None, description="bearer_token: the secret")
    header_name: str | None = Field(None, description="bearer_token: default Authorization")
    prefix: str | None = Field(None, description="bearer_token: before the token; default Bearer")
    client_id: str | None = Field(None, description="oauth2")
    client_secret: Secret | None = Field(None, description="oauth2: secret")
    refresh_token: Secret | None = Field(None, description="oauth2: secret")
    token_url: str | None = Field(None, pattern="^https://", description="oauth2: https address of the token endpoint")
    scopes: list[str] | None = Field(None, description="oauth2")
    value: Secret | None = Field(None, description="environment_variable: the secret")
    injection_location: Location | list[Location] | None = Field(
        None, description="environment_variable: where it may be put in"
    )
    trusted_domains: list[str] | None = Field(None, description="environment_variable: that may receive it")

    @model_validator(mode="after")
    def _is_of_one_type(self) -> Self:
        others = sorted(self.model_fields_set - {"id", "type", *_TAKEN[self.type]})
        if others:
            raise ValueError(f"a credential of the type {self.type} takes no {', '.join(others)}")
        return self


class NewCredential(_Kinds):
    """A credential that is wanted."""

    id: str = Field(description="of your choice")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        missing = [name for name in _NEEDED[self.type] if name not in self.model_fields_set]
        if missing:
            raise ValueError(f"a credential of the type {self.type} needs {', '.join(missing)}")
        return self


class CredentialUpdate(_Kinds):
    """What of a credential can change: anything but its id and its type, which says which it is."""


class Credential(Read):
    """A credential as Google shows it; `status` is active or revoked."""

    id: str | None = None
    type: str | None = None
    status: str | None = None
    create_time: str | None = None
    update_time: str | None = None


class CredentialListResponse(Read):
    """A page of credentials."""

    credentials: list[Credential] | None = None
    next_page_token: str | None = None


CREATE = Endpoint("POST", "{version}/credentials", Credential, repeat="background", family="interactions")
LIST = Endpoint(
    "GET", "{version}/credentials", CredentialListResponse, query=("page_size", "page_token"), family="interactions"
)
GET = Endpoint("GET", "{version}/credentials/{id}", Credential, family="interactions")
UPDATE = Endpoint("PATCH", "{version}/credentials/{id}", Credential, query=("update_mask",), family="interactions")
DELETE = Endpoint("DELETE", "{version}/credentials/{id}", Empty, family="interactions")
