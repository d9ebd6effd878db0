"""Which positions go first when a broker sells by force, how many, and the trade itself."""

import math

from levsleeve.backtests.event_kinds import LIQUIDATED
from levsleeve.backtests.marks import clear_slot
from levsleeve.backtests.measures import account_scale, equity_with_loan_value, requirement
from levsleeve.backtests.orders import (
    fill_option,
    fill_shares,
    option_costs,
    option_half_spread,
    share_costs,
)
from levsleeve.backtests.state import (
    CASH,
    CONTRIBUTIONS,
    LIQUIDATION,
    SPECIAL_MEMORANDUM,
    Account,
    Terms,
    charges,
    each,
    note_charges,
    record,
)
from levsleeve.backtests.tape import (
    Tape,
    fund_terms_of,
    is_quoted,
)
from levsleeve.compiled import inner_rule, rule
from levsleeve.margin.account import option_loan_value
from levsleeve.margin.book import CONTRACTS, MARK, MULTIPLIER, PREMIUM, SHARES, UNDERLYING
from levsleeve.margin.combination import (
    END_OF_DAY,
    MAINTENANCE,
    fund_requirement,
    share_requirement,
)
from levsleeve.margin.liquidation import in_deficit
from levsleeve.margin.requirement import special_memorandum_account

TIE = 1e-9
"""Reliefs per dollar this close are the same: each is the difference of two large sums."""


@inner_rule
def dearest(account: Account, tape: Tape, t: int, terms: Terms) -> int:
    """The held fund whose trading frees most excess liquidity per dollar; -1 if none is held.

    Funds of one requirement tie up to rounding, and the first of them goes.
    """
    best = -1
    best_gain = 0.0
    for i in range(account.book.funds.shape[0]):
        price = account.book.funds[i, MARK]
        if account.book.funds[i, SHARES] != 0.0 and price > 0.0 and is_quoted(tape, t, i):
            one = min(1.0, abs(account.book.funds[i, SHARES]))
            freed = released(account, tape, t, i, one, MAINTENANCE)
            gain = freed / (one * price) - _cost_rate(terms, i)
            if best < 0 or gain > best_gain + TIE:
                best = i
                best_gain = gain
    return best


@inner_rule
def alike(account: Account, tape: Tape, t: int, i: int) -> float:
    """How many shares of fund ``i`` free as much each as the first does: unhedged ones, mostly.

    At least one whole share, or all that are held.
    """
    held = abs(account.book.funds[i, SHARES])
    one = min(1.0, held)
    apiece = released(account, tape, t, i, one, MAINTENANCE) / one
    near = TIE * max(1.0, account.book.funds[i, MARK])
    low, high = 1.0, math.ceil(held) * 1.0
    while low < high:
        middle = float(int((low + high + 1.0) / 2.0))
        quantity = min(middle, held)
        if released(account, tape, t, i, quantity, MAINTENANCE) >= quantity * (apiece - near):
            low = middle
        else:
            high = middle - 1.0
    return min(low, held)


@rule
def _cost_rate(terms: Terms, i: int) -> float:
    """Spread and penalty of a forced trade in fund ``i``, as a fraction of value."""
    return each(terms.fund_spread_rates, i) + terms.liquidation_penalty_rate


@inner_rule
def released(account: Account, tape: Tape, t: int, i: int, quantity: float, kind: float) -> float:
    """Dollars of a requirement that trading ``quantity`` shares of fund ``i`` to zero frees."""
    funds = fund_terms_of(tape, t)
    held = account.book.funds[i, SHARES]
    before = fund_requirement(account.book, i, funds, kind)
    account.book.funds[i, SHARES] = held - quantity if held > 0.0 else held + quantity
    after = fund_requirement(account.book, i, funds, kind)
    account.book.funds[i, SHARES] = held
    return before - after


@inner_rule
def left_after(
    account: Account, tape: Tape, t: int, i: int, quantity: float, terms: Terms, kind: float
) -> float:
    """What a forced trade of ``quantity`` shares of fund ``i`` towards zero leaves, all costs paid.

    Dollars of excess liquidity (``MAINTENANCE``) or of the special memorandum account if the day
    ended then (``END_OF_DAY``).
    """
    traded = -quantity if account.book.funds[i, SHARES] > 0.0 else quantity
    spread, commission, fees = share_costs(account, i, traded, tape, t, terms)
    penalty = quantity * account.book.funds[i, MARK] * terms.liquidation_penalty_rate
    equity = equity_with_loan_value(account, tape, t) - spread - commission - fees - penalty
    freed = released(account, tape, t, i, quantity, kind)
    required = requirement(account, tape, t, kind) - freed
    if kind == MAINTENANCE:
        return equity - required
    contributions = account.money[CONTRIBUTIONS] + freed
    previous = account.money[SPECIAL_MEMORANDUM]
    return special_memorandum_account(previous, contributions, equity, required)


@inner_rule
def fewest_shares(account: Account, tape: Tape, t: int, i: int, terms: Terms, kind: float) -> float:
    """Fewest shares of fund ``i`` whose forced trade leaves no deficit; all if none do.

    They are whole, or ten-thousandths where fractions trade.  Unhedged shares go first, as they
    free the most.
    """
    held, scale, parts = (
        abs(account.book.funds[i, SHARES]),
        account_scale(account),
        terms.share_parts,
    )
    if in_deficit(left_after(account, tape, t, i, held, terms, kind), scale):
        return held
    low, high = 0.0, math.ceil(held * parts) * 1.0
    while low < high:
        middle = float(int((low + high) / 2.0))
        left = left_after(account, tape, t, i, min(middle / parts, held), terms, kind)
        if in_deficit(left, scale):
            low = middle + 1.0
        else:
            high = middle
    return min(high / parts, held)


@inner_rule
def liquidate_shares(
    account: Account, tape: Tape, t: int, i: int, quantity: float, terms: Terms, why: float
) -> None:
    """Trade ``quantity`` shares of fund ``i`` towards zero by force, with the penalty."""
    held = account.book.funds[i, SHARES]
    price = account.book.funds[i, MARK]
    traded = -quantity if held > 0.0 else quantity
    charged = charges(account)
    paid = fill_shares(account, tape, t, i, traded, terms)
    _charge_penalty(account, quantity * price, i, terms)
    row = record(account, LIQUIDATED, i, traded, paid, held, account.book.funds[i, SHARES], why)
    note_charges(account, row, charges(account) - charged)


@inner_rule
def most_initial(account: Account, tape: Tape, t: int) -> int:
    """The held fund that releases most of the day end's initial margin per dollar; -1 if none."""
    best = -1
    most = 0.0
    for i in range(account.book.funds.shape[0]):
        if (
            account.book.funds[i, SHARES] != 0.0
            and account.book.funds[i, MARK] > 0.0
            and is_quoted(tape, t, i)
        ):
            asked = share_requirement(account.book, i, fund_terms_of(tape, t), END_OF_DAY)
            if asked / account.book.funds[i, MARK] > most + TIE:
                best = i
                most = asked / account.book.funds[i, MARK]
    return best


@inner_rule
def gain_of_closing(account: Account, tape: Tape, t: int, k: int, terms: Terms) -> float:
    """Dollars of excess liquidity gained by closing the option of slot ``k`` by force, costs paid.

    A long option brings its price but may have relieved shares; a written one costs its price and
    frees its requirement.
    """
    held, multiplier = account.book.slots[k, CONTRACTS], account.book.slots[k, MULTIPLIER]
    premium = account.book.slots[k, PREMIUM]
    i = int(account.book.slots[k, UNDERLYING])
    funds = fund_terms_of(tape, t)
    before = fund_requirement(account.book, i, funds, MAINTENANCE) - option_loan_value(
        account.book, tape.rules[t]
    )
    account.book.slots[k, CONTRACTS] = 0.0
    after = fund_requirement(account.book, i, funds, MAINTENANCE) - option_loan_value(
        account.book, tape.rules[t]
    )
    account.book.slots[k, CONTRACTS] = held
    quantity = abs(held) * multiplier
    each_costs = option_half_spread(premium, i, terms) + premium * terms.liquidation_penalty_rate
    commission, fees = option_costs(account, -held, multiplier, premium, tape, t, terms)
    costs = quantity * each_costs + commission + fees
    return held * multiplier * premium - costs + before - after


@inner_rule
def liquidate_option(
    account: Account, tape: Tape, t: int, k: int, terms: Terms, why: float
) -> None:
    """Close the whole option of slot ``k`` by force, with the penalty."""
    held = account.book.slots[k, CONTRACTS]
    units = held * account.book.slots[k, MULTIPLIER]
    worth = abs(units) * account.book.slots[k, PREMIUM]
    place = account.book.funds.shape[0] + k
    charged = charges(account)
    paid = fill_option(account, tape, t, k, -held, terms)
    _charge_penalty(account, worth, place, terms)
    row = record(account, LIQUIDATED, place, -units, paid, held, 0.0, why)
    note_charges(account, row, charges(account) - charged)
    clear_slot(account, k)


@rule
def _charge_penalty(account: Account, value: float, place: int, terms: Terms) -> None:
    """Charge the liquidation penalty on the value that was traded by force."""
    penalty = value * terms.liquidation_penalty_rate
    account.money[CASH] -= penalty
    account.flows[LIQUIDATION] -= penalty
    account.costs[place] += penalty
