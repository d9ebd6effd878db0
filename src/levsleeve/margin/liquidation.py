"""When an account is called, and the fewest shares whose sale or purchase cures it."""

import math

from levsleeve.compiled import rule
from levsleeve.margin.charges import CommissionPlan, SaleFees
from levsleeve.margin.fees import regulatory_sale_fees, share_commission, share_pass_through

ROUNDING = 1e-12
"""Rounding of one addition, relative to the amounts added: exactly zero counts as compliant."""


@rule
def in_deficit(excess_liquidity_usd: float, scale_usd: float) -> bool:
    """Whether excess liquidity is below zero by more than rounding on amounts of ``scale_usd``."""
    return excess_liquidity_usd < -ROUNDING * max(1.0, scale_usd)


@rule
def cure_gain(
    shares: float,
    price_usd: float,
    relief_per_share_usd: float,
    cost_rate: float,
    selling: bool,
    plan: CommissionPlan,
    fees: SaleFees,
    month_shares: float = 0.0,
) -> float:
    """Dollars of excess liquidity gained by trading ``shares`` (>= 0) towards zero.

    What the requirement releases, less what the trade costs: ``cost_rate`` is half-spread and
    penalty as a fraction of value.
    """
    gain = shares * (relief_per_share_usd - cost_rate * price_usd)
    gain -= share_commission(shares, price_usd, plan, month_shares)
    gain -= share_pass_through(shares, price_usd, plan, month_shares)
    if selling:
        gain -= regulatory_sale_fees(shares, price_usd, fees)
    return gain


@rule
def shares_to_cure(
    deficiency_usd: float,
    held: float,
    price_usd: float,
    relief_per_share_usd: float,
    cost_rate: float,
    selling: bool,
    plan: CommissionPlan,
    fees: SaleFees,
    scale_usd: float,
    month_shares: float = 0.0,
) -> float:
    """Fewest whole shares towards zero that gain ``deficiency_usd``; all of them if none do.

    A fraction of a share that is held (it can only come from outside) goes with the last one.
    """
    if in_deficit(
        cure_gain(
            held, price_usd, relief_per_share_usd, cost_rate, selling, plan, fees, month_shares
        )
        - deficiency_usd,
        scale_usd,
    ):
        return held
    low, high = 0.0, math.ceil(held) * 1.0
    while low < high:
        middle = float(int((low + high) / 2.0))
        gain = cure_gain(
            middle, price_usd, relief_per_share_usd, cost_rate, selling, plan, fees, month_shares
        )
        if in_deficit(gain - deficiency_usd, scale_usd):
            low = middle + 1.0
        else:
            high = middle
    return min(high, held)
