"""What shows Google who calls: a key, a key that can be read again, or Google's own credentials (`google_credentials`).

A credential has two sides: the headers that show it now, and another look for a newer one after Google has refused it
(401, or the 400 of a bad key). A refused call was not billed, so it is sent once more where the look found something.

The libraries are optional and imported in a thread when they are first needed: `google-auth` (extra `google`) and
`keyring` (extra `keyring`). Nothing of OAuth is written by hand here.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import anyio
import anyio.to_thread

from gemini_server.errors import KeyMissing, KeyRefused, ToolserverError, UnsafeSetting
from gemini_server.key_file import read_key_file
from gemini_server.redaction import remember_secret

from .complaint import clean
from .config import Auth, ClientConfig, check_key

Header = tuple[bytes, bytes]
Headers = tuple[Header, ...]
"""The credential first; behind it whose quota the call counts for."""

SERVICE, USER = "gemini-toolserver", "key"
"""Under which names the keyring holds the key."""
GOOGLE = "https://aistudio.google.com/apikey gives one"
SETUP = "Only the person who runs this server can mend this: "
MAY_NOT = (
    f"{SETUP}see that the account may use the project (role Vertex AI User, and Service Usage Consumer where another "
    "project pays), and that the API is enabled in it."
)
"""What to do where a token is good and its account may not do what was asked."""
REFUSED = (400, 401)
"""The statuses of a `KeyRefused` that another credential may mend."""
_TOKEN = (
    f"{SETUP}set GEMINI_API_KEY to a token that has not expired, then restart the server; GEMINI_AUTH=google renews "
    "tokens by itself."
)
_log = logging.getLogger(__name__)


class Credential(Protocol):
    """What a client shows with its requests."""

    @property
    def name(self) -> str:
        """What it is, for messages: `API key` or `OAuth token`."""
        ...

    @property
    def remedy(self) -> str:
        """What to do when Google refuses it; empty where the usual words fit."""
        ...

    def check(self) -> None:
        """Raises `KeyMissing` where it is known already that there is none."""
        ...

    async def headers(self) -> Headers:
        """The headers that show it now.

        Raises:
            ToolserverError: there is none, or a token cannot be had.
        """
        ...

    async def renew(self, refused: bytes) -> bool:
        """Look for a newer one.

        Args:
            refused: the value of the header that Google did not accept.

        Returns:
            Whether `headers` gives another now.

        Raises:
            ToolserverError: a new token cannot be had.
        """
        ...


class Key:
    """A key, or a token that somebody else made.

    Args:
        auth: how it travels.
        value: the key, as it is known at the start.
        project: the Google Cloud project that pays, where it is an OAuth token.
        again: reads it anew, and blocks; None where it never changes. It says None where there is nothing to read.
        remedy: as `Credential.remedy`.
        giver: who gives such keys.
    """

    def __init__(
        self,
        auth: Auth,
        value: str | None = None,
        *,
        project: str | None = None,
        again: Callable[[], str | None] | None = None,
        remedy: str = "",
        giver: str = GOOGLE,
    ) -> None:
        self.name = "OAuth token" if auth == "bearer" else "API key"
        self.remedy = remedy or (_TOKEN if auth == "bearer" else "")
        self._auth = auth
        # Google bills a user's OAuth token to nobody unless it is told to whom.
        self._project = project if auth == "bearer" else None
        self._again = again
        self._giver = giver
        self._lock = anyio.Lock()
        self._shown: Headers = ()
        if value:
            self._take(value)

    def check(self) -> None:
        """Raises `KeyMissing` where there is no key, and nowhere to look for one."""
        if not self._shown and self._again is None:
            raise _no_key(self._giver)

    async def headers(self) -> Headers:
        """The key as it travels, and who pays."""
        if not self._shown and self._again is not None:
            async with self._lock:
                if not self._shown:
                    await self._read(self._again)
        if not self._shown:
            raise _no_key(self._giver, self.remedy)
        return self._shown

    async def renew(self, refused: bytes) -> bool:
        """Read the key anew, where that is possible; calls in parallel read it once."""
        if self._again is None:
            return False
        async with self._lock:
            if self._shown and self._shown[0][1] != refused:
                return True  # another call has found the new one meanwhile
            await self._read(self._again)
            return bool(self._shown) and self._shown[0][1] != refused

    async def _read(self, again: Callable[[], str | None]) -> None:
        # A keyring may ask somebody for a password: a call does not wait for that beyond its deadline.
        value = await anyio.to_thread.run_sync(again, abandon_on_cancel=True)
        if not value:
            return
        try:
            self._take(check_key(value))
        except UnsafeSetting as error:
            _log.warning("the new key is none, and the old one stays: %s", error.what)

    def _take(self, value: str) -> None:
        remember_secret(value)
        names = {"api-key": (b"x-goog-api-key", value), "bearer": (b"authorization", f"Bearer {value}")}
        name, text = names.get(self._auth, (b"authorization", value))
        self._shown = ((name, text.encode("ascii")), *paying(self._project))


def of(config: ClientConfig) -> Credential:
    """What a client shows: the credential of its configuration, or what the key in it says."""
    if config.credential is not None:
        return config.credential
    if config.auth == "google":
        from .google_credentials import GoogleCredentials

        return GoogleCredentials(config.project)
    value = config.key.get_secret_value() if config.key else None
    return Key(config.auth, value, project=config.project, giver=keys_from(config.url.host))


def keys_from(host: str) -> str:
    """Who gives keys for a host, for messages."""
    return GOOGLE if host.endswith(".googleapis.com") else f"the gateway at {clean(host, 100)} gives one"


def from_file(auth: Auth, value: str | None, path: Path, *, project: str | None = None) -> Key:
    """A key out of a file that is read again when Google refuses the key: it may have been rotated."""

    def again() -> str | None:
        try:
            return read_key_file(path)
        except (OSError, ValueError) as error:
            _log.warning("the key file cannot be read: %s", type(error).__name__)
            return None

    remedy = f"{SETUP}put a valid key into the key file {path}; it is read again, without a restart."
    return Key(auth, value, project=project, again=again, remedy=remedy)


def from_keyring(auth: Auth, *, project: str | None = None) -> Key:
    """A key in the system's keyring, read when it is first needed and whenever Google refuses it."""

    def again() -> str | None:
        keyring = library("keyring", "keyring", "GEMINI_TOOLSERVER_KEYRING")
        try:
            found: str | None = keyring.get_password(SERVICE, USER)
        except Exception as error:  # each of its backends fails in a way of its own
            raise KeyMissing(
                f"The keyring of this system cannot be read ({clean(str(error), 150) or type(error).__name__}).",
                f"{SETUP}unlock it, or set GEMINI_API_KEY and leave GEMINI_TOOLSERVER_KEYRING away.",
            ) from error
        return found

    remedy = f"{SETUP}store a valid key with `keyring set {SERVICE} {USER}`; no restart is needed."
    return Key(auth, project=project, again=again, remedy=remedy)


def library(module: str, extra: str, wish: str) -> Any:
    """A module of an optional library.

    Raises:
        KeyMissing: it is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise KeyMissing(
            f"{wish} needs a library that is not installed ({error.name}); nothing was sent to Gemini.",
            f"{SETUP}`pip install 'gemini-toolserver[{extra}]'`, then restart the server.",
        ) from error


def name_in(error: ToolserverError, credential: Credential) -> None:
    """Have an error say, where Google refused the credential, which one that was and what mends it."""
    if not isinstance(error, KeyRefused):
        return
    error.what = error.what.replace("API key", credential.name, 1)
    if error.status in REFUSED:
        error.remedy = credential.remedy or error.remedy
    elif credential.name != "API key":
        error.remedy = MAY_NOT


def paying(project: str | None) -> Headers:
    """The header that says whose quota a call with a token counts for."""
    return ((b"x-goog-user-project", project.encode("ascii")),) if project else ()


def _no_key(giver: str, remedy: str = "") -> KeyMissing:
    return KeyMissing(
        "There is no API key, so nothing was sent to Gemini.",
        remedy or f"The person who runs this server sets GEMINI_API_KEY to a key: {giver}.",
    )
