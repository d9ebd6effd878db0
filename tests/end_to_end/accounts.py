"""Small markets and plain strategies whose figures a reader can check by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.events import events_frame
from levsleeve.backtests.market import Market, overlays_by_session
from levsleeve.backtests.state import AT_ONCE, WHOLE_SHARES, Terms
from levsleeve.backtests.tape import Tape, tape_of
from levsleeve.compiled import Floats
from levsleeve.instruments.borrow_state import BORROW_AVAILABLE
from levsleeve.instruments.fund import parse_fund
from levsleeve.margin.charges import SaleFees, commission_plan, financing_plan, sale_fees
from levsleeve.margin.rulebook import Rulebook, rulebook
from levsleeve.margin.schedule import BENCHMARK_CLASSES
from levsleeve.pricing.volatility import volatility_model
from levsleeve.strategies.history import History

BySession = dict[str, dict[int, float]] | None
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
    closes: Mapping[str, Sequence[float]],
    *,
    opens: Mapping[str, Sequence[float]] | None = None,
    highs: Mapping[str, Sequence[float]] | None = None,
    lows: Mapping[str, Sequence[float]] | None = None,
    start: str = "2019-06-03",
    holidays: Sequence[str] = (),
    splits: BySession = None,
    dividends: BySession = None,
    cash_flows: dict[int, float] | None = None,
    rate: float = 0.0,
    borrow_rate: float = 0.0,
    borrow_rates: BySession = None,
    borrow_states: BySession = None,
    volatility: float = 0.2,
    rules_as_of: date | None = None,
    book: Rulebook | None = None,
    fees: bool = False,
) -> Market:
    """A market of business days; what is sparse goes by symbol and session.

    A fund without opens opens at its close; without highs or lows its extremes are open and close.
    """
    symbols = tuple(closes)
    prices = _columns(closes)
    opened = _columns({**closes, **(opens or {})})
    above = {s: np.maximum(opened[:, i], prices[:, i]) for i, s in enumerate(symbols)}
    below = {s: np.minimum(opened[:, i], prices[:, i]) for i, s in enumerate(symbols)}
    n, funds = prices.shape[0], tuple(parse_fund(symbol) for symbol in symbols)
    sessions = pd.bdate_range(start, periods=n, freq="C", holidays=list(holidays))
    sessions = sessions.as_unit("us").rename("session")
    dates = np.array([stamp.toordinal() for stamp in sessions], dtype=np.float64)
    flat = np.ones((n, len(symbols)))
    book = replace(book or rulebook(), rules_as_of=rules_as_of)
    index = pd.Series(prices[:, 0], index=sessions)
    charges = [sale_fees(stamp.date()) if fees else NO_FEES for stamp in sessions]
    tape = tape_of(
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
        cash_flows=np.array([(cash_flows or {}).get(t, 0.0) for t in range(n)]),
        opens=opened,
        highs=_columns({**above, **(highs or {})}),
        lows=_columns({**below, **(lows or {})}),
        closes=prices,
        splits=_sparse(flat, symbols, splits, 1.0),
        dividends=_sparse(flat, symbols, dividends, 0.0),
        multiples=flat * [fund.multiple for fund in funds],
        benchmark_classes=flat * [BENCHMARK_CLASSES[fund.benchmark_class] for fund in funds],
        borrow_rates=_sparse(flat, symbols, borrow_rates, borrow_rate),
        borrow_states=_sparse(flat, symbols, borrow_states, BORROW_AVAILABLE),
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
        history=history_of(tape),
        rulebook=book,
        data_hashes={},
    )


def history_of(tape: Tape) -> History:
    """Total returns by the prices of a tape, the index's those of its first fund a turn.

    Over sessions without a price a return is 0, and then that of the gap.
    """
    closes = pd.DataFrame(tape.closes)
    worth = (closes + tape.dividends) * tape.splits
    returns = (worth / closes.ffill().shift(1) - 1.0).fillna(0.0).to_numpy()
    bills = np.concatenate([[0.0], tape.bill_rates[:-1] * np.diff(tape.dates) / 365.0])
    return History(returns[:, 0] / tape.multiples[0, 0], bills, returns)


def _columns(prices: Mapping[str, Sequence[float] | Floats]) -> Floats:
    return np.ascontiguousarray(np.array([*prices.values()], dtype=np.float64).T)


def _sparse(flat: Floats, symbols: Sequence[str], entries: BySession, default: float) -> Floats:
    table = flat * default
    for symbol, by_session in (entries or {}).items():
        for session, value in by_session.items():
            table[session, symbols.index(symbol)] = value
    return table


def events_of(broker: MarginBroker, kind: str) -> pd.DataFrame:
    """The events of one kind."""
    events = events_frame(broker.event_rows, broker.market.sessions, broker.market.symbols)
    return events[events["kind"] == kind]


def sessions_of(broker: MarginBroker, kind: str) -> list[int]:
    """Numbers of the sessions with an event of one kind, one for each event."""
    stamps = pd.DatetimeIndex(events_of(broker, kind)["session"])
    found: list[int] = broker.market.sessions.get_indexer(stamps).tolist()
    return found


def fills_of(broker: MarginBroker) -> list[tuple[int, Any]]:
    """Session number and price per share of every fill."""
    prices = events_of(broker, "order_filled")["price"]
    return list(zip(sessions_of(broker, "order_filled"), prices, strict=True))


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
    fill: str = "next_close",
    intraday_test: bool = False,
) -> MarginBroker:
    """Run planned orders through Backtrader and the margin broker."""
    broker = MarginBroker(
        market=market,
        terms=terms,
        slots=slots,
        on_shortfall=on_shortfall,
        fill=fill,
        intraday_test=intraday_test,
        cash=cash,
    )
    return run_market(Planned, {"plan": tuple(plan)}, market, broker)


def strategy_of(broker: MarginBroker) -> Planned:
    """The strategy that a broker served."""
    strategy: Planned = broker.cerebro.runningstrats[0]
    return strategy
