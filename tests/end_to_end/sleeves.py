"""Small runs of a sleeve through both drivers, whose figures a reader can check by hand."""

from typing import NamedTuple

import pandas as pd
from tests.end_to_end.accounts import FREE
from tests.end_to_end.both_drivers import describing
from tests.parity import Left, first_difference

from levsleeve import Sleeve
from levsleeve.backtests.account_table import account_table
from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.compiled_driver import run_compiled
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.event_kinds import EventKind, Why
from levsleeve.backtests.market import Market
from levsleeve.backtests.sleeve_market import Setting

CASH_USD = 100_000.0


class Told(NamedTuple):
    """An event of the sleeve: its session, kind and reason, before and after."""

    session: int
    kind: EventKind
    why: Why
    before: float
    after: float


class Small(NamedTuple):
    """What a small run left."""

    ledger: pd.DataFrame
    events: list[Told]

    def of(self, *kinds: EventKind) -> list[Told]:
        return [event for event in self.events if event.kind in kinds]

    def when(self, *kinds: EventKind) -> list[tuple[int, Why]]:
        """Session and reason of the events of some kinds."""
        return [(event.session, event.why) for event in self.of(*kinds)]

    def shares(self, place: str) -> list[float]:
        """Signed shares or contracts at each close."""
        held: list[float] = self.ledger[f"shares:{place}"].tolist()
        return held


def in_backtrader(
    market: Market, sleeve: Sleeve, fill: str = "next_close", cash: float = CASH_USD
) -> MarginBroker:
    """The broker after a run through Backtrader alone."""
    broker = MarginBroker(
        market=market, terms=FREE, slots=sleeve.slots, on_shortfall="cut", fill=fill, cash=cash
    )
    return run_market(describing(sleeve), {}, market, broker)


def run_small(
    market: Market, sleeve: Sleeve, fill: str = "next_close", cash: float = CASH_USD
) -> Small:
    """Run a sleeve through both drivers, which must agree in every bit."""
    broker = in_backtrader(market, sleeve, fill, cash)
    setting = Setting(market, FREE, account_table({"cash_usd": cash, "fill": fill}), cuts=True)
    left = run_compiled(setting, sleeve)
    by_backtrader = Left(broker.ledger.frame(), broker.event_rows, broker.account)
    by_kernel = Left(left.ledger, left.event_rows, left.account)
    assert first_difference(by_backtrader, by_kernel) is None
    events = [
        Told(t, EventKind(int(row[0])), Why(int(row[6])), float(row[4]), float(row[5]))
        for t, row in left.event_rows
    ]
    return Small(left.ledger, events)
