"""What money and borrowed shares cost and earn, a year and over some calendar days."""

import math

from levsleeve.compiled import Floats, hot_rule, rule
from levsleeve.margin.charges import FinancingPlan


@hot_rule
def accrued(annual_usd: float, days: float, plan: FinancingPlan) -> float:
    """The part of dollars a year that accrues over ``days`` calendar days.

    Examples
    --------
    >>> from levsleeve.margin.charges import financing_plan
    >>> round(accrued(3415.0, 1.0, financing_plan("ibkr")), 4)
    9.4861
    """
    return annual_usd * (days / plan.day_count_basis)


@hot_rule
def debit_interest_a_year(balance_usd: float, benchmark_rate: float, plan: FinancingPlan) -> float:
    """Dollars a year on a debit balance, >= 0; each slice at its own rate, the benchmark >= 0.

    No slice is charged less than the plan's least rate.

    References
    ----------
    IBKR margin rates, blended by tier.

    Examples
    --------
    >>> from levsleeve.margin.charges import financing_plan
    >>> float(round(debit_interest_a_year(250_000.0, 0.0533, financing_plan("ibkr")), 6))
    16325.0
    """
    total = 0.0
    start = 0.0
    base = max(benchmark_rate, 0.0)
    for i in range(plan.debit_ends.size):
        if balance_usd > start and not math.isnan(plan.debit_spreads[i]):
            part = min(balance_usd, plan.debit_ends[i]) - start
            total += part * max(base + plan.debit_spreads[i], plan.least_debit_rate)
        start = plan.debit_ends[i]
    return total


@hot_rule
def _income_a_year(
    balance_usd: float, benchmark_rate: float, ends: Floats, spreads: Floats
) -> float:
    """Dollars a year that a tiered plan pays on a balance; no slice pays less than nothing."""
    total = 0.0
    start = 0.0
    for i in range(ends.size):
        if balance_usd > start and not math.isnan(spreads[i]):
            part = min(balance_usd, ends[i]) - start
            total += part * max(benchmark_rate + spreads[i], 0.0)
        start = ends[i]
    return total


@hot_rule
def credit_interest_a_year(
    balance_usd: float,
    net_liquidation_usd: float,
    benchmark_rate: float,
    plan: FinancingPlan,
) -> float:
    """Dollars a year that free cash earns, >= 0; small accounts earn a proportionate share.

    Examples
    --------
    >>> from levsleeve.margin.charges import financing_plan
    >>> plan = financing_plan("ibkr")
    >>> float(round(credit_interest_a_year(60_000.0, 150_000.0, 0.0533, plan), 6))
    2415.0
    """
    if net_liquidation_usd <= 0.0:
        return 0.0
    share = 1.0
    if net_liquidation_usd < plan.full_rate_net_liquidation_usd:
        share = net_liquidation_usd / plan.full_rate_net_liquidation_usd
    return share * _income_a_year(
        balance_usd, benchmark_rate, plan.credit_ends, plan.credit_spreads
    )


@hot_rule
def short_rebate_a_year(balance_usd: float, benchmark_rate: float, plan: FinancingPlan) -> float:
    """Dollars a year that short proceeds earn, >= 0, gross of the borrow fee.

    Examples
    --------
    >>> from levsleeve.margin.charges import financing_plan
    >>> float(round(short_rebate_a_year(1_500_000.0, 0.01, financing_plan("ibkr")), 6))
    2500.0
    """
    return _income_a_year(balance_usd, benchmark_rate, plan.short_ends, plan.short_spreads)


@rule
def borrow_mark(close_usd: float, plan: FinancingPlan) -> float:
    """Dollars per share on which the borrow fee accrues: the close marked up and rounded up.

    References
    ----------
    IBKR, calculation of borrow fees on short positions: 102 %, up to the next dollar.

    Examples
    --------
    >>> from levsleeve.margin.charges import financing_plan
    >>> plan = financing_plan("ibkr")
    >>> borrow_mark(42.8, plan), borrow_mark(0.1, plan)
    (44.0, 1.0)
    """
    marked = plan.borrow_markup * close_usd
    step = plan.borrow_round_up_usd
    return math.ceil(marked / step) * step if step > 0.0 else marked


@rule
def borrow_fee_a_year(
    shares: float, close_usd: float, borrow_rate: float, plan: FinancingPlan
) -> float:
    """Dollars a year for borrowing ``shares`` (>= 0) at an annual fraction ``borrow_rate``."""
    return shares * borrow_mark(close_usd, plan) * borrow_rate
