"""Small histories that rules of sizing and allocation see."""

import numpy as np

from levsleeve.compiled import Floats
from levsleeve.strategies.branches import Seen
from levsleeve.strategies.history import Base, History

ROWS = 80
FIRST = 30
"""The row on which the study begins."""


def history_of(
    multiples: tuple[float, ...] = (3.0,), *, seed: int = 3, bill: float = 0.0001
) -> History:
    """Returns of an index, of bills that earn the same every session, and of exact multiples."""
    index = np.random.default_rng(seed).normal(0.001, 0.015, ROWS)
    index[0] = 0.0
    bills = np.full(ROWS, bill)
    bills[0] = 0.0
    return History(index, bills, np.outer(index, multiples), FIRST)


def seen_of(
    history: History,
    weights: tuple[float, ...],
    multiples: tuple[float, ...],
    *,
    cost_rates: tuple[float, ...] | None = None,
    rates: Floats | None = None,
) -> Seen:
    """What a rule sees of these holdings; ``rates`` are maintenance margins at a scale of 1."""
    costs = (0.0,) * len(weights) if cost_rates is None else cost_rates
    base = Base(np.array(weights), np.array(multiples), np.array(costs))
    unknown = np.full(len(history.index), np.nan)
    return Seen(history, base, unknown if rates is None else rates)
