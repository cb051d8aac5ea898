"""The table of Live sessions, in the words of SQLite (see `schema`). `expires` is in seconds since 1970."""

LIVE_SESSIONS = """
CREATE TABLE live_sessions (
    conversation  TEXT PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
    place         TEXT NOT NULL,
    model         TEXT NOT NULL,
    handle        TEXT NOT NULL,
    turns         INTEGER NOT NULL,
    expires       REAL NOT NULL
);
"""
