"""What all calls of one process share. Everything is made when it is first used, so that the server starts fast."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import anyio

from gemini_server.errors import Busy, ToolserverError
from gemini_server.settings import Settings, platform_directory

if TYPE_CHECKING:
    from gemini_server.api.catalogue import Catalogue
    from gemini_server.jobs.artifacts import Artifacts
    from gemini_server.jobs.conversations import Conversations
    from gemini_server.jobs.job import Work
    from gemini_server.jobs.jobs import Jobs
    from gemini_server.jobs.ledger import Store
    from gemini_server.jobs.live_sessions import LiveSessions
    from gemini_server.jobs.runner import Runner
    from gemini_server.jobs.spending import Spending
    from gemini_server.rest.backend import Backend
    from gemini_server.rest.client import GeminiClient
    from gemini_server.toolkit.access import Access
    from gemini_server.toolkit.dialect.openai_client import OpenaiClient
    from gemini_server.toolkit.disk import AllowedDirectories
    from gemini_server.toolkit.links import Links
    from gemini_server.toolkit.live_waiting import Waiting

SETTLE = 1.0
"""Seconds after the start until jobs that others left are looked for."""
LEDGER_SECONDS = 3.0
"""How long the start over HTTP waits for the ledger, without which there are no links."""
LEDGER_AGAIN = 30.0
"""Seconds until a ledger that could not be opened for these is tried again."""
WAITING_PER_CALL = 4
"""How many calls may wait for each that is under way, before further ones are refused."""

_log = logging.getLogger(__name__)


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

    Attributes:
        links: makes links to artifacts for callers over HTTP; None over stdio, and while the ledger cannot be opened.
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
        self.links: Links | None = None
        self._spent = anyio.Event()
        self._runs = anyio.Event()
        self._signs = anyio.Event()
        self._works: dict[str, Work] = {}
        self._slots = anyio.Semaphore(settings.max_calls, fast_acquire=True)

    @cached_property
    def client(self) -> GeminiClient:
        """The one REST client; one that translates, where a gateway of the OpenAI dialect is spoken to."""
        if self.settings.dialect == "openai":
            # It has the methods that tools use, and refuses by name what the dialect lacks.
            return cast("GeminiClient", self.openai)
        from gemini_server.rest.client import GeminiClient

        return GeminiClient(self.access.config())

    @cached_property
    def openai(self) -> OpenaiClient:
        """The client of the OpenAI dialect: of the gateway, or of the layer of it that Google's own API has."""
        from gemini_server.toolkit.dialect.openai_client import OpenaiClient

        # Nobody who speaks this dialect looks for a key in x-goog-api-key.
        auth = "bearer" if self.settings.auth == "api-key" else self.settings.auth
        return OpenaiClient(self.access.config(auth=auth), layer=self.settings.dialect == "google")

    @cached_property
    def access(self) -> Access:
        """How this process reaches Gemini."""
        from gemini_server.toolkit.access import Access

        return Access(self.settings, self.version)

    @property
    def backend(self) -> Backend:
        """Whose API is at the base URL."""
        return self.access.backend

    @property
    def place(self) -> str:
        """The Gemini API that this process talks to, as jobs remember it."""
        return self.access.place

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
        """The ledger's database; an emulator's is always its own, and a file."""
        if self.settings.ledger and not self.emulated:
            from gemini_server.jobs.postgres import PostgresStore

            return PostgresStore(self.settings.ledger)
        from gemini_server.jobs.store import SqliteStore

        return SqliteStore(self.settings.resolved_state_dir())

    @cached_property
    def conversations(self) -> Conversations:
        """Kept conversations."""
        from gemini_server.jobs.conversations import Conversations

        return Conversations(self.store, keep_days=self.settings.keep_days)

    @cached_property
    def artifacts(self) -> Artifacts:
        """Files that calls produced."""
        from gemini_server.jobs.artifacts import Artifacts

        settings = self.settings
        directory = settings.resolved_output_dir()
        return Artifacts(self.store, directory, quota=settings.output_quota, sidecars=settings.sidecars)

    @cached_property
    def live_sessions(self) -> LiveSessions:
        """The handles by which Live sessions go on."""
        from gemini_server.jobs.live_sessions import LiveSessions

        return LiveSessions(self.store)

    @cached_property
    def live_waiting(self) -> Waiting:
        """Live sessions that wait for the results of functions."""
        from gemini_server.toolkit.live_waiting import Waiting

        return Waiting()

    @cached_property
    def spending(self) -> Spending:
        """Tokens and money by day and model."""
        from gemini_server.jobs.spending import Spending

        self._spent.set()
        return Spending(self.store, today=self.today)

    @cached_property
    def jobs(self) -> Jobs:
        """The ledger of jobs."""
        from gemini_server.jobs.jobs import Jobs

        settings = self.settings
        return Jobs(self.store, lease=settings.lease, keep_days=settings.keep_days, today=self.today, place=self.place)

    @cached_property
    def runner(self) -> Runner:
        """What drives jobs; it starts when it is first used, or when the ledger may hold jobs that others left."""
        from gemini_server.jobs.notices import listen
        from gemini_server.jobs.pace import Pace
        from gemini_server.jobs.runner import Runner
        from gemini_server.toolkit.shelf import Shelf

        self._runs.set()
        poll = self.settings.poll
        return Runner(
            self.jobs,
            self._work,
            Shelf(self),
            pace=Pace(first=poll, longest=5 * poll, retry=min(2.0, poll)),
            notices=lambda: listen(self.store),
        )

    def _work(self, name: str) -> Work:
        from gemini_server.toolkit import work

        if name not in self._works:
            self._works[name] = work.load(name, self)
        return self._works[name]

    async def drive(self) -> None:
        """Drive jobs for as long as the server runs: those of this process, and those that others left."""
        if self.settings.ledger or (self.settings.resolved_state_dir() / "ledger.db").exists():
            with anyio.move_on_after(SETTLE):  # the handshake comes first: the ledger's code is not free to import
                await self._runs.wait()
        else:
            await self._runs.wait()
        await self.runner.run()

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

    async def changes(self) -> AsyncGenerator[tuple[str, str]]:
        """The principal and the id of every job that changes, here or in another process; some come twice.

        Where processes share a PostgreSQL ledger, it tells at once; of a shared file, others' changes come a while
        later.
        """
        await self._runs.wait()
        send, receive = anyio.create_memory_object_stream[tuple[str, str]](1000)

        def heard(principal: str, identifier: str) -> None:
            with suppress(anyio.WouldBlock):  # a listener that does not keep up asks for itself
                send.send_nowait((principal, identifier))

        silence = self.runner.listen(heard)
        try:
            with send, receive:
                async for change in receive:
                    yield change
        finally:
            silence()

    async def may_spend(self, principal: str, estimate: Decimal | None = None) -> None:
        """Look whether a caller may spend more today; jobs look by themselves when they begin.

        Raises:
            QuotaExhausted: the day's cap is reached, or the estimate would exceed it.
        """
        cap = self.settings.daily_cap
        if cap is None:
            return
        from gemini_server.jobs.cap import over_cap

        spent = Decimal(str((await self.spending.today_total(principal)).cost_usd))
        reserved = await self.jobs.reserved(principal)
        if spent >= cap or spent + reserved + (estimate or 0) > cap:
            raise over_cap(cap, spent, reserved, estimate)

    async def sign_links(self, base: str) -> None:
        """Make links possible; where the ledger cannot be opened, results have none until it can.

        Args:
            base: the URL under which callers reach this server.
        """
        from gemini_server.jobs.secrets import shared_secret
        from gemini_server.toolkit.links import SECRET, Links

        while self.links is None:
            try:
                self.links = Links(base, await shared_secret(self.store, SECRET))
            except ToolserverError as error:
                _log.warning("results have no links to files for now: %s", error)
            self._signs.set()
            if self.links is None:
                await anyio.sleep(LEDGER_AGAIN)

    async def signs_links(self) -> None:
        """Wait until links can be made, or for a while."""
        with anyio.move_on_after(LEDGER_SECONDS):
            await self._signs.wait()

    def hurry(self) -> None:
        """The process is about to end: jobs have a moment left, and none begins any more."""
        if "runner" in self.__dict__:
            self.runner.hurry()

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
        if "live_waiting" in made:
            await self.live_waiting.aclose()
        if "spending" in made:
            await self.spending.flush()
        if "store" in made:
            await self.store.aclose()
        if "openai" in made:
            await self.openai.aclose()
        if "client" in made:
            await self.client.aclose()
