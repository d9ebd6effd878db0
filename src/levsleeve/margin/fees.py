"""Commissions and the regulators' fees on one trade, in dollars >= 0, unrounded.

``month_shares`` and ``month_contracts`` are what the account has bought and sold since the calendar
month began, this trade not included.
"""

from levsleeve.compiled import Floats, hot_rule, rule
from levsleeve.margin.charges import CommissionPlan, SaleFees


@rule
def calendar_month(date_ordinal: float) -> int:
    """A number that is the same on all days of one calendar month, and one more in the next.

    Examples
    --------
    >>> from datetime import date
    >>> days = (date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 31), date(2024, 4, 1))
    >>> february = calendar_month(days[0].toordinal())
    >>> [calendar_month(day.toordinal()) - february for day in days]
    [0, 1, 1, 2]
    """
    # Years that begin in March put the leap day last; 400 of them have 146,097 days.
    days = int(date_ordinal) + 305
    period, day = days // 146_097, days % 146_097
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day_of_year = day - (365 * year + year // 4 - year // 100)
    return 12 * (400 * period + year) + (5 * day_of_year + 2) // 153


@hot_rule
def _by_slices(quantity: float, before: float, ends: Floats, prices_usd: Floats) -> float:
    """Dollars for ``quantity`` more than ``before``, each part at the price of its slice."""
    total = 0.0
    start = 0.0
    for i in range(ends.size):
        part = min(before + quantity, ends[i]) - max(before, start)
        if part > 0.0:
            total += part * prices_usd[i]
        start = ends[i]
    return total


@hot_rule
def share_commission(
    shares: float, price_usd: float, plan: CommissionPlan, month_shares: float = 0.0
) -> float:
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
    by_volume = _by_slices(shares, month_shares, plan.share_ends, plan.per_share_usd)
    charged = max(by_volume, plan.minimum_order_usd)
    return min(charged, plan.maximum_fraction * shares * price_usd)


@hot_rule
def share_pass_through(
    shares: float, price_usd: float, plan: CommissionPlan, month_shares: float = 0.0
) -> float:
    """Dollars that the broker passes on beside its commission: clearing, and a part of the latter.

    Examples
    --------
    >>> from levsleeve.margin.charges import commission_plan
    >>> round(share_pass_through(200_000.0, 5.0, commission_plan("ibkr_tiered")), 4)
    40.5145
    """
    commission = share_commission(shares, price_usd, plan, month_shares)
    return plan.clearing_per_share_usd * shares + plan.pass_through_fraction * commission


@hot_rule
def option_commission(
    contracts: float, premium_usd: float, plan: CommissionPlan, month_contracts: float = 0.0
) -> float:
    """Dollars for trading ``contracts`` (>= 0) at a premium per share.

    Examples
    --------
    >>> from levsleeve.margin.charges import commission_plan
    >>> option_commission(10, 3.0, commission_plan("ibkr_fixed"))
    6.5
    """
    if contracts <= 0.0:
        return 0.0
    column = 2
    if premium_usd < plan.option_low_premium_usd:
        column = 0
    elif premium_usd < plan.option_high_premium_usd:
        column = 1
    prices = plan.per_contract_usd[:, column]
    by_volume = _by_slices(contracts, month_contracts, plan.contract_ends, prices)
    return max(by_volume, plan.option_minimum_order_usd)


@hot_rule
def section_31_fee(units: float, price_usd: float, selling: bool, fees: SaleFees) -> float:
    """Dollars to the SEC on the proceeds of ``units`` (>= 0) of shares, or shares under option.

    References
    ----------
    Securities Exchange Act of 1934, Section 31.

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.charges import sale_fees
    >>> round(section_31_fee(1000.0, 80.0, True, sale_fees(date(2025, 1, 15))), 6)
    2.224
    """
    return fees.section_31_rate * units * price_usd if selling else 0.0


@hot_rule
def activity_fee(shares: float, selling: bool, fees: SaleFees) -> float:
    """Dollars of FINRA's trading activity fee on ``shares`` (>= 0), up to the cap of a trade.

    References
    ----------
    FINRA By-Laws, Schedule A, Section 1.

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.charges import sale_fees
    >>> round(activity_fee(1000.0, True, sale_fees(date(2025, 1, 15))), 6)
    0.166
    """
    return min(fees.activity_per_share_usd * shares, fees.activity_cap_usd) if selling else 0.0


@hot_rule
def regulatory_sale_fees(shares: float, price_usd: float, fees: SaleFees) -> float:
    """Dollars of Section 31 and trading activity fees on a sale of ``shares`` (>= 0).

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.charges import sale_fees
    >>> round(regulatory_sale_fees(1000.0, 80.0, sale_fees(date(2025, 1, 15))), 6)
    2.39
    """
    return section_31_fee(shares, price_usd, True, fees) + activity_fee(shares, True, fees)


@hot_rule
def regulatory_option_fees(
    contracts: float, multiplier: float, premium_usd: float, selling: bool, fees: SaleFees
) -> float:
    """Dollars of regulators' fees on ``contracts`` (>= 0), each on ``multiplier`` shares.

    The exchanges' regulatory fee falls on both sides, Section 31 and activity fee on sales.

    Examples
    --------
    >>> from datetime import date
    >>> from levsleeve.margin.charges import sale_fees
    >>> fees = sale_fees(date(2024, 6, 3))
    >>> [round(regulatory_option_fees(10.0, 100.0, 3.0, s, fees), 4) for s in (False, True)]
    [0.2685, 0.3798]
    """
    charged = fees.regulatory_per_contract_usd * contracts
    if selling:
        charged += section_31_fee(contracts * multiplier, premium_usd, True, fees)
        charged += fees.activity_per_contract_usd * contracts
    return charged
