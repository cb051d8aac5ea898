"""What all calls of one process share. Everything is made when it is first used, so that the server starts fast."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from gemini_server.errors import Busy
from gemini_server.settings import Settings, platform_directory

if TYPE_CHECKING:
    from gemini_server.api.catalogue import Catalogue
    from gemini_server.jobs.artifacts import Artifacts
    from gemini_server.jobs.conversations import Conversations
    from gemini_server.jobs.spending import Spending
    from gemini_server.jobs.store import Store
    from gemini_server.rest.client import GeminiClient
    from gemini_server.toolkit.disk import AllowedDirectories

WAITING_PER_CALL = 4
"""How many calls may wait for each that is under way, before further ones are refused."""


def utc_today() -> date:
    """Today in UTC, the calendar in which spending is kept."""
    return datetime.now(UTC).date()


def _working_directory() -> tuple[Path, ...]:
    # Some clients start servers in `/` or in the home directory: nobody has chosen those to be read.
    here = Path.cwd()
    return () if here in (Path(here.anchor), Path.home(), Path.home().resolve()) else (here,)


class Runtime:
    """The shared REST client, the ledger, the readable directories, the model catalogue.

    Args:
        settings: the settings in force.
        version: the server's version, for the user agent.
        enabled: the names of the tools that are on.
        today: the calendar; tests set it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        version: str = "0",
        enabled: tuple[str, ...] = (),
        today: Callable[[], date] = utc_today,
    ) -> None:
        self.settings = settings
        self.version = version
        self.enabled = enabled
        self.today = today
        self.emulated = settings.emulate
        self._spent = anyio.Event()
        self._slots = anyio.Semaphore(settings.max_calls, fast_acquire=True)

    @cached_property
    def client(self) -> GeminiClient:
        """The one REST client."""
        from pydantic import SecretStr

        from gemini_server.rest.client import GeminiClient
        from gemini_server.rest.config import ClientConfig

        settings = self.settings
        return GeminiClient(
            ClientConfig(
                base_url=settings.base_url,
                api_version=settings.api_version,
                auth=settings.auth,
                key=SecretStr(settings.key) if settings.key else None,
                allow_http=settings.allow_http,
                timeout=settings.timeout,
                max_connections=max(200, settings.max_calls + 50),
                user_agent=f"gemini-toolserver/{self.version}",
            )
        )

    @cached_property
    def catalogue(self) -> Catalogue:
        """What is known of the models."""
        from gemini_server.api.catalogue import Catalogue

        return Catalogue.load()

    @cached_property
    def disk(self) -> AllowedDirectories:
        """The directories that attachments may be read from."""
        from gemini_server.toolkit.disk import AllowedDirectories

        settings = self.settings
        roots: tuple[Path, ...] = settings.allow_dirs or ()
        if settings.allow_dirs is None and settings.http is None:
            roots = _working_directory()
        refused = [settings.resolved_state_dir(), platform_directory("config")]
        refused += [path for path in (settings.key_file, settings.token_file) if path]
        return AllowedDirectories(roots, refused=refused, allow_sensitive=settings.allow_sensitive)

    @cached_property
    def store(self) -> Store:
        """The ledger's database."""
        from gemini_server.jobs.store import Store

        return Store(self.settings.resolved_state_dir())

    @cached_property
    def conversations(self) -> Conversations:
        """Kept conversations."""
        from gemini_server.jobs.conversations import Conversations

        return Conversations(self.store, keep_days=self.settings.keep_days)

    @cached_property
    def artifacts(self) -> Artifacts:
        """Files that calls produced."""
        from gemini_server.jobs.artifacts import Artifacts

        return Artifacts(self.store, self.settings.resolved_output_dir())

    @cached_property
    def spending(self) -> Spending:
        """Tokens and money by day and model."""
        from gemini_server.jobs.spending import Spending

        self._spent.set()
        return Spending(self.store, today=self.today)

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Hold one of the places for calls to Gemini.

        Raises:
            Busy: as many calls wait already as may.
        """
        if self._slots.statistics().tasks_waiting >= self.settings.max_calls * WAITING_PER_CALL:
            raise Busy(
                f"This server has {self.settings.max_calls} calls to Gemini under way and as many waiting as it takes; "
                "nothing was sent.",
                "Call again in a few seconds.",
                retry_after=5.0,
            )
        async with self._slots:
            yield

    async def keep_books(self) -> None:
        """Write down what is spent, a moment after it is spent, for as long as the server runs."""
        await self._spent.wait()
        await self.spending.run()

    def text_model(self, model: str | None) -> str:
        """The model id of a call for text: the one named, the configured one, or the catalogue's."""
        return model or self.settings.model or self.catalogue.default("text")

    async def aclose(self) -> None:
        """Write what is still to be written and close what was opened."""
        made = self.__dict__
        if "spending" in made:
            await self.spending.flush()
        if "store" in made:
            await self.store.aclose()
        if "client" in made:
            await self.client.aclose()
