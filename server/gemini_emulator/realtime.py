"""What the sessions over a WebSocket have in common: their connection and their first message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .errors import invalid
from .exchange import Service
from .faults import Directive
from .schema import camel
from .wire import Object, is_object


class Closed(Exception):
    """The connection is at its end."""


class Connection(Protocol):
    """A connection that carries JSON messages; see `websocket.Socket`."""

    directive: Directive

    async def receive(self) -> Object:
        """The next message of the client."""
        ...

    async def send(self, body: Object, *, chunk: bool = False) -> None:
        """Send a message; one with content counts for `after=`."""
        ...


@dataclass
class Session:
    """One session: who talks to whom.

    Args:
        service: what the emulator shares.
        connection: the connection.
        version: the API version of the path.
    """

    service: Service
    connection: Connection
    version: str

    async def setup(self) -> Object:
        """Wait for the first message and return what is in its `setup`.

        Raises:
            ApiError: 400 for any other message.
        """
        name, body = one_of(await self.connection.receive(), ("setup",))
        if not is_object(body):
            raise invalid(f"Invalid value at '{name}': expected an object.")
        return body


def one_of(message: Object, names: tuple[str, ...]) -> tuple[str, object]:
    """The one field that a message has, in camelCase, and its value.

    Raises:
        ApiError: 400 for an unknown field, none, or several.
    """
    found = {camel(name): value for name, value in message.items() if value is not None}
    for name in found:
        if name not in names:
            raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
    if len(found) != 1:
        raise invalid(f"A message must have exactly one of the fields {', '.join(names)}.")
    return next(iter(found.items()))
