"""Money in the ledger: whole nano-dollars, so that sums are exact. The cheapest token of the catalogue costs 10."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

NANOS = 1_000_000_000
"""Of a US dollar."""


_MOST_DOLLARS = 10**6


def cost_nanos(dollars: Decimal | float) -> int:
    """What one call cost, as whole nano-dollars that a column holds."""
    return to_nanos(min(dollars, _MOST_DOLLARS))


def to_nanos(dollars: Decimal | float) -> int:
    """Dollars as whole nano-dollars."""
    if not isinstance(dollars, Decimal):
        return round(dollars * NANOS)  # exact to the nano-dollar below a million dollars
    return int((dollars * NANOS).to_integral_value(ROUND_HALF_EVEN))


def from_nanos(nanos: int) -> Decimal:
    """Nano-dollars as dollars."""
    return Decimal(nanos) / NANOS
