"""The table of owners, in the words of SQLite (see `schema`). `expires` is in seconds since 1970."""

OWNERS = """
CREATE TABLE owners (
    place      TEXT NOT NULL,
    name       TEXT NOT NULL,
    principal  TEXT NOT NULL,
    expires    REAL,
    PRIMARY KEY (place, name)
);
CREATE INDEX owners_by_end ON owners (expires);
"""
