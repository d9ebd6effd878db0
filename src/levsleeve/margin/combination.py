"""Which options cover which shares and options of a fund, at the lowest requirement.

Shares and options of one fund can be margined alone or in combinations (a protective put, a
covered call, a spread).  Every combination saves something against its parts alone; the greatest
total saving is a small linear program over the units of each position, solved exactly here.  More
hedges can therefore never raise a requirement, and nothing covers twice.
"""

from typing import NamedTuple

import numpy as np

from levsleeve.compiled import Floats, array_rule, hot_rule, rule
from levsleeve.margin.allocation import NOBODY, most_saving
from levsleeve.margin.book import (
    BENCHMARK_CLASS,
    CONTRACTS,
    EXPIRY,
    MARK,
    MULTIPLE,
    MULTIPLIER,
    PREMIUM,
    RIGHT,
    SHARES,
    STRIKE,
    UNDERLYING,
    Book,
    FundTerms,
)
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

MAINTENANCE, INITIAL_MARGIN, ORDER_INITIAL, END_OF_DAY = 0.0, 1.0, 2.0, 3.0
"""Which requirement is asked for: only maintenance knows relief by long options.

Floats, since a rule is compiled once for all floats and anew for each whole-number constant."""

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


@hot_rule
def share_requirement(book: Book, i: int, terms: FundTerms, kind: float) -> float:
    """Dollars per share of fund ``i`` without any hedge, on the side that is held."""
    return side_requirement(book, i, book.funds[i, SHARES] < 0.0, terms, kind)


@hot_rule
def side_requirement(book: Book, i: int, short: bool, terms: FundTerms, kind: float) -> float:
    """Dollars per share of fund ``i`` without any hedge, on one side."""
    price, multiple = book.funds[i, MARK], terms.funds[i, MULTIPLE]
    width, overlay, rules = terms.funds[i, BENCHMARK_CLASS], terms.overlays[i], terms.rules
    if kind == MAINTENANCE:
        return maintenance_per_share(price, multiple, short, width, overlay, rules)
    if kind == ORDER_INITIAL:
        return order_initial_per_share(price, multiple, short, width, overlay, rules)
    if kind == END_OF_DAY:
        return end_of_day_initial_per_share(price, multiple, short, width, overlay, rules)
    return initial_per_share(price, multiple, short, width, overlay, rules)


@hot_rule
def fund_requirement(book: Book, i: int, terms: FundTerms, kind: float) -> float:
    """Dollars that the shares and options of fund ``i`` require together."""
    return requirement_with(book, i, terms, kind, terms.rules[HEDGE_RELIEF] != 0.0)


@hot_rule
def requirement_with(book: Book, i: int, terms: FundTerms, kind: float, relief: bool) -> float:
    """``fund_requirement`` as if long options relieved shares, or did not, whatever the policy."""
    held = abs(book.funds[i, SHARES])
    normal = share_requirement(book, i, terms, kind) if held > 0.0 else 0.0
    relief = relief and kind == MAINTENANCE
    if _bears(book, i, relief and held > 0.0):
        return _combined_requirement(book, i, terms, normal, relief)
    return held * normal


@array_rule
def _combined_requirement(
    book: Book, i: int, terms: FundTerms, normal: float, relief: bool
) -> float:
    """Dollars that the shares and options of fund ``i`` require in their cheapest combination."""
    options, facts = _fund_options(book, i), _option_facts(book, i, terms)
    return _paired_requirement(facts, book.funds[i, SHARES], normal, options, relief, terms.rules)


@hot_rule
def _bears(book: Book, i: int, relieved: bool) -> bool:
    """Whether options on fund ``i`` change what it requires: written ones, or any that relieve."""
    bears = False
    for k in range(book.slots.shape[0]):
        if book.slots[k, UNDERLYING] == i:
            contracts = book.slots[k, CONTRACTS]
            bears = bears or contracts < 0.0 or (relieved and contracts > 0.0)
    return bears


@array_rule
def pair(book: Book, i: int, terms: FundTerms, kind: float) -> Pairing:
    """How the positions of fund ``i`` are margined, for whoever wants to see it."""
    held = abs(book.funds[i, SHARES])
    normal = share_requirement(book, i, terms, kind) if held > 0.0 else 0.0
    relief = terms.rules[HEDGE_RELIEF] != 0.0 and kind == MAINTENANCE
    options, facts = _fund_options(book, i), _option_facts(book, i, terms)
    return _pair(facts, book.funds[i, SHARES], normal, options, relief, terms.rules)


@array_rule
def _fund_options(book: Book, i: int) -> Floats:
    """The options on fund ``i``: signed units, strike, expiry, right, mark and slot of each."""
    options = np.zeros((book.slots.shape[0], LEG_FIELDS))
    count = 0
    for k in range(book.slots.shape[0]):
        if book.slots[k, CONTRACTS] != 0.0 and book.slots[k, UNDERLYING] == i:
            options[count, LEG_UNITS] = book.slots[k, CONTRACTS] * book.slots[k, MULTIPLIER]
            options[count, LEG_STRIKE] = book.slots[k, STRIKE]
            options[count, LEG_EXPIRY] = book.slots[k, EXPIRY]
            options[count, LEG_RIGHT] = book.slots[k, RIGHT]
            options[count, LEG_MARK] = book.slots[k, PREMIUM]
            options[count, LEG_SLOT] = k
            count += 1
    return options[:count]


@array_rule
def _option_facts(book: Book, i: int, terms: FundTerms) -> Floats:
    """Price, multiple and benchmark class of fund ``i``, as its options are margined by."""
    return np.array(
        [book.funds[i, MARK], terms.funds[i, MULTIPLE], terms.funds[i, BENCHMARK_CLASS]]
    )


@array_rule
def _paired_requirement(
    facts: Floats, shares: float, normal: float, options: Floats, relief: bool, rules: Floats
) -> float:
    """Dollars that signed ``shares`` and the options on them require in the cheapest combination.

    ``facts`` are the fund's, ``normal`` the requirement of one share without a hedge, ``options``
    rows of ``_fund_options``.
    """
    pairing = _pair(facts, shares, normal, options, relief, rules)
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


@array_rule
def _pair(
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
