"""How large a gap a cushion survives: one over its multiplier.

Black, F. and Perold, A. (1992), Theory of constant proportion portfolio insurance, Journal of
Economic Dynamics and Control 16(3-4): between two rebalancings the index may fall by at most
``1 / m`` before the floor is broken.
"""

from typing import NamedTuple

import numpy as np
from replication.bookkeeping import Account, Terms, lived
from replication.figures import Claim, Section
from replication.sample import Sample
from replication.sizing_table import ENTRIES, EXPENSE_RATE, MULTIPLE, SPREAD_RATE, account_of

from levsleeve.compiled import Floats
from levsleeve.strategies.branches import Branch, Seen
from levsleeve.strategies.history import Base, History
from levsleeve.strategies.sizing_rules import Cppi

FLOOR = 0.8
CRASH = 0.2047
"""What the S&P 500 lost on 1987-10-19, close to close."""
BEFORE_CRASH_OF_2008 = "2008-10-14"
NEAR = 1e-6
"""Fraction by which a gap lies inside or outside the bound."""


def least_over_floor(multiplier: float, index: Floats, bills: Floats, fund: Floats) -> float:
    """The least of equity over floor at a close, of an account that begins at the first row."""
    (branch,) = _branches(multiplier, index, bills, fund)
    account = lived([branch], Terms(fund, bills, 1, follows_drift=True))
    return _least(account, branch.floors[1:])


def _branches(multiplier: float, index: Floats, bills: Floats, fund: Floats) -> list[Branch]:
    base = Base(np.ones(1), np.array([MULTIPLE]), np.zeros(1))
    history = History(index, bills, fund[:, None])
    rule = Cppi(multiplier=multiplier, floor=FLOOR)
    return rule.branches(Seen(history, base, np.full(len(index), np.nan)))


def _least(account: Account, floors: Floats) -> float:
    return float((account.growth / floors).min())


def after_a_gap(multiplier: float, gap: float) -> float:
    """Equity over floor after one fall of the index by ``gap``, through a fund without costs."""
    index = np.array([0.0, -gap])
    return least_over_floor(multiplier, index, np.zeros(2), MULTIPLE * index)


class Cushion(NamedTuple):
    """The least of equity over floor, and the greatest part of the cushion lost in a session."""

    least_over_floor: float
    greatest_loss: float


def in_the_table(row: str, sample: Sample) -> Cushion:
    """Of a row of the sizing table, since 1999."""
    over_floor = account_of(ENTRIES[row], sample).growth
    over_floor = over_floor / (FLOOR * np.cumprod(1.0 + sample.bills[1:]))
    cushions = over_floor - 1.0
    return Cushion(float(over_floor.min()), float((1.0 - cushions[1:] / cushions[:-1]).max()))


def in_the_crash_of_2008(multiplier: float, sample: Sample) -> float:
    """The same of an account that begins at the close before the worst session of the sample."""
    first = sample.row(BEFORE_CRASH_OF_2008)
    fund = sample.fund(MULTIPLE, EXPENSE_RATE, SPREAD_RATE)
    parts = [series[first : first + 2].copy() for series in (sample.index, sample.bills, fund)]
    for series in parts:
        series[0] = 0.0
    return least_over_floor(multiplier, *parts)


def section(sample: Sample) -> Section:
    """Claims on both sides of the bound."""
    worst = float(-sample.index.min())
    safe = int(1.0 / worst)
    return Section(
        title="Constant-proportion insurance and gaps (Black and Perold 1992)",
        claims=(
            *(claim for multiplier in (3.0, 5.0) for claim in _both_sides(multiplier)),
            _keeps(4.0, CRASH, after_a_gap(4.0, CRASH)),
            _breaks(5.0, CRASH, after_a_gap(5.0, CRASH)),
            _keeps(safe, worst, in_the_crash_of_2008(safe, sample)),
            _breaks(safe + 1.0, worst, in_the_crash_of_2008(safe + 1.0, sample)),
            *(_in_the_table(row, sample) for row in ("CPPI 0.8, m 3", "CPPI 0.8, m 5")),
        ),
        remarks=(
            f"The worst session of the sample lost {worst:.2%}: up to a multiplier of "
            f"{1.0 / worst:.2f} no gap breaks the floor.",
            "The reference says that m 5 breaks its floor in the table through a gap. It does not:",
            "its drawdown of 20.6 % is counted from the peak of 2000-03-24, the floor is 0.8 of",
            "the equity at the start of 1999, with bills. Many losses spend the cushion.",
        ),
    )


def _both_sides(multiplier: float) -> tuple[Claim, Claim]:
    inside, outside = (1.0 - NEAR) / multiplier, (1.0 + NEAR) / multiplier
    return (
        _keeps(multiplier, inside, after_a_gap(multiplier, inside)),
        _breaks(multiplier, outside, after_a_gap(multiplier, outside)),
    )


def _keeps(multiplier: float, gap: float, over_floor: float) -> Claim:
    return Claim(
        f"m {multiplier:g} keeps its floor in a gap of {gap:.5%}",
        over_floor >= 1.0,
        f"equity over floor {over_floor:.7f}",
    )


def _breaks(multiplier: float, gap: float, over_floor: float) -> Claim:
    return Claim(
        f"m {multiplier:g} breaks its floor in a gap of {gap:.5%}",
        over_floor < 1.0,
        f"equity over floor {over_floor:.7f}",
    )


def _in_the_table(row: str, sample: Sample) -> Claim:
    found = in_the_table(row, sample)
    return Claim(
        f"{row} of the sizing table keeps its floor at every close",
        found.least_over_floor >= 1.0,
        f"least equity over floor {found.least_over_floor:.6f}; the worst session takes "
        f"{found.greatest_loss:.1%} of the cushion",
    )
