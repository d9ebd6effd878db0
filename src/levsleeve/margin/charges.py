"""What a broker and the regulators charge: plans and dated fees, for the compiled rules."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from levsleeve.compiled import Floats
from levsleeve.margin.table_reader import in_force, named, table


class FinancingPlan(NamedTuple):
    """Slices of a broker's interest: ends in dollars, spreads over the benchmark (nan: nothing)."""

    debit_ends: Floats
    debit_spreads: Floats
    credit_ends: Floats
    credit_spreads: Floats
    short_ends: Floats
    short_spreads: Floats
    day_count_basis: float
    full_rate_net_liquidation_usd: float


class CommissionPlan(NamedTuple):
    """Commissions on shares (per share) and on options (per contract, by premium)."""

    per_share_usd: float
    minimum_order_usd: float
    maximum_fraction: float
    option_minimum_order_usd: float
    option_low_premium_usd: float
    option_high_premium_usd: float
    option_low_usd: float
    option_middle_usd: float
    option_high_usd: float


class SaleFees(NamedTuple):
    """Regulators' fees on sales of shares on one day."""

    section_31_rate: float
    activity_per_share_usd: float
    activity_cap_usd: float


class BorrowRates(NamedTuple):
    """Placeholder borrow fees, fractions a year, until a series by fund is given."""

    bull_rate: float
    inverse_rate: float


def sale_fees(on: date) -> SaleFees:
    """The regulators' fees on a sale of shares on ``on``: rates as fractions and dollars."""
    tables = table("fees")
    section_31 = [(row[0], row[1]) for row in tables["section_31"]["rates"]]
    activity = [(row[0], row[1:]) for row in tables["trading_activity"]["rates"]]
    per_share, cap = in_force(activity, on, "the FINRA trading activity fee")
    per_million = 1e6
    return SaleFees(in_force(section_31, on, "the Section 31 fee") / per_million, per_share, cap)


def commission_plan(name: str, extra: Mapping[str, object] | None = None) -> CommissionPlan:
    """A commission plan of the tables by name, such as ``ibkr_fixed``."""
    plan = named(table("fees")["commission"], name, "commission plan")
    return CommissionPlan(
        plan["per_share_usd"],
        plan["minimum_order_usd"],
        plan["maximum_fraction"],
        plan["option_minimum_order_usd"],
        *plan["option_premium_usd"],
        *plan["option_per_contract_usd"],
    )


def financing_plan(name: str, extra: Mapping[str, object] | None = None) -> FinancingPlan:
    """A broker's interest plan of the tables by name, such as ``ibkr``."""
    plans = {key: plan for key, plan in table("financing").items() if "debit" in plan}
    plan = named(plans, name, "financing plan")
    return FinancingPlan(
        *_slices(plan["debit"]),
        *_slices(plan["credit"]),
        *_slices(plan["short_proceeds"]),
        plan["day_count_basis"],
        plan["full_rate_net_liquidation_usd"],
    )


def borrow_rates() -> BorrowRates:
    """The placeholder borrow fees; every report that uses them says that they are assumed."""
    rates = table("financing")["borrow"]
    return BorrowRates(rates["bull_rate"], rates["inverse_rate"])


def _slices(rows: Sequence[Mapping[str, float]]) -> tuple[Floats, Floats]:
    """The ends of the slices and their spreads, nan where a slice pays nothing."""
    ends = np.array([row["up_to_usd"] for row in rows], dtype=np.float64)
    spreads = np.array([row.get("spread", np.nan) for row in rows], dtype=np.float64)
    return ends, spreads
