"""What a slow account holds, what that is worth and must keep, and the trade of some shares.

It imports nothing of the library: floats, lists and linear searches, so that it can be read
beside the rules and believed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from tests.oracles.slow_rules import (
    ROUNDING,
    Option,
    Plan,
    Row,
    World,
    initial_each,
    maintenance_each,
    option_cost,
    share_cost,
)


@dataclass
class Order:
    """Signed shares of a fund, or a put to buy."""

    fund: int
    shares: float = 0.0
    put: Option | None = None
    may_open: bool = True


def most(upper: int, fits: Callable[[int], bool]) -> int:
    """The largest number to ``upper`` that fits, where less always fits if more does."""
    if upper <= 0 or fits(upper):
        return max(upper, 0)
    lower = 0
    while upper - lower > 1:
        middle = (lower + upper) // 2
        lower, upper = (middle, upper) if fits(middle) else (lower, middle)
    return lower


@dataclass
class SlowBook:
    world: World
    plan: Plan
    cash: float = 0.0
    sma: float = 0.0
    gained: float = 0.0
    traded: float = 0.0
    changed: bool = False
    ended: bool = False
    called_on: int | None = None
    closing_out: bool = False
    t: int = -1
    seen: int = 0
    option: Option | None = None
    shares: list[float] = field(default_factory=list)
    marks: list[float] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    deposits: list[float] = field(default_factory=list)

    # -- what it is worth and must keep ------------------------------------------------------------

    @property
    def on(self) -> date:
        """Whose rules are in force."""
        return self.world.rules_on or self.world.dates[self.t]

    def required(self, i: int, *, short: bool) -> tuple[float, float]:
        """Maintenance and initial margin of one share."""
        price, multiple = self.marks[i], self.world.funds[i].multiple
        if self.plan.cash_account:
            return price, price
        return (
            maintenance_each(price, multiple, short=short, on=self.on),
            initial_each(price, multiple, short=short, on=self.on),
        )

    def requirement(self) -> tuple[float, float]:
        each = [self.required(i, short=n < 0) for i, n in enumerate(self.shares)]
        held = [abs(n) for n in self.shares]
        maintenance = sum(n * m for n, (m, _) in zip(held, each, strict=True))
        return maintenance, sum(n * i for n, (_, i) in zip(held, each, strict=True))

    def loanable(self) -> float:
        return self.cash + sum(n * p for n, p in zip(self.shares, self.marks, strict=True))

    def short_value(self) -> float:
        return sum(-n * p for n, p in zip(self.shares, self.marks, strict=True) if n < 0)

    def option_value(self) -> float:
        held = self.option
        return held.contracts * held.multiplier * held.mark if held else 0.0

    def equity(self) -> float:
        return self.loanable() + self.option_value()

    def nothing(self) -> float:
        """So many dollars below zero are the rounding of a sum, not a deficit."""
        gross = sum(abs(n) * p for n, p in zip(self.shares, self.marks, strict=True))
        return ROUNDING * max(1.0, abs(self.cash) + gross + self.option_value())

    def excess(self) -> float:
        return self.loanable() - self.requirement()[0]

    def called(self) -> bool:
        return self.excess() < -self.nothing()

    def memorandum(self) -> float:
        """The special memorandum account if the day ended now."""
        return max(self.sma + self.gained, self.loanable() - self.requirement()[1])

    def restricted(self) -> bool:
        return self.memorandum() < -self.nothing()

    def stands(self, paid: float) -> bool:
        """Initial margin is left after paying, and 2,000 dollars where it borrows or is short."""
        short, left = self.short_value(), self.loanable() - paid
        borrows = short > 0 or self.cash - paid - short < -self.nothing()
        enough = left - self.requirement()[1] >= -self.nothing()
        return enough and (not borrows or left >= 2000.0 - self.nothing())

    # -- what can be traded ------------------------------------------------------------------------

    def quoted(self, i: int) -> bool:
        return not math.isnan(self.world.funds[i].closes[self.t])

    def whole(self, shares: float) -> float:
        """Without the fraction that does not trade, towards zero."""
        return math.trunc(round(shares * self.plan.parts, 4)) / self.plan.parts

    def closing(self, i: int, n: float) -> float:
        held = self.shares[i]
        return math.copysign(min(abs(n), abs(held)), n) if held * n < 0 else 0.0

    def trade(self, i: int, n: float, penalty: float = 0.0) -> None:
        closed = self.closing(i, n)
        self.gained += abs(closed) * self.required(i, short=self.shares[i] < 0)[1]
        self.gained -= abs(n - closed) * self.required(i, short=n < 0)[1]
        self.cash -= (
            n * self.marks[i]
            + abs(n) * self.marks[i] * (self.world.funds[i].half_spread + penalty)
            + share_cost(self.marks[i], n, self.plan, self.on, self.traded)
        )
        left = self.shares[i] + n
        self.shares[i] = round(left * self.plan.parts) / self.plan.parts
        self.traded += abs(n)
        self.changed = True

    def after_trade(self, i: int, n: float, penalty: float, test: Callable[[], bool]) -> bool:
        """What a test would say after a trade, by trading, looking and undoing it."""
        before = (self.cash, self.shares[i], self.gained, self.traded, self.changed)
        self.trade(i, n, penalty)
        answer = test()
        self.cash, self.shares[i], self.gained, self.traded, self.changed = before
        return answer

    def price_of(self, put: Option) -> float:
        """Dollars to buy it, costs included."""
        costs = option_cost(put, self.world.funds[put.fund], self.on, selling=False)
        return put.contracts * put.multiplier * put.mark + costs

    def brought_by(self, put: Option) -> float:
        """Dollars that a forced sale of it brings, costs taken off."""
        costs = option_cost(put, self.world.funds[put.fund], self.on, selling=True)
        return put.contracts * put.multiplier * put.mark * (1.0 - self.plan.penalty) - costs
