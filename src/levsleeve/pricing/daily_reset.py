"""The daily-reset fund: a session's return, the path it compounds to, the trade it forces.

A fund of multiple L holds L dollars of index exposure per dollar of net asset value, reset at
every close.  A bull borrows L - 1 turns; a bear holds its own dollar and the proceeds of |L|
turns sold short, both in bills.
"""

import math

import numpy as np

from levsleeve.compiled import Floats, array_rule, rule

DAYS_PER_YEAR = 365.0
"""Rates accrue on actual calendar days over 365."""

MONEY_MARKET_DAYS = 360.0
"""The day count of swaps and bills in the literature's form."""

FIRST_CLOSE = 100.0
"""Dollars that a synthetic fund is worth at its first close."""

REVERSE_SPLIT_BELOW = 10.0
FORWARD_SPLIT_ABOVE = 400.0
SPLIT_RATIO = 4.0
"""A close below $10 brings 1 new share for 4 old; a close above $400 brings 4 for 1."""


@rule
def daily_reset_return(
    index_total_return: float,
    multiple: float,
    bill_rate: float,
    expense_rate: float,
    spread_rate: float,
    days: float,
) -> float:
    """Simple return of the fund's net asset value over one session, never below -1.

    Parameters
    ----------
    index_total_return
        Of the index with its dividends, never of another fund that follows it.
    bill_rate
        Simple, a year on 365 days, as known at the previous close.
    expense_rate
        Of net asset value a year: expense ratio and any other drag.
    spread_rate
        A year, per turn financed, over bills.  Negative on an inverse fund: its swaps pay it
        more than bills do.
    days
        Calendar days since the previous close.

    References
    ----------
    Avellaneda and Zhang, "Path-dependence of leveraged ETF returns", SIAM Journal on Financial
    Mathematics 1 (2010); Cheng and Madhavan, "The dynamics of leveraged and inverse
    exchange-traded funds", Journal of Investment Management 7 (2009).

    Examples
    --------
    >>> daily_reset_return(-0.40, 3.0, 0.0, 0.0, 0.0, 1.0)
    -1.0
    """
    turns = multiple - 1.0 if multiple > 0.0 else -multiple
    fund_return = (
        multiple * index_total_return
        - (multiple - 1.0) * bill_rate * days / DAYS_PER_YEAR
        - expense_rate * days / DAYS_PER_YEAR
        - spread_rate * turns * days / DAYS_PER_YEAR
    )
    if fund_return < -1.0:
        return -1.0
    return fund_return


@rule
def carry_rate(
    multiple: float, cash_rate: float, swap_spread_rate: float, expense_ratio: float
) -> float:
    """Yearly return of a fund beyond its multiple of the index, as the literature writes it.

    The swap spread counts per turn of exposure, |L|; a gain is positive.

    References
    ----------
    Avellaneda and Zhang (2010).

    Examples
    --------
    >>> round(carry_rate(3.0, 0.0533, 0.0045, 0.0092), 4)
    -0.1293
    """
    return (1.0 - multiple) * cash_rate - abs(multiple) * swap_spread_rate - expense_ratio


@rule
def literature_return(
    index_total_return: float,
    multiple: float,
    cash_rate: float,
    swap_spread_rate: float,
    expense_ratio: float,
    days: float,
) -> float:
    """Simple return over one session in the literature's form, never below -1.

    Cash and swaps accrue on 360 days, the expense ratio on 365, the spread on |L| turns.  The
    model fitted to real funds is ``daily_reset_return``.

    References
    ----------
    Avellaneda and Zhang (2010); Cheng and Madhavan (2009).
    """
    money = carry_rate(multiple, cash_rate, swap_spread_rate, 0.0) * days / MONEY_MARKET_DAYS
    expense = expense_ratio * days / DAYS_PER_YEAR
    return max(-1.0, multiple * index_total_return + money - expense)


@array_rule
def path_approximation(index_returns: Floats, multiple: float) -> float:
    """Value of a fund without carry after a path, per dollar before it: an approximation.

    References
    ----------
    Avellaneda and Zhang (2010): S^L exp((L - L^2) V / 2), V the sum of squared daily returns.

    Examples
    --------
    >>> import numpy as np
    >>> round(path_approximation(np.tile([0.01, -0.01], 126), 3.0), 6)
    0.892792
    """
    decay = 0.5 * (multiple - multiple * multiple) * np.sum(index_returns * index_returns)
    return math.exp(multiple * np.sum(np.log1p(index_returns)) + decay)


@array_rule
def net_asset_values(
    index_total_returns: Floats,
    bill_rates_previous: Floats,
    days: Floats,
    multiple: float,
    expense_rate: float,
    spread_rate: float,
) -> Floats:
    """Net asset value after each session per dollar before the first; a value of 0 stays 0.

    The arrays have one row a session.  A first session without a past has a return, a rate and
    a day count of 0, and so a value of 1.
    """
    values = np.empty(len(index_total_returns))
    worth = 1.0
    for session in range(len(index_total_returns)):
        worth *= 1.0 + daily_reset_return(
            index_total_returns[session],
            multiple,
            bill_rates_previous[session],
            expense_rate,
            spread_rate,
            days[session],
        )
        values[session] = worth
    return values


@rule
def split_after(close: float) -> float:
    """New shares per old on the session after a synthetic fund's close; 1 is no split."""
    if 0.0 < close < REVERSE_SPLIT_BELOW:
        return 1.0 / SPLIT_RATIO
    if close > FORWARD_SPLIT_ABOVE:
        return SPLIT_RATIO
    return 1.0


@array_rule
def as_traded_closes(values: Floats) -> tuple[Floats, Floats]:
    """Closes in dollars per share of the day, and each session's split, of a path of values.

    ``values`` are net asset values on any scale; the first close is $100.
    """
    closes = np.empty(len(values))
    splits = np.ones(len(values))
    shares = values[0] / FIRST_CLOSE
    closes[0] = FIRST_CLOSE
    for session in range(1, len(values)):
        splits[session] = split_after(closes[session - 1])
        shares *= splits[session]
        closes[session] = values[session] / shares
    return closes, splits


@rule
def effective_multiple(multiple: float, index_return: float) -> float:
    """Exposure per dollar of net asset value after an index return, before the reset.

    A bull's rises as the index falls.  0 once the fund is worth nothing.

    References
    ----------
    Cheng and Madhavan (2009), on the dynamics of the exposure within a day.
    """
    worth = 1.0 + multiple * index_return
    if worth <= 0.0:
        return 0.0
    return multiple * (1.0 + index_return) / worth
