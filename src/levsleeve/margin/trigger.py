"""The move that calls an account, in closed form, where no dollar floor and no option bears on it.

Elsewhere it is found by solving; both agree where both apply.
"""

import math

from levsleeve.compiled import Floats, rule


@rule
def long_call_price(debit_usd: float, shares: float, rate: float) -> float:
    """Price at which a long position is called: ``rate`` is its maintenance rate; nan if never.

    Examples
    --------
    >>> long_call_price(16_000.0, 1000.0, 0.75)
    64.0
    """
    if debit_usd <= 0.0 or rate >= 1.0 or shares <= 0.0:
        return math.nan
    return debit_usd / (shares * (1.0 - rate))


@rule
def short_call_price(credit_usd: float, shares: float, rate: float) -> float:
    """Price at which a short position is called; ``credit_usd`` is cash, the proceeds in it.

    Examples
    --------
    >>> round(short_call_price(110_000.0, 1000.0, 0.90), 4)
    57.8947
    """
    if shares <= 0.0:
        return math.nan
    return credit_usd / (shares * (1.0 + rate))


@rule
def index_move_to_call(
    equity_usd: float, values_usd: Floats, multiples: Floats, rates: Floats
) -> float:
    """One-day index return at which excess liquidity is zero; nan if no move makes it so.

    ``values_usd`` are signed market values per fund, ``rates`` maintenance rates.  The move may lie
    on either side of zero.

    Examples
    --------
    >>> import numpy as np
    >>> values, multiples = np.array([80_000.0, 6_000.0]), np.array([2.0, -2.0])
    >>> round(index_move_to_call(50_000.0, values, multiples, np.array([0.5, 0.5])), 10)
    -0.0945945946
    """
    excess, slope = equity_usd, 0.0
    for i in range(values_usd.size):
        size = abs(values_usd[i])
        excess -= rates[i] * size
        slope += values_usd[i] * multiples[i] - rates[i] * size * multiples[i]
    if slope == 0.0:
        return math.nan
    return -excess / slope


@rule
def gap_safe_utilization(multiple: float, rate: float, short: bool, index_move: float) -> float:
    """Utilization up to which a one-day ``index_move`` against the position cannot call it.

    ``index_move`` is the size of the move, ``multiple`` a magnitude, ``rate`` the maintenance rate.

    Examples
    --------
    >>> round(gap_safe_utilization(3.0, 0.75, False, 0.05), 4)
    0.9524
    """
    moved = multiple * index_move
    sign = 1.0 if short else -1.0
    return 1.0 / (1.0 + sign * moved + moved / rate)


@rule
def excess_per_dollar(rate: float, short: bool) -> float:
    """Change of excess liquidity per dollar that a position moves against the account, < 0.

    Examples
    --------
    >>> excess_per_dollar(0.75, False), excess_per_dollar(0.90, True)
    (-0.25, -1.9)
    """
    return -(1.0 + rate) if short else -(1.0 - rate)
