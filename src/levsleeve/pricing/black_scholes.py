"""European option prices and deltas (Black and Scholes 1973), per share of the underlying."""

import math

from levsleeve.compiled import hot_rule, rule

PUT = -1.0
CALL = 1.0
"""The right of an option is its sign in the formula."""


@hot_rule
def normal_cdf(x: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@hot_rule
def option_price(
    spot: float, strike: float, years: float, rate: float, volatility: float, right: float
) -> float:
    """Dollars per share; ``right`` is ``PUT`` (-1) or ``CALL`` (+1), rates are fractions a year.

    At expiry, at zero volatility or on a worthless underlying the discounted intrinsic value.

    References
    ----------
    Black, F. and Scholes, M. (1973), Journal of Political Economy 81(3).

    Examples
    --------
    >>> round(option_price(100.0, 85.0, 30 / 365, 0.02, 0.60, PUT), 4)
    1.4357
    """
    discounted = strike * math.exp(-rate * years)
    if years <= 0.0 or volatility <= 0.0 or spot <= 0.0:
        return max(0.0, right * (spot - discounted))
    log_forward = rate * years - math.log(strike / spot)
    return price_at(spot, discounted, log_forward, volatility * math.sqrt(years), right)


@hot_rule
def price_at(
    spot: float, discounted: float, log_forward: float, spread: float, right: float
) -> float:
    """The formula itself, for what is known already of a live option; dollars per share.

    ``discounted`` is the present worth of the strike, ``log_forward`` the logarithm of spot over
    it, ``spread`` the volatility times the root of the years, above 0.
    """
    d1 = log_forward / spread + 0.5 * spread
    d2 = d1 - spread
    value = right * (spot * normal_cdf(right * d1) - discounted * normal_cdf(right * d2))
    return max(0.0, value)


@rule
def option_delta(
    spot: float, strike: float, years: float, rate: float, volatility: float, right: float
) -> float:
    """Change of the price per dollar of the underlying: in [-1, 0] for a put, [0, 1] for a call."""
    discounted = strike * math.exp(-rate * years)
    if years <= 0.0 or volatility <= 0.0 or spot <= 0.0:
        return right if right * (spot - discounted) > 0.0 else 0.0
    spread = volatility * math.sqrt(years)
    d1 = math.log(spot / discounted) / spread + 0.5 * spread
    return right * normal_cdf(right * d1)
