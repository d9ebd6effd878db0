"""Commissions and the regulators' fees on one trade, in dollars >= 0, unrounded."""

from levsleeve.compiled import rule
from levsleeve.margin.charges import CommissionPlan, SaleFees


@rule
def share_commission(shares: float, price_usd: float, plan: CommissionPlan) -> float:
    """Dollars for trading ``shares`` (>= 0): the maximum of 1 % of value beats the minimum.

    Examples
    --------
    >>> from levsleeve.margin.charges import commission_plan
    >>> fixed = commission_plan("ibkr_fixed")
    >>> [share_commission(n, s, fixed) for n, s in ((100, 25.0), (1000, 80.0), (1000, 0.25))]
    [1.0, 5.0, 2.5]
    """
    if shares <= 0.0:
        return 0.0
    charged = max(plan.per_share_usd * shares, plan.minimum_order_usd)
    return min(charged, plan.maximum_fraction * shares * price_usd)


@rule
def option_commission(contracts: float, premium_usd: float, plan: CommissionPlan) -> float:
    """Dollars for trading ``contracts`` (>= 0) at a premium per share.

    Examples
    --------
    >>> from levsleeve.margin.charges import commission_plan
    >>> option_commission(10, 3.0, commission_plan("ibkr_fixed"))
    6.5
    """
    if contracts <= 0.0:
        return 0.0
    each = plan.option_high_usd
    if premium_usd < plan.option_low_premium_usd:
        each = plan.option_low_usd
    elif premium_usd < plan.option_high_premium_usd:
        each = plan.option_middle_usd
    return max(each * contracts, plan.option_minimum_order_usd)


@rule
def regulatory_sale_fees(shares: float, price_usd: float, fees: SaleFees) -> float:
    """Dollars of Section 31 and trading activity fees on a sale of ``shares`` (>= 0).

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.charges import sale_fees
    >>> round(regulatory_sale_fees(1000.0, 80.0, sale_fees(date(2025, 1, 15))), 6)
    2.39
    """
    section_31 = fees.section_31_rate * shares * price_usd
    activity = min(fees.activity_per_share_usd * shares, fees.activity_cap_usd)
    return section_31 + activity
