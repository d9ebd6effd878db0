"""The requirements of one day, with the switches set: a row of numbers that compiled rules index.

``MarginRules`` names the places of the row for people; ``LONG_BASE`` and the others are the same
places for the rules.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import MAXYEAR, date
from typing import Any, NamedTuple

import numpy as np

from levsleeve.compiled import Floats
from levsleeve.margin.policy import Policy
from levsleeve.margin.table_reader import in_force, table

DEFAULT_POLICY = Policy()


class MarginRules(NamedTuple):
    """What the rules ask on one day; rates are fractions, switches 0.0 or 1.0.

    ``loan_horizon`` is a date ordinal: long options that expire after it have loan value.
    ``flat_rate`` is nan unless a flat rate replaces the rules on shares, as in a cash account.
    """

    long_base: float
    short_base: float
    scales_with_multiple: float
    initial: float
    legacy_initial: float
    short_floor_usd: float
    short_low_floor_usd: float
    boxed_rate: float
    minimum_equity_usd: float
    option_scales_with_multiple: float
    broad_base: float
    narrow_base: float
    option_minimum: float
    hedge_strike_rate: float
    collar_strike_rate: float
    loan_rate: float
    high_cap_down: float
    high_cap_up: float
    broad_move: float
    narrow_move: float
    portfolio_minimum_equity_usd: float
    loan_horizon: float
    short_floor_scaled: float
    order_initial_broker: float
    legacy_end_of_day: float
    hedge_relief: float
    option_loan_value: float
    option_minimum_scaled: float
    collar_rate_scaled: float
    portfolio_mode: float
    cash_account: float
    flat_rate: float
    buffer_rate: float
    free_rate: float
    order_fee_usd: float


(
    LONG_BASE,
    SHORT_BASE,
    SCALES_WITH_MULTIPLE,
    INITIAL,
    LEGACY_INITIAL,
    SHORT_FLOOR_USD,
    SHORT_LOW_FLOOR_USD,
    BOXED_RATE,
    MINIMUM_EQUITY_USD,
    OPTION_SCALES_WITH_MULTIPLE,
    BROAD_BASE,
    NARROW_BASE,
    OPTION_MINIMUM,
    HEDGE_STRIKE_RATE,
    COLLAR_STRIKE_RATE,
    LOAN_RATE,
    HIGH_CAP_DOWN,
    HIGH_CAP_UP,
    BROAD_MOVE,
    NARROW_MOVE,
    PORTFOLIO_MINIMUM_EQUITY_USD,
    LOAN_HORIZON,
    SHORT_FLOOR_SCALED,
    ORDER_INITIAL_BROKER,
    LEGACY_END_OF_DAY,
    HEDGE_RELIEF,
    OPTION_LOAN_VALUE,
    OPTION_MINIMUM_SCALED,
    COLLAR_RATE_SCALED,
    PORTFOLIO_MODE,
    CASH_ACCOUNT,
    FLAT_RATE,
    BUFFER_RATE,
    FREE_RATE,
    ORDER_FEE_USD,
) = range(len(MarginRules._fields))
"""The places of a row, in the order of ``MarginRules``."""

PORTFOLIO_NOTE = (
    "coarse portfolio margin: the worst index move of its class x multiple, each position alone, "
    "no offsets, options as in strategy margin; a broker's own figure differs"
)
"""What every reader of a portfolio-margin figure must know."""

PAID_IN_FULL = 1.0
"""The flat rate of a cash account: what is bought is paid in full, and stays so."""

HIGH_CAP, BROAD, NARROW = 0.0, 1.0, 2.0
BENCHMARK_CLASSES = {"high_cap_broad_based": HIGH_CAP, "broad_based": BROAD, "narrow": NARROW}
"""How wide the market behind a fund is: it sets option rates and portfolio-margin ranges."""


def margin_rules(on: date, policy: Policy = DEFAULT_POLICY, session: date | None = None) -> Floats:
    """The row of requirements that hold on ``on`` under ``policy``.

    ``session`` is the day they are applied on where a study freezes the rulebook at ``on``.

    Raises
    ------
    ScheduleError
        If ``on`` precedes the tables.

    References
    ----------
    FINRA Rule 4210(c), (f)(2), (g); FINRA Regulatory Notices 09-53 and 09-65; 12 CFR 220.12.

    Examples
    --------
    >>> from datetime import date
    >>> days = date(2009, 11, 30), date(2009, 12, 1)
    >>> [margin_rules(day)[SCALES_WITH_MULTIPLE].item() for day in days]
    [0.0, 1.0]
    """
    facts = {
        **_entry("shares", on),
        **_entry("options", on),
        **_entry("portfolio", on),
        **_switches(policy),
    }
    facts["loan_horizon"] = _months_after(session or on, facts["loan_months"]).toordinal()
    if policy.minimum_equity_usd is not None:
        facts["minimum_equity_usd"] = policy.minimum_equity_usd
        facts["portfolio_minimum_equity_usd"] = policy.minimum_equity_usd
    return np.array([float(facts[name]) for name in MarginRules._fields])


def _months_after(day: date, months: int) -> date:
    """The same day so many calendar months later, or the last of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    if year > MAXYEAR:
        return date.max
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _switches(policy: Policy) -> dict[str, float]:
    """The switches as numbers."""
    cash = policy.margin_mode == "cash"
    flat = np.nan if policy.flat_rate is None else policy.flat_rate
    return {
        "short_floor_scaled": policy.short_floor == "scaled",
        "order_initial_broker": policy.order_initial == "broker",
        "legacy_end_of_day": policy.end_of_day_initial == "ibkr_legacy",
        "hedge_relief": policy.hedge_relief == "finra",
        "option_loan_value": policy.option_loan_value == "finra",
        "option_minimum_scaled": policy.option_minimum == "scaled",
        "collar_rate_scaled": policy.collar_rate == "scaled",
        "portfolio_mode": policy.margin_mode == "portfolio",
        "cash_account": cash,
        "flat_rate": PAID_IN_FULL if cash else flat,
        "buffer_rate": policy.buffer_rate,
        "free_rate": policy.free_rate,
        "order_fee_usd": policy.order_fee_usd,
    }


_SUBJECTS = {
    "shares": "the requirement on shares",
    "options": "the requirement on options",
    "portfolio": "portfolio margin",
}


def _entry(kind: str, on: date) -> Mapping[str, Any]:
    """The entry of one kind that is in force."""
    rows = [(entry["effective"], entry) for entry in table("requirements")[kind]]
    return in_force(rows, on, _SUBJECTS[kind])


def rule_source(on: date, kind: str = "shares") -> str:
    """Where the requirement of ``on`` comes from, and how well it is known.

    ``kind`` is ``shares``, ``options`` or ``portfolio``.
    """
    return _with_standing(_entry(kind, on))


def rule_sources(first: date, last: date) -> list[tuple[date, str]]:
    """Every entry on shares in force between two dates: since when, and its source."""
    entries: Sequence[Mapping[str, Any]] = table("requirements")["shares"]
    started = [entry for entry in entries if entry["effective"] <= last]
    begun_by = max((e["effective"] for e in started if e["effective"] <= first), default=first)
    return [
        (entry["effective"], _with_standing(entry))
        for entry in started
        if entry["effective"] >= begun_by
    ]


def _with_standing(entry: Mapping[str, Any]) -> str:
    """An entry's source, and how well it is known."""
    return f"{entry['source']} ({entry['standing']})"
