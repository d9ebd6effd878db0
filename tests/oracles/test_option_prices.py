"""European options against QuantLib's analytic engine."""

from itertools import product

import pytest
import QuantLib as ql  # noqa: N813  (the name its own documentation uses)

from levsleeve.pricing.black_scholes import CALL, PUT, option_delta, option_price

TODAY = ql.Date(3, 6, 2019)
DAYS_A_YEAR = 365.0
QUANTLIB_RIGHTS = {PUT: ql.Option.Put, CALL: ql.Option.Call}

SPOTS = (2.0, 100.0, 450.0)
MONEYNESS = (0.3, 0.7, 0.85, 0.95, 1.0, 1.05, 1.3, 3.0)
DAYS = (1, 5, 30, 91, 365, 1_095)
RATES = (-0.005, 0.0, 0.05)
VOLATILITIES = (0.05, 0.20, 0.60, 1.50)


def process(spot: float, rate: float, volatility: float) -> ql.BlackScholesProcess:
    """A share without dividends, rates on 365 days."""
    ql.Settings.instance().evaluationDate = TODAY
    count = ql.Actual365Fixed()
    return ql.BlackScholesProcess(
        ql.QuoteHandle(ql.SimpleQuote(spot)),
        ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate, count)),
        ql.BlackVolTermStructureHandle(
            ql.BlackConstantVol(TODAY, ql.NullCalendar(), volatility, count)
        ),
    )


def quantlib_option(
    spot: float, strike: float, days: int, rate: float, volatility: float, right: float
) -> ql.VanillaOption:
    option = ql.VanillaOption(
        ql.PlainVanillaPayoff(QUANTLIB_RIGHTS[right], strike), ql.EuropeanExercise(TODAY + days)
    )
    option.setPricingEngine(ql.AnalyticEuropeanEngine(process(spot, rate, volatility)))
    return option


@pytest.mark.parametrize("right", [PUT, CALL], ids=["puts", "calls"])
@pytest.mark.parametrize("days", DAYS)
def test_prices_and_deltas_are_those_of_quantlib(days: int, right: float) -> None:
    worst = {"price": 0.0, "delta": 0.0}
    years = days / DAYS_A_YEAR
    for spot, money, rate, volatility in product(SPOTS, MONEYNESS, RATES, VOLATILITIES):
        option = quantlib_option(spot, spot * money, days, rate, volatility, right)
        terms = (spot, spot * money, years, rate, volatility, right)
        worst["price"] = max(worst["price"], abs(option_price(*terms) - option.NPV()) / spot)
        worst["delta"] = max(worst["delta"], abs(option_delta(*terms) - option.delta()))
    assert worst == pytest.approx({"price": 0.0, "delta": 0.0}, abs=1e-9)


@pytest.mark.parametrize(
    ("terms", "european", "american"),
    [
        # (spot, strike, days, rate, volatility); the American values of a binomial tree of 801
        # steps and of finite differences agree to 1e-3.
        ((100.0, 85.0, 30, 0.02, 0.60), 1.4357, 1.4369),
        ((100.0, 85.0, 30, 0.05, 0.60), 1.3959, 1.3995),
        ((100.0, 85.0, 91, 0.05, 0.60), 4.7225, 4.7540),
        ((100.0, 85.0, 365, 0.05, 0.55), 11.4235, 11.7035),
        ((100.0, 100.0, 91, 0.05, 0.55), 10.2456, 10.3424),
        ((70.0, 85.0, 30, 0.05, 0.80), 16.6608, 16.7318),
        ((50.0, 85.0, 60, 0.05, 0.80), 34.7769, 35.1521),
    ],
)
def test_a_put_has_its_european_value_below_the_american_one(
    terms: tuple[float, float, int, float, float], european: float, american: float
) -> None:
    spot, strike, days, rate, volatility = terms
    put = option_price(spot, strike, days / DAYS_A_YEAR, rate, volatility, PUT)
    assert put == pytest.approx(european, abs=5e-5)
    assert put < american


def test_early_exercise_adds_less_than_a_thousandth_to_a_monthly_put() -> None:
    # Why European prices serve a monthly hedge: the first put of the table above.
    american = ql.VanillaOption(
        ql.PlainVanillaPayoff(ql.Option.Put, 85.0), ql.AmericanExercise(TODAY, TODAY + 30)
    )
    american.setPricingEngine(ql.QdFpAmericanEngine(process(100.0, 0.02, 0.60)))
    european = option_price(100.0, 85.0, 30 / DAYS_A_YEAR, 0.02, 0.60, PUT)
    assert american.NPV() == pytest.approx(1.4369, abs=5e-5)
    assert 0.0 < american.NPV() / european - 1.0 < 0.001
