"""What the replication claims beyond its tables, and the arithmetic that it counts with."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from replication import bookkeeping, cushions, kelly, look_ahead
from replication.rotation import EARLY, FINANCED, NEXT_CLOSE, SAME_CLOSE, fund_of, rotated
from replication.sample import Sample, bundled_sample

from levsleeve.compiled import Floats
from levsleeve.strategies.branches import Branch, Seen, scaled
from levsleeve.strategies.sizing_rules import FixedFraction, Sizing


@pytest.fixture(scope="module")
def sample(price_cache: Path) -> Sample:
    return bundled_sample(price_cache)


@given(multiplier=st.floats(3.1, 14.0), off=st.floats(1e-6, 1e-2))
def test_a_gap_breaks_the_floor_once_it_exceeds_one_over_the_multiplier(
    multiplier: float, off: float
) -> None:
    gap = 1.0 / multiplier
    assert cushions.after_a_gap(multiplier, gap * (1.0 - off)) > 1.0
    assert cushions.after_a_gap(multiplier, gap * (1.0 + off)) < 1.0


def test_equity_after_a_gap_is_what_arithmetic_on_paper_says() -> None:
    # m 5 above a floor of 0.8 holds one turn: -20.47 % leaves 0.7953 of 0.8.
    assert cushions.after_a_gap(5.0, 0.2047) == pytest.approx(0.7953 / 0.8, abs=1e-12)
    assert cushions.after_a_gap(4.0, 0.2047) == pytest.approx((1.0 - 0.8 * 0.2047) / 0.8, abs=1e-12)


def test_the_worst_session_of_the_sample_separates_two_multipliers(sample: Sample) -> None:
    assert cushions.in_the_crash_of_2008(11.0, sample) > 1.0
    assert cushions.in_the_crash_of_2008(12.0, sample) < 1.0


@pytest.mark.parametrize(("row", "multiplier"), [("CPPI 0.8, m 3", 3.0), ("CPPI 0.8, m 5", 5.0)])
def test_no_session_of_the_sample_takes_more_of_a_cushion_than_the_multiplier_allows(
    sample: Sample, row: str, multiplier: float
) -> None:
    found, worst = cushions.in_the_table(row, sample), float(-sample.index.min())
    assert found.least_over_floor > 1.0
    assert found.greatest_loss == pytest.approx(multiplier * worst, abs=0.002)  # and costs


def test_every_sizing_rule_is_asked_with_the_future_cut_off() -> None:
    known = set(get_args(get_args(Sizing)[0]))
    assert {type(rule) for rule in look_ahead.RULES} >= known


def test_no_rule_sees_ahead(sample: Sample) -> None:
    market = look_ahead.market_of(sample)
    rows = [market.history.first + 100]
    assert look_ahead.rules_that_see_ahead(look_ahead.RULES, market, rows) == []
    assert look_ahead.allocations_that_see_ahead(market, rows) == []


class _KnowsTheMean(FixedFraction):
    """A rule that sees ahead."""

    def branches(self, seen: Seen) -> list[Branch]:
        return [scaled(np.full(seen.rows, seen.history.index.mean()))]


def test_a_rule_that_sees_ahead_is_found(sample: Sample) -> None:
    market = look_ahead.market_of(sample)
    found = look_ahead.rules_that_see_ahead([_KnowsTheMean()], market, [market.history.first])
    assert found == ["_KnowsTheMean"]


def test_an_early_signal_earns_absurdly_more_and_a_late_one_something_else(
    sample: Sample,
) -> None:
    fund = fund_of(sample, 3.0, FINANCED)
    early, same, late = (rotated(sample, fund, lag) for lag in (EARLY, SAME_CLOSE, NEXT_CLOSE))
    assert early.cagr_percent > 5.0 * same.cagr_percent
    assert abs(late.cagr_percent - same.cagr_percent) > 0.5


def test_simulated_prices_have_the_mean_and_the_volatility_asked_for() -> None:
    walk = kelly.Walk(paths=50)
    logs = np.log1p(walk.returns(7))
    assert logs.mean() * 252.0 == pytest.approx(0.0756 - 0.191**2 / 2.0, abs=1e-12)
    assert logs.std() * np.sqrt(252.0) == pytest.approx(0.191, rel=0.01)  # 0.7 % at 3 errors


@pytest.mark.parametrize("seed", [1, 2])
def test_growth_is_greatest_at_kelly_and_that_of_bills_at_twice_kelly(seed: int) -> None:
    figures = kelly.simulated(kelly.Walk(paths=30), seed)
    assert [figure.name for figure in figures if not figure.agrees] == []
    assert max(figure.tolerance for figure in figures[:2]) < 0.1
    assert figures[2].tolerance < 0.3


def test_a_month_of_bills_compounds_to_what_french_prints(sample: Sample) -> None:
    # Kenneth French's data library, RF of the monthly factors.
    months = sample.sessions.strftime("%Y-%m")
    for month, percent in (("1999-02", 0.35), ("2000-05", 0.50), ("2018-11", 0.18)):
        earned = np.prod(1.0 + sample.bills[months == month]) - 1.0
        assert earned == pytest.approx(percent / 100.0, abs=1e-12)


def test_the_sample_is_the_whole_of_the_bundled_index(sample: Sample) -> None:
    assert sample.rows == 5031
    assert (sample.index[0], sample.bills[0]) == (0.0, 0.0)
    # The index closed at 998.01 on 2008-10-14 and at 907.84 a session later.
    assert sample.index.min() == pytest.approx(907.84 / 998.01 - 1.0 + 0.019 / 252.0, abs=1e-6)


def account(scales: list[float], *, follows_drift: bool) -> bookkeeping.Account:
    fund, bills = np.array([0.0, 0.10, -0.20, 0.10]), np.array([0.0, 0.01, 0.01, 0.01])
    terms = bookkeeping.Terms(fund, bills, 1, follows_drift=follows_drift)
    return bookkeeping.lived([scaled(np.array(scales))], terms)


def test_an_account_earns_on_its_weight_and_pays_for_what_changed() -> None:
    found = account([0.5, 1.5, 0.25, np.nan], follows_drift=False)
    assert found.weights.tolist() == [0.5, 1.0, 0.25]
    assert found.traded.tolist() == [0.0, 0.5, 0.75]
    expected = [0.055, -0.20 - 0.0001, 0.025 + 0.0075 - 0.00015]
    np.testing.assert_allclose(found.returns, expected, atol=1e-15)


def test_a_trade_counts_from_the_drifted_weight_where_asked() -> None:
    found = account([0.5, 0.5, 0.5, 0.5], follows_drift=True)
    # 0.55 of 1.055 after the first session, 0.40 of 0.905 after the second.
    np.testing.assert_allclose(
        found.traded, [0.0, 0.55 / 1.055 - 0.5, 0.5 - 0.40 / 0.905], atol=1e-15
    )


def test_a_rule_without_an_answer_holds_nothing() -> None:
    assert account([np.nan] * 4, follows_drift=False).weights.tolist() == [0.0, 0.0, 0.0]


def test_statistics_are_those_of_arithmetic_on_paper() -> None:
    returns: Floats = np.array([-0.10, 0.20, -0.25])
    found = bookkeeping.statistics(returns, np.full(3, 0.01))
    growth, mean = 0.9 * 1.2 * 0.75, -0.05
    deviation = np.sqrt((0.05**2 + 0.25**2 + 0.20**2) / 2.0)
    assert found.cagr_percent == pytest.approx(100.0 * (growth**84 - 1.0))
    assert found.volatility_percent == pytest.approx(100.0 * deviation * np.sqrt(252.0))
    assert found.sharpe == pytest.approx((mean - 0.01) / deviation * np.sqrt(252.0))
    assert found.max_drawdown_percent == pytest.approx(-25.0)


def test_a_loss_of_the_first_session_counts_as_a_drawdown() -> None:
    found = bookkeeping.statistics(np.array([-0.10, 0.05]), np.zeros(2))
    assert found.max_drawdown_percent == pytest.approx(-10.0)
