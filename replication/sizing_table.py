"""Every sizing rule on a 3x fund in a calm account, beside the reference."""

from dataclasses import dataclass

import numpy as np
from replication.bookkeeping import PERCENT, Account, Terms, lived, statistics
from replication.figures import Claim, Figure, Section, rows_of, title_of
from replication.sample import Sample

from levsleeve.strategies.branches import Branch, Seen
from levsleeve.strategies.history import Base
from levsleeve.strategies.sizing_rules import (
    Cppi,
    FixedFraction,
    GrossmanZhou,
    Kelly,
    SizingRule,
    Tipp,
    Trend,
    VolatilityFilter,
    VolatilityManaged,
    VolatilityTarget,
)

MULTIPLE, EXPENSE_RATE, SPREAD_RATE = 3.0, 0.0091, 0.004
COST_RATE = EXPENSE_RATE + SPREAD_RATE * (MULTIPLE - 1.0)
FIRST_SESSION = "2000-01-03"
DRAWDOWN = "max_drawdown_percent"
LIMITS = {"TIPP 0.8, m 5": 0.20, "Grossman-Zhou 0.75, k 3": 0.25, "Grossman-Zhou 0.75, k 5": 0.25}
"""The drawdown that a rule allows, by row."""
CUSHIONED = (Cppi, Tipp, GrossmanZhou)
REMARKS = (
    "A close decides what the next session earns; 252 sessions a year; dividend 1.9 % a year;",
    "fund 3x, expense 0.91 %, spread 0.4 % a turn; 2 bp of what is traded; weights up to 1.",
    "Rules: Moreira and Muir 2017 (volatility managed), Black and Perold 1992 (CPPI), Estep and",
    "Kritzman 1988 (TIPP), Grossman and Zhou 1993, Faber 2007 (trend).",
    "CPPI, TIPP and Grossman-Zhou live since 1999-01-05 and are measured since 2000-01-03: the",
    "floor is 0.8 of the equity of 1999. The purchase at the start is neither charged nor counted.",
    "The reference's Kelly weight leaves the fund's costs out of the estimate. As the rule stands,",
    "it counts them:",
)


@dataclass(frozen=True)
class Entry:
    """A row: a rule on a base weight, and the running costs of the fund that it is told."""

    rule: SizingRule
    weight: float = 1.0
    told_cost_rate: float = COST_RATE


ENTRIES = {
    "fixed 1/3": Entry(FixedFraction(fraction=1.0 / 3.0)),
    "fixed 1/2": Entry(FixedFraction(fraction=0.5)),
    "fixed 1": Entry(FixedFraction()),
    "volatility target 10 %, 21 sessions": Entry(VolatilityTarget(target_vol=0.10)),
    "volatility target 15 %, 21 sessions": Entry(VolatilityTarget(target_vol=0.15)),
    "volatility target 15 %, decay 0.94": Entry(VolatilityTarget(target_vol=0.15, decay=0.94)),
    "volatility managed": Entry(VolatilityManaged(mean_scale=1.0 / 3.0)),
    "1/4 Kelly, costs of the fund left out": Entry(Kelly(), told_cost_rate=0.0),
    "trend 200": Entry(Trend()),
    "trend 200, weight 2/3": Entry(Trend(), weight=2.0 / 3.0),
    "volatility below 20 %": Entry(VolatilityFilter()),
    "CPPI 0.8, m 3": Entry(Cppi(multiplier=3.0)),
    "CPPI 0.8, m 5": Entry(Cppi(multiplier=5.0)),
    "TIPP 0.8, m 5": Entry(Tipp(multiplier=5.0)),
    "Grossman-Zhou 0.75, k 3": Entry(GrossmanZhou(k=3.0)),
    "Grossman-Zhou 0.75, k 5": Entry(GrossmanZhou(k=5.0)),
}


def branches_of(entry: Entry, sample: Sample) -> list[Branch]:
    """What the rule answers at every close of the sample."""
    fund = sample.fund(MULTIPLE, EXPENSE_RATE, SPREAD_RATE)
    base = Base(np.array([entry.weight]), np.array([MULTIPLE]), np.array([entry.told_cost_rate]))
    history = sample.history([fund], begins(entry, sample) - 1)
    return entry.rule.branches(Seen(history, base, np.full(sample.rows, np.nan)))


def begins(entry: Entry, sample: Sample) -> int:
    """The row of the first return: rules that read the account live since the sample's first."""
    return 1 if isinstance(entry.rule, CUSHIONED) else sample.row(FIRST_SESSION)


def account_of(entry: Entry, sample: Sample) -> Account:
    """The life of the account since its first return."""
    terms = Terms(
        fund=sample.fund(MULTIPLE, EXPENSE_RATE, SPREAD_RATE),
        bills=sample.bills,
        begins=begins(entry, sample),
        follows_drift=isinstance(entry.rule, CUSHIONED),
        weight=entry.weight,
    )
    return lived(branches_of(entry, sample), terms)


def measured(entry: Entry, sample: Sample) -> dict[str, float]:
    """The columns of the table."""
    first = sample.row(FIRST_SESSION)
    account = account_of(entry, sample).since(first - begins(entry, sample))
    found = statistics(account.returns, sample.bills[first:]).named()
    leverage = MULTIPLE * float(account.weights.mean())
    return found | {"mean_leverage": leverage, "turnover": account.turnover()}


def section(sample: Sample) -> Section:
    """The table."""
    first = sample.row(FIRST_SESSION)
    index = statistics(sample.index[first:], sample.bills[first:]).named()
    figures: list[Figure] = rows_of("sizing", "index", index | {"mean_leverage": 1.0})
    for row, entry in ENTRIES.items():
        figures += rows_of("sizing", row, measured(entry, sample))
    told = measured(Entry(Kelly()), sample)
    beside = ", ".join(f"{name.replace('_', ' ')} {figure:.3f}" for name, figure in told.items())
    falls = {figure.row: figure.ours for figure in figures if figure.name == DRAWDOWN}
    return Section(
        title=title_of("sizing"),
        rows=tuple(figures),
        claims=tuple(_stays_within(row, falls[row], limit) for row, limit in LIMITS.items()),
        remarks=(*REMARKS, f"1/4 Kelly: {beside}"),
    )


def _stays_within(row: str, drawdown_percent: float, limit: float) -> Claim:
    return Claim(
        f"{row} loses at most {limit:.0%} from a peak",
        drawdown_percent >= -PERCENT * limit,
        f"{-drawdown_percent:.3f} %",
    )
