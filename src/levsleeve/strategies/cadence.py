"""On which sessions a sleeve sets its weights anew."""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from levsleeve.errors import StudyError

Cadence = Literal["daily", "weekly", "monthly", "quarterly", "once", "band", "reset"]
CADENCES = get_args(Cadence)
_PERIODS: dict[str, str | None] = {
    "daily": "D",
    "weekly": "W-FRI",
    "monthly": "M",
    "quarterly": "Q",
    "once": None,
    "band": "D",
    "reset": "D",
}


def rebalance_sessions(
    sessions: pd.DatetimeIndex, cadence: str, offset: int = 0
) -> NDArray[np.bool_]:
    """Whether a sleeve sets its weights anew at each session's close.

    The first session of each week, month or quarter decides, or the one ``offset`` sessions later,
    and the very first one always; in a period that is shorter its last session.  Only the calendar
    is looked at, which is known ahead.  ``once`` decides on the first session only.  ``band`` looks
    at every close and trades what left the band; ``reset`` follows the fund's own, which is daily.

    Raises
    ------
    StudyError
        If the cadence is unknown.
    """
    if cadence not in _PERIODS:
        raise StudyError(f"rebalance: {cadence!r}; one of {', '.join(_PERIODS)} is right")
    frequency = _PERIODS[cadence]
    due = np.zeros(len(sessions), dtype=np.bool_)
    if frequency is not None:
        periods = sessions.to_period(frequency)
        begins = np.concatenate([[True], np.asarray(periods[1:] != periods[:-1])])
        first = np.flatnonzero(begins)
        lasts = np.append(first[1:], first[-1] + offset + 1) - 1  # of the last period not known yet
        chosen = np.minimum(first + offset, lasts)
        chosen[:1] = (
            offset if offset <= lasts[0] else 0
        )  # it may have begun before the first session
        due[chosen[chosen < len(sessions)]] = True
    due[:1] = True
    return due
