"""The command as a shell runs it: a process of its own, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-W", "error", "-m", "gemini_server"]
CANARY = "AIzaSyCANARYcanaryCANARYcanaryCANARY123"
DEADLINE = 30.0


@dataclass(frozen=True)
class Shell:
    """Runs the command with nothing of the tester's own environment but the path.

    Attributes:
        home: where the command believes to be at home; also its working directory.
        variables: what is set besides.
    """

    home: Path
    variables: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def environment(self) -> dict[str, str]:
        temporary = self.home / "tmp"
        temporary.mkdir(exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TMPDIR": str(temporary),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "server"), str(ROOT / "tools")]),
            "COLUMNS": "100",
            **self.variables,
        }

    def run(self, *arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=DEADLINE,
            cwd=self.home,
            env={**self.environment, **variables},
            check=False,
        )

    @contextmanager
    def started(self, *arguments: str, **variables: str) -> Generator[subprocess.Popen[str]]:
        """The command while it runs; ended at the end, whatever happened."""
        with subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=self.home,
            env={**self.environment, **variables},
        ) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)
