"""The money-weighted return: what dollars earned, each for the time that it was in the account."""

import math

import numpy as np
import pandas as pd

from levsleeve.backtests.metrics import years
from levsleeve.backtests.returns import aligned, sessions_of
from levsleeve.compiled import Floats
from levsleeve.errors import StudyError

FARTHEST = 2.0**30
"""No growth is sought beyond exp(+-FARTHEST) over the whole span."""

_EXACT = 1e-15
"""Of a logarithm of growth: as near as floats come."""


def money_weighted_return(
    starting_usd: float, external: pd.Series, ending_usd: float, sessions: pd.Index
) -> float:
    """Annual rate at which the starting cash and all external flows grow to the ending equity.

    It compounds in calendar time, 365.25 days a year from the first session to the last; without
    flows it is the compound annual growth rate.  Where several rates solve it, this one has the
    sign of the gain in dollars.

    Parameters
    ----------
    starting_usd
        Cash before the first session, positive; a flow of the first session comes on top.
    external
        Dollars paid in (positive) or taken out at the start of each session, on ``sessions`` at
        least.  As in ``periodic_returns`` a flow works from then on, so it is dated the close
        before; that of the first session, which has none before, the first session itself.
    ending_usd
        Equity at the last session's close.

    Returns
    -------
    float
        -1.0 for an account that was wiped, by convention whatever was taken out before; inf if
        beyond a float; NaN if no rate solves it, which takes withdrawals of all there was.

    Raises
    ------
    StudyError
        If the starting cash is not positive, the ending is no number, there are fewer than two
        sessions, or ``external`` lacks one.

    References
    ----------
    CFA Institute, Global Investment Performance Standards (2020), money-weighted return.
    """
    if not 0.0 < starting_usd < math.inf:
        raise StudyError(f"starting_usd: ${starting_usd:,.2f}; a positive amount is right")
    if not math.isfinite(ending_usd):
        raise StudyError(f"ending_usd: {ending_usd}; a number of dollars is right")
    if len(sessions) < 2:  # noqa: PLR2004  (a span has two ends)
        raise StudyError(f"sessions: too few ({len(sessions)}); at least 2 are needed")
    flows = aligned(external, pd.Series(0.0, index=sessions), "external")
    if ending_usd <= 0.0:
        return -1.0
    days = sessions_of(sessions).to_numpy()
    left = (days[-1] - np.concatenate([days[:1], days[:-1]])) / (days[-1] - days[0])
    growth = _log_growth(
        np.concatenate([[starting_usd], flows, [-ending_usd]]),
        np.concatenate([[1.0], left, [0.0]]),
    )
    with np.errstate(over="ignore"):
        return float(np.expm1(np.float64(growth) / years(sessions)))


def _log_growth(dollars: Floats, working: Floats) -> float:
    """Logarithm of growth over the span at which ``dollars`` make nothing; NaN if none does.

    ``working`` is the fraction of the span that each amount is at work; the ending, negative, none.
    """

    def surplus(growth: float) -> float:
        """Dollars above the ending, discounted to the start where that is smaller."""
        return float(dollars @ np.exp(growth * working - max(growth, 0.0)))

    from scipy.optimize import brentq  # a third of a second, only where it is asked for

    at_rest = surplus(0.0)
    if at_rest == 0.0:
        return 0.0
    sign = math.copysign(1.0, at_rest)
    edge = -sign
    while surplus(edge) * sign > 0.0:
        edge *= 2.0
        if abs(edge) > FARTHEST:
            return math.nan
    return float(brentq(surplus, 0.0, edge, xtol=_EXACT))
