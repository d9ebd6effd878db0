"""What would call an account: the one-day index move and the price of each fund.

In closed form where the requirement is a straight line of the move, solved elsewhere.  Without
repricing the options keep their marks; with it they follow the fund at the volatility that today's
mark implies (modelled: European Black-Scholes, no interest, no time passing).
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from levsleeve.compiled import Floats
from levsleeve.margin.account import gross_value, share_value
from levsleeve.margin.combination import MAINTENANCE, share_requirement
from levsleeve.margin.trigger import index_move_to_call
from levsleeve.pricing.implied import implied_volatility
from levsleeve.what_if.account import AccountAtHand
from levsleeve.what_if.moves import STEP, Scene, excess_after, first_call

YEAR_DAYS = 365.0
STRAIGHT = 1e-10
"""Excess liquidity this close to the line, relative to gross value, is on it."""
DIRECTIONS: dict[str, float] = {"down": -1.0, "up": 1.0}

Method = Literal["closed form", "solved", "none"]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A move at which excess liquidity is zero, a fraction (None: there is none), and how found."""

    move: float | None
    method: Method


def scene_of(account: AccountAtHand, *, reprices: bool = False) -> Scene:
    """The account as the moving rules read it."""
    held = account.positions
    years = np.maximum(0.0, held.expiries - account.on.toordinal()) / YEAR_DAYS
    volatilities = np.full(years.size, math.nan)
    if reprices:
        for k, i in enumerate(held.underlyings.astype(int)):
            volatilities[k] = implied_volatility(
                float(held.marks[i]),
                float(held.strikes[k]),
                float(years[k]),
                0.0,
                float(held.rights[k]),
                float(held.option_marks[k]),
            )
    return Scene(
        cash_usd=account.cash_usd,
        positions=held,
        boxed=account.boxed,
        terms=account.terms,
        volatilities=volatilities,
        years=years,
        reprices=float(reprices),
    )


def index_trigger(account: AccountAtHand, direction: str, *, reprices: bool = False) -> Trigger:
    """The nearest one-day index move that way (``down`` or ``up``) at which a call begins or ends.

    Every fund moves by its multiple.
    """
    scene = scene_of(account, reprices=reprices)
    return _trigger(account, scene, account.terms.multiples, DIRECTIONS[direction])


def price_trigger(account: AccountAtHand, i: int) -> Trigger:
    """The smallest move of fund ``i`` alone at which a call begins or ends."""
    weights = np.zeros(account.terms.multiples.size)
    weights[i] = 1.0
    scene = scene_of(account)
    found = [_trigger(account, scene, weights, direction) for direction in (-1.0, 1.0)]
    moves = [trigger for trigger in found if trigger.move is not None]
    return min(moves, key=lambda trigger: abs(trigger.move or 0.0), default=Trigger(None, "none"))


def _trigger(account: AccountAtHand, scene: Scene, weights: Floats, direction: float) -> Trigger:
    """The closed form where it holds, else the solution."""
    if not account.options and not account.boxed.any():
        move = _closed_form(account, weights)
        possible = move * direction > 0.0 and move >= -1.0
        if possible and _straight(scene, weights, move):
            return Trigger(move, "closed form")
    solved = float(first_call(scene, weights, direction))
    return Trigger(None, "none") if math.isnan(solved) else Trigger(solved + 0.0, "solved")


def _closed_form(account: AccountAtHand, weights: Floats) -> float:
    """The move at which today's rates are met; nan if none."""
    held, terms = account.positions, account.terms
    rates = [
        float(share_requirement(held, i, terms, MAINTENANCE)) / float(held.marks[i])
        for i in range(weights.size)
    ]
    equity = account.cash_usd + float(share_value(held))
    return float(index_move_to_call(equity, held.shares * held.marks, weights, np.array(rates)))


def _straight(scene: Scene, weights: Floats, move: float) -> bool:
    """Whether excess liquidity runs straight from here to zero at ``move``, and on through it.

    It ends at zero, and calls nothing, where all that is held is paid for and worth nothing.
    """
    start = float(excess_after(scene, weights, 0.0))
    scale = STRAIGHT * max(1.0, float(gross_value(scene.cash_usd, scene.positions)))
    straight = all(
        abs(float(excess_after(scene, weights, move * part)) - start * (1.0 - part)) <= scale
        for part in (0.25, 0.5, 0.75, 1.0)
    )
    beyond = float(excess_after(scene, weights, move + math.copysign(STEP, move)))
    return straight and (beyond < 0.0) != (start < 0.0)
