import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levsleeve.pricing.black_scholes import CALL, PUT, normal_cdf, option_delta, option_price

spots = st.floats(0.5, 1_000.0)
moneyness = st.floats(0.3, 3.0)
tenors = st.floats(1.0 / 365.0, 2.0)
rates = st.floats(-0.02, 0.10)
volatilities = st.floats(0.05, 2.0)
rights = st.sampled_from([PUT, CALL])


@pytest.mark.parametrize("x", [-8.0, -3.0, -1.96, -0.5, 0.0, 0.1, 1.0, 2.33, 6.0])
def test_the_normal_distribution_is_that_of_the_standard_library(x: float) -> None:
    assert normal_cdf(x) == pytest.approx(NormalDist().cdf(x), rel=1e-12, abs=1e-16)


def test_the_textbook_call_and_put_have_their_printed_prices() -> None:
    # Hull, Options, Futures, and Other Derivatives, chapter on the Black-Scholes-Merton model:
    # stock 42, strike 40, six months, 10 % a year, 20 % volatility: call 4.76, put 0.81.
    assert option_price(42.0, 40.0, 0.5, 0.10, 0.20, CALL) == pytest.approx(4.76, abs=0.005)
    assert option_price(42.0, 40.0, 0.5, 0.10, 0.20, PUT) == pytest.approx(0.81, abs=0.005)


@pytest.mark.parametrize(
    ("spot", "right", "price", "delta"),
    [
        (100.0, PUT, 0.0, 0.0),
        (80.0, PUT, 5.0, -1.0),
        (85.0, PUT, 0.0, 0.0),
        (0.0, PUT, 85.0, -1.0),
        (100.0, CALL, 15.0, 1.0),
        (80.0, CALL, 0.0, 0.0),
        (85.0, CALL, 0.0, 0.0),
    ],
)
def test_at_expiry_an_option_is_worth_what_exercise_brings(
    spot: float, right: float, price: float, delta: float
) -> None:
    assert option_price(spot, 85.0, 0.0, 0.05, 0.60, right) == price
    assert option_delta(spot, 85.0, 0.0, 0.05, 0.60, right) == delta


def test_on_a_worthless_underlying_a_put_is_worth_its_discounted_strike() -> None:
    discounted = 85.0 * math.exp(-0.05 * 0.25)
    assert option_price(0.0, 85.0, 0.25, 0.05, 0.60, PUT) == pytest.approx(discounted, rel=1e-15)
    assert option_delta(0.0, 85.0, 0.25, 0.05, 0.60, PUT) == -1.0
    assert option_price(0.0, 85.0, 0.25, 0.05, 0.60, CALL) == 0.0
    assert option_delta(0.0, 85.0, 0.25, 0.05, 0.60, CALL) == 0.0


def test_without_volatility_an_option_is_worth_its_discounted_intrinsic_value() -> None:
    forward_value = 100.0 - 99.0 * math.exp(-0.05)
    assert option_price(100.0, 99.0, 1.0, 0.05, 0.0, CALL) == pytest.approx(forward_value)
    assert option_price(100.0, 99.0, 1.0, 0.05, 0.0, PUT) == 0.0
    assert option_delta(100.0, 99.0, 1.0, 0.05, 0.0, CALL) == 1.0


@given(spots, moneyness, tenors, rates, volatilities)
def test_a_call_less_a_put_is_the_share_less_the_discounted_strike(
    spot: float, strike_over_spot: float, years: float, rate: float, volatility: float
) -> None:
    strike = spot * strike_over_spot
    call = option_price(spot, strike, years, rate, volatility, CALL)
    put = option_price(spot, strike, years, rate, volatility, PUT)
    parity = spot - strike * math.exp(-rate * years)
    assert call - put == pytest.approx(parity, abs=1e-12 * (spot + strike))


@given(spots, moneyness, st.floats(1.0, 1.5), tenors, volatilities)
def test_a_put_gains_with_its_strike_and_a_call_loses_by_no_more_than_the_difference(
    spot: float, strike_over_spot: float, step: float, years: float, volatility: float
) -> None:
    low, high = spot * strike_over_spot, spot * strike_over_spot * step
    rounding = 1e-12 * (spot + high)
    for right in (PUT, CALL):
        change = option_price(spot, high, years, 0.03, volatility, right) - option_price(
            spot, low, years, 0.03, volatility, right
        )
        assert -rounding <= -right * change <= (high - low) * math.exp(-0.03 * years) + rounding


@given(spots, moneyness, tenors, rates, volatilities, rights)
def test_an_option_is_worth_at_least_its_discounted_intrinsic_value_and_never_less_than_nothing(
    spot: float,
    strike_over_spot: float,
    years: float,
    rate: float,
    volatility: float,
    right: float,
) -> None:
    strike = spot * strike_over_spot
    discounted = strike * math.exp(-rate * years)
    price = option_price(spot, strike, years, rate, volatility, right)
    assert price >= max(0.0, right * (spot - discounted)) - 1e-12 * (spot + strike)
    assert price <= (spot if right == CALL else discounted) * (1.0 + 1e-12)


@pytest.mark.parametrize("right", [PUT, CALL])
@pytest.mark.parametrize("strike", [40.0, 85.0, 100.0, 115.0, 250.0])
@pytest.mark.parametrize("years", [5 / 365, 30 / 365, 1.0])
def test_the_delta_is_the_slope_of_the_price(strike: float, years: float, right: float) -> None:
    step = 1e-3
    up = option_price(100.0 + step, strike, years, 0.03, 0.60, right)
    down = option_price(100.0 - step, strike, years, 0.03, 0.60, right)
    delta = option_delta(100.0, strike, years, 0.03, 0.60, right)
    assert delta == pytest.approx((up - down) / (2.0 * step), abs=1e-7)
    assert -1.0 <= delta * -right <= 0.0
