"""How a resource is named: the argument that takes the name, what it looks like, and where it goes in a path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Any

from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import Endpoint

_ID = r"[A-Za-z0-9][\w.\-]{0,127}"


@dataclass(frozen=True)
class Name:
    """The name of a kind of resource.

    Attributes:
        argument: what the argument is called: `id`, `name`, `corpus`.
        template: what a whole name looks like, a star for each part that varies: `corpora/*/documents/*`.
        described: the description of the argument; by default the template.
    """

    argument: str
    template: str
    described: str = ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(re.escape(self.template).replace(r"\*", f"({_ID})"), re.ASCII)

    @property
    def collection(self) -> str:
        """The last word before the last star: `documents`."""
        return self.template.rpartition("/")[0].rpartition("/")[2]

    @property
    def description(self) -> str:
        """What the argument is."""
        return self.described or self.template.replace("*", "ID")

    def full(self, given: str, parent: str | None = None) -> str:
        """The whole name, from what a caller gave: the whole name or, where that says enough, the id alone.

        Args:
            given: by the caller.
            parent: the whole name of what it is in, where the caller gave that.

        Raises:
            ArgumentError: it is no such name, or is in something else.
        """
        named = given.strip()
        if re.fullmatch(_ID, named, re.ASCII) and (parent is not None or self.template.count("*") == 1):
            return f"{parent}/{self.collection}/{named}" if parent else self.template.replace("*", named)
        if self._pattern.fullmatch(named) is None:
            raise ArgumentError(
                f"The argument {self.argument!r} is no name of this kind: {given[:80]!r}. Nothing was sent.",
                f"Give {self.description}.",
            )
        if parent is not None and not named.startswith(f"{parent}/"):
            raise ArgumentError(f"{named} is not in {parent}; nothing was sent.", "Name one that is.")
        return named


def placed(endpoint: Endpoint[Any], name: Name | None, full: str) -> dict[str, str]:
    """The path parameters of an endpoint that takes one name: the whole of it, or its id where the path has the rest.

    Raises:
        TypeError: the endpoint takes another number of names: a bug of the caller.
    """
    fields = [field for _, field, _, _ in Formatter().parse(endpoint.path) if field and field != "version"]
    if len(fields) != (1 if name else 0):
        raise TypeError(f"{endpoint.path} takes {len(fields)} names")
    if name is None:
        return {}
    bare = f"{name.collection}/{{{fields[0]}}}" in endpoint.path
    return {fields[0]: full.rpartition("/")[2] if bare else full}
