"""From a sizing rule's answer to whole shares."""

import math

from levsleeve.compiled import hot_rule


@hot_rule
def branch_scale(
    signal: float, multiplier: float, floor: float, trailing: float, growth: float, peak: float
) -> float:
    """The bound that one branch of a sizing rule sets on the scale (see ``branches.Branch``).

    ``growth`` is what a dollar of the account's equity became, ``peak`` the highest of it.

    Examples
    --------
    >>> branch_scale(1.0, 4.0, 0.75, math.nan, 1.0, 1.25)
    1.0
    """
    if not multiplier > 0.0:
        return signal
    if math.isnan(floor):
        floor = trailing * peak
    return signal * (multiplier * (1.0 - floor / growth)) if growth > floor else 0.0


@hot_rule
def target_shares(weight: float, equity_usd: float, price_usd: float, share_parts: float) -> float:
    """Signed shares worth at most ``weight`` of equity; none of a worthless fund or account.

    ``share_parts`` is how many parts of a share trade: 1.0 for whole shares only.

    Examples
    --------
    >>> target_shares(0.5, 10_000.0, 33.0, 1.0), target_shares(-0.5, 10_000.0, 33.0, 10_000.0)
    (151.0, -151.5151)
    """
    if equity_usd <= 0.0 or price_usd <= 0.0:
        return 0.0
    return float(int(weight * equity_usd / price_usd * share_parts)) / share_parts


@hot_rule
def outside_band(
    shares: float, price_usd: float, weight: float, equity_usd: float, band: float
) -> bool:
    """Whether the weight held deviates from ``weight`` by more than ``band``, all of equity."""
    if equity_usd <= 0.0:
        return True
    return abs(shares * price_usd / equity_usd - weight) > band
