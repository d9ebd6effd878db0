from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from levsleeve.strategies.hedges import nearest_expiry, put_contracts, put_strike


@pytest.mark.parametrize(
    ("shares", "coverage", "contracts"),
    [
        (1_250.0, 1.0, 12.0),
        (1_250.0, 0.5, 6.0),
        (1_299.0, 1.0, 12.0),
        (1_300.0, 1.0, 13.0),
        (100.0, 1.0, 1.0),
        (99.0, 1.0, 0.0),
        (100.0, 0.99, 0.0),
        (0.0, 1.0, 0.0),
        (-300.0, 1.0, 0.0),  # a short position needs no put
    ],
)
def test_whole_contracts_of_a_hundred_cover_at_most_the_shares(
    shares: float, coverage: float, contracts: float
) -> None:
    assert put_contracts(shares, coverage) == contracts


@pytest.mark.parametrize(
    ("price", "moneyness", "strike"),
    [
        (100.0, 0.85, 85.0),
        (99.99, 0.85, 84.0),
        (20.0, 0.9, 18.0),
        (19.0, 0.9, 17.0),  # 17.10
        (400.0, 0.95, 380.0),
        (399.0, 0.95, 375.0),  # 379.05
        (90.0, 0.70, 63.0),  # 62.99999999999999 in floats
        (0.5, 0.85, 0.5),  # the lowest listed
    ],
)
def test_a_put_is_struck_at_the_highest_listed_price_not_above_its_moneyness(
    price: float, moneyness: float, strike: float
) -> None:
    assert put_strike(price, moneyness) == strike


@pytest.mark.parametrize(
    ("today", "tenor", "expiry"),
    [
        # Third Fridays of 2018: 19 January, 16 February, 16 March, 20 April.
        (date(2018, 1, 19), 30.0, date(2018, 2, 16)),  # 28 days; the one of today is over
        (date(2018, 1, 18), 30.0, date(2018, 2, 16)),  # 29 days against 1
        (date(2018, 1, 18), 10.0, date(2018, 1, 19)),
        (date(2018, 2, 1), 30.0, date(2018, 3, 16)),  # 43 days against 15
        (date(2018, 2, 16), 60.0, date(2018, 4, 20)),  # 63 days
        (date(2018, 2, 16), 365.0, date(2018, 4, 20)),  # the last that is listed
    ],
)
def test_the_expiry_is_the_listed_one_nearest_the_tenor(
    today: date, tenor: float, expiry: date
) -> None:
    listed = [date(2018, 1, 19), date(2018, 2, 16), date(2018, 3, 16), date(2018, 4, 20)]
    ordinals = np.array([float(day.toordinal()) for day in listed])
    assert nearest_expiry(float(today.toordinal()), ordinals, tenor) == expiry.toordinal()


def test_the_earlier_of_two_expiries_equally_near_is_chosen() -> None:
    assert nearest_expiry(100.0, np.array([120.0, 140.0]), 30.0) == 120.0
    assert nearest_expiry(100.0, np.array([101.0, 129.0, 131.0]), 30.0) == 129.0


@pytest.mark.parametrize("expiries", [[], [90.0], [90.0, 100.0]])
def test_without_an_expiry_after_today_there_is_none(expiries: list[float]) -> None:
    assert nearest_expiry(100.0, np.array(expiries, dtype=np.float64), 30.0) == 0.0


@given(
    st.lists(st.integers(0, 400).map(float), min_size=1, max_size=20, unique=True).map(sorted),
    st.integers(0, 400).map(float),
    st.integers(1, 366).map(float),
)
def test_no_listed_expiry_ahead_is_nearer_than_the_one_that_is_taken(
    listed: list[float], today: float, tenor: float
) -> None:
    ahead = [expiry for expiry in listed if expiry > today]
    nearest = min(ahead, key=lambda expiry: (abs(expiry - today - tenor), expiry), default=0.0)
    assert nearest_expiry(today, np.array(listed), tenor) == nearest
