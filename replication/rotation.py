"""Leverage above the 200-session average, bills below it: at the same close and a close later.

Gayed, M. and Bilello, C. (2016), Leverage for the Long Run.  They charge a fee and no financing;
the second half of the table charges both.
"""

from typing import NamedTuple

import numpy as np
from replication.bookkeeping import PERCENT, Statistics, statistics
from replication.figures import Claim, Section, facts_of, rows_of, title_of
from replication.sample import Sample

from levsleeve.compiled import Floats
from levsleeve.strategies.branches import Seen
from levsleeve.strategies.history import Base
from levsleeve.strategies.series import SESSIONS_A_YEAR
from levsleeve.strategies.sizing_rules import Trend

FEE_RATE, SPREAD_RATE = 0.01, 0.004
EARLY, SAME_CLOSE, NEXT_CLOSE = 0, 1, 2
"""Closes between the one that decides and the one that ends the first session it earns."""
FEE, FINANCED = "fee", "fee and financing"


def signal(sample: Sample) -> Floats:
    """1.0 above the average, 0.0 below, by row; nan before the window is full."""
    base = Base(np.ones(1), np.ones(1), np.zeros(1))
    history = sample.history([sample.index], 0)
    (branch,) = Trend().branches(Seen(history, base, np.full(sample.rows, np.nan)))
    return branch.signal


class Switching(NamedTuple):
    """Whether the fund is held, by session, and the rows of these sessions."""

    invested: Floats
    rows: slice


def switching(sample: Sample, closes_later: int) -> Switching:
    """The rule from the first session that any fill but an early one can earn."""
    found = signal(sample)
    known = int(np.flatnonzero(~np.isnan(found))[0])
    begins = known + max(closes_later, SAME_CLOSE)
    ends = sample.rows
    return Switching(found[begins - closes_later : ends - closes_later], slice(begins, ends))


def rotated(sample: Sample, fund: Floats, closes_later: int) -> Statistics:
    """Statistics of the rule on a fund."""
    invested, rows = switching(sample, closes_later)
    bills = sample.bills[rows]
    return statistics(invested * fund[rows] + (1.0 - invested) * bills, bills)


def held(sample: Sample, fund: Floats) -> Statistics:
    """Statistics of the fund alone over the sessions of the rule at the same close."""
    rows = switching(sample, SAME_CLOSE).rows
    return statistics(fund[rows], sample.bills[rows])


def fund_of(sample: Sample, multiple: float, costs: str) -> Floats:
    """The index itself, or a fund that charges a fee, and financing where it is asked for."""
    if multiple == 1.0:
        return sample.index
    if costs == FEE:
        return sample.fund_without_financing(multiple, FEE_RATE)
    return sample.fund(multiple, FEE_RATE, SPREAD_RATE)


def section(sample: Sample) -> Section:
    """The table, and what it says of the rule itself."""
    found: dict[str, Statistics] = {}
    for costs, least in ((FEE, 1), (FINANCED, 2)):
        funds = {f"{n}x": fund_of(sample, float(n), costs) for n in range(least, 4)}
        for name, fund in funds.items():
            found[f"{costs}: hold {name}"] = held(sample, fund)
            found[f"{costs}: {name}, same close"] = rotated(sample, fund, SAME_CLOSE)
            found[f"{costs}: {name}, next close"] = rotated(sample, fund, NEXT_CLOSE)
    of_rule = facts(sample)
    above, below = of_rule["volatility_above_percent"], of_rule["volatility_below_percent"]
    figures = [rows_of("rotation", row, one.named()) for row, one in found.items()]
    return Section(
        title=title_of("rotation"),
        rows=tuple(figure for row in figures for figure in row),
        facts=facts_of("rotation", of_rule),
        claims=(
            Claim(
                "the index is calmer above its average (Gayed and Bilello 2016)",
                above < below,
                f"volatility {above:.1f} % above, {below:.1f} % below",
            ),
        ),
        remarks=("Fee 1 % for 2x and 3x, financing at bills and 0.4 % a turn; switching is free.",),
    )


def facts(sample: Sample) -> dict[str, float]:
    """What the rule does at the same close."""
    invested, rows = switching(sample, SAME_CLOSE)
    index, years = sample.index[rows], len(invested) / SESSIONS_A_YEAR
    return {
        "sessions": float(len(invested)),
        "switches_a_year": float(np.abs(np.diff(invested)).sum() / years),
        "invested_percent": PERCENT * float(invested.mean()),
        "volatility_above_percent": _volatility_percent(index[invested == 1.0]),
        "volatility_below_percent": _volatility_percent(index[invested == 0.0]),
    }


def _volatility_percent(returns: Floats) -> float:
    return PERCENT * float(returns.std(ddof=1) * np.sqrt(SESSIONS_A_YEAR))
