"""The rules of day trading by date: the pattern rule until its repeal, intraday margin after it.

Backtests on daily bars hold no position for less than a day; the rules are for what-if.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from levsleeve.compiled import rule
from levsleeve.margin.table_reader import in_force, table


@dataclass(frozen=True, slots=True)
class DayTradingRules:
    """What holds on a date; dollars and fractions.

    ``pattern``: ``pattern_day_trades`` in ``pattern_sessions`` business days, and more than
    ``pattern_share`` of all trades, ask ``pattern_minimum_equity_usd``.  ``intraday``: maintenance
    holds at any moment; a deficit up to the greater of ``least_deficit_usd`` and
    ``least_deficit_rate`` of equity is let pass, any other is cured in ``cure_sessions``.
    """

    regime: Literal["pattern", "intraday"]
    scales_with_multiple: bool
    pattern_minimum_equity_usd: float
    pattern_day_trades: int
    pattern_sessions: int
    pattern_share: float
    least_deficit_usd: float
    least_deficit_rate: float
    cure_sessions: int
    source: str

    def is_pattern(self, day_trades: int, trades: int) -> bool:
        """Whether so many day trades among ``trades`` in the window make a pattern day trader."""
        if self.regime != "pattern" or trades <= 0:
            return False
        return day_trades >= self.pattern_day_trades and day_trades / trades > self.pattern_share

    def intraday_deficit_usd(self, excess_liquidity_usd: float, equity_usd: float) -> float:
        """Dollars of intraday margin deficit to be cured; 0 where it is let pass or not a rule."""
        if self.regime != "intraday":
            return 0.0
        deficit = max(0.0, -excess_liquidity_usd)
        let_pass = max(self.least_deficit_usd, self.least_deficit_rate * max(0.0, equity_usd))
        return deficit if deficit > let_pass else 0.0


def day_trading_rules(on: date) -> DayTradingRules:
    """The day-trading rules that hold on ``on``.

    Raises
    ------
    ScheduleError
        If ``on`` precedes the table.

    References
    ----------
    FINRA Rule 4210(f)(8)(B) and its repeal by SR-FINRA-2025-017.

    Examples
    --------
    >>> from datetime import date
    >>> [day_trading_rules(date(2026, 6, day)).regime for day in (3, 4)]
    ['pattern', 'intraday']
    """
    rows = [(entry["effective"], entry) for entry in table("requirements")["day_trading"]]
    entry = dict(in_force(rows, on, "the rule of day trading"))
    source = f"{entry.pop('source')} ({entry.pop('standing')})"
    del entry["effective"]
    return DayTradingRules(source=source, **entry)


@rule
def day_trading_buying_power(excess_liquidity_usd: float, maintenance_rate: float) -> float:
    """Dollars of a fund that a pattern day trader may buy and sell within the day, >= 0.

    Four times the excess for a plain stock; ``maintenance_rate`` is the fund's long one, scaled by
    its multiple from the date on which day trading scales.

    Examples
    --------
    >>> day_trading_buying_power(30_000.0, 0.25), day_trading_buying_power(30_000.0, 0.75)
    (120000.0, 40000.0)
    """
    return max(0.0, excess_liquidity_usd) / maintenance_rate
