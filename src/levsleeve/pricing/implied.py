"""The volatility at which Black-Scholes gives a price."""

import math

from scipy.optimize import brentq

from levsleeve.pricing.black_scholes import option_price

LOWEST, HIGHEST = 1e-4, 20.0


def implied_volatility(
    spot: float, strike: float, years: float, rate: float, right: float, price: float
) -> float:
    """Volatility, a fraction a year, that prices the option; nan where none does.

    None does at expiry, below the discounted intrinsic value or above what volatility can give.

    Examples
    --------
    >>> from levsleeve.pricing.black_scholes import PUT
    >>> round(implied_volatility(100.0, 85.0, 30 / 365, 0.02, PUT, 1.4357), 3)
    0.6
    """
    if years <= 0.0:
        return math.nan

    def excess(volatility: float) -> float:
        return float(option_price(spot, strike, years, rate, volatility, right)) - price

    if excess(LOWEST) > 0.0 or excess(HIGHEST) < 0.0:
        return math.nan
    return float(brentq(excess, LOWEST, HIGHEST, xtol=1e-12))
