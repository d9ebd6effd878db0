"""Backtrader feeds over a Market: one per fund and one per option slot, on one calendar."""

from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from levsleeve.compiled import Floats


class MarketFeed(bt.feed.DataBase):
    """As-traded daily prices from arrays of one row a session: open, high, low, close."""

    params = (("dates", None), ("prices", None))

    def start(self) -> None:
        """Begin before the first session."""
        super().start()
        self._row = 0

    def _load(self) -> bool:
        """The next session, or false at the end."""
        if self._row >= len(self.p.dates):
            return False
        lines, prices = self.lines, self.p.prices[self._row]
        lines.datetime[0] = self.p.dates[self._row]
        lines.open[0], lines.high[0], lines.low[0], lines.close[0] = prices
        lines.volume[0] = 0.0
        lines.openinterest[0] = 0.0
        self._row += 1
        return True


class FundData(bt.feeds.PandasData):
    """A frame of daily prices as traded, with columns ``split`` and ``dividend`` where it has them.

    ``split`` is new shares per old on the day they first trade (1 otherwise), ``dividend`` dollars
    per share on the ex-date; the margin broker reads both.
    """

    lines = ("split", "dividend")
    params = (("split", -1), ("dividend", -1))


def feed_dates(sessions: pd.DatetimeIndex) -> list[float]:
    """Sessions as Backtrader counts days: midnight of the date, no time zone."""
    return [float(bt.date2num(stamp.to_pydatetime())) for stamp in sessions]


def fund_feed(sessions: pd.DatetimeIndex, prices: Floats) -> Any:
    """A feed of a fund; ``prices`` has shape (n_sessions, 4)."""
    return MarketFeed(dates=feed_dates(sessions), prices=prices)


def slot_feed(sessions: pd.DatetimeIndex) -> Any:
    """A feed of zeros that keeps an option slot; the broker writes the option's mark into it.

    One slot serves one contract after the other: a feed per contract would stall Backtrader's
    clock at every expiry.
    """
    return MarketFeed(dates=feed_dates(sessions), prices=np.zeros((len(sessions), 4)))
