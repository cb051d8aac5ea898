"""The sandbox that a turn may work in: a new one, one that is there, and what lies in it.

Source: `Environment` among the interaction types of the official SDK, November 2026 (the published schema has another
type of that name, the resource). A plain `remote` asks for a new sandbox, an id for one that was made before.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gemini_server.api.interaction_wire import Told


class Variable(Told):
    """An environment variable: its value, or the credential kept at Google that has it."""

    value: str | None = Field(default=None, repr=False)
    credential: str | None = None


class Source(Told):
    """What is put into the sandbox: a repository, objects of Cloud Storage, text, skills."""

    type: Literal["gcs", "inline", "repository", "skill_registry"] | None = None
    source: str | None = None
    target: str | None = None
    content: str | None = None
    encoding: str | None = None


class AllowlistEntry(Told):
    """A domain that may be reached, and the headers that are added on the way."""

    domain: str
    credential: str | None = None
    transform: dict[str, str] | list[dict[str, str]] | None = Field(default=None, repr=False)


class Egress(Told):
    """Which domains may be reached."""

    allowlist: list[AllowlistEntry] | Literal["disabled"] | None = None


class Sandbox(Told):
    """A sandbox at Google."""

    type: Literal["remote"] = "remote"
    environment_id: str | None = None
    env: dict[str, Variable | str] | None = Field(default=None, repr=False)
    network: Egress | Literal["disabled"] | None = None
    sources: list[Source] | None = None
