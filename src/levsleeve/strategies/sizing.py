"""From a weight to whole shares, under a cap."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from levsleeve.compiled import hot_rule
from levsleeve.errors import StudyError

_PERIODS: dict[str, str | None] = {
    "daily": "D",
    "weekly": "W-FRI",
    "monthly": "M",
    "quarterly": "Q",
    "once": None,
}


@hot_rule
def capped_weight(weight: float, leveraged: bool, gross_leveraged: float, cap: float) -> float:
    """The weight that is allowed when all leveraged weights together are ``gross_leveraged``.

    Above the cap every leveraged weight shrinks in proportion; others are untouched.
    """
    if leveraged and gross_leveraged > cap:
        return weight * cap / gross_leveraged
    return weight


@hot_rule
def target_shares(weight: float, equity_usd: float, price_usd: float, share_parts: float) -> float:
    """Signed shares worth at most ``weight`` of equity; none of a worthless fund or account.

    ``share_parts`` is how many parts of a share trade: 1.0 for whole shares only.

    Examples
    --------
    >>> target_shares(0.5, 10_000.0, 33.0, 1.0), target_shares(-0.5, 10_000.0, 33.0, 10_000.0)
    (151.0, -151.5151)
    """
    if equity_usd <= 0.0 or price_usd <= 0.0:
        return 0.0
    return float(int(weight * equity_usd / price_usd * share_parts)) / share_parts


@hot_rule
def outside_band(
    shares: float, price_usd: float, weight: float, equity_usd: float, band: float
) -> bool:
    """Whether the weight held deviates from ``weight`` by more than ``band``, all of equity."""
    if equity_usd <= 0.0:
        return True
    return abs(shares * price_usd / equity_usd - weight) > band


def rebalance_sessions(sessions: pd.DatetimeIndex, cadence: str) -> NDArray[np.bool_]:
    """Whether a sleeve sets its weights anew at each session's close.

    The first session of each week, month or quarter decides, and the very first one always, so
    that nothing later is looked at; ``once`` decides on the first session only.

    Raises
    ------
    StudyError
        If the cadence is unknown.
    """
    if cadence not in _PERIODS:
        raise StudyError(f"rebalance: {cadence!r}; one of {', '.join(_PERIODS)} is right")
    frequency = _PERIODS[cadence]
    if frequency is None:
        due = np.zeros(len(sessions), dtype=np.bool_)
    else:
        periods = sessions.to_period(frequency)
        due = np.asarray(periods[1:] != periods[:-1])
        due = np.concatenate([[True], due])
    due[:1] = True
    return due
