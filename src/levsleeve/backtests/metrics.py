"""Return and risk of one series of session returns, in calendar time.

The first row of a series of returns (see ``levsleeve.backtests.returns``) is 0.0: a point in time,
not an observation, so averages, deviations and tails leave it out.

Annual figures use calendar time, 365.25 days a year between the first and the last session, and
the sessions a year that this very series had.  The convention BUS/252 (252 sessions make a year)
moves a compound annual growth rate by up to 0.15 % a year; nothing here uses it.
"""

import math
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import pandas as pd

from levsleeve.backtests.returns import (
    aligned,
    checked_returns,
    periodic_returns,
    sessions_of,
)
from levsleeve.compiled import Floats
from levsleeve.errors import StudyError

__all__ = [
    "CoreMetrics",
    "DrawdownSpan",
    "best_session",
    "cagr",
    "calmar",
    "drawdown_span",
    "expected_shortfall",
    "max_drawdown",
    "measure",
    "periodic_returns",
    "sessions_per_year",
    "sharpe",
    "sharpe_geometric",
    "total_return",
    "volatility",
    "worst_session",
    "years",
]

DAYS_PER_YEAR = 365.25
TAIL = 0.01  # expected shortfall is of the worst 1 % of sessions
WHOLE = 1e-9  # a count this close above a whole number is that number: 0.07 x 100 is 7.000...01


def total_return(returns: pd.Series) -> float:
    """Fraction earned from the first session to the last, compounded."""
    return float(np.prod(1.0 + checked_returns(returns)) - 1.0)


def years(index: pd.Index) -> float:
    """Calendar years of 365.25 days from the first session to the last."""
    sessions = sessions_of(index)
    return float((sessions[-1] - sessions[0]).days / DAYS_PER_YEAR)


def sessions_per_year(index: pd.Index) -> float:
    """Sessions after the first, per calendar year: about 251.6 on the New York exchange."""
    return (len(index) - 1) / years(index)


def cagr(returns: pd.Series) -> float:
    """Compound annual growth rate in calendar time; -1.0 after a wipe, inf if beyond a float."""
    growth = np.float64(1.0 + total_return(returns))
    with np.errstate(over="ignore"):
        return float(growth ** (1.0 / years(returns.index)) - 1.0)


def volatility(returns: pd.Series) -> float:
    """Standard deviation (ddof 1) of the returns after the first row, a year.

    Exactly 0.0 if every session earned the same; NaN with fewer than two returns.
    """
    changes = checked_returns(returns)[1:]
    if len(changes) < 2:  # noqa: PLR2004  (a deviation needs two)
        return math.nan
    if np.ptp(changes) == 0.0:
        return 0.0
    return float(np.std(changes, ddof=1) * math.sqrt(sessions_per_year(returns.index)))


def sharpe(returns: pd.Series, bill_returns: pd.Series) -> float:
    """Arithmetic Sharpe ratio a year: mean excess over bills / deviation of the returns.

    ``bill_returns`` are what bills earned from one session's close to the next, on the same rows;
    it may reach further.  NaN if the volatility is zero or unknown.
    """
    excess = checked_returns(returns)[1:] - aligned(bill_returns, returns, "bill_returns")[1:]
    risk = volatility(returns)
    return (
        float(np.mean(excess)) * sessions_per_year(returns.index) / risk if risk > 0 else math.nan
    )


def sharpe_geometric(returns: pd.Series, bill_returns: pd.Series) -> float:
    """Sharpe ratio of growth rates: (CAGR - CAGR of bills) / volatility; NaN as `sharpe`.

    References
    ----------
    The ratio printed by Gayed & Bilello, Leverage for the Long Run (2016).  It is the lower one:
    compounding has already taken about half the variance from the growth rate.
    """
    risk = volatility(returns)
    return (cagr(returns) - _bill_cagr(returns, bill_returns)) / risk if risk > 0 else math.nan


def max_drawdown(returns: pd.Series) -> float:
    """Deepest fall below the highest close so far, the starting value included; never positive."""
    return float(np.min(_drawdowns(returns)))


@dataclass(frozen=True, slots=True)
class DrawdownSpan:
    """When the deepest drawdown began, was deepest and was made good (None: not yet)."""

    peak: date
    trough: date
    recovery: date | None


def drawdown_span(returns: pd.Series) -> DrawdownSpan | None:
    """Dates of the deepest drawdown, the earliest of equals; None if no close is below the first.

    The peak is the last session at the level that the fall is measured from; recovery is the first
    close at that level again.
    """
    drawdowns = _drawdowns(returns)
    trough = int(np.argmin(drawdowns))
    if drawdowns[trough] == 0.0:
        return None
    sessions = [day.date() for day in sessions_of(returns.index)]
    peak = int(np.flatnonzero(drawdowns[:trough] == 0.0)[-1])
    recovered = np.flatnonzero(drawdowns[trough:] == 0.0)
    recovery = sessions[trough + int(recovered[0])] if len(recovered) else None
    return DrawdownSpan(sessions[peak], sessions[trough], recovery)


def calmar(returns: pd.Series) -> float:
    """CAGR / size of the deepest drawdown; NaN without one."""
    depth = max_drawdown(returns)
    return cagr(returns) / -depth if depth < 0 else math.nan


def expected_shortfall(returns: pd.Series, level: float = TAIL) -> float:
    """Historical expected shortfall: mean of the worst ``ceil(level x n)`` of the n returns.

    A loss is negative.  No distribution is assumed; the first row is not one of the n.
    """
    if not 0.0 < level <= 1.0:
        raise StudyError(
            f"expected shortfall: level {level} is not a fraction; 0.01 is one percent"
        )
    changes = np.sort(checked_returns(returns)[1:])
    return float(np.mean(changes[: math.ceil(level * len(changes) - WHOLE)]))


def worst_session(returns: pd.Series) -> float:
    """Lowest return of one session (the first row left out)."""
    return float(np.min(checked_returns(returns)[1:]))


def best_session(returns: pd.Series) -> float:
    """Highest return of one session (the first row left out)."""
    return float(np.max(checked_returns(returns)[1:]))


@dataclass(frozen=True, slots=True)
class CoreMetrics:
    """Headline figures of one series of returns; fractions, calendar time."""

    first_session: date
    last_session: date
    sessions: int  # returns, so one less than rows
    sessions_per_year: float
    total_return: float
    cagr: float
    cagr_bills: float
    volatility: float
    sharpe: float
    sharpe_geometric: float
    max_drawdown: float
    drawdown_peak: date | None
    drawdown_trough: date | None
    drawdown_recovery: date | None
    calmar: float
    expected_shortfall: float  # of the worst 1 % of sessions
    worst_session: float
    worst_session_on: date
    best_session: float
    best_session_on: date

    def as_dict(self) -> dict[str, float | int | str | None]:
        """Fields in order, for JSON: dates in ISO form, None for what has no finite value."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def measure(returns: pd.Series, bill_returns: pd.Series) -> CoreMetrics:
    """Every core metric of a series of returns.

    Raises
    ------
    StudyError
        If the returns are not a series as the module describes, or bills miss one of its sessions.
    """
    span = drawdown_span(returns)
    sessions = [day.date() for day in sessions_of(returns.index)]
    changes = returns.to_numpy(dtype=np.float64)[1:]
    return CoreMetrics(
        first_session=sessions[0],
        last_session=sessions[-1],
        sessions=len(changes),
        sessions_per_year=sessions_per_year(returns.index),
        total_return=total_return(returns),
        cagr=cagr(returns),
        cagr_bills=_bill_cagr(returns, bill_returns),
        volatility=volatility(returns),
        sharpe=sharpe(returns, bill_returns),
        sharpe_geometric=sharpe_geometric(returns, bill_returns),
        max_drawdown=max_drawdown(returns),
        drawdown_peak=span.peak if span else None,
        drawdown_trough=span.trough if span else None,
        drawdown_recovery=span.recovery if span else None,
        calmar=calmar(returns),
        expected_shortfall=expected_shortfall(returns),
        worst_session=worst_session(returns),
        worst_session_on=sessions[1 + int(np.argmin(changes))],
        best_session=best_session(returns),
        best_session_on=sessions[1 + int(np.argmax(changes))],
    )


def _drawdowns(returns: pd.Series) -> Floats:
    """Fraction below the highest close so far, at each close; 0.0 at a new high."""
    worth = np.cumprod(1.0 + checked_returns(returns))  # starts at 1: the first row is 0.0
    below: Floats = worth / np.maximum.accumulate(worth) - 1.0
    return below


def _bill_cagr(returns: pd.Series, bill_returns: pd.Series) -> float:
    """Growth rate of bills over the same sessions; what they earned into the first row is not."""
    earned = aligned(bill_returns, returns, "bill_returns")[1:]
    return float(np.prod(1.0 + earned) ** (1.0 / years(returns.index)) - 1.0)


def _plain(figure: float | int | date | None) -> float | int | str | None:
    """One field as JSON knows it."""
    if isinstance(figure, date):
        return figure.isoformat()
    if isinstance(figure, float) and not math.isfinite(figure):
        return None
    return figure
