"""The resumable uploads of one emulator, found by their secret ids.

Source: "Resumable uploads" of Google's APIs, where an address lives for a week.
"""

from __future__ import annotations

from .store import Clock
from .upload_session import Announced, Finish, ProtocolError, Session


class Uploads:
    """The uploads of one emulator.

    Args:
        clock: what their expiry goes by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def begin(self, path: str, announced: Announced, finish: Finish, largest: int) -> Session:
        """Open a session."""
        session = Session(path, announced, finish, largest, self._clock)
        self._sessions[session.ident] = session
        return session

    def find(self, ident: str, path: str) -> Session:
        """The session of a URL.

        Raises:
            ProtocolError: 404 for an unknown one, 410 for one that has expired.
        """
        session = self._sessions.get(ident)
        if session is None or session.path != path:
            raise ProtocolError(404, "Not Found")
        if session.expires <= self._clock():
            session.close()
            raise ProtocolError(410, "The upload session has expired.")
        return session

    def close(self) -> None:
        """Let go of everything that was not finished."""
        for session in self._sessions.values():
            session.close()
