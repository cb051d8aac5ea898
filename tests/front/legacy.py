"""What the tests of the legacy tools share: an emulator that still has the services, and what of them was reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import pytest
from anyio.from_thread import start_blocking_portal
from jsonschema.validators import Draft202012Validator

from gemini_emulator import Emulator, Options, running
from gemini_server.api import reference
from tests.conftest import Connect, as_if_new
from tests.front.conftest import TODAY


@pytest.fixture(scope="module")
def standing_old() -> Iterator[Emulator]:
    """One emulator of the API as it once was, for all tests of a module."""
    options = Options(today=TODAY, legacy_services=True)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(options)) as started:
        yield started


@pytest.fixture
def old(standing_old: Emulator) -> Emulator:
    """It, without a memory of the requests before."""
    return as_if_new(standing_old)


@pytest.fixture
def connect_old(connect: Connect, old: Emulator) -> Connect:
    """Connect to a server with all tools that talks to it."""
    return partial(connect, base_url=old.url, toolsets=("all",), poll=0.02)


def reached(emulator: Emulator) -> set[str]:
    """The methods that requests reached, `resource.method`; those of version v1 as `v1.resource.method`.

    What was sent to them is held against Google's schemas.
    """
    found: set[str] = set()
    for one in emulator.requests:
        path, verb = str(one["path"]), str(one["method"])
        version = path.split("/")[1]
        names = [name for name, (method, fits) in _METHODS.items() if method == verb and fits(path)]
        assert len(names) == 1, (verb, path, names)
        schema = reference.methods()[names[0]].schema()
        if schema is not None:
            cast(Any, Draft202012Validator(schema)).validate(one["body"])
        found.add(f"v1.{names[0]}" if version == "v1" else names[0])
    return found


def _matcher(path: str) -> Callable[[str], object]:
    pattern = (
        re.escape("/" + path).replace(r"\{version\}", r"v1\w*").replace(r"operations/\{operation\}", "operations/.+")
    )
    return re.compile(re.sub(r"\\{\w+\\}", r"[^/:]+", pattern)).fullmatch


_METHODS = {
    one.name: (one.verb, _matcher(one.path))
    for one in reference.methods().values()
    if one.family == "google" and one.name != "operations.delete"
} | {"operations.delete": ("DELETE", _matcher("v1/operations/{operation}"))}
