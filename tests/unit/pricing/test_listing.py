import pytest

from levsleeve.pricing.listing import listed_strike_at_or_below, strike_interval


@pytest.mark.parametrize(
    ("strike", "interval"),
    [(0.5, 0.5), (24.99, 0.5), (25.0, 1.0), (26.0, 1.0), (200.0, 1.0), (200.01, 5.0), (900.0, 5.0)],
)
def test_strikes_stand_further_apart_the_dearer_the_fund(strike: float, interval: float) -> None:
    assert strike_interval(strike) == interval


@pytest.mark.parametrize(
    ("target", "listed"),
    [
        (17.3, 17.0),
        (17.5, 17.5),
        (24.49, 24.0),
        (24.99, 24.5),
        (25.0, 25.0),
        (25.99, 25.0),
        (26.0, 26.0),
        (84.99, 84.0),
        (199.5, 199.0),
        (200.0, 200.0),
        (204.99, 200.0),
        (205.0, 205.0),
        (1_003.0, 1_000.0),
    ],
)
def test_the_listed_strike_is_the_highest_one_not_above_the_target(
    target: float, listed: float
) -> None:
    assert listed_strike_at_or_below(target) == listed


@pytest.mark.parametrize("target", [0.0, 0.01, 0.49, 0.5, 0.99])
def test_no_strike_is_listed_below_half_a_dollar(target: float) -> None:
    assert listed_strike_at_or_below(target) == 0.5


@pytest.mark.parametrize(
    ("moneyness", "price", "listed"),
    # The product of the two floats is a hair below the strike.
    [(0.70, 90.0, 63.0), (0.58, 100.0, 58.0), (0.57, 400.0, 225.0), (0.70, 350.0, 245.0)],
)
def test_a_target_that_is_a_strike_up_to_rounding_is_that_strike(
    moneyness: float, price: float, listed: float
) -> None:
    assert listed_strike_at_or_below(moneyness * price) == listed
