"""What may be said of a PostgreSQL URL, and what may not. Without the driver: settings are read before it is needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

SCHEMES = ("postgresql://", "postgres://")
_SAYABLE = re.compile(r"[\w.,:\[\]%-]*", re.ASCII)
_SECRET_OPTIONS = ("password", "sslpassword")


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """A URL taken apart.

    Attributes:
        place: the database and its server, for messages; never a user name, a password or an option.
        secrets: each password in it, as it stands and decoded, and with one of them the URL itself.
        sound: False where a password was not percent-encoded, so that a part of it would be taken for something else.
    """

    place: str
    secrets: tuple[str, ...]
    sound: bool


def take_apart(url: str) -> PostgresUrl:
    """Takes a URL apart as libpq does; it need not be valid."""
    rest = url.partition("://")[2]
    before, slash, after = rest.partition("/")
    login, at, host = before.rpartition("@")
    path, _, query = after.partition("?")
    if not slash:
        host, _, query = host.partition("?")
    options = parse_qs(query)
    password = login.partition(":")[2]
    secrets = [password, unquote(password), *(value for name in _SECRET_OPTIONS for value in options.get(name, ()))]
    secrets += [url] if any(secrets) else []
    host = host or ",".join(options.get("host", ()))
    database = unquote(path) or "".join(options.get("dbname", ()))
    sayable = _SAYABLE.fullmatch(host.replace("/", "")) and _SAYABLE.fullmatch(database)
    place = f"{database or 'of the same name as the user'} at {host or 'this machine'}" if sayable else "of the URL"
    # Everything up to the last "@" is hidden above; one that comes later still would have been a part of the password.
    return PostgresUrl(
        place=f"the PostgreSQL database {place}",
        secrets=tuple(dict.fromkeys(secret for secret in secrets if secret)),
        sound="@" not in path and (not at or "@" not in login) and "\x00" not in url,
    )
