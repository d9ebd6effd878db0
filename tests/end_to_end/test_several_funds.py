"""Several funds at once: base weights that one scale moves, rotation, inverse volatility.

Bond, gold and bill funds are generated here, under names that a study can hold.
"""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.end_to_end.both_drivers import Run, Sleeved, by_backtrader, by_the_kernel, ready_in
from tests.parity import Left, first_difference

from levsleeve import Holding, InverseVolatility, Rotation, Sleeve, SleeveStrategy, VolatilityTarget
from levsleeve.backtests.market import Market, Surroundings, market_of_frames
from levsleeve.instruments.fund import parse_fund
from levsleeve.margin.rulebook import rulebook
from levsleeve.strategies.branches import Seen
from levsleeve.strategies.history import Base, History

EQUITY, BOND = "UPRO", "SP500?L=3&D=1"
GOLD, BILLS = "SP500?L=1&D=2", "SP500?L=1&D=3"
SESSIONS = pd.bdate_range("2015-01-01", periods=400).as_unit("us").rename("session")
DRIFTS = {EQUITY: 0.0008, BOND: 0.0003, GOLD: 0.0005, BILLS: 0.0001}
DEVIATIONS = {EQUITY: 0.03, BOND: 0.018, GOLD: 0.01, BILLS: 0.0001}


def returns_of(symbols: tuple[str, ...]) -> pd.DataFrame:
    """Daily returns, equity and bond against each other."""
    rng = np.random.default_rng(7)
    common = rng.normal(size=len(SESSIONS))
    table = {}
    for number, symbol in enumerate(symbols):
        own = rng.normal(size=len(SESSIONS))
        noise = 0.6 * common * (-1.0) ** number + 0.8 * own
        table[symbol] = DRIFTS[symbol] + DEVIATIONS[symbol] * noise
    frame = pd.DataFrame(table, index=SESSIONS)
    frame.iloc[0] = 0.0
    return frame


def market_of(symbols: tuple[str, ...]) -> Market:
    closes = 100.0 * (1.0 + returns_of(symbols)).cumprod()
    frames = [
        pd.DataFrame(
            {
                "open": closes[symbol], "high": closes[symbol], "low": closes[symbol],
                "close": closes[symbol], "split": 1.0, "dividend": 0.0, "volume": 0.0,
            }
        )
        for symbol in symbols
    ]  # fmt: skip
    nothing = pd.Series(0.0, index=SESSIONS)
    volatility = pd.DataFrame({"value": 20.0, "seen": 20.0, "rung": "given"}, index=SESSIONS)
    around = Surroundings(nothing, nothing, volatility, nothing, nothing, {})
    funds = [parse_fund(symbol) for symbol in symbols]
    rules = rulebook("finra", {}, date(2018, 6, 1))
    return market_of_frames(frames, funds, SESSIONS, rules, around)


class Given(SleeveStrategy):
    params = (("sleeve", None),)

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        given: Sleeve = parameters.sleeve
        return given


def lived(sleeve: Sleeve, fill: str = "next_close") -> tuple[Left, Market]:
    """What both drivers leave of a sleeve in the generated market."""
    market = market_of(sleeve.funds)
    account = {"cash_usd": 1e8, "fractional_shares": True, "fill": fill}
    strategy = type("Held", (Given,), {"params": (("sleeve", sleeve),)})
    run: Run = ready_in(market, Sleeved("given", {}, given=strategy), account)
    kernel = by_the_kernel(run)
    assert first_difference(by_backtrader(run), kernel) is None
    return kernel, market


def held_weights(left: Left, market: Market) -> pd.DataFrame:
    """Weights at each close, by fund."""
    equity = left.ledger["equity"]
    return pd.DataFrame(
        {symbol: left.ledger[f"value:{symbol}"] / equity for symbol in market.symbols}
    )


def test_equity_and_bonds_keep_their_proportion_while_the_rule_scales_both() -> None:
    holdings = (Holding(EQUITY, 0.55), Holding(BOND, 0.45))
    rule = VolatilityTarget(target_vol=0.15, window=60, of="holdings")
    sleeve = Sleeve(holdings, cap=1.0, sizing=rule, rebalance="daily")
    left, market = lived(sleeve, "same_close")
    weights = held_weights(left, market)
    returns = returns_of(sleeve.funds)
    whole = 0.55 * returns[EQUITY] + 0.45 * returns[BOND]
    deviation = whole.iloc[1:].rolling(60).std() * np.sqrt(252.0)
    scale = (0.15 / deviation).clip(upper=1.0)
    for session in SESSIONS[60:398:37]:
        assert weights.loc[session, EQUITY] == pytest.approx(0.55 * scale[session], rel=1e-3)
        assert weights.loc[session, BOND] == pytest.approx(0.45 * scale[session], rel=1e-3)
    assert (weights.loc[: SESSIONS[59]] == 0.0).all().all()
    assert 0.3 < scale.min() < scale.max() <= 1.0


def test_a_short_bull_beside_a_short_bear_is_sized_by_its_own_volatility() -> None:
    holdings = (Holding("UPRO", -0.3), Holding("SP500?L=-3&D=1", -0.3))
    DRIFTS["SP500?L=-3&D=1"], DEVIATIONS["SP500?L=-3&D=1"] = -0.001, 0.03
    rule = VolatilityTarget(target_vol=0.10, window=40, of="holdings")
    left, market = lived(Sleeve(holdings, cap=0.6, sizing=rule, rebalance="weekly"))
    weights = held_weights(left, market).iloc[60:]
    assert (weights < 0.0).all().all()
    assert weights.to_numpy().sum(axis=1).min() > -0.75  # the cap, and a week's drift


def test_a_rotation_holds_the_best_fund_and_cash_where_none_beats_bills() -> None:
    symbols = (EQUITY, BOND, GOLD, BILLS)
    holdings = tuple(Holding(symbol, 0.2) for symbol in symbols)
    rotation = Rotation(window=40, hold=2)
    sleeve = Sleeve(holdings, cap=0.8, allocation=rotation, rebalance="daily")
    left, market = lived(sleeve, "same_close")
    weights = held_weights(left, market)
    trailing = (1.0 + returns_of(symbols)).cumprod().pct_change(40)
    seen = set()
    for session in SESSIONS[40:398:9]:
        ranked = pd.Series(trailing.loc[session]).sort_values(ascending=False)
        chosen = [name for name in ranked.index[:2] if ranked[name] > 0.0]
        for symbol in symbols:
            expected = 0.4 if symbol in chosen else 0.0
            assert weights.loc[session, symbol] == pytest.approx(expected, abs=2e-3)
        seen.add(tuple(sorted(chosen)))
    assert len(seen) >= 4


def test_inverse_volatility_gives_each_fund_its_part_of_the_whole_weight() -> None:
    holdings = (Holding(EQUITY, 0.5), Holding(BOND, 0.3))
    sleeve = Sleeve(holdings, cap=0.8, allocation=InverseVolatility(window=50), rebalance="daily")
    left, market = lived(sleeve, "same_close")
    weights = held_weights(left, market)
    deviations = returns_of(sleeve.funds).iloc[1:].rolling(50).std()
    for session in SESSIONS[50:398:29]:
        inverse = 1.0 / deviations.loc[session]
        parts = 0.8 * inverse / inverse.sum()
        assert weights.loc[session].to_numpy() == pytest.approx(parts.to_numpy(), rel=2e-3)


def test_the_correlation_may_flip_and_the_scale_follows() -> None:
    # with bonds that move with equities the same 55/45 has more volatility, and less is held
    holdings = (Holding(EQUITY, 0.55), Holding(BOND, 0.45))
    rule = VolatilityTarget(target_vol=0.15, window=60, of="holdings")
    sleeve = Sleeve(holdings, cap=1.0, sizing=rule, rebalance="daily")
    market = market_of(sleeve.funds)
    against = market.history.funds
    together = np.column_stack([against[:, 0], np.abs(against[:, 1]) * np.sign(against[:, 0])])
    base = Base(np.array([0.55, 0.45]), np.array([3.0, 3.0]), np.zeros(2))
    nothing = np.full(len(SESSIONS), np.nan)

    def scales(funds: Any) -> Any:
        history = History(market.history.index, market.history.bills, np.ascontiguousarray(funds))
        return rule.branches(Seen(history, base, nothing))[0].signal[60:]

    assert scales(together).mean() < 0.75 * scales(against).mean()
