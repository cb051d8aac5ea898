"""Application default credentials of Google Cloud, through google-auth (extra `google`)."""

from __future__ import annotations

import functools
import importlib
import logging
import time
from collections import deque
from typing import Any

import anyio
import anyio.to_thread

from gemini_server.errors import ConnectionFailed, KeyMissing, KeyRefused, ToolserverError
from gemini_server.redaction import forget_secret, remember_secret

from .complaint import clean
from .credentials import SETUP, Headers, library, paying

SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/generative-language",
)
"""What a token is for: the Enterprise platform and Cloud Storage, and the Developer API."""
LOOK_AGAIN = 20.0
"""Seconds until credentials that were not there are looked for again: it takes a while to find out that there is no
metadata server."""
REFRESH_SECONDS = 30.0
"""How long the token endpoint may take to answer."""

_OLD_TOKENS = 4
"""Tokens that stay hidden in logs: one lives for an hour."""
_log = logging.getLogger(__name__)


class GoogleCredentials:
    """Application default credentials: a service account, a user's login, a machine's own, a federated identity.

    A token is refreshed a few minutes before it expires (as google-auth does), in a thread, once for all calls that
    wait for it; while the old one is still good, a failure to refresh hurts nobody.

    Args:
        project: the Google Cloud project whose quota counts; that of the credentials when None.
    """

    name = "OAuth token"
    remedy = (
        f"{SETUP}log in again (`gcloud auth application-default login`), or correct GOOGLE_APPLICATION_CREDENTIALS."
    )

    def __init__(self, project: str | None = None) -> None:
        self._project = project
        self._lock = anyio.Lock()
        self._credentials: Any = None
        self._token: str | None = None
        self._shown: Headers = ()
        self._hidden: deque[str] = deque()
        self._missing: tuple[float, KeyMissing] | None = None
        self._failed: tuple[float, ToolserverError | None] | None = None

    def check(self) -> None:
        """Nothing is known before the first call."""

    async def headers(self) -> Headers:
        """A token that is good for some minutes yet, and who pays."""
        if not self._fresh:
            asked = time.monotonic()
            async with self._lock:
                if not self._fresh:
                    await self._refresh(asked)
        return self._shown

    async def renew(self, refused: bytes) -> bool:
        """Have a new token, unless another call has had one meanwhile."""
        asked = time.monotonic()
        async with self._lock:
            if not self._shown or self._shown[0][1] == refused:
                self._shown = ()
                await self._refresh(asked)
        return (b"authorization", refused) not in self._shown

    async def describe(self, *, offline: bool) -> str:
        """Whose credentials they are, and whose quota counts; without a secret.

        Args:
            offline: ask for no token.

        Raises:
            ToolserverError: there are none, or no token is given for them.
        """
        if offline:
            await anyio.to_thread.run_sync(self._load)
        else:
            await self.headers()
        credentials = self._credentials
        kind = _KINDS.get(type(credentials).__module__.removeprefix("google."), "a Google account")
        account = getattr(credentials, "service_account_email", None) or getattr(credentials, "account", "")
        payer = self._project or getattr(credentials, "quota_project_id", None)
        said = f"application default credentials of {kind}"
        said += f" {clean(account, 100)}" if isinstance(account, str) and "@" in account else ""
        return f"{said}, quota of {clean(payer, 100)}" if payer else said

    @property
    def _fresh(self) -> bool:
        # A refresh whose call was cancelled goes on in its thread: its token is there then, but not shown yet.
        credentials = self._credentials
        return bool(self._shown) and credentials.token == self._token and bool(credentials.valid)

    async def _refresh(self, asked: float) -> None:
        """Have a token; calls that were waiting while it could not be had hear so at once, not one after the other."""
        if self._failed is not None and self._failed[0] > asked:
            if self._failed[1] is not None:
                raise self._failed[1]
            if self._shown:
                return
        try:
            fetched = await anyio.to_thread.run_sync(self._fetch, abandon_on_cancel=True)
        except ToolserverError as error:
            self._failed = time.monotonic(), error
            raise
        if not fetched:
            self._failed = time.monotonic(), None
        credentials = self._credentials
        token: str = credentials.token
        if token != self._token:
            remember_secret(token)
            self._hidden.append(token)
            if len(self._hidden) > _OLD_TOKENS:
                forget_secret(self._hidden.popleft())
            self._token = token
        payer = self._project or getattr(credentials, "quota_project_id", None)
        self._shown = ((b"authorization", b"Bearer " + token.encode("ascii")), *paying(payer))

    def _load(self) -> None:
        if self._credentials is not None:
            return
        if self._missing is not None and time.monotonic() < self._missing[0]:
            raise self._missing[1]
        try:
            self._look()
        except KeyMissing as error:
            self._missing = (time.monotonic() + LOOK_AGAIN, error)
            raise

    def _look(self) -> None:
        auth = library("google.auth", "google", "GEMINI_AUTH=google")
        try:
            self._credentials, _ = auth.default(scopes=SCOPES)
        except auth.exceptions.DefaultCredentialsError as error:
            raise KeyMissing(
                f"There are no application default credentials ({clean(str(error), 200)}); nothing was sent to Gemini.",
                f"{SETUP}run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to the "
                "file of a service account.",
            ) from error
        except OSError as error:
            raise KeyMissing(
                f"The file of the application default credentials cannot be read ({type(error).__name__}); nothing was "
                "sent to Gemini.",
                f"{SETUP}mend its permissions, or correct GOOGLE_APPLICATION_CREDENTIALS.",
            ) from error

    def _fetch(self) -> bool:
        """Load the credentials and refresh their token; blocks. False where it is not refreshed, and good for now."""
        self._load()
        credentials = self._credentials
        exceptions: Any = importlib.import_module("google.auth.exceptions")
        transport = library("google.auth.transport.requests", "google", "GEMINI_AUTH=google")
        try:
            credentials.refresh(functools.partial(transport.Request(), timeout=REFRESH_SECONDS))
        except (exceptions.GoogleAuthError, OSError, ValueError) as error:
            if self._shown and credentials.token_state.name == "STALE":
                _log.warning("the token is not refreshed yet: %s", clean(str(error), 200))
                return False
            words = clean(str(error), 200) or type(error).__name__
            if isinstance(error, exceptions.TransportError) or getattr(error, "retryable", False):
                raise ConnectionFailed(
                    f"No OAuth token can be had for now ({words}); nothing was sent to Gemini.",
                    "Call again in a minute.",
                ) from error
            raise KeyRefused(
                f"Google gives no OAuth token for the application default credentials ({words}); nothing was sent.",
                self.remedy,
            ) from error
        return True


_KINDS = {
    "oauth2.service_account": "the service account",
    "auth.compute_engine.credentials": "this machine's service account",
    "auth.impersonated_credentials": "the impersonated service account",
    "auth.identity_pool": "a workload identity",
    "auth.pluggable": "a workload identity",
    "auth.aws": "a workload identity of AWS",
    "auth.external_account_authorized_user": "a federated user",
}
"""What credentials are, by the module of google-auth that they are of; a login of gcloud is a Google account."""
