"""What a process has used so far, as its operating system counts it: CPU, memory, descriptors."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

LINUX = sys.platform == "linux"


class Gauge:
    """Reads the meters of another process of this user: from /proc on Linux, through psutil elsewhere."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        if not LINUX:
            import psutil

            self._process = psutil.Process(pid)
        self._watch: _Watch | None = None

    def cpu(self) -> float:
        """Seconds of CPU, user and system, since the process began."""
        if LINUX:
            # The process's own clock (clock_getcpuclockid), exact to the microsecond; /proc/PID/stat counts in 10 ms.
            return time.clock_gettime((~self.pid << 3) | 2)
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def rss(self) -> int:
        """Bytes of memory that are resident now."""
        return self._status("VmRSS") if LINUX else int(self._process.memory_info().rss)

    def begin_peak(self) -> None:
        """Forget the highest memory so far."""
        if LINUX:
            Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")
        else:
            self._watch = _Watch(self)

    def peak(self) -> int:
        """The most bytes of memory that were resident at once, since the start or since `begin_peak`."""
        if LINUX:
            return self._status("VmHWM")
        return self._watch.stop() if self._watch else self.rss()

    def descriptors(self) -> int:
        """How many files, pipes and sockets are open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir())) if LINUX else int(self._process.num_fds())

    def sockets(self) -> int:
        """How many of them are network connections."""
        if not LINUX:
            return len(self._process.net_connections(kind="tcp"))
        tables = (Path(f"/proc/{self.pid}/net/{name}").read_text(encoding="ascii") for name in ("tcp", "tcp6"))
        network = {line.split()[9] for table in tables for line in table.splitlines()[1:]}
        links = [str(link.readlink()) for link in Path(f"/proc/{self.pid}/fd").iterdir()]
        return sum(link.startswith("socket:[") and link[8:-1] in network for link in links)

    def threads(self) -> int:
        """How many threads there are."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir())) if LINUX else int(self._process.num_threads())

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise LookupError(name)


class _Watch:
    """Samples the memory of a process; for systems that keep no peak that can be reset."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._most = gauge.rss()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.wait(0.002):
            self._most = max(self._most, self._gauge.rss())

    def stop(self) -> int:
        self._done.set()
        self._thread.join()
        return self._most
