"""What a running call is doing, on stderr: a bar and the text as it comes on a terminal, short lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

TAIL = 12
"""Lines of streamed text that are shown while it comes."""


class Pieces:
    """Tells pieces of the answer from remarks: a piece moves the value on by exactly its characters."""

    def __init__(self) -> None:
        self._last = 0.0

    def is_text(self, value: float, total: float | None, message: str | None) -> bool:
        """Whether a message is part of the answer."""
        moved = value - self._last
        self._last = value
        return message is not None and total is None and abs(moved - len(message)) < 1e-6


class Display(Protocol):
    """Shows progress for as long as its block runs."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def report(self, progress: float, total: float | None, message: str | None) -> None:
        """One notification of the server."""
        ...


class Lines:
    """One line for each new remark; the text itself waits for the answer."""

    def __init__(self) -> None:
        self._pieces = Pieces()
        self._said: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    async def report(self, progress: float, total: float | None, message: str | None) -> None:
        """One notification of the server."""
        if self._pieces.is_text(progress, total, message) or not message or message == self._said:
            return
        self._said = message
        share = f" ({progress / total:.0%})" if total else ""
        print(f"… {message}{share}", file=sys.stderr, flush=True)


class Screen:
    """A bar and the end of the text so far; gone when the answer is there."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self._title = title
        self._pieces = Pieces()
        self._text = ""
        self._remark = ""
        self._value = 0.0
        self._total: float | None = None
        self._console = Console(stderr=True)
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            transient=True,
            refresh_per_second=8,
            redirect_stdout=False,
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take everything off the screen."""
        self._live.__exit__(kind, error, trace)

    async def report(self, progress: float, total: float | None, message: str | None) -> None:
        """One notification of the server."""
        if self._pieces.is_text(progress, total, message):
            self._text += message or ""
        else:
            self._remark, self._value, self._total = message or self._remark, progress, total

    def _render(self) -> ConsoleRenderable:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        width = self._console.width
        shown = Text(self._text).wrap(self._console, width)[-TAIL:] if self._text else ()
        line = Table.grid(padding=(0, 1))
        # Without a total the bar moves to and fro: it is known only that something happens.
        bar = ProgressBar(total=self._total, completed=self._value, width=24, pulse=self._total is None)
        count = f"{len(self._text)} characters" if self._text else ""
        line.add_row(
            bar, Text(self._title, style="bold"), Text(self._remark or count, overflow="ellipsis", no_wrap=True)
        )
        return Group(*shown, line)


def display(title: str) -> Display:
    """The display that suits stderr."""
    return Screen(title) if sys.stderr.isatty() else Lines()
