"""The resource `permissions`: who may use a corpus or a tuned model, and how.

The methods stand in the modules of what they belong to. Source: https://ai.google.dev/api/tuning/permissions and the
schema Permission of the v1beta discovery document.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gemini_server.api.config import Written
from gemini_server.rest.endpoint import Wire


class Permission(Wire):
    """What a user, a group or everybody may do."""

    name: str | None = None
    grantee_type: str | None = None
    email_address: str | None = None
    role: str | None = None


class ListPermissionsResponse(Wire):
    """A page of permissions."""

    permissions: list[Permission] = []
    next_page_token: str | None = None


class NewPermission(Written):
    """A permission that is wanted; an owner is made by transferring the ownership alone."""

    role: Literal["READER", "WRITER"] = Field(description="a WRITER may change and share it")
    grantee_type: Literal["USER", "GROUP", "EVERYONE"] = Field(description="EVERYONE can only be a READER")
    email_address: str | None = Field(None, description="of the user or group")


class PermissionChange(Written):
    """What can be changed of a permission."""

    role: Literal["READER", "WRITER"] | None = Field(None, description="from now on")
