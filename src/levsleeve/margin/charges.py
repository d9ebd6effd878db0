"""What a broker and the regulators charge: plans and dated fees, for the compiled rules."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from levsleeve.compiled import Floats
from levsleeve.margin.plan_tables import (
    BorrowTable,
    CommissionTable,
    FinancingTable,
    checked,
)
from levsleeve.margin.table_reader import in_force, named, table
from levsleeve.strict_table import StrictTable


class FinancingPlan(NamedTuple):
    """A broker's interest and terms of borrowing shares.

    Slices of a balance have ends in dollars and spreads over the benchmark (nan: pays nothing);
    ``least_debit_rate`` is the least fraction a year on any debit.  Borrowed shares are marked at
    ``borrow_markup`` times the close, up to a multiple of ``borrow_round_up_usd`` (0: exactly).
    """

    debit_ends: Floats
    debit_spreads: Floats
    credit_ends: Floats
    credit_spreads: Floats
    short_ends: Floats
    short_spreads: Floats
    day_count_basis: float
    full_rate_net_liquidation_usd: float
    least_debit_rate: float
    borrow_markup: float
    borrow_round_up_usd: float


class CommissionPlan(NamedTuple):
    """Commissions on shares and options, in slices of the shares and contracts of a month.

    ``per_contract_usd`` has a row a slice and three columns: below the low premium, between, and
    from the high one.  ``pass_through_fraction`` is of the commission on shares.
    """

    share_ends: Floats
    per_share_usd: Floats
    minimum_order_usd: float
    maximum_fraction: float
    clearing_per_share_usd: float
    pass_through_fraction: float
    contract_ends: Floats
    per_contract_usd: Floats
    option_minimum_order_usd: float
    option_low_premium_usd: float
    option_high_premium_usd: float
    exercise_usd: float


class SaleFees(NamedTuple):
    """Regulators' fees of one day: on sales, and the last one on each option contract traded."""

    section_31_rate: float
    activity_per_share_usd: float
    activity_cap_usd: float
    activity_per_contract_usd: float
    regulatory_per_contract_usd: float


class BorrowRates(NamedTuple):
    """Placeholder borrow fees, fractions a year, until a series by fund is given."""

    bull_rate: float
    inverse_rate: float


def sale_fees(on: date) -> SaleFees:
    """The regulators' fees of ``on``: rates as fractions and dollars."""
    tables = table("fees")

    def rows(name: str) -> list[tuple[date, Sequence[float]]]:
        return [(row[0], row[1:]) for row in tables[name]["rates"]]

    per_share, cap = in_force(rows("trading_activity"), on, "the FINRA trading activity fee")
    (proceeds,) = in_force(rows("section_31"), on, "the Section 31 fee")
    (sold,) = in_force(rows("option_activity"), on, "the FINRA activity fee on options")
    (traded,) = in_force(rows("option_regulatory"), on, "the options regulatory fee")
    per_million = 1e6
    return SaleFees(proceeds / per_million, per_share, cap, sold, traded)


def commission_plan(name: str, extra: Mapping[str, Any] | None = None) -> CommissionPlan:
    """A commission plan by name, such as ``ibkr_fixed``.

    Parameters
    ----------
    extra
        A user's own plans by name, with the keys of ``[commission.NAME]`` in ``tables/fees.toml``.
        One with the name of a bundled plan is taken in its place.

    Raises
    ------
    ScheduleError
        If no plan has that name, or what it holds is refused.

    Examples
    --------
    >>> commission_plan("ibkr_tiered").per_share_usd.tolist()
    [0.0035, 0.002, 0.0015, 0.001, 0.0005]
    """
    plans = {**table("fees")["commission"], **(extra or {})}
    entry = named(plans, name, "commission plan")
    plan = checked(CommissionTable, entry, f"commission plan {name}")
    low_premium, high_premium = plan.option_premium_usd
    return CommissionPlan(
        _column(plan.shares, "up_to_shares"),
        _column(plan.shares, "per_share_usd"),
        plan.minimum_order_usd,
        plan.maximum_fraction,
        plan.clearing_per_share_usd,
        plan.pass_through_fraction,
        _column(plan.options, "up_to_contracts"),
        _column(plan.options, "per_contract_usd"),
        plan.option_minimum_order_usd,
        low_premium,
        high_premium,
        plan.exercise_usd,
    )


def financing_plan(name: str, extra: Mapping[str, Any] | None = None) -> FinancingPlan:
    """A broker's interest plan by name, such as ``ibkr``.

    Parameters
    ----------
    extra
        A user's own plans by name, with the keys of ``[NAME]`` in ``tables/financing.toml``.  One
        with the name of a bundled plan is taken in its place.

    Raises
    ------
    ScheduleError
        If no plan has that name, or what it holds is refused.

    Examples
    --------
    >>> financing_plan("ibkr_2021").least_debit_rate
    0.0075
    """
    known = {**table("financing"), **(extra or {})}
    plans = {key: entry for key, entry in known.items() if key != "borrow"}
    entry = named(plans, name, "financing plan")
    plan = checked(FinancingTable, entry, f"financing plan {name}")
    return FinancingPlan(
        _column(plan.debit, "up_to_usd"),
        _column(plan.debit, "spread"),
        _column(plan.credit, "up_to_usd"),
        _column(plan.credit, "spread"),
        _column(plan.short_proceeds, "up_to_usd"),
        _column(plan.short_proceeds, "spread"),
        plan.day_count_basis,
        plan.full_rate_net_liquidation_usd,
        plan.least_debit_rate,
        plan.borrow_markup,
        plan.borrow_round_up_usd,
    )


def borrow_rates(extra: BorrowTable | Mapping[str, Any] | None = None) -> BorrowRates:
    """The placeholder borrow fees; every report that uses them says that they are assumed.

    Parameters
    ----------
    extra
        A user's own ``[borrow]`` table, with the keys of that in ``tables/financing.toml``, in
        place of ours.

    Raises
    ------
    ScheduleError
        If what it holds is refused.
    """
    entry = table("financing")["borrow"] if extra is None else extra
    rates = checked(BorrowTable, entry, "borrow fees")
    return BorrowRates(rates.bull_rate, rates.inverse_rate)


def _column(rows: Sequence[StrictTable], key: str) -> Floats:
    """One key of every slice, nan where a slice is without it."""
    values = [getattr(row, key) for row in rows]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
