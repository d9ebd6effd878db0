"""Markets drawn at random: gaps, splits, distributions and rates, on one index."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
from tests.end_to_end.accounts import market_of

from levsleeve.backtests.market import Market
from levsleeve.backtests.tape import retaped
from levsleeve.instruments.fund import parse_fund
from levsleeve.margin.charges import sale_fees
from levsleeve.margin.rulebook import Rulebook

RATIOS = [2.0, 3.0, 4.0, 1.5, 0.25, 0.2, 1.0 / 3.0]
FIRST_PRICES = [4.0, 12.0, 40.0, 150.0]


def third_fridays(sessions: pd.DatetimeIndex) -> list[float]:
    """Monthly expiries as date ordinals, a year beyond the last session."""
    end = sessions[-1] + pd.DateOffset(months=13)
    return [float(day.toordinal()) for day in pd.date_range(sessions[0], end, freq="WOM-3FRI")]


def wild_market(
    seed: int,
    symbols: Sequence[str],
    n_sessions: int,
    *,
    start: str,
    rules_as_of: date | None,
    book: Rulebook | None = None,
) -> Market:
    """As-traded prices of funds whose index gaps, some through all of its value."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.0, rng.uniform(0.005, 0.025), n_sessions)
    gaps = rng.random(n_sessions) < 0.03
    largest = 0.40 if seed % 3 == 0 else 0.12
    moves[gaps] += rng.choice([-1.0, 1.0], gaps.sum()) * rng.uniform(0.03, largest, gaps.sum())
    closes: dict[str, Sequence[float]] = {}
    splits: dict[str, dict[int, float]] = {}
    dividends: dict[str, dict[int, float]] = {}
    for symbol in symbols:
        days = rng.choice(np.arange(1, n_sessions), rng.integers(0, 4), replace=False)
        splits[symbol] = {int(t): float(rng.choice(RATIOS)) for t in days}
        growth = np.maximum(1.0 + parse_fund(symbol).multiple * moves, 0.02)
        for t, ratio in splits[symbol].items():
            growth[t] /= ratio
        prices = np.maximum(rng.choice(FIRST_PRICES) * np.cumprod(growth), 3.0)
        closes[symbol] = prices.tolist()
        days = rng.choice(np.arange(1, n_sessions), rng.integers(0, 3), replace=False)
        dividends[symbol] = {int(t): float(0.01 * prices[t]) for t in days}
    market = market_of(
        closes,
        start=start,
        splits=splits,
        dividends=dividends,
        rate=float(rng.uniform(-0.005, 0.06)),
        borrow_rate=float(rng.uniform(0.0, 0.08)),
        rules_as_of=rules_as_of,
        book=book,
    )
    fee_dates = [rules_as_of or stamp.date() for stamp in market.sessions]
    tape = retaped(
        market.tape,
        sale_fees=np.array([sale_fees(day) for day in fee_dates], dtype=np.float64),
        volatility=0.1 + 0.5 * rng.random(n_sessions),
    )
    return replace(market, tape=tape, expiries=np.array(third_fridays(market.sessions)))
