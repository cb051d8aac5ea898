"""Keeping a turn in its conversation: the answer is paid for, so a ledger that fails is a warning and no failure."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

from gemini_server.errors import ToolserverError

_log = logging.getLogger(__name__)


@contextmanager
def failure_is_a_warning(warnings: list[str], what: str = "turn") -> Generator[None]:
    """Whatever fails within becomes a warning in the list.

    Args:
        warnings: where to complain.
        what: is being kept.
    """
    try:
        yield
    except ToolserverError as error:
        _log.warning("a %s could not be kept: %s", what, error.what)
        warnings.append(f"The {what} could not be kept in the conversation: {error}")
    except Exception:  # noqa: BLE001  whatever the ledger died of, the answer is paid for
        _log.exception("a %s could not be kept", what)
        warnings.append(f"The {what} could not be kept in the conversation: the ledger failed; see the log (stderr).")
