"""Small markets and plain strategies whose figures a reader can check by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.market import Market, overlays_by_session
from levsleeve.backtests.state import AT_ONCE, WHOLE_SHARES, Tape, Terms
from levsleeve.instruments.borrow_state import BORROW_AVAILABLE
from levsleeve.instruments.fund import parse_fund
from levsleeve.margin.charges import SaleFees, commission_plan, financing_plan, sale_fees
from levsleeve.margin.rulebook import Rulebook, rulebook
from levsleeve.margin.schedule import BENCHMARK_CLASSES
from levsleeve.pricing.volatility import volatility_model

IBKR_INTEREST = financing_plan("ibkr")
FREE = Terms(
    fund_spread_rates=np.zeros(1),
    option_spread_rates=np.zeros(1),
    option_spread_minimums_usd=np.zeros(1),
    liquidation_penalty_rate=0.0,
    share_parts=WHOLE_SHARES,
    call_policy=AT_ONCE,
    call_sessions=0.0,
    financing=IBKR_INTEREST._replace(debit_spreads=np.zeros_like(IBKR_INTEREST.debit_spreads)),
    commission=commission_plan("none"),
    volatility=volatility_model("vix_standard_skew"),
)
"""A broker that charges nothing for a trade, nor above the benchmark for a debit."""
NO_FEES = SaleFees(*[0.0] * len(SaleFees._fields))
"""Regulators that charge nothing."""


def market_of(
    closes: dict[str, Sequence[float]],
    *,
    start: str = "2019-06-03",
    splits: dict[str, dict[int, float]] | None = None,
    dividends: dict[str, dict[int, float]] | None = None,
    rate: float = 0.0,
    borrow_rate: float = 0.0,
    volatility: float = 0.2,
    rules_as_of: date | None = None,
    book: Rulebook | None = None,
    fees: bool = False,
) -> Market:
    """A market of business days; ``splits`` and ``dividends`` go by symbol and session."""
    symbols = tuple(closes)
    prices = np.array([closes[symbol] for symbol in symbols], dtype=np.float64).T.copy()
    n, funds = prices.shape[0], tuple(parse_fund(symbol) for symbol in symbols)
    sessions = pd.bdate_range(start, periods=n).as_unit("us").rename("session")
    dates = np.array([stamp.toordinal() for stamp in sessions], dtype=np.float64)
    flat = np.ones((n, len(symbols)))
    book = replace(book or rulebook(), rules_as_of=rules_as_of)
    index = pd.Series(prices[:, 0], index=sessions)
    charges = [sale_fees(stamp.date()) if fees else NO_FEES for stamp in sessions]
    tape = Tape(
        dates=dates,
        days=np.diff(dates, prepend=dates[0]),
        benchmark_rates=np.full(n, rate),
        bill_rates=np.full(n, rate),
        volatility=np.full(n, volatility),
        rules=np.array([book.rules(stamp.date()) for stamp in sessions]),
        overlays=overlays_by_session(
            book, funds, sessions, pd.Series(volatility, index=sessions), index
        ),
        sale_fees=np.array(charges, dtype=np.float64),
        cash_flows=np.zeros(n),
        opens=prices,
        highs=prices,
        lows=prices,
        closes=prices,
        splits=_sparse(flat, symbols, splits, 1.0),
        dividends=_sparse(flat, symbols, dividends, 0.0),
        multiples=flat * [fund.multiple for fund in funds],
        benchmark_classes=flat * [BENCHMARK_CLASSES[fund.benchmark_class] for fund in funds],
        borrow_rates=flat * borrow_rate,
        borrow_states=flat * BORROW_AVAILABLE,
        cost_rates=flat * [fund.running_cost_rate for fund in funds],
    )
    nothing = pd.Series(0.0, index=sessions)
    return Market(
        funds=funds,
        sessions=sessions,
        tape=tape,
        benchmark_returns=nothing,
        bill_returns=nothing,
        volatility_rung=pd.Series("vix", index=sessions),
        expiries=dates[-1:],
        rulebook=book,
        data_hashes={},
    )


def _sparse(
    flat: np.ndarray[Any, np.dtype[np.float64]],
    symbols: Sequence[str],
    entries: dict[str, dict[int, float]] | None,
    default: float,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    table = flat * default
    for symbol, by_session in (entries or {}).items():
        for session, value in by_session.items():
            table[session, symbols.index(symbol)] = value
    return table


class Planned(bt.Strategy):
    """Places market orders by plan: session number -> (feed, signed size, contract or None)."""

    params = (("plan", ()),)

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.equities: list[float] = []
        self.held: list[float] = []

    def notify_order(self, order: Any) -> None:
        self.seen.append((order.data._name, order.getstatusname()))

    def next(self) -> None:
        self.equities.append(self.broker.getvalue())
        self.held.append(self.position.size)
        for session, feed, size, contract in self.p.plan:
            if session == self.broker.session:
                trade = self.buy if size > 0 else self.sell
                extra = {} if contract is None else {"contract": contract}
                trade(data=self.getdatabyname(feed), size=abs(size), **extra)


def run_plan(
    market: Market,
    plan: Sequence[tuple[int, str, float, Any]],
    *,
    cash: float,
    terms: Terms = FREE,
    slots: tuple[str, ...] = (),
    on_shortfall: str = "refuse",
) -> MarginBroker:
    """Run planned orders through Backtrader and the margin broker."""
    broker = MarginBroker(
        market=market, terms=terms, slots=slots, on_shortfall=on_shortfall, cash=cash
    )
    return run_market(Planned, {"plan": tuple(plan)}, market, broker)


def strategy_of(broker: MarginBroker) -> Planned:
    """The strategy that a broker served."""
    strategy: Planned = broker.cerebro.runningstrats[0]
    return strategy
