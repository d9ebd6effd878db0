import json
import math
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from levsleeve.backtests import metrics
from levsleeve.backtests.returns import checked_returns
from levsleeve.errors import StudyError

CHANGES = st.lists(st.floats(-0.3, 0.4), min_size=3, max_size=60)


def days(count: int, start: str = "2020-01-01") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=count, freq="D")


def series(*changes: float) -> pd.Series:
    return pd.Series([0.0, *changes], index=days(len(changes) + 1))


def none_earned(returns: pd.Series) -> pd.Series:
    return pd.Series(0.0, index=returns.index)


def yearly(*changes: float) -> pd.Series:
    """One return every 1,461 days, which is four years of 365.25 days exactly."""
    index = pd.to_datetime([f"{2000 + 4 * row}-01-01" for row in range(len(changes) + 1)])
    return pd.Series([0.0, *changes], index=index)


# --- from equity to returns ----------------------------------------------------------------------


def test_returns_are_changes_of_equity_after_a_first_row_of_zero() -> None:
    equity = pd.Series([100.0, 110.0, 99.0], index=days(3))
    returns = metrics.periodic_returns(equity)
    assert returns.tolist() == pytest.approx([0.0, 0.10, -0.10], abs=1e-15)
    assert returns.iloc[0] == 0.0
    assert list(returns.index) == list(equity.index)


@pytest.mark.parametrize("last", [0.0, -25.0])
def test_a_wipe_returns_minus_one_and_ends_the_series(last: float) -> None:
    equity = pd.Series([100.0, 50.0, last, 10.0], index=days(4))
    assert metrics.periodic_returns(equity).tolist() == [0.0, -0.5, -1.0]


def test_equity_that_rounds_to_nothing_is_a_wipe_too() -> None:
    equity = pd.Series([1e6, 1e-12, 1e6], index=days(3))
    assert metrics.periodic_returns(equity).tolist() == [0.0, -1.0]


def test_a_deposit_at_the_start_of_a_session_is_no_gain() -> None:
    equity = pd.Series([100.0, 165.0, 130.0], index=days(3))
    paid_in = pd.Series([100.0, 50.0, -35.0], index=days(3))  # the first is in the base already
    # 165 / (100 + 50) is 10 % more; 130 / (165 - 35) is no change.
    expected = pytest.approx([0.0, 0.10, 0.0], abs=1e-15)
    assert metrics.periodic_returns(equity, paid_in).tolist() == expected


def test_carry_is_earned_by_what_was_there_before_money_left() -> None:
    # 1,000 earn 10; 900 of the 1,010 leave; the 110 left rise by a tenth.
    index = days(2)
    equity, external = (
        pd.Series([1000.0, 121.0], index=index),
        pd.Series([0.0, -900.0], index=index),
    )
    carry = pd.Series([0.0, 10.0], index=index)
    returns = metrics.periodic_returns(equity, external, carry)
    assert returns.tolist() == pytest.approx([0.0, 1.01 * 1.1 - 1.0])
    still = metrics.periodic_returns(equity, pd.Series(0.0, index=index), carry)
    assert still.tolist() == metrics.periodic_returns(equity).tolist()


def test_equity_of_one_session_is_a_base_without_a_return() -> None:
    assert metrics.periodic_returns(pd.Series([5.0], index=days(1))).tolist() == [0.0]


@given(st.lists(st.floats(1.0, 1e6), min_size=2, max_size=50))
def test_returns_compound_back_to_the_change_of_equity(worth: list[float]) -> None:
    returns = metrics.periodic_returns(pd.Series(worth, index=days(len(worth))))
    assert metrics.total_return(returns) == pytest.approx(
        worth[-1] / worth[0] - 1, rel=1e-9, abs=1e-9
    )


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(StudyError) as caught:
        make()
    return str(caught.value)


def test_equity_must_be_positive_on_its_first_row() -> None:
    equity = pd.Series([-1234.5, 100.0], index=days(2))
    assert refused(lambda: metrics.periodic_returns(equity)) == (
        "equity: starts at $-1,234.50 on 2020-01-01; it must be positive"
    )


def test_a_withdrawal_of_everything_is_refused() -> None:
    equity = pd.Series([100.0, 10.0], index=days(2))
    taken = pd.Series([0.0, -100.0], index=days(2))
    assert refused(lambda: metrics.periodic_returns(equity, taken)) == (
        "equity: the withdrawal of $100.00 on 2020-01-02 takes all of $100.00; "
        "end the series before it"
    )


# --- what a series of returns must be ------------------------------------------------------------


@pytest.mark.parametrize(
    ("returns", "text"),
    [
        (series(), "returns: too few rows (1); at least 2 are needed"),
        (
            series(0.1, math.nan, math.inf),
            "returns: 2 values are missing or infinite, first on 2020-01-03; "
            "every session needs a number",
        ),
        (
            series(0.1, 0.2).iloc[[0, 2, 1]],
            "returns: 2020-01-02 does not follow 2020-01-03; sessions must rise",
        ),
        (
            pd.Series([1.0, 0.9], index=days(2)),  # a net asset value where returns belong
            "returns: the first row, 2020-01-01, is 1.0; it must be 0.0, "
            "the session before the first return",
        ),
        (
            series(0.1, -1.2),
            "returns: -1.2 on 2020-01-03 loses more than everything; the least is -1.0",
        ),
        (
            series(-1.0, 0.0),
            "returns: go on after the wipe of 2020-01-02; they must end there",
        ),
    ],
)
def test_a_broken_series_is_refused(returns: pd.Series, text: str) -> None:
    assert refused(lambda: checked_returns(returns)) == text
    assert refused(lambda: metrics.measure(returns, none_earned(returns))) == text


def test_bills_must_cover_every_session() -> None:
    returns = series(0.1, 0.2, 0.3)
    assert refused(lambda: metrics.measure(returns, none_earned(returns).iloc[:2])) == (
        "bill_returns: no row for 2 of 4 sessions, first 2020-01-03; every session needs one"
    )


def test_dates_and_time_zones_of_the_two_series_need_not_be_of_one_kind() -> None:
    returns = series(0.1, -0.05, 0.02)
    bills = none_earned(returns)
    stamped = bills.set_axis(days(4).tz_localize("America/New_York"))
    dated = returns.set_axis(pd.Index([day.date() for day in returns.index]))
    assert metrics.measure(dated, stamped) == metrics.measure(returns, bills)


# --- growth, in calendar time --------------------------------------------------------------------


def test_growth_is_a_year_of_calendar_time_not_of_rows() -> None:
    # 2000-01-01 to 2008-01-01 is 2,922 days: 8 years of 365.25.  (1.5 x 1.5) ^ (1/8) - 1.
    assert metrics.cagr(yearly(0.5, 0.5)) == pytest.approx(2.25**0.125 - 1, rel=1e-14)


def test_sessions_a_year_are_returns_over_calendar_years() -> None:
    assert metrics.sessions_per_year(days(1462)) == pytest.approx(365.25)  # 1,461 days, 4 years
    assert metrics.years(days(1462)) == 4.0


def test_a_wipe_is_a_growth_rate_of_minus_one() -> None:
    assert metrics.cagr(series(0.1, -1.0)) == -1.0
    assert metrics.total_return(series(0.1, -1.0)) == -1.0


def test_growth_beyond_a_float_is_infinite_and_none_in_json() -> None:
    returns = series(9.0)  # 10 ^ 365.25
    measured = metrics.measure(returns, none_earned(returns))
    assert measured.cagr == math.inf
    assert measured.as_dict()["cagr"] is None


# --- risk ----------------------------------------------------------------------------------------


def test_volatility_leaves_the_first_row_out() -> None:
    # Returns 0.02 and -0.02: deviation 0.02 x sqrt(2); two returns in 2 days are 365.25 a year.
    expected = 0.02 * math.sqrt(2) * math.sqrt(365.25)
    assert metrics.volatility(series(0.02, -0.02)) == pytest.approx(expected, rel=1e-14)


def test_one_return_has_no_volatility_and_no_sharpe_ratio() -> None:
    returns = series(0.02)
    assert math.isnan(metrics.volatility(returns))
    assert math.isnan(metrics.sharpe(returns, none_earned(returns)))


@pytest.mark.parametrize("earned", [0.0, 0.001])
def test_constant_returns_have_no_risk_and_no_sharpe_ratio(earned: float) -> None:
    returns = series(*[earned] * 50)
    bills = none_earned(returns)
    assert metrics.volatility(returns) == 0.0
    assert math.isnan(metrics.sharpe(returns, bills))
    assert math.isnan(metrics.sharpe_geometric(returns, bills))
    assert math.isnan(metrics.calmar(returns))
    assert metrics.max_drawdown(returns) == 0.0
    assert metrics.drawdown_span(returns) is None


def test_both_sharpe_ratios_by_hand() -> None:
    returns, bills = yearly(0.5, -0.25, 0.5), yearly(0.02, 0.02, 0.02)
    bills.iloc[0] = 0.9  # what bills earned before the first session is nobody's excess
    # 3 returns in 12 years: 1/4 a year.  Mean 0.25, excess 0.23; squared deviations .0625 + .25 +
    # .0625 = .375, / 2 = .1875; volatility sqrt(.1875 / 4).
    # Growth 1.6875 ^ (1/12), of bills 1.02 ^ (1/4).
    risk = math.sqrt(0.1875 / 4)
    assert metrics.volatility(returns) == pytest.approx(risk, rel=1e-14)
    assert metrics.sharpe(returns, bills) == pytest.approx(0.23 / 4 / risk, rel=1e-13)
    geometric = (1.6875 ** (1 / 12) - 1.02**0.25) / risk
    assert metrics.sharpe_geometric(returns, bills) == pytest.approx(geometric, rel=1e-12)


def test_drawdown_counts_a_fall_from_the_starting_value() -> None:
    returns = series(-0.2, 0.25, 0.1)  # 1, .8, 1, 1.1
    assert metrics.max_drawdown(returns) == pytest.approx(-0.2, rel=1e-15)
    span = metrics.drawdown_span(returns)
    assert span == metrics.DrawdownSpan(date(2020, 1, 1), date(2020, 1, 2), date(2020, 1, 3))


def test_the_deepest_drawdown_is_found_with_its_dates() -> None:
    # 1, 1.5, 1.2, 1.5, 2.0, 2.0, 1.0, .8: the first fall is 20 % and made good, the second 60 %.
    returns = metrics.periodic_returns(
        pd.Series([1.0, 1.5, 1.2, 1.5, 2.0, 2.0, 1.0, 0.8], index=days(8))
    )
    assert metrics.max_drawdown(returns) == pytest.approx(-0.6, rel=1e-14)
    span = metrics.drawdown_span(returns)
    assert span == metrics.DrawdownSpan(date(2020, 1, 6), date(2020, 1, 8), None)
    assert metrics.calmar(returns) == pytest.approx(metrics.cagr(returns) / 0.6, rel=1e-14)


@given(CHANGES)
def test_drawdown_is_the_worst_of_all_pairs(changes: list[float]) -> None:
    worth = [1.0]
    for change in changes:
        worth.append(worth[-1] * (1 + change))
    pairs = [worth[j] / worth[i] - 1 for i in range(len(worth)) for j in range(i, len(worth))]
    assert metrics.max_drawdown(series(*changes)) == pytest.approx(min(pairs), rel=1e-9, abs=1e-12)


@given(CHANGES, st.floats(0.01, 1e9))
def test_no_metric_depends_on_the_scale_of_equity(changes: list[float], scale: float) -> None:
    worth = np.cumprod([1.0, *(1 + np.array(changes))])
    index = days(len(worth))
    one = metrics.periodic_returns(pd.Series(worth, index=index))
    other = metrics.periodic_returns(pd.Series(worth * scale, index=index))
    assert metrics.max_drawdown(one) == pytest.approx(metrics.max_drawdown(other), abs=1e-12)
    assert metrics.expected_shortfall(one) == pytest.approx(
        metrics.expected_shortfall(other), abs=1e-12
    )


def test_drawdown_of_deeper_leverage_is_deeper() -> None:
    plain = series(0.01, -0.02, 0.015, -0.03, 0.02)
    assert metrics.max_drawdown(3 * plain) < metrics.max_drawdown(plain) < 0


# --- tail ----------------------------------------------------------------------------------------


def test_expected_shortfall_is_the_mean_of_the_worst_rounded_up() -> None:
    returns = series(0.05, -0.04, 0.01, -0.02, 0.03)
    assert metrics.expected_shortfall(returns) == -0.04  # ceil(0.05) is one
    assert metrics.expected_shortfall(returns, 0.4) == pytest.approx(-0.03)  # two of five
    assert metrics.expected_shortfall(returns, 0.41) == pytest.approx(-0.05 / 3)  # three of five
    assert metrics.expected_shortfall(returns, 1.0) == pytest.approx(0.03 / 5)


def test_a_tail_of_seven_in_a_hundred_is_seven_although_the_product_is_not() -> None:
    assert 0.07 * 100 > 7
    returns = series(*np.arange(100.0) / 1000)
    assert metrics.expected_shortfall(returns, 0.07) == pytest.approx(0.003)  # mean of 0 .. .006


@pytest.mark.parametrize("level", [0.0, -0.01, 1.01, math.nan])
def test_a_tail_must_be_a_fraction(level: float) -> None:
    assert refused(lambda: metrics.expected_shortfall(series(0.1, 0.2), level)) == (
        f"expected shortfall: level {level} is not a fraction; 0.01 is one percent"
    )


@given(CHANGES, st.floats(0.001, 1.0))
def test_expected_shortfall_lies_between_the_worst_and_the_value_at_risk(
    changes: list[float], level: float
) -> None:
    returns = series(*changes)
    shortfall = metrics.expected_shortfall(returns, level)
    value_at_risk = sorted(changes)[math.ceil(level * len(changes) - 1e-9) - 1]
    assert metrics.worst_session(returns) - 1e-12 <= shortfall <= value_at_risk + 1e-12


def test_best_and_worst_leave_the_first_row_out() -> None:
    assert metrics.worst_session(series(0.02, 0.01)) == 0.01
    assert metrics.best_session(series(-0.02, -0.01)) == -0.01


# --- all at once ---------------------------------------------------------------------------------


def test_measure_gathers_what_the_functions_say() -> None:
    returns, bills = series(0.02, -0.05, 0.04, -0.01), series(0.001, 0.001, 0.001, 0.001)
    core = metrics.measure(returns, bills)
    assert (core.first_session, core.last_session) == (date(2020, 1, 1), date(2020, 1, 5))
    assert (core.sessions, core.sessions_per_year) == (4, 365.25)
    assert core.total_return == metrics.total_return(returns)
    assert core.cagr == metrics.cagr(returns)
    assert core.cagr_bills == pytest.approx(1.001**365.25 - 1, rel=1e-11)
    assert core.volatility == metrics.volatility(returns)
    assert core.sharpe == metrics.sharpe(returns, bills)
    assert core.sharpe_geometric == metrics.sharpe_geometric(returns, bills)
    assert core.max_drawdown == pytest.approx(-0.05)
    assert (core.drawdown_peak, core.drawdown_trough) == (date(2020, 1, 2), date(2020, 1, 3))
    assert core.drawdown_recovery is None
    assert core.calmar == metrics.calmar(returns)
    assert core.expected_shortfall == core.worst_session == -0.05
    assert (core.worst_session_on, core.best_session_on) == (date(2020, 1, 3), date(2020, 1, 4))
    assert core.best_session == 0.04


def test_the_dictionary_is_strict_json_in_the_order_of_the_fields() -> None:
    returns = series(0.0, 0.0)
    text = json.dumps(metrics.measure(returns, none_earned(returns)).as_dict(), allow_nan=False)
    read = json.loads(text)
    assert read["first_session"] == "2020-01-01"
    assert read["sharpe"] is None
    assert read["drawdown_peak"] is None
    assert read["sessions"] == 2
    assert list(read)[:3] == ["first_session", "last_session", "sessions"]
