import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from levsleeve.instruments.reset import rebalance_trade
from levsleeve.pricing.daily_reset import (
    as_traded_closes,
    carry_rate,
    daily_reset_return,
    effective_multiple,
    literature_return,
    net_asset_values,
    path_approximation,
    split_after,
)

multiples = st.sampled_from([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
index_returns = st.floats(-0.3, 0.3)


def path(multiple: float, *index_total_returns: float) -> list[float]:
    returns = np.array([0.0, *index_total_returns])
    none = np.zeros(len(returns))
    values: list[float] = net_asset_values(returns, none, none, multiple, 0.0, 0.0).tolist()
    return values


def test_a_bull_pays_for_the_turns_that_it_borrows() -> None:
    # 3 x 1 % less, for 73 days (a fifth of a year): 2 turns at 5 %, 1 % expense, 2 x 0.5 % spread.
    earned = daily_reset_return(0.01, 3.0, 0.05, 0.01, 0.005, 73.0)
    assert earned == pytest.approx(0.03 - (0.10 + 0.01 + 0.01) / 5.0, abs=1e-15)


def test_a_bear_earns_bills_on_its_own_dollar_and_on_what_it_sold_short() -> None:
    # -2 x 1 % plus 3 turns at 5 % for a fifth of a year, less 1 % expense and 2 x 0.5 % spread.
    earned = daily_reset_return(0.01, -2.0, 0.05, 0.01, 0.005, 73.0)
    assert earned == pytest.approx(-0.02 + (0.15 - 0.01 - 0.01) / 5.0, abs=1e-15)


def test_a_plain_fund_without_costs_earns_the_index() -> None:
    assert daily_reset_return(0.0123, 1.0, 0.05, 0.0, 0.02, 3.0) == 0.0123


def test_a_negative_spread_pays_the_bear() -> None:
    with_spread = daily_reset_return(0.0, -3.0, 0.0, 0.0, -0.001, 365.0)
    assert with_spread == pytest.approx(0.003, abs=1e-15)


@pytest.mark.parametrize("index_return", [-0.334, -0.5, -1.0])
def test_a_bull_of_three_loses_everything_from_a_third_down(index_return: float) -> None:
    assert daily_reset_return(index_return, 3.0, 0.0, 0.0, 0.0, 1.0) == -1.0


def test_a_bear_of_one_keeps_three_percent_when_the_index_gains_ninety_seven() -> None:
    assert path(-1.0, 0.97)[-1] == pytest.approx(0.03, abs=1e-15)


def test_a_fund_at_zero_stays_at_zero_whatever_the_index_does() -> None:
    assert path(3.0, 0.10, -0.40, 0.50, -0.20)[2:] == [0.0, 0.0, 0.0]


def test_a_round_trip_of_the_index_costs_both_sides() -> None:
    # Up 10 % and back: a bull 1.3 x (1 - 3/11), a bear 0.7 x (1 + 3/11).
    back = 1.0 / 1.1 - 1.0
    assert path(3.0, 0.10, back)[-1] == pytest.approx(1.3 * 8.0 / 11.0, rel=1e-15)
    assert path(-3.0, 0.10, back)[-1] == pytest.approx(0.7 * 14.0 / 11.0, rel=1e-15)


@given(multiple=multiples, moves=st.lists(st.floats(-0.9, 0.9), max_size=20))
def test_the_value_of_a_fund_is_never_negative(multiple: float, moves: list[float]) -> None:
    assert min(path(multiple, *moves)) >= 0.0


@pytest.mark.parametrize(
    ("multiple", "index_return", "after"),
    [
        (3.0, -0.10, 2.7 / 0.7),  # $3.00 becomes $2.70 on $0.70: a falling bull gains leverage
        (3.0, 0.10, 3.3 / 1.3),
        (-2.0, 0.10, -2.2 / 0.8),
        (1.0, -0.25, 1.0),
        (3.0, -0.40, 0.0),  # worth nothing
    ],
)
def test_leverage_drifts_within_a_day(multiple: float, index_return: float, after: float) -> None:
    assert effective_multiple(multiple, index_return) == pytest.approx(after, rel=1e-15)


@pytest.mark.parametrize(
    ("multiple", "index_return", "trade"),
    [
        (3.0, 0.01, 6.0),  # $100 of assets: $303 held, 3 x $103 = $309 wanted
        (-3.0, 0.01, 12.0),  # -$303 held, -3 x $97 = -$291 wanted
        (2.0, -0.05, -10.0),  # $190 held, 2 x $90 = $180 wanted
        (1.0, 0.20, 0.0),
    ],
)
def test_the_closing_trade_of_a_hundred_dollars(
    multiple: float, index_return: float, trade: float
) -> None:
    assert rebalance_trade(multiple, index_return, 100.0) == pytest.approx(trade, abs=1e-12)


@given(multiple=multiples, move=index_returns, assets=st.floats(1.0, 1e6))
def test_the_closing_trade_restores_the_multiple(
    multiple: float, move: float, assets: float
) -> None:
    worth = assets * (1.0 + multiple * move)
    held = assets * multiple * (1.0 + move)
    wanted = multiple * worth
    assert rebalance_trade(multiple, move, assets) == pytest.approx(
        wanted - held, abs=1e-12 * assets * 10.0
    )


@pytest.mark.parametrize(
    ("close", "ratio"), [(9.99, 0.25), (10.0, 1.0), (400.0, 1.0), (400.01, 4.0), (0.0, 1.0)]
)
def test_a_split_follows_a_close_outside_ten_to_four_hundred_dollars(
    close: float, ratio: float
) -> None:
    assert split_after(close) == ratio


def test_splits_take_effect_on_the_session_after() -> None:
    closes, splits = as_traded_closes(np.array([1.0, 0.09, 0.08, 2.0, 1.0]))
    assert splits.tolist() == [1.0, 1.0, 0.25, 1.0, 4.0]
    assert closes.tolist() == pytest.approx([100.0, 9.0, 32.0, 800.0, 100.0])


# --- the literature's form -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("multiple", "carry"),
    [
        # Cash 5 %, swap spread 0.5 % per turn, expense ratio 1 %.
        (3.0, -(2 * 0.05 + 3 * 0.005 + 0.01)),
        (2.0, -(0.05 + 2 * 0.005 + 0.01)),
        (1.0, -(0.005 + 0.01)),
        (-1.0, 2 * 0.05 - 0.005 - 0.01),
        (-3.0, 4 * 0.05 - 3 * 0.005 - 0.01),
    ],
)
def test_a_bull_pays_and_a_bear_earns_the_cash_rate_on_what_it_borrows_or_lends(
    multiple: float, carry: float
) -> None:
    assert carry_rate(multiple, 0.05, 0.005, 0.01) == pytest.approx(carry, abs=1e-15)


def test_cash_and_swaps_accrue_on_360_days_and_the_expense_ratio_on_365() -> None:
    # Three days over a weekend: 3 x 1 % - (2 x 5 % + 3 x 0.5 %) x 3/360 - 1 % x 3/365.
    earned = literature_return(0.01, 3.0, 0.05, 0.005, 0.01, 3.0)
    assert earned == pytest.approx(0.03 - 0.115 * 3 / 360 - 0.01 * 3 / 365, abs=1e-15)


def test_a_fund_loses_no_more_than_everything_in_the_literature_either() -> None:
    assert literature_return(-0.40, 3.0, 0.05, 0.005, 0.01, 1.0) == -1.0


def test_the_path_of_a_plain_fund_without_carry_is_the_index() -> None:
    returns = np.array([0.10, -0.05, 0.02])
    assert path_approximation(returns, 1.0) == pytest.approx(1.10 * 0.95 * 1.02, rel=1e-15)
    assert path_approximation(np.array([]), 3.0) == 1.0


@pytest.mark.parametrize("multiple", [-3.0, -2.0, -1.0, 2.0, 3.0])
@pytest.mark.parametrize("yearly", [0.16, 0.35])
def test_the_path_is_exact_up_to_the_cubes_of_the_returns(multiple: float, yearly: float) -> None:
    # log(1 + L r) - L log(1 + r) = (L - L^2) r^2 / 2 + (L^3 - L) r^3 / 3 + terms in r^4.
    days = np.random.default_rng(2010).normal(0.0, yearly / np.sqrt(252), 252)
    exact = np.log(np.prod(1.0 + multiple * days))
    cubes = (multiple**3 - multiple) / 3.0 * np.sum(days**3)
    fourth = (multiple**4 + abs(multiple)) / 4.0 * np.sum(days**4)
    missed = exact - np.log(path_approximation(days, multiple)) - cubes
    assert abs(missed) <= 1.2 * fourth < 0.03


def test_a_market_that_goes_nowhere_costs_both_sides_by_the_square_of_the_multiple() -> None:
    # Up and down 1 % for a year: V = 0.0252; bull 3 exp(-3 V), bear -3 exp(-6 V), index^L apart.
    returns = np.tile([0.01, -0.01], 126)
    index = float(np.prod(1.0 + returns))
    for multiple, factor in ((3.0, -3.0), (-3.0, -6.0)):
        expected = index**multiple * np.exp(factor * 0.0252)
        assert path_approximation(returns, multiple) == pytest.approx(expected, rel=1e-12)
