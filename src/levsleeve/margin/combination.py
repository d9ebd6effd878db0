"""Which options cover which shares and options of a fund, at the lowest requirement.

Shares and options of one fund can be margined alone or in combinations (a protective put, a
covered call, a spread).  Every combination saves something against its parts alone; the greatest
total saving is a small linear program over the units of each position, solved exactly here.  More
hedges can therefore never raise a requirement, and nothing covers twice.
"""

from typing import NamedTuple

import numpy as np

from levsleeve.compiled import Floats, rule
from levsleeve.margin.allocation import NOBODY, most_saving
from levsleeve.margin.book import Book, FundTerms
from levsleeve.margin.options import (
    boxed_short_share,
    collared_share,
    hedged_share,
    in_the_money,
    spread_width,
    uncovered_option,
)
from levsleeve.margin.requirement import (
    end_of_day_initial_per_share,
    initial_per_share,
    maintenance_per_share,
    order_initial_per_share,
)
from levsleeve.margin.schedule import HEDGE_RELIEF

MAINTENANCE, INITIAL_MARGIN, ORDER_INITIAL, END_OF_DAY = 0, 1, 2, 3
"""Which requirement is asked for: only maintenance knows relief by long options."""

PROTECTIVE, COVERED, COLLAR, BOXED_SHORT, SPREAD, STRANGLE = 0.0, 1.0, 2.0, 3.0, 4.0, 5.0
"""Kinds of combination: a share with a long option, with a short one, long with put and call,
short with call and put, two options of one right, and two short options of both."""


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


@rule
def share_requirement(book: Book, i: int, terms: FundTerms, kind: int) -> float:
    """Dollars per share of fund ``i`` without any hedge, on the side that is held."""
    price, multiple, short = book.marks[i], terms.multiples[i], book.shares[i] < 0.0
    width, overlay, rules = terms.benchmark_classes[i], terms.overlays[i], terms.rules
    if kind == MAINTENANCE:
        return maintenance_per_share(price, multiple, short, width, overlay, rules)
    if kind == ORDER_INITIAL:
        return order_initial_per_share(price, multiple, short, width, overlay, rules)
    if kind == END_OF_DAY:
        return end_of_day_initial_per_share(price, multiple, short, width, overlay, rules)
    return initial_per_share(price, multiple, short, width, overlay, rules)


@rule
def fund_requirement(book: Book, i: int, terms: FundTerms, kind: int) -> float:
    """Dollars that the shares and options of fund ``i`` require together."""
    held = abs(book.shares[i])
    if not _needs_pairing(book, i, terms, kind):
        return held * share_requirement(book, i, terms, kind) if held > 0.0 else 0.0
    pairing = pair(book, i, terms, kind)
    total = 0.0
    for p in range(pairing.units.size):
        alone = pairing.units[p]
        for c in range(pairing.uses.size):
            for member in range(3):
                if pairing.members[c, member] == p:
                    alone -= pairing.uses[c]
        total += max(alone, 0.0) * pairing.alone[p]
    for c in range(pairing.uses.size):
        total += pairing.uses[c] * pairing.costs[c]
    return total


@rule
def _needs_pairing(book: Book, i: int, terms: FundTerms, kind: int) -> bool:
    """Whether options of fund ``i`` bear on its requirement; long ones alone only by relief."""
    relieved = terms.rules[HEDGE_RELIEF] != 0.0 and kind == MAINTENANCE and book.shares[i] != 0.0
    for k in range(book.contracts.size):
        bears = book.contracts[k] < 0.0 or (relieved and book.contracts[k] > 0.0)
        if bears and book.underlyings[k] == i:
            return True
    return False


@rule
def pair(book: Book, i: int, terms: FundTerms, kind: int) -> Pairing:
    """The positions of fund ``i``, every combination that saves, and how much of each is used."""
    places = _places(book, i)
    n = places.size + 1
    units, alone = np.zeros(n), np.zeros(n)
    units[0] = abs(book.shares[i])
    if units[0] > 0.0:
        alone[0] = share_requirement(book, i, terms, kind)
    for p in range(1, n):
        k = int(places[p - 1])
        units[p] = abs(book.contracts[k]) * book.multipliers[k]
        if book.contracts[k] < 0.0:
            alone[p] = _uncovered(book, k, terms)
    most = n + 2 * n * n
    members = np.full((most, 3), float(NOBODY))
    kinds, costs = np.zeros(most), np.zeros(most)
    count = _list_combinations(book, i, terms, kind, places, alone, members, kinds, costs)
    members, kinds, costs = members[:count], kinds[:count], costs[:count]
    uses = most_saving(units, members, _savings(alone, members, costs))
    return Pairing(places, units, alone, members, kinds, costs, uses)


@rule
def _places(book: Book, i: int) -> Floats:
    """The option slots that hold something on fund ``i``."""
    places = np.zeros(book.contracts.size)
    count = 0
    for k in range(book.contracts.size):
        if book.contracts[k] != 0.0 and book.underlyings[k] == i:
            places[count] = k
            count += 1
    return places[:count]


@rule
def _uncovered(book: Book, k: int, terms: FundTerms) -> float:
    """Dollars per share of the short option in slot ``k`` alone."""
    i = int(book.underlyings[k])
    return uncovered_option(
        book.marks[i],
        book.strikes[k],
        book.option_marks[k],
        book.rights[k],
        terms.multiples[i],
        terms.benchmark_classes[i],
        terms.rules,
    )


@rule
def _savings(alone: Floats, members: Floats, costs: Floats) -> Floats:
    """Dollars per unit that each combination saves against its parts alone."""
    savings = -costs.copy()
    for c in range(costs.size):
        for member in range(3):
            if members[c, member] != NOBODY:
                savings[c] += alone[int(members[c, member])]
    return savings


@rule
def _list_combinations(
    book: Book,
    i: int,
    terms: FundTerms,
    kind: int,
    places: Floats,
    alone: Floats,
    members: Floats,
    kinds: Floats,
    costs: Floats,
) -> int:
    """Write every combination of the fund's positions and its dollars per unit; returns how many.

    Long options relieve shares only in the maintenance requirement, and only by policy.
    """
    relief = terms.rules[HEDGE_RELIEF] != 0.0 and kind == MAINTENANCE
    count, side = 0, 0.0
    if book.shares[i] != 0.0:
        side = 1.0 if book.shares[i] > 0.0 else -1.0
    for p in range(1, places.size + 1):
        k = int(places[p - 1])
        count = _with_shares(
            book, i, k, p, side, relief, alone[0], terms, members, kinds, costs, count
        )
        for q in range(1, places.size + 1):
            w = int(places[q - 1])
            if q == p or book.contracts[w] > 0.0:
                continue
            if book.contracts[k] < 0.0:
                count = _written_pair(book, k, w, p, q, alone, members, kinds, costs, count)
                continue
            count = _spread(book, k, w, p, q, alone, members, kinds, costs, count)
            if relief and book.rights[k] == -side and book.rights[w] == side:
                cost = _collar_cost(book, i, k, w, alone[0], terms)
                combination = COLLAR if side > 0.0 else BOXED_SHORT
                count = _add(members, kinds, costs, count, combination, cost, 0, p, q)
    return count


@rule
def _with_shares(
    book: Book,
    i: int,
    k: int,
    p: int,
    side: float,
    relief: bool,
    normal: float,
    terms: FundTerms,
    members: Floats,
    kinds: Floats,
    costs: Floats,
    count: int,
) -> int:
    """The option of slot ``k`` with the fund's shares: it hedges them, or they cover it."""
    price, strike, right = book.marks[i], book.strikes[k], book.rights[k]
    if relief and book.contracts[k] > 0.0 and right == -side:
        cost = hedged_share(price, strike, right, normal, terms.rules)
        return _add(members, kinds, costs, count, PROTECTIVE, cost, 0, p, NOBODY)
    if book.contracts[k] < 0.0 and right == side:
        cost = normal + in_the_money(price, strike, right)
        return _add(members, kinds, costs, count, COVERED, cost, 0, p, NOBODY)
    return count


@rule
def _collar_cost(book: Book, i: int, k: int, w: int, normal: float, terms: FundTerms) -> float:
    """Dollars per share between the long option of slot ``k`` and the written one of ``w``."""
    price, held, written = book.marks[i], book.strikes[k], book.strikes[w]
    if book.shares[i] > 0.0:
        return collared_share(price, held, written, terms.multiples[i], normal, terms.rules)
    return boxed_short_share(price, held, written, normal, terms.rules)


@rule
def _spread(
    book: Book,
    k: int,
    w: int,
    p: int,
    q: int,
    alone: Floats,
    members: Floats,
    kinds: Floats,
    costs: Floats,
    count: int,
) -> int:
    """The long option of slot ``k`` against the written one of ``w``, if it lives as long."""
    if book.rights[k] != book.rights[w] or book.expiries[k] < book.expiries[w]:
        return count
    width = spread_width(book.strikes[w], book.strikes[k], book.rights[w])
    return _add(members, kinds, costs, count, SPREAD, min(alone[q], width), q, p, NOBODY)


@rule
def _written_pair(
    book: Book,
    k: int,
    w: int,
    p: int,
    q: int,
    alone: Floats,
    members: Floats,
    kinds: Floats,
    costs: Floats,
    count: int,
) -> int:
    """A written call and a written put: the dearer side and the other's mark."""
    if book.rights[k] < 0.0 or book.rights[w] > 0.0:
        return count
    dearer = max(alone[p] + book.option_marks[w], alone[q] + book.option_marks[k])
    return _add(members, kinds, costs, count, STRANGLE, dearer, p, q, NOBODY)


@rule
def _add(
    members: Floats,
    kinds: Floats,
    costs: Floats,
    count: int,
    kind: float,
    cost: float,
    first: int,
    second: int,
    third: int,
) -> int:
    """Write one combination behind the others; returns their new number."""
    members[count, 0], members[count, 1], members[count, 2] = first, second, third
    kinds[count] = kind
    costs[count] = cost
    return count + 1
