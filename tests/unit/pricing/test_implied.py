import math

import pytest
import QuantLib as ql  # noqa: N813  (the name its own documentation uses)
from hypothesis import given
from hypothesis import strategies as st

from levsleeve.pricing.black_scholes import CALL, PUT, option_price
from levsleeve.pricing.implied import HIGHEST, LOWEST, implied_volatility


def quantlib_price(
    spot: float, strike: float, years: float, rate: float, right: float, volatility: float
) -> float:
    """The published formula as QuantLib has it, on the forward."""
    kind = ql.Option.Call if right == CALL else ql.Option.Put
    deviation = volatility * math.sqrt(years)
    discount = math.exp(-rate * years)
    return float(ql.blackFormula(kind, strike, spot / discount, deviation, discount))


@pytest.mark.parametrize("right", [PUT, CALL])
@pytest.mark.parametrize("volatility", [0.10, 0.60, 2.5])
@pytest.mark.parametrize(
    ("strike", "days", "rate"), [(85.0, 180, 0.02), (100.0, 7, 0.0), (130.0, 365, 0.05)]
)
def test_the_volatility_of_a_published_price_is_found(
    right: float, volatility: float, strike: float, days: int, rate: float
) -> None:
    years = days / 365.0
    price = quantlib_price(100.0, strike, years, rate, right, volatility)
    found = implied_volatility(100.0, strike, years, rate, right, price)
    assert found == pytest.approx(volatility, rel=1e-6)


@given(
    strike=st.floats(60.0, 150.0),
    days=st.integers(1, 700),
    right=st.sampled_from([PUT, CALL]),
    time_value=st.floats(0.0, 20.0),
)
def test_the_volatility_gives_the_price_back(
    strike: float, days: int, right: float, time_value: float
) -> None:
    years, price = days / 365.0, max(0.0, right * (100.0 - strike)) + time_value
    found = implied_volatility(100.0, strike, years, 0.0, right, price)
    if not math.isnan(found):
        assert LOWEST <= found <= HIGHEST
        again = option_price(100.0, strike, years, 0.0, found, right)
        assert again == pytest.approx(price, abs=1e-9)


@pytest.mark.parametrize(
    ("strike", "years", "right", "price"),
    [
        pytest.param(90.0, 0.25, CALL, 9.99, id="below intrinsic value"),
        pytest.param(110.0, 0.25, PUT, 9.99, id="a put below intrinsic value"),
        pytest.param(90.0, 0.25, CALL, 100.01, id="above the fund"),
        pytest.param(90.0, 0.25, PUT, 90.01, id="above the strike"),
        pytest.param(90.0, 0.0, CALL, 12.0, id="at expiry"),
        pytest.param(90.0, -0.1, CALL, 12.0, id="after expiry"),
    ],
)
def test_a_price_that_no_volatility_gives_has_none(
    strike: float, years: float, right: float, price: float
) -> None:
    assert math.isnan(implied_volatility(100.0, strike, years, 0.0, right, price))


def test_an_option_at_its_intrinsic_value_has_the_lowest_volatility() -> None:
    assert implied_volatility(100.0, 60.0, 0.25, 0.0, CALL, 40.0) == pytest.approx(LOWEST)
    assert implied_volatility(100.0, 130.0, 0.25, 0.0, CALL, 0.0) == pytest.approx(LOWEST)


def test_the_intrinsic_value_that_bounds_a_price_is_discounted() -> None:
    # A year at 5 %: a put at 110 on 100 is worth 104.64 - 100 at least.
    bound = 110.0 * math.exp(-0.05) - 100.0
    assert math.isnan(implied_volatility(100.0, 110.0, 1.0, 0.05, PUT, bound - 0.01))
    assert implied_volatility(100.0, 110.0, 1.0, 0.05, PUT, bound + 0.01) > LOWEST
