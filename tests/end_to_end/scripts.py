"""Strategies that act by script: one function a session, called at its close."""

from collections.abc import Callable
from typing import Any

import backtrader as bt
from tests.end_to_end.accounts import FREE

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.market import Market
from levsleeve.backtests.state import Terms

Act = Callable[[Any], Any]
Script = dict[int, list[Act]]


class Scripted(bt.Strategy):
    """Runs one function at each close, by session number, and keeps what it is told."""

    params = (("script", None),)

    def __init__(self) -> None:
        self.orders: list[tuple[str, str]] = []
        self.charges: list[float] = []
        self.closed: list[tuple[float, float]] = []
        self.placed: dict[str, Any] = {}

    def notify_order(self, order: Any) -> None:
        self.orders.append((order.getordername(), order.getstatusname()))
        if order.status == order.Completed:
            self.charges.append(order.executed.comm)

    def notify_trade(self, trade: Any) -> None:
        if trade.isclosed:
            self.closed.append((trade.pnl, trade.pnlcomm))

    def next(self) -> None:
        for act in self.p.script.get(len(self) - 1, ()):
            act(self)


def run_script(
    market: Market,
    script: Script,
    *,
    cash: float = 100_000.0,
    terms: Terms = FREE,
    slots: tuple[str, ...] = (),
    on_shortfall: str = "refuse",
    fill: str = "next_close",
) -> tuple[MarginBroker, Scripted]:
    """Run a script through Backtrader and the margin broker."""
    broker = MarginBroker(
        market=market, terms=terms, slots=slots, on_shortfall=on_shortfall, fill=fill, cash=cash
    )
    run_market(Scripted, {"script": script}, market, broker)
    scripted: Scripted = broker.cerebro.runningstrats[0]
    return broker, scripted
