"""Sums of money that know when they do not know."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache


@lru_cache(maxsize=512)
def _exact(value: float) -> Decimal:
    # Through `str`: a float's shortest form is the price that is meant, its binary value is not.
    return Decimal(str(value))


class Bill:
    """A sum that becomes unknown, for good, with the first quantity that has no price."""

    def __init__(self) -> None:
        self.total: Decimal | None = Decimal(0)

    def add(self, quantity: float, share: Decimal, *prices: float | None) -> None:
        """Adds a quantity at the first price that is known."""
        if quantity <= 0 or self.total is None:
            return
        price = next((price for price in prices if price is not None), None)
        # Through `str`: a float's shortest form is the price that is meant, its binary value is not.
        self.total = None if price is None else self.total + _exact(quantity) * _exact(price) * share
