"""The strikes an exchange lists."""

import math

from levsleeve.compiled import rule

LOW_BAND_USD = 25.0
HIGH_BAND_USD = 200.0
ROUNDING = 1e-12
"""A target that meets a strike up to the rounding of a product is not below it: 0.7 x 90 is 63."""


@rule
def strike_interval(strike: float) -> float:
    """Dollars between listed strikes: 0.50 below 25, 1 to 200, 5 above (assumed grid)."""
    if strike < LOW_BAND_USD:
        return 0.5
    return 1.0 if strike <= HIGH_BAND_USD else 5.0


@rule
def listed_strike_at_or_below(target: float) -> float:
    """The highest listed strike not above ``target``; never below the lowest one, $0.50.

    Examples
    --------
    >>> [listed_strike_at_or_below(x) for x in (0.2, 17.3, 84.99, 203.0, 219.9)]
    [0.5, 17.0, 84.0, 200.0, 215.0]
    """
    interval = strike_interval(target)
    return max(0.5, math.floor(target / interval * (1.0 + ROUNDING)) * interval)
