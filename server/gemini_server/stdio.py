"""MCP over stdin and stdout, with the clean end that the SDK leaves to its host.

The SDK reads stdin in a thread that nothing can interrupt, so SIGINT would hang until the client speaks again, and
SIGTERM would kill the process before the ledger is written. Here all three ends (EOF, SIGTERM, SIGINT) cancel the
serving, run the clean-up, flush, and leave with `os._exit`.
"""

from __future__ import annotations

import os
import signal
import sys

import anyio
import anyio.abc
from mcp.server.stdio import stdio_server

from gemini_server.app import build
from gemini_server.settings import Settings

GRACE_SECONDS = 2.5
"""How long the clean-up may take after a signal or EOF; clients kill a server that takes much longer."""


def serve(settings: Settings) -> int:
    """Serve one client until it goes away or a signal comes; returns the exit status."""
    status = anyio.run(_serve, settings)
    _leave(status)
    return status


async def _serve(settings: Settings) -> int:
    server = build(settings)
    status = 0
    async with anyio.create_task_group() as tasks:

        async def watch(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            nonlocal status
            with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                task_status.started()
                async for number in signals:
                    status = 128 + number if number == signal.SIGINT else 0
                    _leave_after(GRACE_SECONDS, status)
                    tasks.cancel_scope.cancel()

        if sys.platform != "win32":
            await tasks.start(watch)
        async with stdio_server() as (read, write):
            # What a library prints must not reach the wire, not even when buffers are flushed at the end.
            sys.stdout = sys.stderr
            await server.run(read, write, server.create_initialization_options())
        _leave_after(GRACE_SECONDS, status)
        tasks.cancel_scope.cancel()
    return status


def _leave_after(seconds: float, status: int) -> None:
    import threading

    timer = threading.Timer(seconds, _leave, (status,))
    timer.daemon = True
    timer.start()


def _leave(status: int) -> None:
    # The thread that reads stdin would keep the interpreter from ending.
    sys.stderr.flush()
    os._exit(status)
