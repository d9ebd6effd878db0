"""The two ways to short an index: an inverse fund bought, or a bull fund sold short.

At prices where no dollar floor binds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from levsleeve.compiled import Floats
from levsleeve.margin.house import NO_OVERLAY
from levsleeve.margin.requirement import initial_per_share, maintenance_per_share
from levsleeve.margin.schedule import BROAD
from levsleeve.margin.trigger import excess_per_dollar
from levsleeve.pricing.daily_reset import daily_reset_return

PRICE_USD = 100.0
"""Any price above every floor gives the same rates."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One way to the exposure after some days: dollars."""

    market_value_usd: float
    equity_usd: float
    maintenance_usd: float
    initial_usd: float

    @property
    def excess_liquidity_usd(self) -> float:
        """Equity less maintenance: negative means a call."""
        return self.equity_usd - self.maintenance_usd


def rates(multiple: float, rules: Floats, *, short: bool) -> tuple[float, float]:
    """Maintenance and initial margin of one side as fractions of value."""
    terms = (PRICE_USD, multiple, short, BROAD, NO_OVERLAY, rules)
    maintenance = float(maintenance_per_share(*terms))
    return maintenance / PRICE_USD, float(initial_per_share(*terms)) / PRICE_USD


def sensitivity(multiple: float, rules: Floats, *, short: bool) -> float:
    """Change of excess liquidity per dollar that the position moves against the account."""
    return float(excess_per_dollar(rates(multiple, rules, short=short)[0], short))


def two_ways(
    magnitude: float,
    market_value_usd: float,
    equity_usd: float,
    rules: Floats,
    index_returns: Sequence[float] = (),
) -> tuple[Leg, Leg]:
    """Long an inverse fund, and short a bull fund, each of ``market_value_usd`` at the start.

    Both accounts start with ``equity_usd`` and live through the index returns without interest,
    fees or trades.

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.schedule import margin_rules
    >>> rules = margin_rules(date(2019, 6, 3))
    >>> long, short = two_ways(3.0, 10_000.0, 15_000.0, rules, [0.05, 0.05])
    >>> round(long.excess_liquidity_usd, 2), round(short.excess_liquidity_usd, 2)
    (6806.25, -127.5)
    """
    legs = []
    for multiple, short in ((-magnitude, False), (magnitude, True)):
        value = market_value_usd
        for index_return in index_returns:
            value *= 1.0 + float(daily_reset_return(index_return, multiple, 0.0, 0.0, 0.0, 1.0))
        gain = (value - market_value_usd) * (-1.0 if short else 1.0)
        maintenance, initial = rates(multiple, rules, short=short)
        legs.append(Leg(value, equity_usd + gain, maintenance * value, initial * value))
    return legs[0], legs[1]


def two_ways_to_exposure(
    magnitude: float, index_exposure_usd: float, rules: Floats
) -> tuple[Leg, Leg]:
    """The two ways to a (negative) index exposure, at the start, on no equity."""
    return two_ways(magnitude, abs(index_exposure_usd) / magnitude, 0.0, rules)
