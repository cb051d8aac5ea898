"""Who may do what with a corpus or a tuned model.

Source: `corpora.permissions` and `tunedModels.permissions` of the API reference. Whoever makes a resource owns it; the
emulator knows no accounts, so that is always the same address.
"""

from __future__ import annotations

import secrets

from .errors import ApiError, invalid
from .wire import Object

CREATOR = "owner@example.com"
_EVERYONE = "everyone"


class Permissions:
    """The permissions of one resource.

    Args:
        parent: its name.
    """

    def __init__(self, parent: str) -> None:
        self._parent = parent
        self._items: dict[str, Object] = {}
        self.create("USER", CREATOR, "OWNER")

    def create(self, grantee_type: str, email: str, role: str) -> Object:
        """Grant a role.

        Raises:
            ApiError: 409 for a grantee who has one already.
        """
        if self._of(grantee_type, email) is not None:
            raise ApiError(409, f"{email or _EVERYONE} already has a permission.", name="ALREADY_EXISTS")
        ident = _EVERYONE if grantee_type == "EVERYONE" else secrets.token_hex(8)
        grantee: Object = {"granteeType": grantee_type, **({"emailAddress": email} if email else {})}
        self._items[ident] = {"name": f"{self._parent}/permissions/{ident}", **grantee, "role": role}
        return dict(self._items[ident])

    def get(self, ident: str) -> Object:
        """A permission.

        Raises:
            ApiError: 404 for an unknown one.
        """
        return dict(self._find(ident))

    def all(self) -> list[Object]:
        """All of them, oldest first."""
        return [dict(one) for one in self._items.values()]

    def change(self, ident: str, role: str) -> Object:
        """Give a grantee another role.

        Raises:
            ApiError: 400 for the owner, and as `get`.
        """
        self._find_other(ident)["role"] = role
        return self.get(ident)

    def delete(self, ident: str) -> None:
        """Take a role away.

        Raises:
            ApiError: as `change`.
        """
        self._find_other(ident)
        del self._items[ident]

    def transfer(self, email: str) -> None:
        """Make somebody else the owner; who was it becomes a writer.

        Raises:
            ApiError: 400 for who is the owner already.
        """
        known = self._of("USER", email)
        if known is not None and known["role"] == "OWNER":
            raise invalid(f"{email} is the owner already.")
        for one in self._items.values():
            if one["role"] == "OWNER":
                one["role"] = "WRITER"
        if known is None:
            self.create("USER", email, "OWNER")
        else:
            known["role"] = "OWNER"

    def _of(self, grantee_type: str, email: str) -> Object | None:
        same = (one for one in self._items.values() if one["granteeType"] == grantee_type)
        return next((one for one in same if one.get("emailAddress", "").lower() == email.lower()), None)

    def _find(self, ident: str) -> Object:
        if ident not in self._items:
            raise ApiError(404, f"Requested entity was not found: {self._parent}/permissions/{ident}")
        return self._items[ident]

    def _find_other(self, ident: str) -> Object:
        found = self._find(ident)
        if found["role"] == "OWNER":
            message = "The permission of the owner can neither be changed nor deleted; transfer the ownership instead."
            raise ApiError(400, message, name="FAILED_PRECONDITION")
        return found
