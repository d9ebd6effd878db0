"""Rotation and inverse volatility against pandas and arithmetic on paper."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.strategies.markets import ROWS, history_of

from levsleeve.compiled import Floats
from levsleeve.strategies.allocation import InverseVolatility, Rotation
from levsleeve.strategies.history import History

SIZED = np.ones(3)


def growing(*rates: float, bill: float = 0.0, rows: int = 6) -> History:
    """Funds that grow by the same part on every session."""
    funds = np.tile(np.array(rates), (rows, 1))
    funds[0] = 0.0
    bills = np.full(rows, bill)
    bills[0] = 0.0
    return History(funds[:, 0].copy(), bills, funds)


def last(rotation: Rotation, history: History, base: Floats, sized: Floats = SIZED) -> list[float]:
    found: list[float] = rotation.weights(history, base, sized)[-1].round(12).tolist()
    return found


@pytest.mark.parametrize(("hold", "weights"), [(1, [0.0, 0.0, 0.9]), (2, [0.45, 0.0, 0.45])])
def test_the_best_funds_share_the_whole_weight(hold: int, weights: list[float]) -> None:
    base = np.array([0.2, 0.3, 0.4])
    assert last(Rotation(window=3, hold=hold), growing(0.02, 0.01, 0.03), base) == weights


def test_of_equal_funds_the_one_named_first_is_held() -> None:
    base = np.array([0.3, 0.3, 0.3])
    history = growing(0.01, 0.02, 0.02)
    assert last(Rotation(window=3), history, base) == [0.0, 0.9, 0.0]
    assert last(Rotation(window=3), growing(0.01, 0.01, 0.01), base) == [0.9, 0.0, 0.0]


def test_a_fund_that_earned_no_more_than_bills_leaves_its_part_in_cash() -> None:
    base = np.array([0.3, 0.3, 0.3])
    history = growing(0.02, 0.01, -0.01, bill=0.01)
    assert last(Rotation(window=3, hold=2), history, base) == [0.45, 0.0, 0.0]
    assert last(Rotation(window=3, hold=2, absolute=False), history, base) == [0.45, 0.45, 0.0]


def test_a_rotation_looks_at_the_window_that_ended_before_what_is_skipped() -> None:
    history = history_of((3.0, -3.0, 1.0))
    worth = (1.0 + pd.DataFrame(history.funds)).cumprod()
    trailing = worth.pct_change(10).shift(4)
    rotation = Rotation(window=10, skip=4, absolute=False)
    found = rotation.weights(history, np.array([0.3, 0.2, 0.1]), SIZED)
    assert np.isnan(found[:14]).all()
    assert rotation.longest == 14
    best = trailing.iloc[14:].idxmax(axis=1).to_numpy()
    assert set(best) == {0, 1} or set(best) == {0, 1, 2}
    for row, chosen in zip(found[14:], best, strict=True):
        expected = np.zeros(3)
        expected[chosen] = 0.6
        np.testing.assert_allclose(row, expected, rtol=1e-12)


def test_the_core_keeps_its_weight_in_a_rotation() -> None:
    base, sized = np.array([0.2, 0.5, 0.4]), np.array([1.0, 0.0, 1.0])
    history = growing(0.01, 0.09, 0.02)
    assert last(Rotation(window=3), history, base, sized) == [0.0, 0.5, 0.6]


def test_inverse_volatility_divides_the_whole_weight_and_keeps_the_signs() -> None:
    history = history_of((3.0, -3.0, 1.0))
    funds = history.funds * np.array([1.0, 0.5, 1.0])
    history = History(history.index, history.bills, funds)
    base = np.array([0.3, -0.3, 0.3])
    found = InverseVolatility(window=20).weights(history, base, SIZED)
    inverse = 1.0 / pd.DataFrame(funds).rolling(20).std()
    parts = inverse.div(inverse.sum(axis=1), axis=0).to_numpy()
    expected = 0.9 * parts * np.array([1.0, -1.0, 1.0])
    np.testing.assert_allclose(found[20:], expected[20:], rtol=1e-6)
    # Volatilities of 3, 1.5 and 1 times the index: 1/3 to 2/3 to 1 of it.
    np.testing.assert_allclose(found[-1], [0.15, -0.3, 0.45], rtol=1e-9)
    assert np.isnan(found[:20]).all()


def test_the_core_keeps_its_weight_under_inverse_volatility() -> None:
    base, sized = np.array([0.3, 0.5, 0.3]), np.array([1.0, 0.0, 1.0])
    found = InverseVolatility(window=20).weights(history_of((3.0, 1.0, 1.0)), base, sized)
    np.testing.assert_allclose(found[-1], [0.15, 0.5, 0.45], rtol=1e-9)
    assert (found[:, 1] == 0.5).all()


def test_a_fund_that_never_moves_takes_the_whole_weight() -> None:
    history = history_of((3.0, 0.0, 1.0))
    found = InverseVolatility(window=20).weights(history, np.array([0.3, 0.3, 0.3]), SIZED)
    np.testing.assert_allclose(found[-1], [0.0, 0.9, 0.0], atol=1e-12)


@pytest.mark.parametrize("allocation", [Rotation(window=7, skip=2), InverseVolatility(window=7)])
def test_an_allocation_looks_at_nothing_later(allocation: Rotation | InverseVolatility) -> None:
    history, base = history_of((3.0, -3.0, 1.0)), np.array([0.3, 0.3, 0.3])
    whole = allocation.weights(history, base, SIZED)
    until = allocation.weights(history.until(50), base, SIZED)
    np.testing.assert_array_equal(until, whole[:51])
    assert len(whole) == ROWS
