"""The bundled index and bills under the conventions of the reference.

Returns of the S&P 500 close to close, a flat dividend added, costs and dividends accrued by
session, 252 a year; the bill of a month spread evenly over its sessions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from levsleeve.compiled import Floats
from levsleeve.data.library import Library
from levsleeve.pricing.daily_reset import DAYS_PER_YEAR
from levsleeve.strategies.history import History
from levsleeve.strategies.series import SESSIONS_A_YEAR

DIVIDEND_RATE = 0.019
"""A year, of the whole sample."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Total returns of the index and of bills by session; the first row of each is 0.0."""

    sessions: pd.DatetimeIndex
    index: Floats
    bills: Floats

    @property
    def rows(self) -> int:
        """Sessions, the first without a return among them."""
        return len(self.sessions)

    def row(self, day: str) -> int:
        """The row of a session."""
        return int(self.sessions.get_indexer(pd.DatetimeIndex([day]))[0])

    def fund(self, multiple: float, expense_rate: float, spread_rate: float) -> Floats:
        """Returns of a daily-reset bull fund, never below -1."""
        turns = multiple - 1.0
        cost = (expense_rate + spread_rate * turns) / SESSIONS_A_YEAR
        return self._held(multiple * self.index - turns * self.bills - cost)

    def fund_without_financing(self, multiple: float, expense_rate: float) -> Floats:
        """The same for one that borrows for nothing."""
        return self._held(multiple * self.index - expense_rate / SESSIONS_A_YEAR)

    def history(self, funds: Sequence[Floats], first: int) -> History:
        """What a rule sees; ``first`` is the row of the account's first close."""
        return History(self.index, self.bills, np.column_stack(list(funds)), first)

    @staticmethod
    def _held(returns: Floats) -> Floats:
        """At worst everything is lost; nothing is earned before the first close."""
        held = np.maximum(returns, -1.0)
        held[0] = 0.0
        return held


def bundled_sample(prices: Path) -> Sample:
    """The whole of it, 1999-01-04 to 2018-12-31."""
    library = Library.open(prices)
    close = library.index("SP500").close
    sessions = pd.DatetimeIndex(close.index)
    index = np.array(close.pct_change() + DIVIDEND_RATE / SESSIONS_A_YEAR, dtype=np.float64)
    bills = _bills(library.bill().loc[sessions], sessions)
    index[0] = bills[0] = 0.0
    return Sample(sessions, index, bills)


def _bills(rates: "pd.Series[float]", sessions: pd.DatetimeIndex) -> Floats:
    """What bills earn in a session, of simple rates a year on 365 days: the month's, spread."""
    months = sessions.to_period("M")
    in_month = rates.to_numpy() * months.days_in_month.to_numpy() / DAYS_PER_YEAR
    sessions_in_month = pd.Series(1.0, index=sessions).groupby(months).transform("sum").to_numpy()
    found: Floats = np.expm1(np.log1p(np.asarray(in_month)) / sessions_in_month)
    return found
