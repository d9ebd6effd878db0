"""A slow account: one sleeve's whole run in plain Python, from the published rules alone.

It imports nothing of the library: floats, lists and linear searches, so that it can be read
beside the rules and believed.
"""

import math
from dataclasses import dataclass, field
from datetime import date

from tests.oracles.slow_rules import (
    DEBIT,
    NOTHING,
    SCALED_FROM,
    SHORT_PROCEEDS,
    Option,
    Plan,
    Row,
    World,
    fund_put,
    initial_each,
    listed,
    maintenance_each,
    option_cost,
    period,
    share_cost,
    tiered,
)


@dataclass
class SlowAccount:
    world: World
    plan: Plan
    cash: float = 0.0
    sma: float = 0.0
    gained: float = 0.0
    traded: float = 0.0
    wiped: bool = False
    t: int = -1
    option: Option | None = None
    ordered: Option | None = None
    shares: list[float] = field(default_factory=list)
    marks: list[float] = field(default_factory=list)
    orders: dict[int, float] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    # -- what it is worth and must keep ------------------------------------------------------------

    def on(self, t: int) -> date:
        """Whose rules are in force."""
        return self.world.rules_on or self.world.dates[t]

    def required(self, i: int, *, short: bool) -> tuple[float, float]:
        """Maintenance and initial margin of one share."""
        price, multiple, on = self.marks[i], self.world.funds[i].multiple, self.on(self.t)
        return (
            maintenance_each(price, multiple, short=short, on=on),
            initial_each(price, multiple, short=short, on=on),
        )

    def same_month(self, one: int, other: int) -> bool:
        first, second = self.world.dates[one], self.world.dates[other]
        return (first.year, first.month) == (second.year, second.month)

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

    def called(self) -> bool:
        return self.loanable() - self.requirement()[0] < -NOTHING

    # -- one session ------------------------------------------------------------------------------

    def run(self) -> list[Row]:
        self.cash = self.sma = self.plan.cash
        self.shares = [0.0] * len(self.world.funds)
        self.marks = [0.0] * len(self.world.funds)
        while not self.wiped and self.t + 1 < len(self.world.dates):
            self.t += 1
            self.events, self.gained = [], 0.0
            if self.t and not self.same_month(self.t - 1, self.t):
                self.traded = 0.0
            self.carry()
            self.act()
            self.mark_and_expire()
            self.test_maintenance()
            if not self.wiped:
                self.fill()
            self.sma = max(self.sma + self.gained, self.loanable() - self.requirement()[1])
            self.write()
            if not self.wiped:
                self.decide()
        return self.rows

    def carry(self) -> None:
        t, world = self.t, self.world
        if t == 0:
            return
        years = (world.dates[t] - world.dates[t - 1]).days / 360.0
        base, short = world.bills[t - 1], self.short_value()
        free = self.cash - short
        paid = -tiered(-free, 0.0, DEBIT, max(base, 0.0)) if free < 0 else 0.0
        share = min(1.0, max(0.0, self.equity() / 1e5))
        earned = share * tiered(free, 1e4, [(math.inf, -0.0050)], base)
        rebate = tiered(short, 1e5, SHORT_PROCEEDS, base)
        fee = sum(
            -n * math.ceil(1.02 * self.marks[i]) * world.funds[i].borrow_rate
            for i, n in enumerate(self.shares)
            if n < 0
        )
        self.cash += (paid + earned + rebate - fee) * years
        if self.on(t - 1) < SCALED_FROM <= self.on(t):
            self.events.append("rule_change")

    def act(self) -> None:
        for i, fund in enumerate(self.world.funds):
            ratio = fund.splits[self.t]
            if ratio != 1.0:
                self.split(i, ratio)
            paid = self.shares[i] * fund.dividends[self.t]
            self.cash += paid
            self.gained += paid

    def split(self, i: int, ratio: float) -> None:
        self.marks[i] /= ratio
        if self.shares[i]:
            self.events.append("split")
            exact = self.shares[i] * ratio
            self.shares[i] = float(math.trunc(round(exact, 9)))
            self.cash += (exact - self.shares[i]) * self.marks[i]
        self.orders = {
            j: float(math.trunc(round(n * ratio, 9))) if j == i else n
            for j, n in self.orders.items()
        }
        if self.ordered and self.ordered.fund == i:
            self.ordered.contracts = math.floor(round(self.ordered.contracts * ratio, 9))
            self.ordered.strike = listed(self.ordered.strike / ratio)
        held = self.option
        if held and held.fund == i:
            self.events.append("split")
            held.strike, held.mark = held.strike / ratio, held.mark / ratio
            if ratio > 1 and ratio == int(ratio):
                held.contracts *= ratio
            else:
                held.multiplier *= ratio

    def mark_and_expire(self) -> None:
        self.marks = [fund.closes[self.t] for fund in self.world.funds]
        held = self.option
        if held:
            held.mark = fund_put(self.world, held, self.t, self.plan.skew)
            if held.expiry <= self.world.dates[self.t]:
                self.cash += self.option_value() - (self.plan.exercise if held.mark > 0 else 0.0)
                self.option = None
                self.events.append("option_expired")

    def test_maintenance(self) -> None:
        if self.called():
            self.events.append("margin_call")
            self.liquidate()
            self.orders = {i: self.closing(i, n) for i, n in self.orders.items()}
            self.orders = {i: n for i, n in self.orders.items() if n}
            self.ordered = None
        if self.equity() <= 0:
            self.events.append("wiped")
            self.wiped = True

    def liquidate(self) -> None:
        while self.called() and any(self.shares):
            held = [i for i, n in enumerate(self.shares) if n]
            freed = [self.required(j, short=self.shares[j] < 0)[0] / self.marks[j] for j in held]
            i = held[max(range(len(held)), key=lambda place: round(freed[place], 12))]
            sign = -1.0 if self.shares[i] > 0 else 1.0
            before = (self.cash, self.shares[i], self.gained, self.traded)
            for quantity in range(1, int(abs(self.shares[i])) + 1):
                self.cash, self.shares[i], self.gained, self.traded = before
                self.trade(i, sign * quantity, self.plan.penalty)
                if not self.called():
                    break
            self.events.append("liquidation")
        if self.called() and self.option:
            brought = self.option_value() * (1.0 - self.plan.penalty)
            brought -= option_cost(self.option, self.plan, self.on(self.t), selling=True)
            if brought > 0:
                self.cash += brought
                self.option = None
                self.events.append("liquidation")

    def closing(self, i: int, n: float) -> float:
        held = self.shares[i]
        return math.copysign(min(abs(n), abs(held)), n) if held * n < 0 else 0.0

    def trade(self, i: int, n: float, penalty: float = 0.0) -> None:
        closed = self.closing(i, n)
        self.gained += abs(closed) * self.required(i, short=self.shares[i] < 0)[1]
        self.gained -= abs(n - closed) * self.required(i, short=n < 0)[1]
        self.cash -= (
            n * self.marks[i]
            + share_cost(self.marks[i], n, self.plan, self.on(self.t), self.traded)
            + abs(n) * self.marks[i] * penalty
        )
        self.shares[i] += n
        self.traded += abs(n)

    def passes(self, i: int, n: float) -> bool:
        """The order test, by trading and looking."""
        before = (self.cash, self.shares[i], self.gained, self.traded)
        self.trade(i, n)
        enough = self.stands(0.0)
        self.cash, self.shares[i], self.gained, self.traded = before
        return enough

    def stands(self, paid: float) -> bool:
        """Initial margin is left after paying, and 2,000 dollars where it borrows or is short."""
        short, left = self.short_value(), self.loanable() - paid
        borrows = short > 0 or self.cash - paid - short < -NOTHING
        enough = left - self.requirement()[1] >= -NOTHING
        return enough and (not borrows or left >= 2000.0 - NOTHING)

    def fill(self) -> None:
        waiting = sorted(self.orders.items(), key=lambda order: self.closing(*order) != order[1])
        for i, wanted in waiting:
            closed = self.closing(i, wanted)
            sign, n = math.copysign(1.0, wanted), abs(wanted - closed)
            while n > 0 and not self.passes(i, closed + sign * n):
                n -= 1.0
            allowed = closed + sign * n
            if allowed != wanted:
                self.events.append("order_cut" if allowed else "order_refused")
            if allowed:
                self.trade(i, allowed)
                self.events.append("order_filled")
        if self.ordered:
            self.buy_puts(self.ordered)
        self.orders, self.ordered = {}, None

    def buy_puts(self, put: Option) -> None:
        put.mark, wanted = fund_put(self.world, put, self.t, self.plan.skew), put.contracts
        while put.contracts > 0 and not self.stands(self.price_of(put)):
            put.contracts -= 1.0
        if put.contracts != wanted:
            self.events.append("order_cut" if put.contracts else "order_refused")
        if put.contracts:
            self.cash -= self.price_of(put)
            self.option = put
            self.events += ["option_rolled", "order_filled"]

    def price_of(self, put: Option) -> float:
        costs = option_cost(put, self.plan, self.on(self.t), selling=False)
        return put.contracts * put.multiplier * put.mark + costs

    def write(self) -> None:
        held = self.option
        option_shares = held.contracts * held.multiplier if held else 0.0
        totals = (self.cash, self.equity(), *self.requirement(), self.sma)
        self.rows.append(Row(*totals, list(self.shares), option_shares, sorted(self.events)))

    # -- decisions --------------------------------------------------------------------------------

    def decide(self) -> None:
        t, dates, plan = self.t, self.world.dates, self.plan
        periods = [period(dates[s], plan.cadence) for s in (max(t - 1, 0), t)]
        planned = list(self.shares)
        if t == 0 or periods[0] != periods[1]:
            planned = self.resize()
        if plan.put is None or t + 1 == len(dates):
            return
        if self.option and self.option.expiry > dates[t + 1]:
            return
        contracts = math.floor(plan.put.coverage * max(0.0, planned[plan.put.fund]) / 100.0)
        ahead = [e for e in self.world.expiries if e > dates[t + 1]]
        if contracts and ahead:
            wanted = plan.put.tenor_days
            expiry = min(ahead, key=lambda e: abs((e - dates[t + 1]).days - wanted))
            strike = listed(plan.put.moneyness * self.marks[plan.put.fund])
            self.ordered = Option(plan.put.fund, strike, expiry, float(contracts))

    def resize(self) -> list[float]:
        plan, equity, planned = self.plan, self.equity(), list(self.shares)
        gross = sum(
            abs(w) for w, f in zip(plan.weights, self.world.funds, strict=True) if f.multiple != 1.0
        )
        for i, fund in enumerate(self.world.funds):
            weight = plan.weights[i]
            if fund.multiple != 1.0 and gross > plan.cap:
                weight *= plan.cap / gross
            if equity > 0 and abs(self.shares[i] * self.marks[i] / equity - weight) <= plan.band:
                continue
            planned[i] = float(math.trunc(weight * equity / self.marks[i])) if equity > 0 else 0.0
            if planned[i] != self.shares[i]:
                self.orders[i] = planned[i] - self.shares[i]
        return planned
