"""How an account fares when prices move, and the move that calls it.

A move ``u`` takes each fund's price to ``price x max(0, 1 + weight x u)``: with the multiples as
weights ``u`` is a one-day index return, with one weight of 1 it is a move of that fund alone.
"""

import math
from typing import NamedTuple

from levsleeve.compiled import Floats, array_rule, rule
from levsleeve.margin.account import (
    boxed_requirement,
    gross_value,
    loan_value_equity,
    margin_requirement,
)
from levsleeve.margin.book import MARK, PREMIUM, RIGHT, STRIKE, UNDERLYING, Book, FundTerms
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
    positions: Book
    boxed: Floats
    terms: FundTerms
    volatilities: Floats
    years: Floats
    reprices: float


@array_rule
def excess_after(scene: Scene, weights: Floats, move: float) -> float:
    """Dollars of excess liquidity after a move, < 0 where the account would be called."""
    held = scene.positions
    moved = Book(held.funds.copy(), held.slots.copy())
    for i in range(moved.funds.shape[0]):
        moved.funds[i, MARK] = held.funds[i, MARK] * max(0.0, 1.0 + weights[i] * move)
    if scene.reprices != 0.0:
        for k in range(moved.slots.shape[0]):
            spot = moved.funds[int(held.slots[k, UNDERLYING]), MARK]
            moved.slots[k, PREMIUM] = _repriced(scene, k, spot)
    excess = loan_value_equity(scene.cash_usd, moved, scene.terms.rules)
    excess -= margin_requirement(moved, scene.terms, MAINTENANCE)
    return excess - boxed_requirement(scene.boxed, moved, scene.terms, MAINTENANCE)


@rule
def _repriced(scene: Scene, k: int, price: float) -> float:
    """The option of slot ``k`` with the fund at ``price``, dollars per share."""
    held = scene.positions
    strike, right = held.slots[k, STRIKE], held.slots[k, RIGHT]
    if math.isnan(scene.volatilities[k]):
        was = in_the_money(held.funds[int(held.slots[k, UNDERLYING]), MARK], strike, right)
        return max(0.0, in_the_money(price, strike, right) + held.slots[k, PREMIUM] - was)
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
