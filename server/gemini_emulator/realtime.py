"""What the sessions over a WebSocket have in common: their connection and their first message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .errors import invalid
from .exchange import Service
from .faults import Directive
from .schema import camel
from .wire import Object, is_list, is_object


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
        headers: those of the handshake, lower-cased.
        query: the query parameters of the handshake.
    """

    service: Service
    connection: Connection
    version: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])

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


def legible(value: object) -> object:
    """A message for the log: media in it are told by their size."""
    if is_object(value):
        return {
            key: f"<{len(item.rstrip('=')) * 3 // 4} bytes>"
            if key == "data" and isinstance(item, str)
            else legible(item)
            for key, item in value.items()
        }
    return [legible(item) for item in value] if is_list(value) else value
