"""How a process reaches Gemini: whose API, at which address, with which credential."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from gemini_server.rest import credentials
from gemini_server.rest.backend import DEVELOPER, Backend
from gemini_server.rest.config import Auth, ClientConfig
from gemini_server.rest.credentials import Credential
from gemini_server.settings import Settings

if TYPE_CHECKING:
    from gemini_server.rest.google_credentials import GoogleCredentials


class Access:
    """The way to Gemini that the settings describe.

    Args:
        settings: the settings in force.
        version: the server's version, for the user agent.
    """

    def __init__(self, settings: Settings, version: str) -> None:
        self._settings = settings
        self._version = version

    def config(self, *, auth: Auth | None = None) -> ClientConfig:
        """What a client needs to know.

        Args:
            auth: how the key travels; None for the way of the settings.
        """
        settings = self._settings
        chosen = auth or settings.auth
        return ClientConfig(
            base_url=settings.base_url,
            api_version=settings.api_version,
            auth=chosen,
            key=SecretStr(settings.key) if settings.key else None,
            project=settings.project,
            credential=self._credential(chosen),
            backend=self.backend,
            allow_http=settings.allow_http,
            timeout=settings.timeout,
            max_connections=max(200, settings.max_calls + 50),
            user_agent=f"gemini-toolserver/{self._version}",
        )

    def _credential(self, auth: Auth) -> Credential | None:
        """A credential that may change while the server runs; None for a key that stays."""
        settings = self._settings
        if settings.emulate:
            return None
        if auth == "google":
            return self._google
        if settings.key_file and settings.key and settings.key_read_from_file:
            return credentials.from_file(auth, settings.key, settings.key_file, project=settings.project)
        if settings.keyring and not settings.key:
            return credentials.from_keyring(auth, project=settings.project)
        return None

    @cached_property
    def _google(self) -> GoogleCredentials:
        from gemini_server.rest.google_credentials import GoogleCredentials

        return GoogleCredentials(self._settings.project)

    @cached_property
    def backend(self) -> Backend:
        """Whose API is at the base URL."""
        settings = self._settings
        if settings.backend == "developer":
            return DEVELOPER
        from gemini_server.api.enterprise import enterprise

        chosen = enterprise(settings.project or "", settings.location, settings.storage)
        # A gateway's own licence is not for Cloud Storage, nor is what it names there to be had with it.
        return chosen if settings.opens_storage else replace(chosen, storage="")

    @cached_property
    def place(self) -> str:
        """The Gemini API at the other end, as jobs remember it."""
        settings = self._settings
        if settings.emulate:
            return "the emulator"  # which listens at another port each time
        parts = urlsplit(settings.base_url)
        url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/").lower()
        if settings.backend == "enterprise":
            return f"{url} ({settings.project}, {settings.location})"
        return url
