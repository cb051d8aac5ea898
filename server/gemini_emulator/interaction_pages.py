"""Lists of the Interactions family: one page, and the token of the next.

Source: the list methods of agents, environments, voices and credentials in the schema of the official SDK.
"""

from __future__ import annotations

import re

from .exchange import Call, Reply
from .interaction_errors import refused
from .store import page
from .wire import Object

PAGES = frozenset({"page_size", "page_token"})
LARGEST = 1000
_USUAL = 50
_IDENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")


def listed(call: Call, items: list[Object], key: str) -> Reply:
    """The reply of a list method; what is empty is left out.

    Args:
        call: whose `page_size` (50 if not given, 1,000 at most) and `page_token` count.
        items: all of them.
        key: the field that holds them.

    Raises:
        ApiError: 400 for a size that is no number or negative, and for a token that no page gave out.
    """
    size = call.integer("page_size", "page_size")
    found, token = page(items, size, call.query.get("page_token", ""), default=_USUAL, largest=LARGEST)
    return Reply({**({key: found} if found else {}), **({"next_page_token": token} if token else {})})


def check_ident(ident: str) -> str:
    """An id that a client has chosen, if it can be one: it becomes a segment of a path.

    Raises:
        InteractionError: 400.
    """
    if not _IDENT.fullmatch(ident):
        raise refused(
            f"Invalid id '{ident}': at most 63 letters, digits, underscores and dashes, beginning and ending with a "
            "letter or digit."
        )
    return ident


def flag(call: Call, name: str) -> bool:
    """A boolean query parameter; false when it is absent.

    Raises:
        InteractionError: 400 when it is something else.
    """
    value = call.query.get(name, "false").lower()
    if value not in ("true", "false", "1", "0", ""):
        raise refused(f"Invalid value '{value}' at '{name}': expected a boolean.")
    return value in ("true", "1")
