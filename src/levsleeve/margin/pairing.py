"""The combinations of one fund's shares and options that save something, and how many of each.

See ``combination`` for what they are for.
"""

from typing import NamedTuple

import numpy as np

from levsleeve.compiled import Floats, array_rule, rule
from levsleeve.margin.allocation import NOBODY, most_saving
from levsleeve.margin.options import (
    boxed_short_share,
    collared_share,
    hedged_share,
    in_the_money,
    spread_width,
    uncovered_option,
)

PROTECTIVE, COVERED, COLLAR, BOXED_SHORT, SPREAD, STRANGLE = 0.0, 1.0, 2.0, 3.0, 4.0, 5.0
"""Kinds of combination: a share with a long option, with a short one, long with put and call,
short with call and put, two options of one right, and two short options of both."""


LEG_UNITS, LEG_STRIKE, LEG_EXPIRY, LEG_RIGHT, LEG_MARK, LEG_SLOT = range(6)
LEG_FIELDS = 6
"""Columns of an option of a fund, as combinations see it."""
LISTED_FIELDS = 5


class Pairing(NamedTuple):
    """How the positions of one fund are margined.

    ``places`` are the option slots behind positions 1, 2, ...; position 0 is the shares.  ``units``
    and ``alone`` (dollars per unit) are by position; ``members`` (n, 3), ``kinds``, ``costs``
    (dollars per unit) and ``uses`` (units) by combination.
    """

    places: Floats
    units: Floats
    alone: Floats
    members: Floats
    kinds: Floats
    costs: Floats
    uses: Floats


@array_rule
def paired(
    facts: Floats, shares: float, normal: float, options: Floats, relief: bool, rules: Floats
) -> Pairing:
    """The positions of one fund, every combination that saves, and how much of each is used.

    Long options relieve shares only with ``relief``; written ones are always covered.
    """
    n = options.shape[0] + 1
    units, alone = np.zeros(n), np.zeros(n)
    units[0], alone[0] = abs(shares), normal
    for p in range(1, n):
        units[p] = abs(options[p - 1, LEG_UNITS])
        if options[p - 1, LEG_UNITS] < 0.0:
            alone[p] = _uncovered(facts, options[p - 1], rules)
    listed = np.full((2 * n * n, LISTED_FIELDS), float(NOBODY))
    count = 0
    side = 0.0 if shares == 0.0 else (1.0 if shares > 0.0 else -1.0)
    for p in range(1, n):
        count = _with_shares(listed, count, p, side, facts, alone, options, relief, rules)
        for q in range(1, n):
            if q != p and options[q - 1, LEG_UNITS] < 0.0:
                count = _with_written(
                    listed, count, p, q, side, facts, alone, options, relief, rules
                )
    members, kinds, costs = listed[:count, :3].copy(), listed[:count, 3], listed[:count, 4].copy()
    uses = most_saving(units, members, _savings(alone, members, costs))
    return Pairing(options[:, LEG_SLOT].copy(), units, alone, members, kinds, costs, uses)


@rule
def _uncovered(facts: Floats, option: Floats, rules: Floats) -> float:
    """Dollars per share of a written option alone."""
    return uncovered_option(
        facts[0], option[LEG_STRIKE], option[LEG_MARK], option[LEG_RIGHT], facts[1], facts[2], rules
    )


@array_rule
def _savings(alone: Floats, members: Floats, costs: Floats) -> Floats:
    """Dollars per unit that each combination saves against its parts alone."""
    savings = -costs
    for c in range(costs.size):
        for member in range(3):
            if members[c, member] != NOBODY:
                savings[c] += alone[int(members[c, member])]
    return savings


@rule
def _add(
    listed: Floats, count: int, kind: float, cost: float, first: int, second: int, third: int
) -> int:
    """Write one combination behind the others; returns their number."""
    listed[count, 0], listed[count, 1], listed[count, 2] = first, second, third
    listed[count, 3], listed[count, 4] = kind, cost
    return count + 1


@rule
def _with_shares(
    listed: Floats,
    count: int,
    p: int,
    side: float,
    facts: Floats,
    alone: Floats,
    options: Floats,
    relief: bool,
    rules: Floats,
) -> int:
    """Option ``p`` with the fund's shares: it hedges them, or they cover it."""
    price, option = facts[0], options[p - 1]
    strike, right = option[LEG_STRIKE], option[LEG_RIGHT]
    if relief and option[LEG_UNITS] > 0.0 and right == -side:
        cost = hedged_share(price, strike, right, alone[0], rules)
        return _add(listed, count, PROTECTIVE, cost, 0, p, NOBODY)
    if option[LEG_UNITS] < 0.0 and right == side:
        cost = alone[0] + in_the_money(price, strike, right)
        return _add(listed, count, COVERED, cost, 0, p, NOBODY)
    return count


@rule
def _with_written(
    listed: Floats,
    count: int,
    p: int,
    q: int,
    side: float,
    facts: Floats,
    alone: Floats,
    options: Floats,
    relief: bool,
    rules: Floats,
) -> int:
    """Option ``p`` with the written option ``q``: a strangle, a spread, or both around shares."""
    one, written = options[p - 1], options[q - 1]
    if one[LEG_UNITS] < 0.0:
        if one[LEG_RIGHT] > 0.0 and written[LEG_RIGHT] < 0.0:
            other_mark = written[LEG_MARK] if alone[p] >= alone[q] else one[LEG_MARK]
            cost = max(alone[p], alone[q]) + other_mark
            count = _add(listed, count, STRANGLE, cost, p, q, NOBODY)
    elif one[LEG_RIGHT] == written[LEG_RIGHT]:
        if one[LEG_EXPIRY] >= written[LEG_EXPIRY]:
            width = spread_width(written[LEG_STRIKE], one[LEG_STRIKE], written[LEG_RIGHT])
            count = _add(listed, count, SPREAD, min(alone[q], width), q, p, NOBODY)
    elif relief and one[LEG_RIGHT] == -side:
        cost = _around(facts, side, alone[0], one[LEG_STRIKE], written[LEG_STRIKE], rules)
        count = _add(listed, count, COLLAR if side > 0.0 else BOXED_SHORT, cost, 0, p, q)
    return count


@rule
def _around(
    facts: Floats, side: float, normal: float, held: float, written: float, rules: Floats
) -> float:
    """Dollars per share between a long and a written option at these strikes."""
    if side > 0.0:
        return collared_share(facts[0], held, written, facts[1], normal, rules)
    return boxed_short_share(facts[0], held, written, normal, rules)
