"""The tables of the job ledger, in the words of SQLite (see `schema`). Times are fractional seconds since 1970."""

JOBS = """
CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,
    principal   TEXT NOT NULL,
    kind        TEXT NOT NULL,
    tool        TEXT NOT NULL,
    work        TEXT NOT NULL,
    model       TEXT NOT NULL,
    state       TEXT NOT NULL,
    identity    TEXT,
    request     TEXT,
    wish        TEXT NOT NULL,
    operation   TEXT,
    progress    REAL,
    message     TEXT NOT NULL,
    result      TEXT NOT NULL,
    error       TEXT,
    inputs      TEXT,
    answers     TEXT,
    cost_nanos  INTEGER,
    cancelling  INTEGER NOT NULL,
    owner       TEXT NOT NULL,
    lease       REAL NOT NULL,
    created     REAL NOT NULL,
    updated     REAL NOT NULL,
    expires     REAL,
    version     INTEGER NOT NULL,
    place       TEXT NOT NULL
);
CREATE UNIQUE INDEX jobs_identity ON jobs (identity) WHERE identity IS NOT NULL;
CREATE INDEX jobs_of_principal ON jobs (principal, created);
CREATE INDEX jobs_by_state ON jobs (state, lease);
CREATE TABLE job_media (
    job        TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    artifact   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    mime_type  TEXT NOT NULL,
    uri        TEXT,
    bytes      INTEGER,
    sha256     TEXT,
    saved      INTEGER NOT NULL,
    PRIMARY KEY (job, position)
);
"""
