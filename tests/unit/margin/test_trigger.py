import math

import numpy as np
import pytest
from tests.unit.margin.books import book, excess_liquidity, terms

from levsleeve.margin.trigger import (
    excess_per_dollar,
    gap_safe_utilization,
    index_move_to_call,
    long_call_price,
    short_call_price,
)

ROUNDED = 1e-6


@pytest.mark.parametrize(
    ("debit", "shares", "multiple", "rate", "price"),
    [
        (40_000.0, 1_000.0, 1.0, 0.25, 53.3333333333),
        (16_000.0, 1_000.0, 3.0, 0.75, 64.0),
        (20_000.0, 1_000.0, 3.0, 0.75, 80.0),
    ],
)
def test_a_long_is_called_where_its_debit_is_what_it_lends(
    debit: float, shares: float, multiple: float, rate: float, price: float
) -> None:
    called = long_call_price(debit, shares, rate)
    assert called == pytest.approx(price, abs=ROUNDED)
    left = excess_liquidity(-debit, book([shares], [called]), terms([multiple]))
    assert left == pytest.approx(0.0, abs=ROUNDED)


@pytest.mark.parametrize(
    ("debit", "shares", "rate"),
    [(0.0, 100.0, 0.75), (-500.0, 100.0, 0.75), (100.0, 0.0, 0.75), (100.0, 10.0, 1.0)],
)
def test_a_long_that_owes_nothing_or_lends_nothing_is_never_called_by_a_fall(
    debit: float, shares: float, rate: float
) -> None:
    assert math.isnan(long_call_price(debit, shares, rate))


@pytest.mark.parametrize(
    ("credit", "shares", "price"),
    [(110_000.0, 1_000.0, 57.8947368421), (25_000.0, 100.0, 131.5789473684)],
)
def test_a_short_3x_is_called_where_its_credit_is_190_percent_of_it(
    credit: float, shares: float, price: float
) -> None:
    called = short_call_price(credit, shares, 0.90)
    assert called == pytest.approx(price, abs=ROUNDED)
    left = excess_liquidity(credit, book([-shares], [called]), terms([3.0]))
    assert left == pytest.approx(0.0, abs=ROUNDED)


def test_no_short_is_never_called() -> None:
    assert math.isnan(short_call_price(1_000.0, 0.0, 0.9))


@pytest.mark.parametrize(
    ("cash", "shares", "prices", "multiples", "rates", "move"),
    [
        # A 2x bull and a -2x bear on 50,000: the bear shortens the way to the call.
        (-36_000.0, [1_000.0, 200.0], [80.0, 30.0], [2.0, -2.0], [0.5, 0.5], -0.0945945946),
        (-36_000.0, [1_000.0], [80.0], [2.0], [0.5], -0.05),
        # Short 200 of a 3x fund at 50 on 12,000.
        (22_000.0, [-200.0], [50.0], [3.0], [0.9], 0.0526315789),
    ],
)
def test_the_move_of_the_index_that_calls_leaves_nothing_over(
    cash: float,
    shares: list[float],
    prices: list[float],
    multiples: list[float],
    rates: list[float],
    move: float,
) -> None:
    values = np.array(shares) * np.array(prices)
    found = index_move_to_call(cash + values.sum(), values, np.array(multiples), np.array(rates))
    assert found == pytest.approx(move, abs=1e-10)
    moved = [price * (1.0 + m * found) for price, m in zip(prices, multiples, strict=True)]
    left = excess_liquidity(cash, book(shares, moved), terms(multiples))
    assert left == pytest.approx(0.0, abs=ROUNDED)


def test_no_move_calls_an_account_that_does_not_move() -> None:
    # Fully margined longs neither gain nor lose excess liquidity; nor does cash.
    one = np.array([1.0])
    assert math.isnan(index_move_to_call(5_000.0, one * 1_000.0, one * 4.0, one))
    assert math.isnan(index_move_to_call(5_000.0, one[:0], one[:0], one[:0]))


@pytest.mark.parametrize(
    ("multiple", "rate", "short", "move", "utilization"),
    [
        # 1 / (1 -+ 3 x 5 % + 3 x 5 % / rate)
        (3.0, 0.75, False, 0.05, 1.0 / 1.05),
        (3.0, 0.90, True, 0.05, 1.0 / (1.15 + 1.0 / 6.0)),
        (1.0, 0.25, False, 0.10, 1.0 / 1.3),
        (1.0, 0.30, True, 0.10, 1.0 / (1.1 + 1.0 / 3.0)),
        (3.0, 1.00, False, 0.20, 1.0),  # a fall never calls what lends nothing
        (3.0, 0.90, True, 0.0, 1.0),
    ],
)
def test_an_account_at_the_gap_safe_utilization_is_just_not_called_by_the_move(
    multiple: float, rate: float, move: float, utilization: float, *, short: bool
) -> None:
    safe = gap_safe_utilization(multiple, rate, short, move)
    assert safe == pytest.approx(utilization, abs=1e-12)
    # 100 dollars of the fund on the equity at which its requirement is that part of it.
    value, equity = (-100.0 if short else 100.0), 100.0 * rate / safe
    moved = value * (1.0 + multiple * (move if short else -move))
    assert equity + (moved - value) - rate * abs(moved) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("rate", "short", "change"),
    [(0.25, False, -0.75), (0.30, True, -1.30), (0.75, False, -0.25), (0.90, True, -1.90)],
)
def test_a_dollar_against_the_position_takes_this_much_excess_liquidity(
    rate: float, change: float, *, short: bool
) -> None:
    assert excess_per_dollar(rate, short) == pytest.approx(change, abs=1e-12)
