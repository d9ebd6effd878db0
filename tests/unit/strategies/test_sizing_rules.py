"""Sizing rules against pandas and arithmetic on paper."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.unit.strategies.markets import FIRST, ROWS, history_of, seen_of

from levsleeve.compiled import Floats
from levsleeve.errors import StudyError
from levsleeve.strategies.branches import Branch, Seen
from levsleeve.strategies.history import History
from levsleeve.strategies.sizing_base import Of, SizingRule
from levsleeve.strategies.sizing_rules import (
    Cppi,
    FixedFraction,
    GrossmanZhou,
    Kelly,
    MarginUtilization,
    Momentum,
    MostCautious,
    Product,
    Tipp,
    Trend,
    VolatilityFilter,
    VolatilityLadder,
    VolatilityManaged,
    VolatilityTarget,
)

REL = 1e-9  # sums in another order
PANDAS = 1e-6  # pandas' rolling sums drift
TURNS = 1.5
"""Half of equity in a fund of three times the index."""


def plain(rule: SizingRule, seen: Seen) -> Floats:
    """The signal of a rule that looks at prices alone."""
    (branch,) = rule.branches(seen)
    assert not branch.reads_account
    assert math.isnan(branch.trailing)
    assert np.isnan(branch.floors).all()
    return branch.signal


def bull(weight: float = 0.5) -> Seen:
    return seen_of(history_of(), (weight,), (3.0,))


def mixed() -> Seen:
    """A bull and the index: 0.3 x 3 + 0.4 = 1.3 turns."""
    return seen_of(history_of((3.0, 1.0)), (0.3, 0.4), (3.0, 1.0))


def observed(returns: Floats) -> "pd.Series[float]":
    return pd.Series(returns).where(np.arange(len(returns)) > 0)


def years_volatility(returns: Floats, window: int) -> Floats:
    found = observed(returns).rolling(window).std() * math.sqrt(252.0)
    return found.to_numpy()


# --- a part of the base weights -------------------------------------------------------------------


@pytest.mark.parametrize("fraction", [0.0, 0.25, 2.0])
def test_a_fixed_fraction_is_the_same_on_every_session(fraction: float) -> None:
    assert plain(FixedFraction(fraction=fraction), bull()).tolist() == [fraction] * ROWS


# --- volatility -----------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [0.5, -0.5])
def test_a_volatility_target_divides_it_by_the_indexs_times_the_turns(weight: float) -> None:
    seen = bull(weight)
    expected = 0.15 / (TURNS * years_volatility(seen.history.index, 21))
    found = plain(VolatilityTarget(target_vol=0.15), seen)
    np.testing.assert_allclose(found, expected, rtol=PANDAS)
    assert np.isnan(found[:21]).all()


def test_the_volatility_of_holdings_is_that_of_their_weighted_returns() -> None:
    seen = mixed()
    returns = seen.history.funds @ np.array([0.3, 0.4])
    found = plain(VolatilityTarget(target_vol=0.2, window=10, of="holdings"), seen)
    np.testing.assert_allclose(found, 0.2 / years_volatility(returns, 10), rtol=PANDAS)


def test_of_exact_multiples_both_ways_to_look_are_the_same() -> None:
    by_index = plain(VolatilityTarget(window=10), mixed())
    by_holdings = plain(VolatilityTarget(window=10, of="holdings"), mixed())
    np.testing.assert_allclose(by_index, by_holdings, rtol=REL)


def test_holdings_that_offset_each_other_have_a_volatility_but_no_turns() -> None:
    history = history_of((3.0, -3.0))
    funds = history.funds.copy()
    funds[1:, 1] += np.random.default_rng(5).normal(0.0, 0.01, ROWS - 1)
    seen = seen_of(replace(history, funds=funds), (0.3, 0.3), (3.0, -3.0))
    returns = funds @ np.array([0.3, 0.3])
    found = plain(VolatilityTarget(window=10, of="holdings"), seen)
    np.testing.assert_allclose(found, 0.15 / years_volatility(returns, 10), rtol=PANDAS)


@pytest.mark.parametrize(
    "rule",
    [
        VolatilityTarget(), VolatilityManaged(), VolatilityLadder(), Kelly(window=20, min_window=5),
        Cppi(), Tipp(), GrossmanZhou(),
    ],
)  # fmt: skip
def test_holdings_without_exposure_cannot_be_scaled_by_it(rule: SizingRule) -> None:
    seen = seen_of(history_of((3.0, -3.0)), (0.3, 0.3), (3.0, -3.0))
    with pytest.raises(StudyError) as refused:
        rule.branches(seen)
    assert str(refused.value) == (
        "sizing: the holdings have no index exposure to scale, it is 0; "
        'of = "holdings", or a rule that needs none, is right'
    )


@pytest.mark.parametrize(
    "rule", [FixedFraction(), Trend(window=5), Momentum(window=5), VolatilityFilter(window=5)]
)
def test_filters_and_fractions_need_no_exposure(rule: SizingRule) -> None:
    without = seen_of(history_of((3.0, -3.0)), (0.3, 0.3), (3.0, -3.0))
    np.testing.assert_array_equal(plain(rule, without), plain(rule, bull()))


def test_a_decay_weighs_squared_returns_exponentially() -> None:
    seen = bull()
    squares = observed(seen.history.index) ** 2
    variance = squares.ewm(alpha=0.06, adjust=True).mean().to_numpy() * 252.0
    rule = VolatilityTarget(decay=0.94)
    np.testing.assert_allclose(
        plain(rule, seen)[1:], 0.15 / (TURNS * np.sqrt(variance[1:])), rtol=REL
    )
    assert rule.longest == 1


@pytest.mark.parametrize(("window", "longest"), [(1, 2), (2, 2), (63, 63)])
def test_a_volatility_needs_two_returns(window: int, longest: int) -> None:
    rule = VolatilityTarget(window=window)
    assert rule.longest == longest
    if longest < ROWS:
        assert np.flatnonzero(~np.isnan(plain(rule, bull())))[0] == longest


def test_no_volatility_at_all_asks_for_as_much_as_the_caps_allow() -> None:
    calm = replace(history_of(), index=np.zeros(ROWS))
    found = plain(VolatilityTarget(window=5), seen_of(calm, (0.5,), (3.0,)))
    assert np.isinf(found[5:]).all()


def test_volatility_managed_weights_average_their_mean_scale_so_far() -> None:
    seen = bull()
    inverse = pd.Series(1.0 / years_volatility(seen.history.index, 10) ** 2)
    expected = 0.5 * inverse / inverse.expanding().mean()
    found = plain(VolatilityManaged(window=10, mean_scale=0.5), seen)
    np.testing.assert_allclose(found, expected.to_numpy(), rtol=PANDAS)
    assert found[10] == pytest.approx(0.5, rel=REL)


def test_a_calm_without_variance_does_not_count_in_the_mean_of_volatility_managed_weights() -> None:
    index = history_of().index.copy()
    index[20:40] = 0.0
    seen = seen_of(replace(history_of(), index=index), (0.5,), (3.0,))
    variance = years_volatility(index, 10) ** 2
    flat = np.arange(ROWS)[29:40]
    variance[flat] = np.nan  # whatever pandas' rounding leaves of nothing
    inverse = pd.Series(1.0 / variance)
    expected = (inverse / inverse.expanding().mean()).to_numpy(copy=True)
    expected[flat] = np.inf
    np.testing.assert_allclose(plain(VolatilityManaged(window=10), seen), expected, rtol=1e-4)


@pytest.mark.parametrize("of", ["benchmark", "holdings"])
def test_a_volatility_filter_follows_its_two_thresholds(of: Of) -> None:
    seen = mixed()
    returns = seen.history.index
    if of == "holdings":
        returns = seen.history.funds @ np.array([0.3, 0.4])
    volatility = years_volatility(returns, 5)
    threshold, reentry = np.nanquantile(volatility, [0.6, 0.4])
    state, expected = 0.0, []
    for now in volatility:
        if now >= threshold:
            state = 0.0
        elif now < reentry:
            state = 1.0
        expected.append(math.nan if math.isnan(now) else state)
    rule = VolatilityFilter(window=5, of=of, threshold=float(threshold), reentry=float(reentry))
    np.testing.assert_array_equal(plain(rule, seen), expected)
    assert 0.0 in expected
    assert 1.0 in expected


def test_without_a_way_back_of_its_own_a_volatility_filter_has_one_threshold() -> None:
    seen = bull()
    volatility = years_volatility(seen.history.index, 5)
    threshold = float(np.nanmedian(volatility))
    expected = np.where(np.isnan(volatility), np.nan, (volatility < threshold) * 1.0)
    found = plain(VolatilityFilter(window=5, threshold=threshold), seen)
    apart = np.abs(volatility - threshold) > 1e-12  # the median is one of them
    np.testing.assert_array_equal(found[apart], expected[apart])


@pytest.mark.parametrize("weight", [0.5, -0.5])
def test_a_ladder_holds_the_exposure_of_its_rung(weight: float) -> None:
    seen = bull(weight)
    volatility = years_volatility(seen.history.index, 5)
    low, high = (float(step) for step in np.nanquantile(volatility, [0.3, 0.7]))
    rule = VolatilityLadder(window=5, thresholds=(low, high), exposures=(3.0, 1.2, 0.0))
    turns = [
        math.nan if math.isnan(now) else 3.0 if now < low else 1.2 if now < high else 0.0
        for now in volatility
    ]
    np.testing.assert_allclose(plain(rule, seen), np.array(turns) / TURNS, rtol=REL)


# --- growth ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [0.5, -0.5])
def test_kelly_divides_excess_less_costs_by_variance(weight: float) -> None:
    seen = seen_of(history_of(), (weight,), (3.0,), cost_rates=(0.02,))
    excess = observed(seen.history.index) - 0.0001
    rolling = excess.rolling(40, min_periods=10)
    variance = observed(seen.history.index).rolling(40, min_periods=10).var() * 252.0
    turns = 3.0 * weight
    best = (turns * rolling.mean() * 252.0 - 0.02 * weight) / (turns**2 * variance)
    expected = (0.25 * best).clip(lower=0.0).to_numpy()
    found = plain(Kelly(window=40, min_window=10), seen)
    np.testing.assert_allclose(found, expected, rtol=PANDAS)


def test_kelly_on_paper() -> None:
    # Returns 0.02 and -0.01, then again: mean 0.005, variance (ddof 1) 4 x 0.015**2 / 3.
    index = np.array([0.0, 0.02, -0.01, 0.02, -0.01])
    history = History(index, np.array([0.0] + [0.001] * 4), 3.0 * index[:, None])
    seen = seen_of(history, (0.5,), (3.0,), cost_rates=(0.04,))
    excess, variance = 252.0 * 0.004, 252.0 * 3e-4
    expected = 0.5 * (1.5 * excess - 0.02) / (1.5**2 * variance)
    found = plain(Kelly(kelly_fraction=0.5, window=4, min_window=4), seen)
    assert found[4] == pytest.approx(expected, rel=REL)
    assert np.isnan(found[:4]).all()


def test_kelly_of_the_holdings_finances_their_net_weight() -> None:
    seen = seen_of(history_of((3.0, -3.0)), (0.6, -0.2), (3.0, -3.0), cost_rates=(0.5, 0.5))
    returns = observed(seen.history.funds @ np.array([0.6, -0.2]))
    free = returns - 0.4 * 0.0001
    best = free.rolling(30).mean() / returns.rolling(30).var()
    expected = (0.25 * best).clip(lower=0.0).to_numpy()
    found = plain(Kelly(window=30, min_window=30, of="holdings"), seen)
    np.testing.assert_allclose(found, expected, rtol=PANDAS)


def test_kelly_holds_nothing_of_what_neither_gains_nor_moves() -> None:
    still = History(np.zeros(9), np.zeros(9), np.zeros((9, 1)))
    found = plain(Kelly(window=4, min_window=2), seen_of(still, (0.5,), (3.0,)))
    assert found[2:].tolist() == [0.0] * 7
    assert np.isnan(found[:2]).all()


def test_kelly_without_risk_takes_all_that_the_caps_allow_of_a_gain() -> None:
    still = History(np.full(9, 0.001), np.zeros(9), np.full((9, 1), 0.003))
    assert np.isinf(plain(Kelly(window=4, min_window=4), seen_of(still, (0.5,), (3.0,)))[4:]).all()
    assert (plain(Kelly(window=4, min_window=4), seen_of(still, (-0.5,), (3.0,)))[4:] == 0.0).all()


# --- floors ---------------------------------------------------------------------------------------


def only(rule: SizingRule, seen: Seen) -> Branch:
    (branch,) = rule.branches(seen)
    assert branch.reads_account
    assert (branch.signal == 1.0).all()
    return branch


@pytest.mark.parametrize("weight", [0.5, -0.5])
def test_a_cppi_floor_grows_with_bills_from_the_studys_first_session(weight: float) -> None:
    branch = only(Cppi(multiplier=3.0, floor=0.8), bull(weight))
    expected = 0.8 * 1.0001 ** np.maximum(np.arange(ROWS) - FIRST, 0)
    np.testing.assert_allclose(branch.floors, expected, rtol=REL)
    assert branch.multiplier == pytest.approx(3.0 / TURNS, rel=REL)


@pytest.mark.parametrize(
    ("rule", "part", "exposure"),
    [
        (Tipp(multiplier=5.0, floor_frac=0.8), 0.8, 5.0),
        (GrossmanZhou(alpha=0.75, k=3.0), 0.75, 3.0),
    ],
)
def test_a_floor_below_the_peak_trails_it(rule: SizingRule, part: float, exposure: float) -> None:
    branch = only(rule, bull())
    assert np.isnan(branch.floors).all()
    assert branch.trailing == part
    assert branch.multiplier == pytest.approx(exposure / TURNS, rel=REL)


# --- margin, trend, momentum ----------------------------------------------------------------------


def test_margin_utilization_is_the_target_over_what_the_weights_require() -> None:
    required = np.linspace(0.2, 0.9, ROWS)
    required[:FIRST] = np.nan
    rule = MarginUtilization(target=0.45)
    found = plain(rule, seen_of(history_of(), (0.5,), (3.0,), rates=required))
    np.testing.assert_allclose(found, 0.45 / required, rtol=REL)
    assert rule.needs_rates
    assert not VolatilityTarget().needs_rates


@pytest.mark.parametrize(("enter", "leave"), [(0.0, 0.0), (0.01, 0.005)])
def test_a_trend_is_on_above_its_average_until_below_it(enter: float, leave: float) -> None:
    seen = bull()
    worth = pd.Series((1.0 + seen.history.index).cumprod())
    average = worth.rolling(10).mean()
    state, expected = 0.0, []
    for level, mean in zip(worth, average, strict=True):
        if level > mean * (1.0 + enter):
            state = 1.0
        elif level <= mean * (1.0 - leave):
            state = 0.0
        expected.append(math.nan if math.isnan(mean) else state)
    rule = Trend(window=10, enter=enter, leave=leave)
    np.testing.assert_array_equal(plain(rule, seen), expected)
    assert rule.longest == 9
    assert {0.0, 1.0} <= set(expected)


@pytest.mark.parametrize("skip", [0, 3])
def test_momentum_is_on_while_the_index_beats_bills(skip: int) -> None:
    seen = bull()
    worth = pd.Series((1.0 + seen.history.index).cumprod())
    bills = pd.Series((1.0 + seen.history.bills).cumprod())
    of_index, of_bills = (s.pct_change(12).shift(skip).to_numpy() for s in (worth, bills))
    expected = np.where(np.isnan(of_index), np.nan, (of_index > of_bills) * 1.0)
    rule = Momentum(window=12, skip=skip)
    np.testing.assert_array_equal(plain(rule, seen), expected)
    assert rule.longest == 12 + skip
    assert {0.0, 1.0} <= set(expected[~np.isnan(expected)])


def test_momentum_equal_to_bills_is_off() -> None:
    flat = History(np.zeros(9), np.zeros(9), np.zeros((9, 1)))
    assert (plain(Momentum(window=3), seen_of(flat, (0.5,), (3.0,)))[3:] == 0.0).all()


# --- compositions ---------------------------------------------------------------------------------


def test_a_product_multiplies_scales() -> None:
    rules = (Trend(window=10), VolatilityTarget(window=21), FixedFraction(fraction=0.5))
    found = plain(Product(rules=rules), bull())
    one, other = plain(rules[0], bull()), plain(rules[1], bull())
    np.testing.assert_allclose(found, one * other * 0.5, rtol=REL)
    assert Product(rules=rules).longest == 21


def test_a_filter_that_is_off_holds_nothing_even_of_an_endless_target() -> None:
    index = np.zeros(ROWS)
    index[-1] = 0.01
    seen = seen_of(replace(history_of(), index=index), (0.5,), (3.0,))
    found = plain(Product(rules=(VolatilityTarget(window=5), Trend(window=5))), seen)
    assert found[5:-1].tolist() == [0.0] * (ROWS - 6)
    assert found[-1] > 0.0
    assert np.isnan(found[:5]).all()  # not known is not off


def test_a_product_with_a_rule_that_reads_the_account_keeps_its_floor() -> None:
    (branch,) = Product(rules=(Trend(window=10), GrossmanZhou())).branches(bull())
    np.testing.assert_array_equal(branch.signal, plain(Trend(window=10), bull()))
    (alone,) = GrossmanZhou().branches(bull())
    assert branch.multiplier == alone.multiplier
    assert branch.trailing == alone.trailing


def test_a_product_with_the_most_cautious_multiplies_each_of_its_rules() -> None:
    inner = MostCautious(rules=(VolatilityTarget(window=10), Cppi(), Tipp()))
    branches = Product(rules=(inner, Trend(window=10))).branches(bull())
    trend = plain(Trend(window=10), bull())
    assert [branch.reads_account for branch in branches] == [False, True, True]
    np.testing.assert_allclose(
        branches[0].signal, trend * plain(VolatilityTarget(window=10), bull()), rtol=REL
    )
    for branch in branches[1:]:
        np.testing.assert_array_equal(branch.signal, trend)


def test_the_most_cautious_has_the_branches_of_all() -> None:
    rules = (VolatilityTarget(), Cppi(), MarginUtilization())
    both = MostCautious(rules=rules)
    assert len(both.branches(bull())) == 3
    assert both.longest == 21
    assert both.needs_rates
    assert Product(rules=rules).needs_rates
    assert not Product(rules=rules[:2]).needs_rates


def test_two_rules_that_read_the_account_cannot_be_multiplied() -> None:
    with pytest.raises(StudyError) as refused:
        Product(rules=(Cppi(), Tipp())).branches(bull())
    assert str(refused.value) == (
        "sizing: a product of two rules that read the account; most_cautious of them is right"
    )


@pytest.mark.parametrize(
    "rule",
    [
        VolatilityTarget(window=5), VolatilityTarget(decay=0.9), VolatilityManaged(window=5),
        Kelly(window=20, min_window=5), Trend(window=5), Momentum(window=5, skip=2),
        VolatilityFilter(window=5), VolatilityLadder(window=5),
        Product(rules=(Trend(window=5), VolatilityTarget(window=5))),
    ],
)  # fmt: skip
def test_a_rule_looks_at_nothing_later(rule: SizingRule) -> None:
    whole = bull()
    until = seen_of(whole.history.until(60), (0.5,), (3.0,))
    np.testing.assert_array_equal(plain(rule, until), plain(rule, whole)[:61])
