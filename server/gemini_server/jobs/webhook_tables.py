"""The table of webhook messages, in the words of SQLite (see `schema`)."""

MESSAGES = """
CREATE TABLE webhook_messages (
    id     TEXT PRIMARY KEY,
    stamp  TEXT NOT NULL,
    taken  REAL NOT NULL
);
"""
