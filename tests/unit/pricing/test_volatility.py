import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levsleeve.errors import StudyError
from levsleeve.pricing.black_scholes import CALL, PUT, option_price
from levsleeve.pricing.volatility import (
    MODEL_NOTE,
    MODELS,
    fund_option_delta,
    fund_option_price,
    fund_volatility,
    index_log_moneyness,
    index_volatility,
    volatility_model,
)

STANDARD = MODELS["vix_standard_skew"]
LINEAR = MODELS["vix_linear_skew"]
YIELD = 0.019  # of the index: at this bill rate the forward is the spot
MONTH = 30.0 / 365.0


def test_the_note_of_the_model_admits_that_its_prices_are_not_traded() -> None:
    assert MODEL_NOTE.startswith("option prices are modelled, not traded")
    assert "unknown" in MODEL_NOTE


def test_a_model_is_found_by_its_name() -> None:
    assert volatility_model("vix_standard_skew") is STANDARD
    assert volatility_model("vix_linear_skew") is LINEAR


def test_an_unknown_model_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(StudyError) as refused:
        volatility_model("sabr")
    assert str(refused.value) == (
        "sabr: no volatility model of that name; known are vix_linear_skew, vix_standard_skew"
    )


# --- the smile of the index ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log_moneyness", "volatility"),
    [
        # A VIX of 20 over a quarter of a year: one standard deviation is 0.10.
        # 0.20 x (0.8545 - 0.2759 x - 0.0063 x x), x held to [-4, 0.5].
        (0.00, 0.170900),
        (-0.10, 0.224820),
        (-0.20, 0.276220),
        (-0.40, 0.371460),  # x = -4
        (-0.41, 0.371460),
        (-2.00, 0.371460),
        (0.05, 0.142995),  # x = 0.5
        (0.06, 0.142995),
        (1.00, 0.142995),
    ],
)
def test_the_standard_skew_is_a_parabola_between_its_ends(
    log_moneyness: float, volatility: float
) -> None:
    answer = index_volatility(log_moneyness, 0.25, YIELD, 0.20, STANDARD)
    assert answer == pytest.approx(volatility, abs=1e-12)


def test_the_standard_skew_measures_from_the_forward() -> None:
    # 4 % above the yield for a quarter of a year moves the forward by 1 %.
    moved = index_volatility(-0.09, 0.25, YIELD + 0.04, 0.20, STANDARD)
    assert moved == pytest.approx(0.224820, abs=1e-12)


@pytest.mark.parametrize(
    ("log_moneyness", "days", "volatility"),
    [
        # 0.85 x 0.20 x (1 - 3.5 ln(K/S) sqrt(30 / days)), the factor held to [0.5, 2.5].
        (0.00, 30.0, 0.170000),
        (-0.10, 30.0, 0.229500),
        (-0.10, 120.0, 0.199750),
        (-0.05, 7.5, 0.229500),
        (0.10, 30.0, 0.110500),
        (-3.0 / 7.0, 30.0, 0.425000),  # 2.5
        (-0.50, 30.0, 0.425000),
        (1.0 / 7.0, 30.0, 0.085000),  # 0.5
        (0.30, 30.0, 0.085000),
    ],
)
def test_the_linear_skew_is_a_line_between_its_ends(
    log_moneyness: float, days: float, volatility: float
) -> None:
    answer = index_volatility(log_moneyness, days / 365.0, 0.02, 0.20, LINEAR)
    assert answer == pytest.approx(volatility, abs=1e-12)


@pytest.mark.parametrize("days", [0.0, 1.0, 5.0])
def test_the_linear_skew_grows_no_steeper_within_the_last_five_days(days: float) -> None:
    answer = index_volatility(-0.01, days / 365.0, 0.02, 0.20, LINEAR)
    assert answer == pytest.approx(0.17 * (1.0 + 0.035 * math.sqrt(6.0)), abs=1e-12)


@pytest.mark.parametrize(
    ("strike", "vix", "published", "tolerance"),
    [
        # Exchange commentary of 2013-16: the 30-day 90 % put at 1.36 times at the money, 95 % puts
        # at 29.33 under a VIX of 28.14 and at 25.58 under 25.76.
        (0.90, 0.138, 1.36 * 0.85 * 0.138, 0.002),
        (0.95, 0.2814, 0.2933, 0.013),
        (0.95, 0.2576, 0.2558, 0.004),
    ],
)
def test_the_linear_skew_stands_near_the_volatilities_that_anchor_it(
    strike: float, vix: float, published: float, tolerance: float
) -> None:
    answer = index_volatility(math.log(strike), MONTH, 0.0, vix, LINEAR)
    assert answer == pytest.approx(published, abs=tolerance)


@pytest.mark.parametrize(
    ("vix", "standard", "linear"),
    [(0.30, 1.02, 1.00), (0.12, 1.25, 1.00)],
)
def test_the_models_agree_at_a_high_vix_and_part_in_a_calm(
    vix: float, standard: float, linear: float
) -> None:
    # Volatility of the 30-day 95 % put over the VIX, to two decimals.
    put = (math.log(0.95), MONTH, YIELD, vix)
    assert index_volatility(*put, STANDARD) / vix == pytest.approx(standard, abs=0.005)
    assert index_volatility(*put, LINEAR) / vix == pytest.approx(linear, abs=0.005)


# --- from the index to a leveraged fund ----------------------------------------------------------


@pytest.mark.parametrize(
    ("multiple", "strike", "index_strike", "index_implied", "fund_implied", "prices"),
    [
        # The scaling of Leung and Sircar (2015) worked for one month: at the money 17 % (a VIX of
        # 20), slope 3.5, bills 2 %, running cost 0.95 %; prices in percent of the fund's.
        # prices: the put; wrongly at |L| times at the money; wrongly at the fund's own moneyness.
        (3.0, 85.0, -0.0504, 0.2000, 0.6000, (1.436, 0.882, 2.929)),
        (2.0, 90.0, -0.0503, 0.1999, 0.3998, (1.025, 0.636, 1.513)),
        (-3.0, 85.0, 0.0514, 0.1394, 0.4183, (0.433, 0.882, 2.929)),
    ],
)
def test_a_put_on_a_leveraged_fund_is_priced_at_its_strike_on_the_index(
    multiple: float,
    strike: float,
    index_strike: float,
    index_implied: float,
    fund_implied: float,
    prices: tuple[float, float, float],
) -> None:
    fund = (MONTH, 0.02, multiple, 0.0095)
    mapped = index_log_moneyness(math.log(strike / 100.0), *fund, 0.17)
    assert mapped == pytest.approx(index_strike, abs=5e-5)
    assert index_volatility(mapped, MONTH, 0.02, 0.20, LINEAR) == pytest.approx(
        index_implied, abs=5e-5
    )
    volatility = fund_volatility(100.0, strike, *fund, 0.20, LINEAR)
    assert volatility == pytest.approx(fund_implied, abs=5e-5)
    put = fund_option_price(100.0, strike, MONTH, PUT, *fund[1:], 0.20, LINEAR)
    own_strike = index_volatility(math.log(strike / 100.0), MONTH, 0.02, 0.20, LINEAR)
    leverage = abs(multiple)
    wrongly = [
        option_price(100.0, strike, MONTH, 0.02, leverage * at, PUT) for at in (0.17, own_strike)
    ]
    assert (put, *wrongly) == pytest.approx(prices, abs=5e-4)
    assert all(abs(put - wrong) > 0.38 for wrong in wrongly)


def test_a_put_on_a_bear_stands_for_a_call_on_the_index() -> None:
    own = (MONTH, 0.02, -3.0, 0.0095, 0.17)
    assert index_log_moneyness(math.log(0.85), *own) > 0.0
    assert index_log_moneyness(math.log(1.15), *own) < 0.0


@given(st.floats(-0.5, 0.5), st.floats(0.01, 1.0), st.floats(0.10, 0.80))
def test_a_plain_fund_without_costs_has_the_volatility_of_the_index(
    log_moneyness: float, years: float, vix: float
) -> None:
    strike = 100.0 * math.exp(log_moneyness)
    for model in MODELS.values():
        fund = fund_volatility(100.0, strike, years, 0.02, 1.0, 0.0, vix, model)
        index = index_volatility(math.log(strike / 100.0), years, 0.02, vix, model)
        assert fund == pytest.approx(index, rel=1e-12)


@given(
    st.sampled_from([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]),
    st.floats(0.10, 0.80),
    st.sampled_from(sorted(MODELS)),
)
def test_a_volatility_lies_between_the_ends_of_its_smile(
    multiple: float, vix: float, name: str
) -> None:
    least, most = {"vix_standard_skew": (0.714975, 1.8573), "vix_linear_skew": (0.425, 2.125)}[name]
    for strike in (20.0, 85.0, 100.0, 300.0):
        volatility = fund_volatility(
            100.0, strike, MONTH, 0.02, multiple, 0.02, vix, MODELS[name]
        ) / (abs(multiple) * vix)
        assert least - 1e-12 <= volatility <= most + 1e-12


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("multiple", [3.0, 2.0, 1.0, -1.0, -3.0])
def test_a_put_on_a_fund_gains_with_its_strike(name: str, multiple: float) -> None:
    prices = [
        fund_option_price(100.0, strike, MONTH, PUT, 0.02, multiple, 0.02, 0.25, MODELS[name])
        for strike in (50.0, 70.0, 80.0, 85.0, 90.0, 95.0, 100.0, 110.0, 130.0)
    ]
    assert prices == sorted(prices)
    assert prices[-1] >= 130.0 * math.exp(-0.02 * MONTH) - 100.0 - 1e-9


@pytest.mark.parametrize(
    ("spot", "years", "right", "price", "delta"),
    [
        (100.0, 0.0, PUT, 0.0, 0.0),
        (85.0, 0.0, PUT, 0.0, 0.0),
        (60.0, 0.0, PUT, 25.0, -1.0),
        (100.0, 0.0, CALL, 15.0, 1.0),
        (60.0, 0.0, CALL, 0.0, 0.0),
        (0.0, 0.0, PUT, 85.0, -1.0),
        (0.0, 0.1, PUT, 85.0, -1.0),  # a fund at zero stays there
        (0.0, 0.1, CALL, 0.0, 0.0),
    ],
)
def test_an_option_at_expiry_or_on_a_dead_fund_is_worth_what_exercise_brings(
    spot: float, years: float, right: float, price: float, delta: float
) -> None:
    for model in MODELS.values():
        terms = (spot, 85.0, years, right, 0.02, 3.0, 0.02, 0.25, model)
        assert fund_option_price(*terms) == price
        assert fund_option_delta(*terms) == delta


@pytest.mark.parametrize("right", [PUT, CALL])
@pytest.mark.parametrize("multiple", [3.0, -3.0])
def test_the_delta_of_a_fund_option_holds_the_implied_volatility(
    multiple: float, right: float
) -> None:
    fund = (0.02, multiple, 0.02, 0.25, STANDARD)
    volatility = fund_volatility(100.0, 85.0, MONTH, *fund)
    step = 1e-3
    up, down = (
        option_price(spot, 85.0, MONTH, 0.02, volatility, right)
        for spot in (100.0 + step, 100.0 - step)
    )
    delta = fund_option_delta(100.0, 85.0, MONTH, right, *fund)
    assert delta == pytest.approx((up - down) / (2.0 * step), abs=1e-7)
