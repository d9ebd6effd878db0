"""The Market of a study: every array that depends on prices and rules alone, aligned by session."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from levsleeve.backtests.tape import (
    Tape,
    tape_of,
)
from levsleeve.compiled import Floats
from levsleeve.data.calendar import monthly_expiries
from levsleeve.data.library import Library
from levsleeve.data.prices import PriceTable
from levsleeve.errors import DataError, StudyError
from levsleeve.instruments.borrow_state import BORROW_AVAILABLE
from levsleeve.instruments.fund import Fund, parse_fund
from levsleeve.margin.charges import borrow_rates, sale_fees
from levsleeve.margin.house import NO_OVERLAY
from levsleeve.margin.rulebook import Rulebook
from levsleeve.margin.schedule import BENCHMARK_CLASSES
from levsleeve.strategies.history import History

VIX_POINT = 100.0
"""The VIX is quoted in points; inside, volatility is a fraction."""


@dataclass(frozen=True, slots=True)
class Market:
    """What one study's sessions bring, for people and for the compiled steps.

    ``tape`` holds the arrays (see ``Tape``).  ``benchmark_returns`` are total returns of the
    benchmark and ``bill_returns`` of bills, by session, the first 0.0.  ``expiries`` are date
    ordinals.  ``history`` is what sizing rules may see, the time before the first session included.
    """

    funds: tuple[Fund, ...]
    sessions: pd.DatetimeIndex
    tape: Tape
    benchmark_returns: "pd.Series[float]"
    bill_returns: "pd.Series[float]"
    volatility_rung: "pd.Series[str]"
    expiries: Floats
    history: History
    rulebook: Rulebook
    data_hashes: dict[str, str]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The funds' symbols, in the order of the arrays."""
        return tuple(fund.symbol for fund in self.funds)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a market has beside its funds, all by session.

    ``bill`` and ``benchmark`` are rates a year; ``volatility`` has the columns ``value`` (prices
    options), ``seen`` (what a house may look at) and ``rung``, in points of the VIX;
    ``index_close`` spans at least the sessions.
    """

    bill: "pd.Series[float]"
    benchmark: "pd.Series[float]"
    volatility: pd.DataFrame
    index_close: "pd.Series[float]"
    benchmark_returns: "pd.Series[float]"
    data_hashes: dict[str, str]


def build_market(
    library: Library,
    symbols: Sequence[str],
    span: tuple[date, date],
    rulebook: Rulebook,
    benchmark: str = "SP500",
) -> Market:
    """Align prices, rates, volatility and the rules of each date over the sessions of ``span``.

    The benchmark's own sessions are the calendar.

    Raises
    ------
    DataError
        If a fund has no price on a session of the study.
    StudyError
        If the span reaches outside the data.
    """
    funds = tuple(parse_fund(symbol) for symbol in symbols)
    index = library.index(benchmark)
    sessions = sessions_within(index, span)
    tables = [library.prices(symbol) for symbol in symbols]
    for table in tables:
        _refuse_gaps(table, sessions)
    bill = library.bill().reindex(sessions)
    benchmark_returns = index.total_returns().reindex(sessions)
    benchmark_returns.iloc[0] = 0.0
    around = Surroundings(
        bill=bill,
        benchmark=bill,
        volatility=library.volatility(benchmark).reindex(sessions),
        index_close=index.close,
        benchmark_returns=benchmark_returns,
        data_hashes=library.hashes(),
    )
    frames = [table.frame.reindex(sessions) for table in tables]
    market = market_of_frames(frames, funds, sessions, rulebook, around)
    return replace(market, history=_history_of(index, tables, library.bill(), sessions))


def _history_of(
    index: PriceTable,
    tables: Sequence[PriceTable],
    bill: "pd.Series[float]",
    sessions: pd.DatetimeIndex,
) -> History:
    """Total returns of the benchmark, the funds and bills from the first day that all have."""
    begins = max(table.sessions[0] for table in (index, *tables))
    days = index.sessions[(index.sessions >= begins) & (index.sessions <= sessions[-1])]
    returns = [table.total_returns().reindex(days) for table in (index, *tables)]
    columns = np.nan_to_num(np.column_stack(returns))
    columns[0] = 0.0
    dates = np.array([stamp.toordinal() for stamp in days], dtype=np.float64)
    rates = np.asarray(bill.reindex(days), dtype=np.float64)
    bills = _bills_earned(rates, dates)
    first = int(days.searchsorted(sessions[0]))
    return History(columns[:, 0].copy(), bills, columns[:, 1:].copy(), first)


def _bills_earned(rates: Floats, dates: Floats) -> Floats:
    """What bills earned since the close before, at that close's rate on 365 days."""
    earned: Floats = np.concatenate([[0.0], rates[:-1] * np.diff(dates) / 365.0])
    return earned


def _returns_of(frame: pd.DataFrame) -> Floats:
    """Total returns of a fund; over sessions without a price they are 0, then those of the gap."""
    close = frame["close"].ffill()
    worth = (frame["close"].fillna(close) + frame["dividend"].fillna(0.0)) * frame["split"].fillna(
        1.0
    )
    returns = (worth / close.shift(1) - 1.0).to_numpy(dtype=np.float64)
    return np.nan_to_num(returns)


def market_of_frames(
    frames: Sequence[pd.DataFrame],
    funds: Sequence[Fund],
    sessions: pd.DatetimeIndex,
    rulebook: Rulebook,
    around: Surroundings,
) -> Market:
    """A market of aligned frames, one a fund, with the columns of a price table.

    A row of NaN is a session on which the fund has no price.
    """

    def column(name: str) -> Floats:
        return np.ascontiguousarray(
            np.column_stack([frame[name].to_numpy(dtype=np.float64) for frame in frames])
        )

    bill = np.asarray(around.bill, dtype=np.float64)
    dates = np.array([stamp.toordinal() for stamp in sessions], dtype=np.float64)
    days = np.diff(dates, prepend=dates[0])
    ones = np.ones((len(sessions), 1))
    tape = tape_of(
        dates=dates,
        days=days,
        benchmark_rates=np.asarray(around.benchmark, dtype=np.float64),
        bill_rates=bill,
        volatility=around.volatility["value"].to_numpy(dtype=np.float64) / VIX_POINT,
        rules=np.array([rulebook.rules(stamp.date()) for stamp in sessions]),
        overlays=overlays_by_session(
            rulebook, funds, sessions, around.volatility["seen"] / VIX_POINT, around.index_close
        ),
        sale_fees=_by_session(sessions, rulebook.rules_as_of, sale_fees),
        cash_flows=np.zeros(len(sessions)),
        opens=column("open"),
        highs=column("high"),
        lows=column("low"),
        closes=column("close"),
        splits=column("split"),
        dividends=column("dividend"),
        multiples=ones * [fund.multiple for fund in funds],
        benchmark_classes=ones * [BENCHMARK_CLASSES[fund.benchmark_class] for fund in funds],
        borrow_rates=ones * [placeholder_borrow_rate(fund, rulebook) for fund in funds],
        borrow_states=np.full((len(sessions), len(funds)), BORROW_AVAILABLE),
        cost_rates=ones * [fund.running_cost_rate for fund in funds],
    )
    earned = _bills_earned(bill, dates)
    of_funds = np.column_stack([_returns_of(frame) for frame in frames])
    of_index = np.nan_to_num(np.asarray(around.benchmark_returns, dtype=np.float64))
    return Market(
        funds=tuple(funds),
        sessions=sessions,
        tape=tape,
        benchmark_returns=around.benchmark_returns,
        bill_returns=pd.Series(earned, index=sessions, name="BILL"),
        volatility_rung=around.volatility["rung"],
        expiries=np.array(
            [stamp.toordinal() for stamp in monthly_expiries(sessions)], dtype=np.float64
        ),
        history=History(of_index, earned, of_funds),
        rulebook=rulebook,
        data_hashes=around.data_hashes,
    )


def sessions_within(index: PriceTable, span: tuple[date, date]) -> pd.DatetimeIndex:
    """The calendar's sessions within the span; both ends must lie within the data.

    Raises
    ------
    StudyError
        If they do not, or fewer than two sessions are left.
    """
    first, last = index.sessions[0].date(), index.sessions[-1].date()
    start, end = span
    if start < first or end > last:
        name, wrong = ("start", start) if start < first else ("end", end)
        raise StudyError(
            f"{name}: {wrong} is outside the data; {index.symbol} spans {first} to {last}"
        )
    within = (index.sessions >= pd.Timestamp(start)) & (index.sessions <= pd.Timestamp(end))
    sessions = index.sessions[within]
    fewest = 2
    if len(sessions) < fewest:
        raise StudyError(
            f"start and end: {start} to {end} holds {len(sessions)} sessions; at least 2 are needed"
        )
    return sessions


def _refuse_gaps(table: PriceTable, sessions: pd.DatetimeIndex) -> None:
    """Every session of the study needs a price: a fund may not begin late or end early."""
    missing = sessions.difference(table.sessions)
    if len(missing):
        raise DataError(
            f"{table.symbol}: no price on {len(missing)} sessions of the study, first "
            f"{missing[0]:%Y-%m-%d}; its prices span {table.sessions[0]:%Y-%m-%d} to "
            f"{table.sessions[-1]:%Y-%m-%d}"
        )


def overlays_by_session(
    rulebook: Rulebook,
    funds: Sequence[Fund],
    sessions: pd.DatetimeIndex,
    volatility: "pd.Series[float]",
    index_closes: "pd.Series[float]",
) -> Floats:
    """House overlays, shape (n_sessions, n_funds, 6).

    Those that depend on the state of the market see the volatility (a fraction, by session) and the
    index return of the session before, and ask nothing on the first.
    """
    if not rulebook.overlays:
        return np.tile(NO_OVERLAY, (len(sessions), len(funds), 1))
    returns = index_closes.pct_change().reindex(sessions).to_numpy(dtype=np.float64)
    seen = volatility.reindex(sessions).to_numpy(dtype=np.float64)
    rows = [
        [
            rulebook.overlay(
                stamp.date(),
                fund.multiple,
                seen[t - 1] if t > 0 else np.nan,
                returns[t - 1] if t > 0 else np.nan,
            )
            for fund in funds
        ]
        for t, stamp in enumerate(sessions)
    ]
    return np.array(rows)


def _by_session(
    sessions: pd.DatetimeIndex,
    rules_as_of: date | None,
    rules_on: Callable[[date], tuple[float, ...]],
) -> Floats:
    """One row of facts a session: its own, or those of one fixed date."""
    if rules_as_of is not None:
        return np.tile(np.array(rules_on(rules_as_of), dtype=np.float64), (len(sessions), 1))
    return np.array([rules_on(stamp.date()) for stamp in sessions], dtype=np.float64)


def placeholder_borrow_rate(fund: Fund, rulebook: Rulebook) -> float:
    """The assumed borrow fee of a fund: one rate for bulls, one for inverse funds."""
    rates = borrow_rates(rulebook.profile.borrow)
    return rates.inverse_rate if fund.multiple < 0 else rates.bull_rate
