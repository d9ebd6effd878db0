"""The dated tables of the rulebook, read once and handed to the compiled rules as records.

A rule never names a rate or a date: both come from ``tables/*.toml`` through this module.
"""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, TypeVar

import numpy as np

from levsleeve.compiled import Floats
from levsleeve.errors import ScheduleError

Entry = TypeVar("Entry")


class ShareRules(NamedTuple):
    """What the rules ask on shares on one day.  Rates are fractions of market value, >= 0."""

    long_base: float
    short_base: float
    scales_with_multiple: float
    initial: float
    short_floor_usd: float
    short_low_floor_usd: float
    minimum_equity_usd: float


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


@cache
def _table(name: str) -> dict[str, Any]:
    """One TOML table of the rulebook."""
    path = files("levsleeve.margin").joinpath("tables", f"{name}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _in_force(rows: Sequence[tuple[date, Entry]], on: date, subject: str) -> Entry:
    """The last row that is effective on ``on``."""
    started = [row for effective, row in rows if effective <= on]
    if not started:
        raise ScheduleError(
            f"{subject} has no entry on {on}; the table starts {min(e for e, _ in rows)}"
        )
    return started[-1]


def share_rules(on: date) -> ShareRules:
    """The requirements on shares that hold on ``on``.

    Raises
    ------
    ScheduleError
        If ``on`` precedes the table.

    References
    ----------
    FINRA Rule 4210(c); FINRA Regulatory Notice 09-53; 12 CFR 220.12.

    Examples
    --------
    >>> from datetime import date
    >>> share_rules(date(2009, 11, 30)).scales_with_multiple
    0.0
    >>> share_rules(date(2009, 12, 1)).scales_with_multiple
    1.0
    """
    rows = [(entry["effective"], entry) for entry in _table("shares")["requirement"]]
    entry = _in_force(rows, on, "the requirement on shares")
    return ShareRules(*(float(entry[field]) for field in ShareRules._fields))


def share_rule_source(on: date) -> str:
    """Where the requirement of ``on`` comes from, and how well it is known."""
    rows = [(entry["effective"], entry) for entry in _table("shares")["requirement"]]
    entry = _in_force(rows, on, "the requirement on shares")
    return f"{entry['source']} ({entry['standing']})"


def share_rule_sources(first: date, last: date) -> list[tuple[date, str]]:
    """Every entry in force between two dates: since when, and its source."""
    entries = _table("shares")["requirement"]
    started = [entry for entry in entries if entry["effective"] <= last]
    begun_by = max((e["effective"] for e in started if e["effective"] <= first), default=first)
    return [
        (entry["effective"], f"{entry['source']} ({entry['standing']})")
        for entry in started
        if entry["effective"] >= begun_by
    ]


def sale_fees(on: date) -> SaleFees:
    """The regulators' fees on a sale of shares on ``on``: rates as fractions and dollars."""
    tables = _table("fees")
    section_31 = [(row[0], row[1]) for row in tables["section_31"]["rates"]]
    activity = [(row[0], row[1:]) for row in tables["trading_activity"]["rates"]]
    per_share, cap = _in_force(activity, on, "the FINRA trading activity fee")
    per_million = 1e6
    return SaleFees(_in_force(section_31, on, "the Section 31 fee") / per_million, per_share, cap)


def commission_plan(name: str) -> CommissionPlan:
    """A commission plan of the tables by name, such as ``ibkr_fixed``."""
    plan = _named(_table("fees")["commission"], name, "commission plan")
    return CommissionPlan(
        plan["per_share_usd"],
        plan["minimum_order_usd"],
        plan["maximum_fraction"],
        plan["option_minimum_order_usd"],
        *plan["option_premium_usd"],
        *plan["option_per_contract_usd"],
    )


def financing_plan(name: str) -> FinancingPlan:
    """A broker's interest plan of the tables by name, such as ``ibkr``."""
    plans = {key: plan for key, plan in _table("financing").items() if "debit" in plan}
    plan = _named(plans, name, "financing plan")
    return FinancingPlan(
        *_slices(plan["debit"]),
        *_slices(plan["credit"]),
        *_slices(plan["short_proceeds"]),
        plan["day_count_basis"],
        plan["full_rate_net_liquidation_usd"],
    )


def borrow_rates() -> BorrowRates:
    """The placeholder borrow fees; every report that uses them says that they are assumed."""
    table = _table("financing")["borrow"]
    return BorrowRates(table["bull_rate"], table["inverse_rate"])


def _named(plans: Mapping[str, Entry], name: str, what: str) -> Entry:
    """The plan of that name, or an error that lists the names."""
    if name not in plans:
        raise ScheduleError(f"{name}: no {what} of that name; known are {', '.join(sorted(plans))}")
    return plans[name]


def _slices(rows: Sequence[Mapping[str, float]]) -> tuple[Floats, Floats]:
    """The ends of the slices and their spreads, nan where a slice pays nothing."""
    ends = np.array([row["up_to_usd"] for row in rows], dtype=np.float64)
    spreads = np.array([row.get("spread", np.nan) for row in rows], dtype=np.float64)
    return ends, spreads
