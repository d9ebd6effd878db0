"""Plain arithmetic of an account that holds one fund and bills, and its statistics."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from levsleeve.compiled import Floats
from levsleeve.strategies.branches import Branch
from levsleeve.strategies.series import SESSIONS_A_YEAR
from levsleeve.strategies.sizing import branch_scale

TRADE_COST_RATE = 0.0002
"""Of what is traded."""
GREATEST_WEIGHT = 1.0
PERCENT = 100.0


@dataclass(frozen=True, eq=False)
class Terms:
    """What a weight earns, by row, and from which row on the account lives.

    ``follows_drift``: what is traded counts from the weight that the session's returns left, not
    from the one aimed at before.
    """

    fund: Floats
    bills: Floats
    begins: int
    follows_drift: bool = False
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Account:
    """Returns, weights aimed at, parts of equity traded and growth, by session of its life."""

    returns: Floats
    weights: Floats
    traded: Floats

    @property
    def growth(self) -> Floats:
        """What a dollar became."""
        return np.cumprod(1.0 + self.returns, dtype=np.float64)

    def since(self, session: int) -> "Account":
        """The later part of its life."""
        return Account(self.returns[session:], self.weights[session:], self.traded[session:])

    def turnover(self) -> float:
        """Equity traded a year; 4,779 sessions count as 19 years."""
        return float(self.traded.sum() / round(len(self.traded) / SESSIONS_A_YEAR))


def lived(branches: Sequence[Branch], terms: Terms) -> Account:
    """The account that follows a rule: the close before each session decides its weight.

    A rule that does not answer yet holds nothing; the purchase at the very start is free.
    """
    growth = peak = 1.0
    held: float | None = None
    lines = []
    for t in range(terms.begins, len(terms.fund)):
        weight = terms.weight * _scale(branches, t - 1, growth, peak)
        weight = min(weight, GREATEST_WEIGHT)
        traded = 0.0 if held is None else abs(weight - held)
        before_cost = weight * terms.fund[t] + (1.0 - weight) * terms.bills[t]
        earned = before_cost - TRADE_COST_RATE * traded
        lines.append((earned, weight, traded))
        growth *= 1.0 + earned
        peak = max(peak, growth)
        drifted = weight * (1.0 + terms.fund[t]) / (1.0 + before_cost)
        held = drifted if terms.follows_drift else weight
    return Account(*np.array(lines, dtype=np.float64).T)


def _scale(branches: Sequence[Branch], t: int, growth: float, peak: float) -> float:
    """What the rule answered at the close of row ``t``; 0 before its first answer."""
    asked = min(
        branch_scale(
            branch.signal[t],
            branch.multiplier,
            branch.floors[t],
            branch.trailing,
            growth,
            peak,
        )
        for branch in branches
    )
    return 0.0 if np.isnan(asked) else asked


@dataclass(frozen=True)
class Statistics:
    """Of returns by session, under the names of the reference."""

    cagr_percent: float
    volatility_percent: float
    sharpe: float
    max_drawdown_percent: float

    def named(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


def statistics(returns: Floats, bills: Floats) -> Statistics:
    """Growth a year, volatility, arithmetic Sharpe ratio over bills, deepest fall from a peak."""
    growth = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    deviation = returns.std(ddof=1)
    return Statistics(
        cagr_percent=PERCENT * (growth[-1] ** (SESSIONS_A_YEAR / len(returns)) - 1.0),
        volatility_percent=PERCENT * deviation * np.sqrt(SESSIONS_A_YEAR),
        sharpe=(returns - bills).mean() / deviation * np.sqrt(SESSIONS_A_YEAR),
        max_drawdown_percent=PERCENT * (growth / np.maximum.accumulate(growth) - 1.0).min(),
    )


def log_growth_rate(exposure: float, index: Floats, bills: Floats) -> Floats:
    """Mean log return a year of so many turns, set anew each session, over the last axis."""
    logs = np.log1p(bills + exposure * (index - bills))
    rates: Floats = logs.mean(axis=-1) * SESSIONS_A_YEAR
    return rates
