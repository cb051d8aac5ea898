"""A project and location of the Enterprise backend: the long names of its resources, and their short ones here."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONG = re.compile(r"(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/google/)?(?P<short>.+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything of one server is.

    Attributes:
        project: the id of the Google Cloud project.
        location: a region, or `global`.
        storage: a folder of Cloud Storage without a slash at its end, `gs://bucket/folder`; None where none is set.
    """

    project: str
    location: str
    storage: str | None = None

    @property
    def name(self) -> str:
        """`projects/P/locations/L`."""
        return f"projects/{self.project}/locations/{self.location}"

    def long(self, name: str) -> str:
        """The platform's name of a resource: `models/…` are those of Google, all else is the project's."""
        publisher = "publishers/google/" if name.startswith("models/") else ""
        return f"{self.name}/{publisher}{name}"

    def own(self, name: str) -> str:
        """The short name of what is named in full, where it is of this place; any other name stays."""
        return self.short(name) if name.startswith((f"{self.name}/", "publishers/google/")) else name

    def short(self, name: str) -> str:
        """The name of a resource as the Developer API would have it."""
        found = _LONG.fullmatch(name)
        return found["short"].replace("batchPredictionJobs/", "batches/", 1) if found else name
