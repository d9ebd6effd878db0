import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from levsleeve.backtests.metrics import cagr, periodic_returns
from levsleeve.backtests.money_weighted import money_weighted_return
from levsleeve.errors import StudyError

FOUR_YEARS = 1461  # days: four years of 365.25 days exactly
ROUNDING = 1e-12


def sessions(*days: int) -> pd.DatetimeIndex:
    """Sessions so many days after the first of January 2000."""
    return pd.DatetimeIndex([pd.Timestamp("2000-01-01") + pd.Timedelta(days=day) for day in days])


def earned(
    starting_usd: float, flows: list[float], ending_usd: float, index: pd.DatetimeIndex
) -> float:
    return money_weighted_return(starting_usd, pd.Series(flows, index=index), ending_usd, index)


# --- closed forms --------------------------------------------------------------------------------


@given(
    st.lists(st.floats(0.5, 2.0), min_size=1, max_size=30),
    st.lists(st.integers(1, 400), min_size=30, max_size=30),
)
def test_without_flows_it_is_the_compound_annual_growth_rate(
    growths: list[float], gaps: list[int]
) -> None:
    index = sessions(*np.cumsum([0, *gaps[: len(growths)]]))
    assume((index[-1] - index[0]).days >= 30)
    equity = pd.Series(np.cumprod([100_000.0, *growths]), index=index)
    assume(cagr(periodic_returns(equity)) < 1e6)
    found = earned(100_000.0, [0.0] * len(index), equity.iloc[-1], index)
    assert found == pytest.approx(cagr(periodic_returns(equity)), rel=ROUNDING, abs=ROUNDING)


def test_an_account_that_ends_with_what_went_in_earned_nothing() -> None:
    index = sessions(0, 30, 365)
    assert earned(100.0, [0.0, 50.0, -30.0], 120.0, index) == 0.0


def test_one_flow_solves_a_quadratic() -> None:
    # At work for eight years: 100; for four, from the close before its session: 50.
    # 100 G^2 + 50 G = 176 has G = 1.1 over four years (121 + 55).
    index = sessions(0, FOUR_YEARS, 2 * FOUR_YEARS)
    assert earned(100.0, [0.0, 0.0, 50.0], 176.0, index) == pytest.approx(
        1.1**0.25 - 1.0, abs=ROUNDING
    )
    # 100 G^2 - 50 G = 36 has G = 0.9 (81 - 45): a loss, though 36 + 50 came of 100.
    assert earned(100.0, [0.0, 0.0, -50.0], 36.0, index) == pytest.approx(
        0.9**0.25 - 1.0, abs=ROUNDING
    )


def test_the_flow_of_a_session_works_from_the_close_before_and_the_first_from_the_start() -> None:
    index = sessions(0, FOUR_YEARS, 2 * FOUR_YEARS)
    # 150 double in eight years, whether the 50 come on the first session or on the second.
    doubled = pytest.approx(2.0**0.125 - 1.0, abs=ROUNDING)
    assert earned(100.0, [50.0, 0.0, 0.0], 300.0, index) == doubled
    assert earned(100.0, [0.0, 50.0, 0.0], 300.0, index) == doubled


def test_money_that_came_late_counts_less() -> None:
    # 100 double, then 900 more come and halve with them: 1,100 halve to 550.
    index = sessions(0, FOUR_YEARS, 2 * FOUR_YEARS)
    found = earned(100.0, [0.0, 0.0, 900.0], 550.0, index)
    # 100 G^2 + 900 G = 550
    by_hand = (-900.0 + math.sqrt(900.0**2 + 4 * 100.0 * 550.0)) / 200.0
    assert found == pytest.approx(by_hand**0.25 - 1.0, abs=ROUNDING)
    equity = pd.Series([100.0, 200.0, 550.0], index=index)
    time_weighted = cagr(periodic_returns(equity, pd.Series([0.0, 0.0, 900.0], index=index)))
    assert found < time_weighted == pytest.approx(0.0, abs=ROUNDING)


@given(
    growth=st.floats(-0.6, 1.5),
    parts=st.lists(st.floats(-0.8, 3.0), min_size=2, max_size=25),
    gaps=st.lists(st.integers(1, 500), min_size=25, max_size=25),
)
def test_constant_growth_is_found_whatever_the_flows(
    growth: float, parts: list[float], gaps: list[int]
) -> None:
    index = sessions(*np.cumsum([0, *gaps[: len(parts) - 1]]))
    assume((index[-1] - index[0]).days >= 30)
    worth, flows = 100_000.0, []
    for row, part in enumerate(parts):  # a flow of so many times the equity of the close before
        flows.append(part * worth)
        days = (index[row] - index[max(row - 1, 0)]).days
        worth = (worth + flows[-1]) * (1.0 + growth) ** (days / 365.25)
    found = earned(100_000.0, flows, worth, index)
    assert found == pytest.approx(growth, abs=1e-7)  # late withdrawals leave little to tell it by


@given(
    flows=st.lists(st.floats(0.0, 50_000.0), min_size=4, max_size=4),
    endings=st.tuples(st.floats(1_000.0, 1e6), st.floats(1.01, 3.0)),
)
def test_more_at_the_end_is_a_higher_rate(flows: list[float], endings: tuple[float, float]) -> None:
    index = sessions(0, 100, 250, 900)
    lower, factor = endings
    assert earned(100_000.0, flows, lower, index) < earned(100_000.0, flows, factor * lower, index)


# --- the ends of the scale -----------------------------------------------------------------------


@pytest.mark.parametrize("ending_usd", [0.0, -5_000.0])
def test_a_wiped_account_lost_everything(ending_usd: float) -> None:
    assert earned(100.0, [0.0, 20.0, -90.0], ending_usd, sessions(0, 1, 2)) == -1.0


def test_growth_beyond_a_float_is_infinite() -> None:
    assert earned(1.0, [0.0, 0.0], 1e6, sessions(0, 1)) == math.inf


def test_growth_from_next_to_nothing_is_found() -> None:
    # The starting dollar is lost among a million that came for the last day and lost half.
    index = sessions(0, FOUR_YEARS, FOUR_YEARS + 1)
    found = earned(1.0, [0.0, 0.0, 1e6], 5e5, index)
    assert found == pytest.approx(0.5**365.25 - 1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("flows", "ending_usd", "four_years"),
    [
        # 100 (G - 0.8) (G - 1.2) (G - 1.5): a loss of 2 dollars
        ([0.0, 0.0, -350.0, 396.0], 144.0, 0.8),
        # 100 (G - 0.8) (G - 0.9) (G - 1.5): a gain of 1 dollar
        ([0.0, 0.0, -320.0, 327.0], 108.0, 1.5),
    ],
)
def test_of_several_rates_one_with_the_sign_of_the_gain_is_taken(
    flows: list[float], ending_usd: float, four_years: float
) -> None:
    index = sessions(0, FOUR_YEARS, 2 * FOUR_YEARS, 3 * FOUR_YEARS)
    found = earned(100.0, flows, ending_usd, index)
    assert found == pytest.approx(four_years**0.25 - 1.0, abs=ROUNDING)


def test_no_rate_makes_a_positive_ending_of_less_than_nothing() -> None:
    assert math.isnan(earned(100.0, [0.0, -150.0, 0.0], 10.0, sessions(0, 1, 2)))


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("starting_usd", [0.0, -1.5, math.nan, math.inf])
def test_it_needs_something_to_start_with(starting_usd: float) -> None:
    with pytest.raises(StudyError) as refused:
        earned(starting_usd, [0.0, 0.0], 1.0, sessions(0, 1))
    assert str(refused.value) == f"starting_usd: ${starting_usd:,.2f}; a positive amount is right"


@pytest.mark.parametrize("ending_usd", [math.nan, math.inf])
def test_it_needs_an_ending_that_is_a_number(ending_usd: float) -> None:
    with pytest.raises(StudyError) as refused:
        earned(1.0, [0.0, 0.0], ending_usd, sessions(0, 1))
    assert str(refused.value) == f"ending_usd: {ending_usd}; a number of dollars is right"


def test_a_span_has_two_ends() -> None:
    with pytest.raises(StudyError) as refused:
        earned(1.0, [0.0], 1.0, sessions(0))
    assert str(refused.value) == "sessions: too few (1); at least 2 are needed"


def test_every_session_needs_its_flow() -> None:
    index = sessions(0, 1, 2)
    with pytest.raises(StudyError) as refused:
        money_weighted_return(1.0, pd.Series(0.0, index=index[:2]), 1.0, index)
    assert str(refused.value) == (
        "external: no row for 1 of 3 sessions, first 2000-01-03; every session needs one"
    )
