"""When an account is called, and what cures it, in closed form."""

import math

from levsleeve.compiled import hot_rule, rule

ROUNDING = 1e-12
"""Rounding of one addition, relative to the amounts added: exactly zero counts as compliant."""


@hot_rule
def in_deficit(excess_liquidity_usd: float, scale_usd: float) -> bool:
    """Whether excess liquidity is below zero by more than rounding on amounts of ``scale_usd``."""
    return excess_liquidity_usd < -ROUNDING * max(1.0, scale_usd)


@rule
def shares_to_trade(deficiency_usd: float, held: float, released_per_share_usd: float) -> float:
    """Fewest whole shares whose sale or purchase cures a deficiency, costs apart; all if none do.

    ``released_per_share_usd`` is the requirement that one share frees, the same for all of them.

    Examples
    --------
    >>> shares_to_trade(35_000.0, 1000.0, 75.0)
    467.0
    """
    if deficiency_usd <= 0.0:
        return 0.0
    if released_per_share_usd * held <= deficiency_usd:
        return held
    return min(held, math.ceil(deficiency_usd / released_per_share_usd * (1.0 - ROUNDING)) * 1.0)
