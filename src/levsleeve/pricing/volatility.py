"""Implied volatility of index and leveraged-fund options from the level of the VIX.

Modelled, never quoted: no history of fund-option quotes is bundled.  Two skew models read the
index smile off the VIX; the scaling of Leung and Sircar carries it to a leveraged fund.
"""

import math
from typing import NamedTuple

from levsleeve.compiled import hot_rule, rule
from levsleeve.errors import StudyError
from levsleeve.pricing.black_scholes import option_delta, price_at

STANDARD_SKEW = 0.0
LINEAR_SKEW = 1.0
MONTH_YEARS = 30.0 / 365.0
SHORTEST_YEARS = 5.0 / 365.0


class VolatilityModel(NamedTuple):
    """Which skew, its three coefficients, and the index yield that sets the forward."""

    kind: float
    level: float
    slope: float
    curvature: float
    index_dividend_yield: float


MODELS = {
    "vix_standard_skew": VolatilityModel(STANDARD_SKEW, 0.8545, -0.2759, -0.0063, 0.019),
    "vix_linear_skew": VolatilityModel(LINEAR_SKEW, 0.85, 3.5, 0.0, 0.019),
}
"""Standard skew: fitted to SPXW quotes of April-July 2019 (R2 0.96), held on SPY quotes of 2021.
Linear skew: level 0.85 of the VIX and slope 3.5, anchored on published index implied volatilities;
too cheap when the VIX is low."""

MODEL_NOTE = (
    "option prices are modelled, not traded: European Black-Scholes; for 30-day index puts 5-10 % "
    "out of the money the standard skew read 2-4 % above quotes of 2019 and 2021 (VIX 12-37), and "
    "its error in a crash is unknown; over plausible skews (level 0.75-0.95 of the VIX, slope 0-5) "
    "the drag of monthly 5 % out-of-the-money index puts ran from -1.3 to +3.7 % a year; expiry on "
    "the third Friday, the luckiest roll day of 1999-2018"
)


def volatility_model(name: str) -> VolatilityModel:
    """The skew model of that name.

    Raises
    ------
    StudyError
        If there is none.
    """
    if name not in MODELS:
        raise StudyError(
            f"{name}: no volatility model of that name; known are {', '.join(sorted(MODELS))}"
        )
    return MODELS[name]


@hot_rule
def index_volatility(
    log_moneyness: float, years: float, rate: float, vix: float, model: VolatilityModel
) -> float:
    """Implied volatility of an index option, a fraction a year; ``vix`` is a fraction, not points.

    ``log_moneyness`` is ln(strike / spot) of the index.
    """
    return _index_volatility(log_moneyness, years, math.sqrt(years), rate, vix, model)


@hot_rule
def _index_volatility(
    log_moneyness: float,
    years: float,
    root: float,
    rate: float,
    vix: float,
    model: VolatilityModel,
) -> float:
    """The same where the root of the years is at hand."""
    if model.kind == LINEAR_SKEW:
        tenor = math.sqrt(MONTH_YEARS / max(years, SHORTEST_YEARS))
        factor = 1.0 - model.slope * log_moneyness * tenor
        return model.level * vix * min(max(factor, 0.5), 2.5)
    forward = log_moneyness - (rate - model.index_dividend_yield) * years
    x = min(max(forward / (vix * root), -4.0), 0.5)
    return vix * (model.level + model.slope * x + model.curvature * x * x)


@hot_rule
def index_log_moneyness(
    log_moneyness: float,
    years: float,
    rate: float,
    multiple: float,
    cost_rate: float,
    at_the_money: float,
) -> float:
    """ln(strike / spot) of the index option that stands for one on the fund.

    ``cost_rate`` is the fund's running cost, ``at_the_money`` the index volatility, both fractions
    a year.  A put on a bear maps to a call strike of the index.

    References
    ----------
    Leung, T. and Sircar, R. (2015), Applied Mathematical Finance 22(2).
    """
    carry = (rate * (multiple - 1.0) + cost_rate) * years
    decay = 0.5 * multiple * (multiple - 1.0) * at_the_money * at_the_money * years
    return (log_moneyness + carry + decay) / multiple


@hot_rule
def fund_volatility(
    spot: float,
    strike: float,
    years: float,
    rate: float,
    multiple: float,
    cost_rate: float,
    vix: float,
    model: VolatilityModel,
) -> float:
    """Implied volatility of an option on a leveraged fund: |L| times the index's at its strike."""
    log_moneyness = math.log(strike / spot)
    mapped = index_log_moneyness(log_moneyness, years, rate, multiple, cost_rate, model.level * vix)
    return abs(multiple) * index_volatility(mapped, years, rate, vix, model)


@hot_rule
def fund_option_price(
    spot: float,
    strike: float,
    years: float,
    right: float,
    rate: float,
    multiple: float,
    cost_rate: float,
    vix: float,
    model: VolatilityModel,
) -> float:
    """Dollars per share of an option on a fund; at expiry its intrinsic value."""
    if years <= 0.0 or spot <= 0.0:
        return max(0.0, right * (spot - strike))
    log_moneyness, root = math.log(strike / spot), math.sqrt(years)
    mapped = index_log_moneyness(log_moneyness, years, rate, multiple, cost_rate, model.level * vix)
    spread = abs(multiple) * _index_volatility(mapped, years, root, rate, vix, model) * root
    discounted = strike * math.exp(-rate * years)
    if spread <= 0.0:
        return max(0.0, right * (spot - discounted))
    return price_at(spot, discounted, rate * years - log_moneyness, spread, right)


@rule
def fund_option_delta(
    spot: float,
    strike: float,
    years: float,
    right: float,
    rate: float,
    multiple: float,
    cost_rate: float,
    vix: float,
    model: VolatilityModel,
) -> float:
    """Change of the option's price per dollar of the fund, its implied volatility held."""
    if years <= 0.0 or spot <= 0.0:
        return right if right * (spot - strike) > 0.0 else 0.0
    volatility = fund_volatility(spot, strike, years, rate, multiple, cost_rate, vix, model)
    return option_delta(spot, strike, years, rate, volatility, right)
