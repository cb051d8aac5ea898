"""The table of uploads, in the words of SQLite (see `schema`). Times are fractional seconds since 1970."""

UPLOADS = """
CREATE TABLE uploads (
    job          TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    principal    TEXT NOT NULL,
    place        TEXT NOT NULL,
    origin       TEXT NOT NULL,
    sha256       TEXT,
    bytes        INTEGER NOT NULL,
    mime_type    TEXT NOT NULL,
    name         TEXT NOT NULL,
    session      TEXT,
    granularity  INTEGER NOT NULL,
    starts       INTEGER NOT NULL,
    state        TEXT NOT NULL,
    uri          TEXT,
    display_name TEXT,
    expires      REAL,
    confirmed    REAL
);
CREATE INDEX uploads_alike ON uploads (principal, place, bytes, mime_type);
CREATE INDEX uploads_by_name ON uploads (name);
"""

UPLOAD_LINKS = """
CREATE TABLE upload_links (
    id         TEXT PRIMARY KEY,
    principal  TEXT NOT NULL,
    mime_type  TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    name       TEXT NOT NULL,
    expires    REAL NOT NULL
);
CREATE INDEX upload_links_by_end ON upload_links (expires);
"""
