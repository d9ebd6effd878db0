"""What prices alone tell a sizing rule, as series by session: volatility, trend, momentum, Kelly.

Every function takes arrays by session and answers with one of the same length; what stands at ``t``
has seen nothing after the close of ``t``, and is nan until there are enough sessions.  The first
return of a series is a point in time, not an observation (see ``backtests.returns``).
"""

import math

import numpy as np

from levsleeve.compiled import Floats, array_rule

SESSIONS_A_YEAR = 252.0
"""Volatilities of sizing rules are a year's, as the field states them: BUS/252."""


@array_rule
def levels(returns: Floats) -> Floats:
    """The worth of a dollar by session: 1.0 on the first, then compounded returns."""
    worth = np.ones(returns.size)
    for t in range(1, returns.size):
        worth[t] = worth[t - 1] * (1.0 + returns[t])
    return worth


@array_rule
def rolling_mean(values: Floats, window: int) -> Floats:
    """Mean of the last ``window`` values.

    Examples
    --------
    >>> rolling_mean(np.array([1.0, 2.0, 6.0]), 2).tolist()
    [nan, 1.5, 4.0]
    """
    means = np.full(values.size, math.nan)
    for t in range(window - 1, values.size):
        total = 0.0
        for s in range(t - window + 1, t + 1):
            total += values[s]
        means[t] = total / window
    return means


@array_rule
def rolling_variance(returns: Floats, window: int, fewest: int) -> Floats:
    """Variance (ddof 1) of up to the last ``window`` returns, of no fewer than ``fewest``."""
    found = np.full(returns.size, math.nan)
    for t in range(fewest, returns.size):
        first = max(1, t - window + 1)
        n, mean, squares = t + 1 - first, 0.0, 0.0
        for s in range(first, t + 1):
            mean += returns[s]
        mean /= n
        for s in range(first, t + 1):
            squares += (returns[s] - mean) * (returns[s] - mean)
        found[t] = squares / (n - 1.0)
    return found


@array_rule
def rolling_return(returns: Floats, window: int, fewest: int) -> Floats:
    """Mean of up to the last ``window`` returns, of no fewer than ``fewest``."""
    found = np.full(returns.size, math.nan)
    for t in range(fewest, returns.size):
        first, total = max(1, t - window + 1), 0.0
        for s in range(first, t + 1):
            total += returns[s]
        found[t] = total / (t + 1 - first)
    return found


@array_rule
def rolling_volatility(returns: Floats, window: int) -> Floats:
    """Standard deviation (ddof 1) of the last ``window`` returns, a year.

    Examples
    --------
    >>> rolling_volatility(np.array([0.0, 0.01, -0.01, 0.01]), 3).round(4).tolist()
    [nan, nan, nan, 0.1833]
    """
    return np.sqrt(rolling_variance(returns, window, window) * SESSIONS_A_YEAR)


@array_rule
def ewma_volatility(returns: Floats, decay: float) -> Floats:
    """Root of the exponentially weighted mean of squared returns, a year.

    A return ``k`` sessions old weighs ``decay ** k``; the weights are made to sum to 1, so that the
    first sessions are not drawn towards zero.

    References
    ----------
    J.P. Morgan and Reuters (1996), RiskMetrics technical document: decay 0.94 for daily returns.
    """
    found = np.full(returns.size, math.nan)
    total, weight = 0.0, 0.0
    for t in range(1, returns.size):
        total = decay * total + returns[t] * returns[t]
        weight = decay * weight + 1.0
        found[t] = math.sqrt(total / weight * SESSIONS_A_YEAR)
    return found


@array_rule
def expanding_mean(values: Floats) -> Floats:
    """Mean of all values so far, those that are nan left out."""
    found = np.full(values.size, math.nan)
    total, n = 0.0, 0.0
    for t in range(values.size):
        if not math.isnan(values[t]):
            total += values[t]
            n += 1.0
        if n > 0.0:
            found[t] = total / n
    return found


@array_rule
def switched(values: Floats, enter_above: Floats, leave_at: Floats) -> Floats:
    """1.0 from a value above ``enter_above`` until one at or below ``leave_at``, else 0.0.

    It starts off; nan while any of the three is.

    Examples
    --------
    >>> ones = np.ones(4)
    >>> switched(np.array([0.9, 1.2, 1.0, 0.8]), 1.1 * ones, 0.9 * ones).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    found = np.full(values.size, math.nan)
    on = 0.0
    for t in range(values.size):
        if math.isnan(values[t]) or math.isnan(enter_above[t]) or math.isnan(leave_at[t]):
            continue
        if values[t] > enter_above[t]:
            on = 1.0
        elif values[t] <= leave_at[t]:
            on = 0.0
        found[t] = on
    return found


@array_rule
def trailing_return(worth: Floats, window: int, skip: int) -> Floats:
    """Return over the ``window`` sessions that ended ``skip`` sessions ago."""
    found = np.full(worth.size, math.nan)
    for t in range(window + skip, worth.size):
        found[t] = worth[t - skip] / worth[t - skip - window] - 1.0
    return found


@array_rule
def worst_moves(returns: Floats, sessions: int) -> Floats:
    """The deepest fall and the highest rise over ``sessions`` sessions so far, fractions >= 0.

    Shape (n_sessions, 2); both count from any close to a close up to so many sessions later.
    """
    found = np.zeros((returns.size, 2))
    for t in range(1, returns.size):
        found[t, 0], found[t, 1] = found[t - 1, 0], found[t - 1, 1]
        worth = 1.0
        for s in range(t, max(0, t - sessions), -1):
            worth *= 1.0 + returns[s]
            found[t, 0] = max(found[t, 0], 1.0 - worth)
            found[t, 1] = max(found[t, 1], worth - 1.0)
    return found


@array_rule
def rolling_covariances(returns: Floats, window: int) -> Floats:
    """Covariances (ddof 1) a session of the last ``window`` returns, shape (n_sessions, n, n).

    ``returns`` are by session and fund.
    """
    n_sessions, n = returns.shape
    found = np.full((n_sessions, n, n), math.nan)
    means = np.zeros(n)
    for t in range(window, n_sessions):
        for i in range(n):
            means[i] = 0.0
            for s in range(t - window + 1, t + 1):
                means[i] += returns[s, i] / window
        for i in range(n):
            for j in range(i + 1):
                total = 0.0
                for s in range(t - window + 1, t + 1):
                    total += (returns[s, i] - means[i]) * (returns[s, j] - means[j])
                found[t, i, j] = found[t, j, i] = total / (window - 1.0)
    return found
