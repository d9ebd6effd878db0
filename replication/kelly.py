"""The Kelly exposure: on simulated prices, where the truth is known, and on the sample.

Kelly, J. (1956), Bell System Technical Journal 35(4); Thorp, E. (2006), The Kelly criterion: growth
is greatest at ``f = (mu - r) / sigma**2`` and back at that of bills at ``2 f``.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from replication.bookkeeping import PERCENT, log_growth_rate
from replication.figures import Figure, Section, facts_of
from replication.sample import Sample
from replication.sizing_table import COST_RATE, EXPENSE_RATE, MULTIPLE, SPREAD_RATE

from levsleeve.compiled import Floats
from levsleeve.strategies.branches import Seen
from levsleeve.strategies.history import Base, History
from levsleeve.strategies.series import SESSIONS_A_YEAR
from levsleeve.strategies.sizing_rules import Kelly

SEED = 20_181_231
STEP = 0.05
GRID = np.arange(61) * STEP
"""Exposures tried, in turns."""
SIMULATED = "simulated"
ERRORS = 3.0
"""Standard errors that a simulated figure may be off."""


@dataclass(frozen=True)
class Walk:
    """Geometric Brownian motion beside bills; rates a year, the drift that of the mean.

    The second half of a path has the shocks of its first half with the other sign, so that every
    path has the same mean, and only the noise of its variance is left.
    """

    drift_rate: float = 0.0756
    bill_rate: float = 0.02
    volatility: float = 0.191
    paths: int = 100
    sessions: int = 5040

    @property
    def kelly(self) -> float:
        """Turns of greatest growth."""
        return (self.drift_rate - self.bill_rate) / self.volatility**2

    @property
    def bill(self) -> float:
        """What bills earn in a session."""
        return float(np.expm1(self.bill_rate / SESSIONS_A_YEAR))

    def daily_bias(self, turns: float) -> float:
        """Growth a year that exposure set once a session may differ from one set continuously.

        The fourth-order term of the log return, the greatest that the continuous form leaves out.
        """
        return 0.75 * (turns * self.volatility) ** 4 / SESSIONS_A_YEAR

    def returns(self, seed: int) -> Floats:
        """Simple returns, by path and session."""
        half = np.random.default_rng(seed).standard_normal((self.paths, self.sessions // 2))
        shocks = np.hstack([half, -half]) * self.volatility / np.sqrt(SESSIONS_A_YEAR)
        drift = (self.drift_rate - self.volatility**2 / 2.0) / SESSIONS_A_YEAR
        found: Floats = np.expm1(drift + shocks)
        return found


class Estimate(NamedTuple):
    """A mean over paths and its standard error."""

    mean: float
    error: float


def estimate(by_path: Floats) -> Estimate:
    """Of one number a path."""
    return Estimate(float(by_path.mean()), float(by_path.std(ddof=1) / np.sqrt(by_path.size)))


def kelly_of(index: Floats, bills: Floats, base: Base) -> float:
    """What the rule answers at the last close, having seen every return; the first row is none."""
    history = History(index, bills, index[:, None])
    returns = len(index) - 1
    rule = Kelly(kelly_fraction=1.0, window=returns, min_window=returns)
    (branch,) = rule.branches(Seen(history, base, np.full(len(index), np.nan)))
    return float(branch.signal[-1])


def plain() -> Base:
    """One turn of the index, without costs."""
    return Base(np.ones(1), np.ones(1), np.zeros(1))


def simulated(walk: Walk, seed: int = SEED) -> tuple[Figure, ...]:
    """Estimates of the rule and of growth on simulated prices, beside the truth."""
    returns = walk.returns(seed)
    bills = np.full(walk.sessions, walk.bill)
    growth = np.array([log_growth_rate(turns, returns, bills) for turns in GRID])
    start, bills_seen = np.zeros(1), np.concatenate([[0.0], bills])
    asked = [kelly_of(np.concatenate([start, path]), bills_seen, plain()) for path in returns]
    best = growth.mean(axis=1)
    return (
        _simulated("Kelly rule", estimate(np.array(asked)), walk.kelly, 0.0),
        Figure(
            SIMULATED, "greatest growth at", float(GRID[best.argmax()]), walk.kelly,
            STEP / 2.0 + ERRORS * estimate(GRID[growth.argmax(axis=0)]).error,
        ),
        _simulated(
            "growth at twice Kelly, %",
            estimate(PERCENT * log_growth_rate(2.0 * walk.kelly, returns, bills)),
            PERCENT * walk.bill_rate,
            PERCENT * walk.daily_bias(2.0 * walk.kelly),
        ),
    )  # fmt: skip


def _simulated(name: str, found: Estimate, truth: float, bias: float) -> Figure:
    return Figure(SIMULATED, name, found.mean, truth, ERRORS * found.error + bias)


def measured(sample: Sample) -> dict[str, float]:
    """Of the whole sample."""
    index, bills = sample.index[1:], sample.bills[1:]
    excess = index - bills
    free = np.array([float(log_growth_rate(turns, index, bills)) for turns in GRID])
    charged = free - np.array([_cost_rate(turns) for turns in GRID])
    fund = Base(np.ones(1), np.array([MULTIPLE]), np.array([COST_RATE]))
    growth = {
        f"growth_at_{turns}_percent": PERCENT * float(log_growth_rate(turns, index, bills))
        for turns in (1, 2, 3)
    }
    return growth | {
        "excess_percent": PERCENT * float(excess.mean()) * SESSIONS_A_YEAR,
        "volatility_percent": PERCENT * float(index.std(ddof=1) * np.sqrt(SESSIONS_A_YEAR)),
        "kelly": kelly_of(sample.index, sample.bills, plain()),
        "greatest_growth_at": float(GRID[free.argmax()]),
        "greatest_growth_at_with_costs": float(GRID[charged.argmax()]),
        "weight_in_3x_fund": kelly_of(sample.index, sample.bills, fund),
    }


def _cost_rate(turns: float) -> float:
    """A year, of exposure held through one fund; below one turn no fund is needed."""
    return EXPENSE_RATE + SPREAD_RATE * (turns - 1.0) if turns >= 1.0 else 0.0


def section(sample: Sample) -> Section:
    """Both."""
    walk = Walk()
    remarks = (
        f"Simulated: {walk.paths} paths of {walk.sessions:,} sessions, seed {SEED}, beside the "
        f"closed form, within {ERRORS:g} standard errors.",
        "With costs, exposure from one turn on is held through a fund that charges 0.91 %, and the",
        "greatest growth is that of the last step without one: less than one turn of the index.",
    )
    return Section(
        title="Kelly",
        facts=(*simulated(walk), *facts_of("kelly", measured(sample))),
        remarks=remarks,
    )
