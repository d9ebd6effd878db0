"""Living a life: through Backtrader and the margin broker, as a user's run does."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

import backtrader as bt
import numpy as np
from tests.property.accounts.counted import LIVED, TOTAL
from tests.property.accounts.lives import KINDS, SLOTS, Life, OptionOrder, Order
from tests.property.accounts.scenes import market_in

from levsleeve import SleeveStrategy
from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.event_kinds import EventKind
from levsleeve.backtests.market import Market
from levsleeve.backtests.measures import net_liquidation
from levsleeve.backtests.state import CASH
from levsleeve.compiled import Floats
from levsleeve.instruments.option import OptionContract
from levsleeve.strategies.sleeve import Sleeve

TRADES = (EventKind.ORDER_FILLED, EventKind.LIQUIDATION, EventKind.BUY_IN)


class Event(NamedTuple):
    """A row of ``Account.events`` and its session; ``fund`` is the one traded or underlying."""

    session: int
    kind: int
    place: int
    shares: float
    price: float
    before: float
    after: float
    why: int
    fund: int


def differences(broker: MarginBroker) -> list[tuple[int, str, float, float]]:
    """What Backtrader tells a strategy and what the account holds, where the two differ."""
    account = broker.account
    held = dict(zip(broker.names, [*account.book.shares, *account.book.contracts], strict=True))
    told = {name: broker.getposition(broker.data_at(i)).size for i, name in enumerate(held)}
    held["cash"], told["cash"] = account.money[CASH], broker.getcash()
    held["equity"], told["equity"] = net_liquidation(account), broker.getvalue()
    return [
        (broker.session, name, held[name], told[name])
        for name in held
        if not abs(held[name] - told[name]) <= 1e-6
    ]


def _event(session: int, row: Floats) -> Event:
    """The event that a row of the broker's tells."""
    kind, place, shares, price, before, after, why, underlying = row[:8].tolist()
    fund = int(underlying if underlying >= 0.0 else place)
    return Event(session, int(kind), int(place), shares, price, before, after, int(why), fund)


class PlainOrders(bt.Strategy):
    """Places the orders of a life when their session comes."""

    params = (("life", None),)

    def __init__(self) -> None:
        self.differences: list[tuple[int, str, float, float]] = []

    def next(self) -> None:
        life, broker = self.p.life, self.broker
        self.differences += differences(broker)
        for order in life.orders:
            if order.session == broker.session:
                self._place(order)
        for order in life.options:
            if order.session == broker.session and order.contracts != 0.0:
                self._place_option(order)

    def _place(self, order: Order) -> None:
        sessions, feed = self.broker.market.sessions, self.datas[order.fund]
        price = float(self.broker.account.book.marks[order.fund]) * order.price_factor
        if order.shares == 0.0:
            self.close(data=feed)
        elif price > 0.0 or order.kind in ("market", "close"):
            last = min(order.session + (order.sessions_valid or 0), len(sessions) - 1)
            trade = self.buy if order.shares > 0.0 else self.sell
            trade(
                data=feed, size=abs(order.shares), exectype=KINDS[order.kind],
                price=None if order.kind in ("market", "close", "trail") else price,
                plimit=price if order.kind == "stop_limit" else None,
                trailpercent=0.05 if order.kind == "trail" else None,
                valid=sessions[last].to_pydatetime() if order.sessions_valid else None,
            )  # fmt: skip

    def _place_option(self, order: OptionOrder) -> None:
        """Open a contract in an empty slot, add to the one that is held, or reduce it."""
        broker = self.broker
        tape, t, account = broker.market.tape, broker.session, broker.account
        slot = self.datas[len(broker.market.funds) + order.slot]
        held = account.book.contracts[order.slot]
        waiting = [*broker.pending, *broker.submitted]
        if any(other.data is slot for other in waiting) or t + 1 == len(tape.dates):
            return
        trade = self.buy if order.contracts > 0.0 else self.sell
        if held * order.contracts < 0.0:
            trade(data=slot, size=min(abs(held), abs(order.contracts)))
        elif held != 0.0 and account.book.expiries[order.slot] > tape.dates[t + 1]:
            trade(
                data=slot,
                size=abs(order.contracts),
                **self._until(account.book.expiries[order.slot]),
            )
        elif held == 0.0 and account.book.marks[order.fund] > 0.0:
            after_fill = tape.dates[t + 2] if t + 2 < len(tape.dates) else tape.dates[t + 1] + 1.0
            expiry = max(tape.dates[t] + order.days, after_fill)
            contract = OptionContract(
                fund=broker.market.symbols[order.fund],
                right=order.right,
                strike=order.moneyness * float(account.book.marks[order.fund]),
                expiry=date.fromordinal(int(expiry)),
            )
            trade(data=slot, size=abs(order.contracts), contract=contract, **self._until(expiry))

    def _until(self, expiry: float) -> dict[str, Any]:
        """Terms of an order that cannot outlive its contract, should the fund have no price."""
        market = self.broker.market
        if expiry > market.tape.dates[-1]:
            return {}
        valid = market.sessions[self.broker.session + 1].to_pydatetime()
        return {"exectype": bt.Order.Close, "valid": valid}


class AnySleeve(SleeveStrategy):
    """The sleeve of a life."""

    params = (("life", None),)

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        sleeve = parameters.life.sleeve
        assert isinstance(sleeve, Sleeve)
        return sleeve

    def __init__(self) -> None:
        super().__init__()
        self.differences: list[tuple[int, str, float, float]] = []

    def next(self) -> None:
        self.differences += differences(self.broker)
        super().next()


@dataclass(frozen=True)
class Lived:
    """A life and what the run left of it."""

    life: Life
    market: Market
    broker: MarginBroker

    @cached_property
    def rows(self) -> dict[str, Floats]:
        """The columns of the ledger."""
        frame = self.broker.ledger.frame()
        return dict(zip(frame.columns, frame.to_numpy().T, strict=True))

    @cached_property
    def events(self) -> list[Event]:
        return [_event(t, row) for t, row in self.broker.event_rows]

    @property
    def sessions(self) -> range:
        """The sessions that were lived, to the last or to the one that ended the account."""
        return range(len(self.rows["cash"]))

    @property
    def funds(self) -> range:
        return range(len(self.market.funds))

    @property
    def quoted(self) -> Floats:
        """1.0 by session and fund where there is a price."""
        return np.isfinite(self.market.tape.closes) * 1.0

    def of(self, kind: EventKind, session: int | None = None) -> list[Event]:
        """The events of a kind, on one session or on all."""
        return [e for e in self.events if e.kind == kind and session in (None, e.session)]

    def columns(self, what: str) -> Floats:
        """Columns of each place: ``shares``, ``price`` or ``value``, by session and place."""
        return np.column_stack([self.rows[f"{what}:{name}"] for name in self.broker.names])

    def flow(self, *causes: str) -> Floats:
        """Dollars of some causes together, by session."""
        flows: Floats = np.sum([self.rows[f"flow:{cause}"] for cause in causes], axis=0)
        return flows

    def scale(self, session: int) -> float:
        """The size of the sums that rounding acts on: dollars that are as good as nothing."""
        gross = sum(abs(self.columns("value")[t]).sum() for t in (max(session - 1, 0), session))
        return float(1e-8 * max(1.0, abs(self.rows["cash"][session]) + gross))

    @property
    def differences(self) -> list[tuple[int, str, float, float]]:
        """Where Backtrader's books differed from the account."""
        strategy: PlainOrders | AnySleeve = self.broker.cerebro.runningstrats[0]
        return strategy.differences


def live(life: Life) -> Lived:
    """Live a life for the first time."""
    LIVED[TOTAL] += 1
    return live_in(life, market_in(life.scene))


def live_in(life: Life, market: Market) -> Lived:
    """Live it in a market that may be another than its scene's."""
    slots = SLOTS if life.sleeve is None else life.sleeve.slots
    broker = MarginBroker(
        market=market,
        terms=life.broker.terms,
        slots=slots if life.options or life.sleeve else (),
        on_shortfall=life.broker.on_shortfall,
        fill=life.broker.fill,
        intraday_test=life.broker.intraday_test,
        cash=life.scene.cash,
    )
    strategy = PlainOrders if life.sleeve is None else AnySleeve
    run_market(strategy, {"life": life}, market, broker)
    return Lived(life, market, broker)
