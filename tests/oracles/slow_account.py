"""A slow account: one sleeve's whole run in plain Python, from the published rules alone."""

import math

from tests.oracles.slow_book import Order, SlowBook
from tests.oracles.slow_decisions import decide
from tests.oracles.slow_fills import fill
from tests.oracles.slow_forced import ask_maintenance, ask_memorandum, buy_in
from tests.oracles.slow_rules import (
    DEBIT,
    SCALED_FROM,
    SHORT_PROCEEDS,
    Row,
    fund_put,
    listed,
    tiered,
)


class SlowAccount(SlowBook):
    """The order of a session."""

    def run(self) -> list[Row]:
        self.cash = self.sma = self.plan.cash
        self.shares = [0.0] * len(self.world.funds)
        self.marks = [0.0] * len(self.world.funds)
        while not self.ended and self.t + 1 < len(self.world.dates):
            self.seen, self.t = max(self.t, 0), self.t + 1
            self.begin()
            self.before_close()
            if not self.ended:
                self.at_close()
            if not self.ended:
                self.trade_at_close()
            self.sma = self.memorandum()
            self.write()
            if self.plan.fill != "same_close" and not self.ended:
                decide(self)
        return self.rows

    def begin(self) -> None:
        """Carry, rules, actions and dated cash, all at the marks of the close before."""
        self.events, self.deposits, self.gained, self.changed = [], [], 0.0, False
        if self.t:
            before, now = self.world.dates[self.t - 1], self.world.dates[self.t]
            if (before.year, before.month) != (now.year, now.month):
                self.traded = 0.0
            self.carry()
        self.act()
        self.move_cash(self.world.cash_flows[self.t])

    def before_close(self) -> None:
        """At the open options are seen at the volatility of the close before."""
        if self.plan.fill == "next_open":
            self.mark([fund.opens[self.t] for fund in self.world.funds])
            fill(self)
        self.seen = self.t
        if self.plan.intraday:
            for index_side in ("low", "high"):
                if not self.ended:
                    self.mark(self.extremes(index_side))
                    ask_maintenance(self, intraday=True)
                    self.end_if_wiped()

    def at_close(self) -> None:
        self.mark([fund.closes[self.t] for fund in self.world.funds])
        self.expire()
        buy_in(self)
        ask_maintenance(self)
        self.end_if_wiped()

    def trade_at_close(self) -> None:
        if self.plan.fill == "same_close":
            decide(self)
        if self.plan.fill != "next_open":
            fill(self)
        ask_memorandum(self)
        self.end_if_wiped()

    def end_if_wiped(self) -> None:
        if self.equity() <= 0 and "wiped" not in self.events:
            self.events.append("wiped")
            self.ended = True

    def carry(self) -> None:
        t, world = self.t, self.world
        years = (world.dates[t] - world.dates[t - 1]).days / 360.0
        base, short = world.bills[t - 1], self.short_value()
        free = self.cash - short
        paid = -tiered(-free, 0.0, DEBIT, max(base, 0.0)) if free < 0 else 0.0
        share = min(1.0, max(0.0, self.equity() / 1e5))
        earned = share * tiered(free, 1e4, [(math.inf, -0.0050)], base)
        rebate = tiered(short, 1e5, SHORT_PROCEEDS, base)
        fee = sum(
            -n * math.ceil(1.02 * self.marks[i]) * world.funds[i].borrow_rates[t - 1]
            for i, n in enumerate(self.shares)
            if n < 0
        )
        self.cash += (paid + earned + rebate - fee) * years
        if world.rules_on is None and world.dates[t - 1] < SCALED_FROM <= world.dates[t]:
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
            self.shares[i] = self.whole(exact)
            self.cash += (exact - self.shares[i]) * self.marks[i]
        for order in self.orders:
            if order.fund == i:
                self.restate(order, ratio)
        self.orders = [order for order in self.orders if order.put or order.shares]
        held = self.option
        if held and held.fund == i:
            self.events.append("split")
            held.strike, held.mark = held.strike / ratio, held.mark / ratio
            if ratio > 1 and ratio == int(ratio):
                held.contracts *= ratio
            else:
                held.multiplier *= ratio

    def restate(self, order: Order, ratio: float) -> None:
        """An order decided before a split."""
        if order.put:
            order.put.contracts = math.floor(round(order.put.contracts * ratio, 9))
            order.put.strike = listed(order.put.strike / ratio)
        else:
            order.shares = self.whole(order.shares * ratio)

    def move_cash(self, wanted: float) -> None:
        """A deposit, or as much of a withdrawal as may leave."""
        if wanted > 0:
            self.events.append("deposit")
            moved = wanted
        else:
            moved = -min(-wanted, self.withdrawable())
            if moved > wanted:
                self.events.append("withdrawal_cut")
            elif wanted < 0:
                self.events.append("withdrawal")
        self.cash += moved
        self.gained += moved

    def withdrawable(self) -> float:
        """Available funds; a dollar stays, and 2,000 where the account then borrows or is short."""
        short = self.short_value()
        available = self.loanable() - self.requirement()[1]
        unborrowed = self.cash if short == 0 else 0.0
        most = min(available, max(unborrowed, self.loanable() - 2000.0))
        return max(0.0, min(most, self.equity() - 1.0))

    def extremes(self, index_side: str) -> list[float]:
        """Every fund where the index is at its low or high: an inverse fund at its other end."""
        return [
            (fund.lows if (fund.multiple > 0) == (index_side == "low") else fund.highs)[self.t]
            for fund in self.world.funds
        ]

    def mark(self, prices: list[float]) -> None:
        """New marks for the funds that have a price, and the model's for the option."""
        self.marks = [price if self.quoted(i) else self.marks[i] for i, price in enumerate(prices)]
        held = self.option
        if held:
            spot = self.marks[held.fund]
            held.mark = fund_put(self.world, held, spot, self.t, self.seen, self.plan.skew)

    def expire(self) -> None:
        held = self.option
        if held and held.expiry <= self.world.dates[self.t]:
            exercise = self.plan.exercise if held.mark > 0 else 0.0
            self.cash += self.option_value() - exercise
            self.option = None
            self.events.append("option_expired")

    def write(self) -> None:
        held = self.option
        option_shares = held.contracts * held.multiplier if held else 0.0
        totals = (self.cash, self.equity(), *self.requirement(), self.sma)
        self.rows.append(
            Row(
                *totals,
                list(self.shares),
                option_shares,
                sorted(self.events),
                sorted(self.deposits),
            )
        )
