"""A plain Backtrader strategy: hold the fund while its fast average is above its slow one."""

import backtrader as bt


class SmaCross(bt.Strategy):
    """Buy for ``weight`` of equity when the averages cross upwards, sell all when downwards."""

    params = (("fast", 10), ("slow", 30), ("weight", 0.5))

    def __init__(self) -> None:
        fast = bt.ind.SMA(self.data.close, period=self.p.fast)
        slow = bt.ind.SMA(self.data.close, period=self.p.slow)
        self.crossover = bt.ind.CrossOver(fast, slow)

    def next(self) -> None:
        """Decide at this close; the order fills at the next one."""
        if not self.position:
            if self.crossover > 0:
                self.order_target_percent(target=self.p.weight)
        elif self.crossover < 0:
            self.close()
