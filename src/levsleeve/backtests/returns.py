"""Session returns: what a series of them is, made from equity and checked before use.

A *series of returns* has one row a session, in order.  Its first row is 0.0: the session whose
close is the base, with nothing earned yet.  It ends with the session that wipes the account
(-1.0), if there is one.
"""

import numpy as np
import pandas as pd

from levsleeve.compiled import Floats
from levsleeve.errors import StudyError


def sessions_of(index: pd.Index) -> pd.DatetimeIndex:
    """The index as midnights without a time zone, whatever kind of date it holds."""
    return pd.DatetimeIndex(pd.to_datetime(index)).tz_localize(None).normalize()


def periodic_returns(
    equity: pd.Series, external: pd.Series | None = None, carry: pd.Series | None = None
) -> pd.Series:
    """Session returns of an account worth ``equity`` dollars at each close.

    Parameters
    ----------
    equity
        Net liquidation in dollars, one row a session, positive on the first.
    external
        Dollars paid in (positive) or taken out at the start of the session.  They work from then
        on, so they enlarge the base of that session's return; the first row's are part of the base.
    carry
        Dollars of interest and fees that the session posted before them, on what was there; left
        out, none.

    Returns
    -------
    pd.Series
        Named ``returns``; first row 0.0.  Equity at or below zero returns -1.0 and ends the series:
        what is owed beyond it is the ledger's business.
    """
    _check_rows(equity, "equity", least=1)
    worth = equity.to_numpy(dtype=np.float64)
    flows = np.zeros_like(worth) if external is None else aligned(external, equity, "external")
    if worth[0] <= 0:
        raise StudyError(
            f"equity: starts at ${worth[0]:,.2f} on {_day(equity, 0)}; it must be positive"
        )
    alive = int(np.argmax(worth <= 0)) + 1 if (worth <= 0).any() else len(worth)
    posted = np.zeros_like(worth) if carry is None else aligned(carry, equity, "carry")
    before, moved = worth[: alive - 1], flows[1:alive] != 0.0
    base = before + np.where(moved, posted[1:alive] + flows[1:alive], 0.0)
    if (base <= 0).any():
        row = int(np.argmax(base <= 0)) + 1
        raise StudyError(
            f"equity: the withdrawal of ${-flows[row]:,.2f} on {_day(equity, row)} takes all of "
            f"${worth[row - 1]:,.2f}; end the series before it"
        )
    carried = np.where(moved, 1.0 + posted[1:alive] / before, 1.0)
    changes = np.maximum(carried * worth[1:alive] / base - 1.0, -1.0)
    wiped = np.flatnonzero(changes == -1.0)  # also by rounding, when next to nothing is left
    changes = changes[: wiped[0] + 1] if len(wiped) else changes
    index = equity.index[: len(changes) + 1]
    return pd.Series(np.concatenate(([0.0], changes)), index=index, name="returns")


def checked_returns(returns: pd.Series, subject: str = "returns") -> Floats:
    """The values of a series of returns of two rows or more.

    Raises
    ------
    StudyError
        If a row is missing or out of order, the first is not 0.0, one loses more than everything,
        or the series goes on after a wipe.
    """
    _check_rows(returns, subject, least=2)
    changes: Floats = returns.to_numpy(dtype=np.float64)
    if changes[0] != 0.0:
        raise StudyError(
            f"{subject}: the first row, {_day(returns, 0)}, is {changes[0]}; it must be 0.0, "
            "the session before the first return"
        )
    lowest = int(np.argmin(changes))
    if changes[lowest] < -1.0:
        raise StudyError(
            f"{subject}: {changes[lowest]} on {_day(returns, lowest)} loses more than everything; "
            "the least is -1.0"
        )
    if changes[lowest] == -1.0 and lowest < len(changes) - 1:
        raise StudyError(
            f"{subject}: go on after the wipe of {_day(returns, lowest)}; they must end there"
        )
    return changes


def aligned(series: pd.Series, like: pd.Series, subject: str) -> Floats:
    """Values of ``series`` on the sessions of ``like``; it may hold others, but must hold these."""
    _check_rows(series, subject, least=1)
    values = pd.Series(series.to_numpy(dtype=np.float64), index=sessions_of(series.index))
    wanted = sessions_of(like.index)
    missing = wanted[~wanted.isin(values.index)]
    if len(missing):
        raise StudyError(
            f"{subject}: no row for {len(missing)} of {len(wanted)} sessions, "
            f"first {missing[0]:%Y-%m-%d}; every session needs one"
        )
    on_wanted: Floats = values.loc[wanted].to_numpy(dtype=np.float64)
    return on_wanted


def _check_rows(series: pd.Series, subject: str, least: int) -> None:
    """Refuse too few rows, a value that is no number, and sessions out of order or twice."""
    if len(series) < least:
        raise StudyError(f"{subject}: too few rows ({len(series)}); at least {least} are needed")
    broken = np.flatnonzero(~np.isfinite(series.to_numpy(dtype=np.float64)))
    if len(broken):
        raise StudyError(
            f"{subject}: {len(broken)} values are missing or infinite, first on "
            f"{_day(series, int(broken[0]))}; every session needs a number"
        )
    sessions = sessions_of(series.index)
    late = np.flatnonzero(sessions[1:] <= sessions[:-1])
    if len(late):
        raise StudyError(
            f"{subject}: {_day(series, int(late[0]) + 1)} does not follow "
            f"{_day(series, int(late[0]))}; sessions must rise"
        )


def _day(series: pd.Series, row: int) -> str:
    """ISO date of one row."""
    return f"{sessions_of(series.index)[row]:%Y-%m-%d}"
