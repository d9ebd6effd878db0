"""A Backtrader broker that keeps a real margin account.

Backtrader's own broker lends without limit, never calls and spends short proceeds freely.  This one
owns the cash and the positions through the compiled steps of a session; Backtrader keeps what it
is good at: orders, their life, and telling strategies about them.  Session ``t`` is handled in
``next``, before the strategies see it; orders decided at one close fill at the following close.
"""

from collections.abc import Sequence
from typing import Any

import backtrader as bt

from levsleeve.backtests.bookkeeping import (
    announce,
    execute_order,
    scale_orders,
    split_position,
)
from levsleeve.backtests.contracts import allowed_contracts, trade_contracts
from levsleeve.backtests.forced import is_wiped, maintenance_test, special_memorandum_test
from levsleeve.backtests.ledger import LedgerBuilder
from levsleeve.backtests.market import Market
from levsleeve.backtests.measures import Measures, measure
from levsleeve.backtests.order_life import clip_to_reductions, reduces, triggers
from levsleeve.backtests.orders import affordable, fill_shares
from levsleeve.backtests.state import (
    COMMISSION,
    FEES,
    LIQUIDATED,
    OPTION_EXPIRED,
    ORDER_CUT,
    ORDER_FILLED,
    ORDER_REFUSED,
    SPLIT,
    WHY_AVAILABLE_FUNDS,
    WHY_ORDER,
    Account,
    Terms,
    new_account,
    record,
)
from levsleeve.backtests.steps import (
    clear_slot,
    close_session,
    expire,
    external_flow,
    mark,
    open_session,
)
from levsleeve.compiled import Floats
from levsleeve.errors import LedgerError, StudyError
from levsleeve.margin.account import closing_part
from levsleeve.strategies.hedges import CONTRACT_SHARES


class MarginBroker(bt.brokers.BackBroker):
    """Holds a margin account over a ``Market`` and fills a strategy's orders inside its rules.

    Parameters
    ----------
    market, terms
        What the sessions bring and what the broker charges.
    slots
        Names of the option slots; each needs a feed of the same name.
    on_shortfall
        ``"refuse"`` refuses an opening order that available funds do not cover (Backtrader status
        Margin); ``"cut"`` fills what they do cover.
    """

    params = (
        ("market", None),
        ("terms", None),
        ("slots", ()),
        ("on_shortfall", "refuse"),
        ("cash", 100_000.0),
    )

    market: Market
    terms: Terms
    account: Account

    def init(self) -> None:
        """Open the account; Backtrader calls this once when built and again at the start."""
        super().init()
        if self.p.on_shortfall not in ("cut", "refuse"):
            raise StudyError(f"on_shortfall: {self.p.on_shortfall!r}; 'cut' or 'refuse' is right")
        self.market = self.p.market
        self.terms = self.p.terms
        symbols = self.market.symbols
        slots: Sequence[str] = self.p.slots
        self.names = (*symbols, *slots)
        self.places = {name: place for place, name in enumerate(self.names)}
        for slot in slots:
            self.setcommission(mult=CONTRACT_SHARES, name=slot)
        self.account = new_account(self.p.cash, len(symbols), len(slots))
        self.ledger = LedgerBuilder(self.market.sessions, symbols, slots, self.p.cash)
        self.event_rows: list[tuple[int, Floats]] = []
        self.session = -1
        self.wiped = False

    # -- one session ------------------------------------------------------------------------------

    def next(self) -> None:
        """Everything that happens to the account on one session up to the strategy's decision."""
        self.session += 1
        t, account, tape = self.session, self.account, self.market.tape
        while self._toactivate:
            self._toactivate.popleft().activate()
        while self.submitted:
            self._accept(self.submitted.popleft())
        scale_orders(self.pending, self.places, tape.splits[t])
        open_session(account, tape, t, self.terms)
        while self._cash_addition:
            amount = self._cash_addition.popleft()
            self._fundshares += amount / self._fundval
            external_flow(account, amount)
        self._drain()
        mark(account, tape, t, self.terms)
        expire(account, tape, t, self.terms)
        self._drain()
        marked = measure(account, tape, t, self.terms)
        if maintenance_test(account, tape, t, self.terms):
            self._drain()
            clip_to_reductions(self)
        self.wiped = is_wiped(account)
        if not self.wiped:
            self._work_pending()
            self._drain()
            special_memorandum_test(account, tape, t, self.terms)
        self._drain()
        close_session(account, tape, t)
        self._close_books(marked)

    def _close_books(self, marked: Measures) -> None:
        """Write the ledger row, show the option marks to the feeds, end a wiped run."""
        measures = measure(self.account, self.market.tape, self.session, self.terms)
        self.ledger.write(self.account, marked, measures)
        self.cash, self._value = measures.cash, measures.equity
        self._valuelever = measures.equity
        self._fundval = self._value / self._fundshares
        for k, premium in enumerate(self.account.option_marks):
            self.data_at(len(self.market.funds) + k).lines.close[0] = premium
        if self.wiped:
            self.cerebro.runstop()

    def _drain(self) -> None:
        """Take the events over, and tell Backtrader what happened without one of its orders."""
        count = int(self.account.event_count[0])
        if count > len(self.account.events):
            raise LedgerError(
                f"session {self.session}: {count} events between two readings, but the buffer "
                f"holds {len(self.account.events)}"
            )
        for row in self.account.events[:count].copy():
            self.event_rows.append((self.session, row))
            kind, place = int(row[0]), int(row[1])
            if kind == SPLIT:
                split_position(self, self.data_at(place), row[4], row[5])
            elif kind in (OPTION_EXPIRED, LIQUIDATED) and row[5] != row[4]:
                units = row[5] - row[4]
                announce(self, self.data_at(place), units, row[3], abs(row[2] / units))
        self.account.event_count[0] = 0.0

    def data_at(self, place: int) -> Any:
        """The feed of a fund or option slot."""
        return self.cerebro.datasbyname[self.names[place]]

    def slot_of(self, data: Any) -> int:
        """The number of a feed's option slot; negative for a fund."""
        return self.places[data._name] - len(self.market.funds)

    # -- orders -----------------------------------------------------------------------------------

    def _accept(self, order: Any) -> None:
        """Every order is accepted; what it may take is tested when it fills."""
        if self._take_children(order) is not None:
            self.submit_accept(order)

    def _work_pending(self) -> None:
        """Fill what can fill at this close: orders that only reduce come first."""
        for order in sorted(self.pending, key=lambda order: not reduces(self, order)):
            if not order.alive():  # cancelled by an order filled just before
                continue
            if order.executed.remsize == 0.0:  # a reverse split left nothing of it
                self.cancel(order)
            elif order.expire():
                self.pending.remove(order)
                self._finish(order)
            elif order.active() and triggers(self, order):
                self.pending.remove(order)
                self._fill(order)

    def _fill(self, order: Any) -> None:
        """Fill, cut or refuse one order at this close."""
        wanted = float(order.executed.remsize)
        place, k = self.places[order.data._name], self.slot_of(order.data)
        allowed = self._allowed(order, wanted)
        if allowed != wanted:
            price = self.account.option_marks[k] if k >= 0 else self.account.marks[place]
            kind = ORDER_REFUSED if allowed == 0.0 else ORDER_CUT
            unit = self.account.multipliers[k] if k >= 0 else 1.0
            asked, granted = wanted * unit, allowed * unit
            record(self.account, kind, place, asked, price, asked, granted, WHY_AVAILABLE_FUNDS)
        if allowed != 0.0:
            self._trade(order, place, allowed)
        elif k >= 0 and self.account.contracts[k] == 0.0:
            clear_slot(self.account, k)
        self._drain()
        if allowed == wanted:
            self._ococheck(order)
            self._bracketize(order)
            return
        if allowed == 0.0:
            order.margin()
        else:
            order.cancel()
        self._finish(order)

    def _allowed(self, order: Any, wanted: float) -> float:
        """How much of an order passes the order test, under the policy on shortfall."""
        k = self.slot_of(order.data)
        if k >= 0:
            allowed = allowed_contracts(self, order, k, wanted)
        else:
            i = self.places[order.data._name]
            tape = self.market.tape
            allowed = float(affordable(self.account, tape, self.session, i, wanted, self.terms))
        if allowed != wanted and self.p.on_shortfall == "refuse":
            return float(closing_part(float(self.positions[order.data].size), wanted))
        return allowed

    def _trade(self, order: Any, place: int, allowed: float) -> None:
        """Carry out what was allowed."""
        account, k = self.account, self.slot_of(order.data)
        charged = account.flows[COMMISSION] + account.flows[FEES]
        if k >= 0:
            paid, multiplier = trade_contracts(self, k, allowed)
        else:
            held, multiplier = account.shares[place], 1.0
            paid = fill_shares(account, self.market.tape, self.session, place, allowed, self.terms)
            after = account.shares[place]
            record(account, ORDER_FILLED, place, allowed, paid, held, after, WHY_ORDER)
        charged -= account.flows[COMMISSION] + account.flows[FEES]
        execute_order(self, order, allowed, paid, multiplier, float(charged))

    def _finish(self, order: Any) -> None:
        """Tell of an order that will not be filled further, and release those tied to it."""
        self.notify(order)
        self._ococheck(order)
        self._bracketize(order, cancel=True)

    # -- what Backtrader asks ---------------------------------------------------------------------

    def _get_value(self, datas: Sequence[Any] | None = None, lever: bool = False) -> float:  # noqa: ARG002, FBT001, FBT002
        """Signed value of some feeds' positions, or equity."""
        if datas is None:
            return float(self._value)
        account = self.account
        values = [*(account.shares * account.marks)]
        values += [*(account.contracts * account.multipliers * account.option_marks)]
        return float(sum(values[self.places[data._name]] for data in datas))

    def get_leverage(self) -> float:
        """Gross market value of the shares over equity."""
        account = self.account
        gross = float(abs(account.shares * account.marks).sum())
        return gross / self._value if self._value > 0 else float("inf")
