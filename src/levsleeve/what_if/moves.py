"""How an account fares when prices move, and the move that calls it.

A move ``u`` takes each fund's price to ``price x max(0, 1 + weight x u)``: with the multiples as
weights ``u`` is a one-day index return, with one weight of 1 it is a move of that fund alone.
"""

import math
from typing import NamedTuple

import numpy as np

from levsleeve.compiled import Floats, rule
from levsleeve.margin.account import (
    boxed_requirement,
    gross_value,
    loan_value_equity,
    margin_requirement,
)
from levsleeve.margin.book import FundTerms, Positions
from levsleeve.margin.combination import MAINTENANCE
from levsleeve.margin.liquidation import ROUNDING
from levsleeve.margin.options import in_the_money
from levsleeve.pricing.black_scholes import option_price

STEP = 0.0005
STEP_BEYOND = 0.01
FARTHEST = 1e4
HALVINGS = 200


class Scene(NamedTuple):
    """An account and how its options are revalued.

    ``boxed`` are shares per fund held long and short at once, beside the net ``positions``.  With
    ``reprices`` options follow the fund by Black-Scholes at ``volatilities`` over ``years``, or
    where those are nan keep the distance of their mark from their intrinsic value, at least at 0;
    without, they keep their marks.
    """

    cash_usd: float
    positions: Positions
    boxed: Floats
    terms: FundTerms
    volatilities: Floats
    years: Floats
    reprices: float


@rule
def excess_after(scene: Scene, weights: Floats, move: float) -> float:
    """Dollars of excess liquidity after a move, < 0 where the account would be called."""
    held = scene.positions
    marks = np.empty(held.marks.size)
    for i in range(marks.size):
        marks[i] = held.marks[i] * max(0.0, 1.0 + weights[i] * move)
    option_marks = held.option_marks.copy()
    if scene.reprices != 0.0:
        for k in range(option_marks.size):
            option_marks[k] = _repriced(scene, k, marks[int(held.underlyings[k])])
    moved = Positions(
        held.shares,
        marks,
        held.contracts,
        held.multipliers,
        held.strikes,
        held.expiries,
        held.rights,
        held.underlyings,
        option_marks,
    )
    excess = loan_value_equity(scene.cash_usd, moved, scene.terms.rules)
    excess -= margin_requirement(moved, scene.terms, MAINTENANCE)
    return excess - boxed_requirement(scene.boxed, moved, scene.terms, MAINTENANCE)


@rule
def _repriced(scene: Scene, k: int, price: float) -> float:
    """The option of slot ``k`` with the fund at ``price``, dollars per share."""
    held = scene.positions
    strike, right = held.strikes[k], held.rights[k]
    if math.isnan(scene.volatilities[k]):
        was = in_the_money(held.marks[int(held.underlyings[k])], strike, right)
        return max(0.0, in_the_money(price, strike, right) + held.option_marks[k] - was)
    return option_price(price, strike, scene.years[k], 0.0, scene.volatilities[k], right)


@rule
def first_call(scene: Scene, weights: Floats, direction: float) -> float:
    """The nearest move in ``direction`` (-1 or 1) where excess liquidity crosses zero; nan if none.

    Steps of 0.05 % to 100 %, upward from there of 1 % of the move; then halved to the last bit.
    At no excess liquidity a move that takes some begins a call at once.
    """
    start, found = 0.0, math.nan
    below = excess_after(scene, weights, start)
    nothing = ROUNDING * max(1.0, gross_value(scene.cash_usd, scene.positions))
    if abs(below) <= nothing:
        start = direction * STEP
        below = excess_after(scene, weights, start)
        if below < -nothing:
            return 0.0
        below = max(below, 0.0)
    farthest = -1.0 if direction < 0.0 else FARTHEST
    while math.isnan(found) and start * direction < farthest * direction:
        step = STEP if abs(start) < 1.0 else STEP_BEYOND * abs(start)
        end = start + direction * step
        end = max(end, farthest) if direction < 0.0 else min(end, farthest)
        excess = excess_after(scene, weights, end)
        if (excess < 0.0) != (below < 0.0):
            found = _between(scene, weights, start, end, below)
        start, below = end, excess
    return found


@rule
def _between(scene: Scene, weights: Floats, low: float, high: float, excess_low: float) -> float:
    """The crossing between two moves on whose ends excess liquidity has unlike signs."""
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        excess = excess_after(scene, weights, middle)
        if excess == 0.0:
            return middle
        if (excess < 0.0) == (excess_low < 0.0):
            low, excess_low = middle, excess
        else:
            high = middle
    return 0.5 * (low + high)
