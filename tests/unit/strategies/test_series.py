"""Series of prices against pandas and numpy."""

import math

import numpy as np
import pandas as pd
import pytest

from levsleeve.compiled import Floats
from levsleeve.strategies.series import (
    ewma_volatility,
    expanding_mean,
    levels,
    rolling_covariances,
    rolling_mean,
    rolling_return,
    rolling_variance,
    rolling_volatility,
    switched,
    trailing_return,
    worst_moves,
)

REL = 1e-9  # sums in another order
ROWS = 60


@pytest.fixture
def returns() -> Floats:
    found = np.random.default_rng(7).normal(0.0005, 0.02, ROWS)
    found[0] = 0.0
    return found


def observed(returns: Floats) -> "pd.Series[float]":
    """Returns as pandas sees them: the first is none."""
    return pd.Series(returns).where(np.arange(len(returns)) > 0)


def test_levels_compound_returns_from_a_dollar(returns: Floats) -> None:
    np.testing.assert_allclose(levels(returns), np.cumprod(1.0 + returns), rtol=REL)


@pytest.mark.parametrize("window", [1, 2, 20, ROWS, ROWS + 1])
def test_a_rolling_mean_is_that_of_pandas(returns: Floats, window: int) -> None:
    expected = pd.Series(returns).rolling(window).mean().to_numpy()
    np.testing.assert_allclose(rolling_mean(returns, window), expected, rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize(("window", "fewest"), [(2, 2), (21, 21), (21, 5), (300, 2), (59, 59)])
def test_rolling_variance_and_return_leave_the_first_return_out(
    returns: Floats, window: int, fewest: int
) -> None:
    rolling = observed(returns).rolling(window, min_periods=fewest)
    variance = rolling_variance(returns, window, fewest)
    np.testing.assert_allclose(variance, rolling.var().to_numpy(), rtol=1e-6)
    mean = rolling_return(returns, window, fewest)
    np.testing.assert_allclose(mean, rolling.mean().to_numpy(), rtol=1e-6, atol=1e-15)


def test_volatility_is_a_years_of_252_sessions(returns: Floats) -> None:
    expected = observed(returns).rolling(21).std().to_numpy() * math.sqrt(252.0)
    np.testing.assert_allclose(rolling_volatility(returns, 21), expected, rtol=1e-6)


def test_exponential_volatility_weighs_the_squares_of_pandas_adjusted_weights(
    returns: Floats,
) -> None:
    squares = observed(returns) ** 2
    mean = squares.ewm(alpha=1.0 - 0.94, adjust=True).mean().to_numpy()
    found = ewma_volatility(returns, 0.94)
    assert math.isnan(found[0])
    np.testing.assert_allclose(found[1:], np.sqrt(252.0 * mean[1:]), rtol=REL)


def test_a_mean_so_far_leaves_out_what_is_not_known() -> None:
    values = np.array([np.nan, 2.0, np.nan, 4.0, 9.0])
    assert expanding_mean(values).tolist()[1:] == [2.0, 2.0, 3.0, 5.0]
    assert math.isnan(expanding_mean(values)[0])


def test_a_switch_holds_its_side_between_its_thresholds_and_is_not_known_without_them() -> None:
    values = np.array([1.0, 1.05, 1.2, 1.0, 0.95, 0.9, 1.05, np.nan, 1.2, 1.0])
    above, at = np.full(10, 1.1), np.full(10, 0.9)
    found = switched(values, above, at)
    expected = [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, np.nan, 1.0, 1.0]
    np.testing.assert_array_equal(found, expected)


def test_a_switch_leaves_at_its_threshold_and_enters_above_it() -> None:
    one = np.ones(3)
    assert switched(np.array([1.0, 1.1, 1.0]), one, one).tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(("window", "skip"), [(1, 0), (5, 0), (5, 2), (40, 21)])
def test_a_trailing_return_ends_before_what_is_skipped(
    returns: Floats, window: int, skip: int
) -> None:
    worth = levels(returns)
    expected = pd.Series(worth).pct_change(window).shift(skip).to_numpy()
    found = trailing_return(worth, window, skip)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-14)
    assert np.isnan(found[: window + skip]).all()


@pytest.mark.parametrize("sessions", [1, 2, 5])
def test_the_worst_moves_are_those_between_any_two_closes_so_far(
    returns: Floats, sessions: int
) -> None:
    worth = np.cumprod(1.0 + returns)
    falls, rises = np.zeros(ROWS), np.zeros(ROWS)
    for end in range(ROWS):
        for start in range(max(0, end - sessions), end):
            move = worth[end] / worth[start] - 1.0
            falls[end:] = np.maximum(falls[end:], -move)
            rises[end:] = np.maximum(rises[end:], move)
    found = worst_moves(returns, sessions)
    np.testing.assert_allclose(found, np.column_stack([falls, rises]), rtol=REL, atol=1e-15)


def test_moves_over_two_sessions_are_hand_made() -> None:
    # 1.0, 0.9, 0.81, 0.972: at worst -19 % over two sessions; at best +20 % over one.
    found = worst_moves(np.array([0.0, -0.1, -0.1, 0.2]), 2)
    np.testing.assert_allclose(found[:, 0], [0.0, 0.1, 0.19, 0.19], rtol=REL)
    np.testing.assert_allclose(found[:, 1], [0.0, 0.0, 0.0, 0.2], rtol=REL)


def test_rolling_covariances_are_those_of_pandas() -> None:
    funds = np.random.default_rng(11).normal(0.0, 0.02, (40, 3))
    funds[0] = 0.0
    found = rolling_covariances(funds, 10)
    assert np.isnan(found[:10]).all()
    for t in (10, 25, 39):
        expected = np.cov(funds[t - 9 : t + 1].T, ddof=1)
        np.testing.assert_allclose(found[t], expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(
    "series",
    [
        lambda r: rolling_volatility(r, 5),
        lambda r: ewma_volatility(r, 0.9),
        lambda r: trailing_return(levels(r), 5, 2),
        lambda r: worst_moves(r, 3),
        lambda r: rolling_return(r, 10, 3),
    ],
)
def test_a_series_looks_at_nothing_later(returns: Floats, series: object) -> None:
    assert callable(series)
    whole = series(returns)
    changed = returns.copy()
    changed[40:] = 0.5
    np.testing.assert_array_equal(series(changed)[:40], whole[:40])
