"""What callers say of stored documents, to filter by: with a document, and again with each passage that is found.

Source: the schemas CustomMetadata and GroundingChunkCustomMetadata of the v1beta discovery document, which are alike.
"""

from __future__ import annotations

from gemini_server.rest.endpoint import Wire


class StringList(Wire):
    """Several texts."""

    values: list[str] = []


class CustomMetadata(Wire):
    """A key and one of three values."""

    key: str = ""
    string_value: str | None = None
    numeric_value: float | None = None
    string_list_value: StringList | None = None

    @property
    def value(self) -> str | float | list[str]:
        """The value, whichever it is."""
        if self.string_list_value is not None:
            return self.string_list_value.values
        return self.numeric_value if self.numeric_value is not None else self.string_value or ""
