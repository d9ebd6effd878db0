"""Which options cover which shares and options of a fund, at the lowest requirement.

Shares and options of one fund can be margined alone or in combinations (a protective put, a
covered call, a spread).  Every combination saves something against its parts alone; the greatest
total saving is a small linear program over the units of each position, solved exactly here.  More
hedges can therefore never raise a requirement, and nothing covers twice.
"""

import numpy as np

from levsleeve.compiled import Floats, array_rule, hot_rule, rule
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
from levsleeve.margin.pairing import (
    LEG_EXPIRY,
    LEG_FIELDS,
    LEG_MARK,
    LEG_RIGHT,
    LEG_SLOT,
    LEG_STRIKE,
    LEG_UNITS,
    Pairing,
    paired,
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


@rule
def share_requirement(book: Book, i: int, terms: FundTerms, kind: float) -> float:
    """Dollars per share of fund ``i`` without any hedge, on the side that is held."""
    return _per_share(book, i, book.funds[i, SHARES] < 0.0, terms, kind)


@rule
def side_requirement(book: Book, i: int, short: bool, terms: FundTerms, kind: float) -> float:
    """Dollars per share of fund ``i`` without any hedge, on one side."""
    return _per_share(book, i, short, terms, kind)


@hot_rule
def _per_share(book: Book, i: int, short: bool, terms: FundTerms, kind: float) -> float:
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


@rule
def fund_requirement(book: Book, i: int, terms: FundTerms, kind: float) -> float:
    """Dollars that the shares and options of fund ``i`` require together."""
    return requirement_with(book, i, terms, kind, terms.rules[HEDGE_RELIEF] != 0.0)


@hot_rule
def requirement_with(book: Book, i: int, terms: FundTerms, kind: float, relief: bool) -> float:
    """``fund_requirement`` as if long options relieved shares, or did not, whatever the policy."""
    held = abs(book.funds[i, SHARES])
    short = book.funds[i, SHARES] < 0.0
    normal = _per_share(book, i, short, terms, kind) if held > 0.0 else 0.0
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
    return paired(facts, book.funds[i, SHARES], normal, options, relief, terms.rules)


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
    pairing = paired(facts, shares, normal, options, relief, rules)
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
