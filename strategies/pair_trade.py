"""A plain Backtrader strategy on two funds: long one and short the other while they lie apart."""

import math

import backtrader as bt


class LogRatio(bt.Indicator):
    """Logarithm of the first feed's close over the second's."""

    lines = ("log_ratio",)

    def next(self) -> None:
        """One session."""
        self.l.log_ratio[0] = math.log(self.data0.close[0] / self.data1.close[0])


class PairTrade(bt.Strategy):
    """Sell the fund that ran ahead and buy the other; leave when they have come together.

    They lie apart when the log ratio is ``enter`` standard deviations of its last ``period``
    sessions from its mean, and are together again below ``leave`` of them.  ``weight`` of equity in
    the first stands against ``ratio`` times as much in the second: 1.5 for a 3x and a 2x fund.
    """

    params = (("period", 20), ("enter", 1.5), ("leave", 0.5), ("weight", 0.2), ("ratio", 1.5))

    def __init__(self) -> None:
        spread = LogRatio(self.data0, self.data1)
        mean = bt.ind.SMA(spread, period=self.p.period)
        self.zscore = (spread - mean) / bt.ind.StdDev(spread, period=self.p.period)

    def next(self) -> None:
        """Decide at this close; both orders fill at the next one."""
        held = self.getposition(self.data0).size or self.getposition(self.data1).size
        if held and abs(self.zscore[0]) < self.p.leave:
            self.close(self.data0)
            self.close(self.data1)
        elif not held and abs(self.zscore[0]) > self.p.enter:
            weight = -math.copysign(self.p.weight, self.zscore[0])
            self.order_target_percent(self.data0, target=weight)
            self.order_target_percent(self.data1, target=-self.p.ratio * weight)
