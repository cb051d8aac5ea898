"""Credentials: secrets that Google adds to what an environment sends, so that no agent sees them."""

from __future__ import annotations

from gemini_server.api import credentials as api
from gemini_server.toolkit.resource_tools import Name, ResourceTools
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("platform", "Secrets for what environments send.")

_CREDENTIALS = ResourceTools(TOOLSET, "credential", api.Credential, Name("id", "credentials/*", "credential id"))

create_credential = _CREDENTIALS.created(
    api.CREATE,
    "Keep a secret at Google that environments send to domains of their network allowlist, unseen by agents: a bearer "
    "token, an OAuth client, or the value of an environment variable. Free. Returns the credential; secrets never come "
    "back.",
    body=api.NewCredential,
)
list_credentials = _CREDENTIALS.listed(
    api.LIST, "List credentials, or show one: type and state, never the secret. Free. Returns credentials.", get=api.GET
)
update_credential = _CREDENTIALS.updated(
    api.UPDATE,
    "Change what is given of a credential, such as its secret; its type stays. Free. Returns the credential.",
    body=api.CredentialUpdate,
    unmasked=("type",),
)
delete_credential = _CREDENTIALS.deleted(
    api.DELETE, "Delete a credential for good; environments send without it from then on. Free. Returns its id."
)
