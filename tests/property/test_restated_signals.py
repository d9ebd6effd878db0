"""What must hold of any fund's signals, however often and at whatever ratios it splits."""

from typing import Any

import backtrader as bt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.backtests.split_runs import as_traded, known_on, steady_prices, watch

SESSIONS = 40
PERIOD = 5
split_days = st.dictionaries(
    st.integers(0, SESSIONS - 1), st.sampled_from([2.0, 3.0, 0.25, 1.5]), min_size=1, max_size=4
)
seeds = st.integers(0, 1_000)


def signals(strategy: Any) -> dict[str, Any]:
    """What a strategy decides by: the same whatever shares the prices are in."""
    fund = strategy.data
    average = bt.ind.SMA(fund, period=PERIOD)
    return {
        "cross": bt.ind.CrossOver(fund, average),
        "rsi": bt.ind.RSI(fund, period=PERIOD, safediv=True),
        "gap": (fund.close - average) / average,
        "return": fund.close / fund.close(-1) - 1.0,
    }


@settings(max_examples=30)
@given(splits=split_days, seed=seeds)
def test_a_split_changes_no_signal(splits: dict[int, float], seed: int) -> None:
    prices = steady_prices(SESSIONS, seed)
    split = watch({"FUND": as_traded(prices, splits)}, signals, {"FUND": splits})
    unsplit = watch({"FUND": prices}, signals)
    assert list(split["cross"].dropna()) == list(unsplit["cross"].dropna())
    # Prices in other shares are rounded otherwise, by about 1e-16 of a price.
    np.testing.assert_allclose(split, unsplit, rtol=1e-9, atol=1e-11)


@settings(max_examples=30)
@given(splits=split_days, seed=seeds)
def test_an_average_is_that_of_the_last_closes_in_shares_of_the_day(
    splits: dict[int, float], seed: int
) -> None:
    traded = as_traded(steady_prices(SESSIONS, seed), splits)
    seen = watch(
        {"FUND": traded}, lambda s: {"sma": bt.ind.SMA(s.data, period=PERIOD)}, {"FUND": splits}
    )
    for session in range(PERIOD - 1, SESSIONS):
        known = known_on(traded, splits, session)["close"]
        average = known.rolling(PERIOD).mean().iloc[-1]
        assert seen["sma"][session] == pytest.approx(average, rel=1e-12)
