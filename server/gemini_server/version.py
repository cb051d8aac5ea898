"""The version of the installed distribution."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from gemini_server.settings import APP


def package_version() -> str:
    """The version; `0` for a source tree that was never installed."""
    try:
        return version(APP)
    except PackageNotFoundError:
        return "0"
