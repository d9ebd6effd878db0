"""What a signal is worth that knows its own session, and that no rule of ours does.

A study that uses a close before it is known shows absurd growth: the same rule is run a close
early, on its close, and a close later.  Every rule is then asked again with the future cut off.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from replication.figures import Claim, Section, facts_of
from replication.rotation import (
    EARLY,
    FINANCED,
    NEXT_CLOSE,
    SAME_CLOSE,
    fund_of,
    rotated,
)
from replication.sample import Sample
from replication.sizing_table import COST_RATE, EXPENSE_RATE, MULTIPLE, SPREAD_RATE

from levsleeve.compiled import Floats
from levsleeve.strategies.allocation import InverseVolatility, Rotation
from levsleeve.strategies.branches import Branch, Seen
from levsleeve.strategies.history import Base, History
from levsleeve.strategies.own_rule import OwnRule
from levsleeve.strategies.sizing_rules import (
    Cppi,
    FixedFraction,
    GrossmanZhou,
    Kelly,
    MarginUtilization,
    Momentum,
    MostCautious,
    Product,
    SizingRule,
    Tipp,
    Trend,
    VolatilityFilter,
    VolatilityLadder,
    VolatilityManaged,
    VolatilityTarget,
)

FIRST_CLOSE = "2018-01-02"
"""Of the account: a rule of one's own is asked from here on."""
CLOSES = ("2018-01-02", "2018-02-05", "2018-06-29", "2018-11-30", "2018-12-31")
"""At which the future is cut off."""
ABSURD = 3.0
"""Times the Sharpe ratio of an honest signal."""
GROSS_REQUIREMENT = 0.75


def mean_of_a_year(history: History) -> float:
    """A rule of one's own: 1 after a year that earned something."""
    return float(history.index[-252:].mean() > 0.0)


RULES: tuple[SizingRule | OwnRule, ...] = (
    FixedFraction(fraction=0.5),
    VolatilityTarget(),
    VolatilityTarget(of="holdings", decay=0.94),
    VolatilityManaged(),
    Kelly(),
    Kelly(of="holdings"),
    Cppi(),
    Tipp(),
    GrossmanZhou(),
    MarginUtilization(),
    Trend(enter=0.04, leave=0.03),
    Momentum(skip=21),
    VolatilityFilter(reentry=0.15),
    VolatilityLadder(),
    Product(rules=(Trend(), VolatilityTarget())),
    MostCautious(rules=(Cppi(), VolatilityTarget())),
    OwnRule(mean_of_a_year),
)
ALLOCATIONS = (Rotation(hold=2), InverseVolatility())


class Market(NamedTuple):
    """What the rules see: a history with two funds, base weights, requirements by session."""

    history: History
    base: Base
    requirements: Floats

    def until(self, row: int) -> "Market":
        """What was known at the close of a row."""
        end = row + 1
        return self._replace(history=self.history.until(row), requirements=self.requirements[:end])


def market_of(sample: Sample) -> Market:
    """A 3x and a 2x fund at half of equity each."""
    multiples = np.array([MULTIPLE, 2.0])
    costs = np.array([COST_RATE, EXPENSE_RATE + SPREAD_RATE])
    funds = [sample.fund(multiple, EXPENSE_RATE, SPREAD_RATE) for multiple in multiples]
    history = sample.history(funds, sample.row(FIRST_CLOSE))
    requirements = np.linspace(GROSS_REQUIREMENT / 2.0, GROSS_REQUIREMENT, sample.rows)
    return Market(history, Base(np.full(2, 0.5), multiples, costs), requirements)


def rules_that_see_ahead(
    rules: Iterable[SizingRule | OwnRule], market: Market, rows: Iterable[int]
) -> list[str]:
    """Rules whose answer at a row differs, in any bit, once what follows is cut off."""
    cuts = {row: market.until(row) for row in rows}
    found = []
    for rule in rules:
        whole = rule.branches(Seen(*market))
        if any(
            not _same(_at(whole, row), _at(rule.branches(Seen(*cut)), row))
            for row, cut in cuts.items()
        ):
            found.append(rule.name if isinstance(rule, OwnRule) else type(rule).__name__)
    return found


def allocations_that_see_ahead(market: Market, rows: Iterable[int]) -> list[str]:
    """The same of rules that move the base weights."""
    sized, base = np.ones(2), market.base.weights
    return [
        type(rule).__name__
        for rule in ALLOCATIONS
        if any(
            not _same(
                rule.weights(market.history, base, sized)[row],
                rule.weights(market.history.until(row), base, sized)[row],
            )
            for row in rows
        )
    ]


def _at(branches: Iterable[Branch], row: int) -> Floats:
    """All that branches say at a row."""
    return np.array(
        [
            [branch.signal[row], branch.floors[row], branch.trailing, branch.multiplier]
            for branch in branches
        ]
    )


def _same(one: Floats, other: Floats) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))


def section(sample: Sample) -> Section:
    """The probe, and the rules with the future cut off."""
    fund = fund_of(sample, MULTIPLE, FINANCED)
    early, same, later = (
        rotated(sample, fund, closes) for closes in (EARLY, SAME_CLOSE, NEXT_CLOSE)
    )
    measured = {
        "early_cagr_percent": early.cagr_percent,
        "early_sharpe": early.sharpe,
        "same_close_cagr_percent": same.cagr_percent,
        "next_close_cagr_percent": later.cagr_percent,
    }
    market, rows = market_of(sample), [sample.row(day) for day in CLOSES]
    ahead = [
        *rules_that_see_ahead(RULES, market, rows),
        *allocations_that_see_ahead(market, rows),
    ]
    return Section(
        title="Look-ahead: the 3x rotation with fee and financing, decided a close early or late",
        facts=facts_of("look-ahead", measured),
        claims=(
            Claim(
                "a signal that knows its own session earns absurdly more",
                early.sharpe > ABSURD * max(same.sharpe, later.sharpe),
                f"Sharpe {early.sharpe:.2f}, {same.sharpe:.2f} and {later.sharpe:.2f}",
            ),
            Claim(
                "rules answer the same, to the bit, when what follows the close is cut off",
                not ahead,
                ", ".join(ahead)
                or f"{len(RULES) + len(ALLOCATIONS)} rules at {len(CLOSES)} closes",
            ),
        ),
    )
