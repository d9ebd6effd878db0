"""Which put to buy, and how many."""

import math

from levsleeve.compiled import Floats, rule
from levsleeve.pricing.listing import listed_strike_at_or_below

CONTRACT_SHARES = 100.0
"""Shares that a standard contract delivers."""


@rule
def put_contracts(shares: float, coverage: float) -> float:
    """Whole contracts that cover at most ``coverage`` of long ``shares``.

    Examples
    --------
    >>> put_contracts(1250.0, 1.0), put_contracts(1250.0, 0.5), put_contracts(-300.0, 1.0)
    (12.0, 6.0, 0.0)
    """
    if shares <= 0.0:
        return 0.0
    return math.floor(coverage * shares / CONTRACT_SHARES) * 1.0


@rule
def put_strike(price_usd: float, moneyness: float) -> float:
    """The highest listed strike not above ``moneyness`` times the fund's close."""
    return listed_strike_at_or_below(moneyness * price_usd)


@rule
def nearest_expiry(today: float, expiries: Floats, tenor_days: float) -> float:
    """The listed expiry (a date ordinal) nearest ``tenor_days`` ahead, the earlier on ties.

    Only expiries after ``today`` count, and they must rise; 0.0 when there is none.

    Examples
    --------
    >>> import numpy as np
    >>> float(nearest_expiry(100.0, np.array([90.0, 100.0, 120.0, 148.0]), 30.0))
    120.0
    """
    low, high = 0, expiries.size
    while low < high:  # the first one that is no less than the tenor away
        middle = (low + high) // 2
        if expiries[middle] < today + tenor_days:
            low = middle + 1
        else:
            high = middle
    later = expiries[low] if low < expiries.size else 0.0
    earlier = expiries[low - 1] if low > 0 and expiries[low - 1] > today else 0.0
    if later <= today or (
        earlier > 0.0 and today + tenor_days - earlier <= later - today - tenor_days
    ):
        return earlier
    return later
