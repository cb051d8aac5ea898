"""Ephemeral tokens: short-lived credentials that open Live sessions, and nothing else.

Source: the schema AuthToken of the v1beta discovery document of August 2026, and "Ephemeral tokens" (ai.google.dev).
google-genai says that only v1alpha makes them, so that version is asked whatever the client's is.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from gemini_server.api.config import Written
from gemini_server.api.live import Setup
from gemini_server.rest.endpoint import Endpoint, Wire

VERSION = "v1alpha"
LONGEST = 20 * 3600
"""Seconds after which every token has ended; Google takes no time at or beyond it."""
USUAL, USUAL_SESSIONS = 1800, 60
"""Seconds for which messages, and new sessions, are accepted where nothing is said."""


class CreateAuthToken(Written):
    """A token that is wanted.

    Attributes:
        uses: how many sessions it opens, 1 where nothing is said; 0 is any number. One that is resumed does not count.
        expire_time: after which messages are refused; RFC 3339.
        new_session_expire_time: after which new sessions are refused.
        bidi_generate_content_setup: what it fixes.
        field_mask: the paths of the fields that it fixes; without it, a setup that is given is fixed as a whole.
    """

    uses: int | None = None
    expire_time: str | None = None
    new_session_expire_time: str | None = None
    bidi_generate_content_setup: Setup | None = None
    field_mask: str | None = None


class AuthToken(Wire):
    """A token; its name is the token itself."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"name"})

    name: str = Field(default="", repr=False)


# A second one made by a repeated request is a token that nobody knows, and costs nothing.
CREATE = Endpoint("POST", "{version}/auth_tokens", AuthToken, version=VERSION)
