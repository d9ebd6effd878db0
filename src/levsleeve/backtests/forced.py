"""The maintenance test and what the broker does when it fails."""

import math

from levsleeve.backtests.measures import (
    account_scale,
    equity_with_loan_value,
    excess_liquidity,
    net_liquidation,
    requirement,
)
from levsleeve.backtests.orders import (
    fill_option,
    fill_shares,
    option_costs,
    option_half_spread,
    share_costs,
)
from levsleeve.backtests.state import (
    ACCOUNT_WIDE,
    CASH,
    CONTRIBUTIONS,
    LIQUIDATED,
    LIQUIDATION,
    MARGIN_CALL,
    SPECIAL_MEMORANDUM,
    TRADED,
    WHY_EQUITY_GONE,
    WHY_EXCESS_LIQUIDITY,
    WHY_SPECIAL_MEMORANDUM,
    WIPED,
    Account,
    Tape,
    Terms,
    fund_terms_of,
    record,
)
from levsleeve.backtests.steps import clear_slot
from levsleeve.compiled import rule
from levsleeve.margin.combination import (
    END_OF_DAY,
    MAINTENANCE,
    fund_requirement,
    share_requirement,
)
from levsleeve.margin.liquidation import in_deficit
from levsleeve.margin.requirement import special_memorandum_account
from levsleeve.margin.schedule import PORTFOLIO_MODE

TIE = 1e-9
"""Reliefs per dollar this close are the same: each is the difference of two large sums."""


@rule
def maintenance_test(account: Account, tape: Tape, t: int, terms: Terms) -> bool:
    """Liquidate at once when excess liquidity is below zero; true when the account was called.

    Only what is needed is sold or bought back, costs included: shares first, by excess liquidity
    gained per dollar traded (ties by the order of the funds), long options that bring more than
    they cost to sell last.
    """
    before = excess_liquidity(account, tape, t)
    if not in_deficit(before, account_scale(account)):
        return False
    maintenance = requirement(account, tape, t, MAINTENANCE)
    row = record(
        account, MARGIN_CALL, ACCOUNT_WIDE, 0.0, maintenance, before, before, WHY_EXCESS_LIQUIDITY
    )
    for _ in range(account.shares.size * (account.contracts.size + 2)):
        excess = excess_liquidity(account, tape, t)
        if not in_deficit(excess, account_scale(account)):
            break
        i = _dearest(account, tape, t, terms)
        if i < 0:
            break
        quantity = _fewest_shares(account, tape, t, i, terms, MAINTENANCE)
        quantity = min(quantity, _alike(account, tape, t, i))
        _liquidate_shares(account, tape, t, i, quantity, terms, WHY_EXCESS_LIQUIDITY)
    for k in range(account.contracts.size):
        excess = excess_liquidity(account, tape, t)
        if _brings(account, tape, t, k, terms) > 0.0 and in_deficit(excess, account_scale(account)):
            _liquidate_option(account, tape, t, k, terms)
    if row < account.events.shape[0]:
        account.events[row, 5] = excess_liquidity(account, tape, t)
    return True


@rule
def _dearest(account: Account, tape: Tape, t: int, terms: Terms) -> int:
    """The held fund whose trading frees most excess liquidity per dollar; -1 if none is held.

    Funds of one requirement tie up to rounding, and the first of them goes.
    """
    best = -1
    best_gain = 0.0
    for i in range(account.shares.size):
        price = account.marks[i]
        if account.shares[i] != 0.0 and price > 0.0:
            one = min(1.0, abs(account.shares[i]))
            released = _released(account, tape, t, i, one, MAINTENANCE)
            gain = released / (one * price) - _cost_rate(terms)
            if best < 0 or gain > best_gain + TIE:
                best = i
                best_gain = gain
    return best


@rule
def _alike(account: Account, tape: Tape, t: int, i: int) -> float:
    """How many shares of fund ``i`` free as much each as the first does: unhedged ones, mostly.

    At least one whole share, or all that are held.
    """
    held = abs(account.shares[i])
    one = min(1.0, held)
    each = _released(account, tape, t, i, one, MAINTENANCE) / one
    near = TIE * max(1.0, account.marks[i])
    low, high = 1.0, math.ceil(held) * 1.0
    while low < high:
        middle = float(int((low + high + 1.0) / 2.0))
        quantity = min(middle, held)
        if _released(account, tape, t, i, quantity, MAINTENANCE) >= quantity * (each - near):
            low = middle
        else:
            high = middle - 1.0
    return min(low, held)


@rule
def _cost_rate(terms: Terms) -> float:
    """Half-spread and penalty of a forced trade, as a fraction of value."""
    return terms.fund_half_spread_rate + terms.liquidation_penalty_rate


@rule
def _released(account: Account, tape: Tape, t: int, i: int, quantity: float, kind: int) -> float:
    """Dollars of a requirement that trading ``quantity`` shares of fund ``i`` to zero frees."""
    funds = fund_terms_of(tape, t)
    held = account.shares[i]
    before = fund_requirement(account, i, funds, kind)
    account.shares[i] = held - quantity if held > 0.0 else held + quantity
    after = fund_requirement(account, i, funds, kind)
    account.shares[i] = held
    return before - after


@rule
def _left_after(
    account: Account, tape: Tape, t: int, i: int, quantity: float, terms: Terms, kind: int
) -> float:
    """What a forced trade of ``quantity`` shares of fund ``i`` towards zero leaves, all costs paid.

    Dollars of excess liquidity (``MAINTENANCE``) or of the special memorandum account if the day
    ended then (``END_OF_DAY``).
    """
    traded = -quantity if account.shares[i] > 0.0 else quantity
    spread, commission, fees = share_costs(account, traded, account.marks[i], tape, t, terms)
    penalty = quantity * account.marks[i] * terms.liquidation_penalty_rate
    equity = equity_with_loan_value(account, tape, t) - spread - commission - fees - penalty
    released = _released(account, tape, t, i, quantity, kind)
    required = requirement(account, tape, t, kind) - released
    if kind == MAINTENANCE:
        return equity - required
    contributions = account.money[CONTRIBUTIONS] + released
    previous = account.money[SPECIAL_MEMORANDUM]
    return special_memorandum_account(previous, contributions, equity, required)


@rule
def _fewest_shares(account: Account, tape: Tape, t: int, i: int, terms: Terms, kind: int) -> float:
    """Fewest whole shares of fund ``i`` whose forced trade leaves no deficit; all if none do.

    Unhedged shares go first, as they free the most.  A fraction of a share that is held (it can
    only come from outside) goes with the last one.
    """
    held, scale = abs(account.shares[i]), account_scale(account)
    if in_deficit(_left_after(account, tape, t, i, held, terms, kind), scale):
        return held
    low, high = 0.0, math.ceil(held) * 1.0
    while low < high:
        middle = float(int((low + high) / 2.0))
        left = _left_after(account, tape, t, i, min(middle, held), terms, kind)
        if in_deficit(left, scale):
            low = middle + 1.0
        else:
            high = middle
    return min(high, held)


@rule
def _liquidate_shares(
    account: Account, tape: Tape, t: int, i: int, quantity: float, terms: Terms, why: float
) -> None:
    """Trade ``quantity`` shares of fund ``i`` towards zero by force, with the penalty."""
    held = account.shares[i]
    price = account.marks[i]
    traded = -quantity if held > 0.0 else quantity
    paid = fill_shares(account, tape, t, i, traded, terms)
    _charge_penalty(account, quantity * price, i, terms)
    record(account, LIQUIDATED, i, traded, paid, held, account.shares[i], why)


@rule
def special_memorandum_test(account: Account, tape: Tape, t: int, terms: Terms) -> bool:
    """The test at the end of a day with trades: liquidate where the account would end negative.

    Portfolio margin knows none.  It bites only where orders were tested on less than the day end's
    initial margin; shares go in
    the order of the initial margin they release per dollar (ties by the order of the funds), as few
    as clear it, costs included.

    References
    ----------
    Interactive Brokers, special memorandum account; 12 CFR 220.5.
    """
    if account.money[TRADED] == 0.0 or tape.rules[t, PORTFOLIO_MODE] != 0.0:
        return False
    before = _left_after(account, tape, t, 0, 0.0, terms, END_OF_DAY)
    if not in_deficit(before, account_scale(account)):
        return False
    initial = requirement(account, tape, t, END_OF_DAY)
    row = record(
        account, MARGIN_CALL, ACCOUNT_WIDE, 0.0, initial, before, before, WHY_SPECIAL_MEMORANDUM
    )
    for _ in range(account.shares.size):
        i = _most_initial(account, tape, t)
        left = _left_after(account, tape, t, 0, 0.0, terms, END_OF_DAY)
        if i < 0 or not in_deficit(left, account_scale(account)):
            break
        quantity = _fewest_shares(account, tape, t, i, terms, END_OF_DAY)
        _liquidate_shares(account, tape, t, i, quantity, terms, WHY_SPECIAL_MEMORANDUM)
    if row < account.events.shape[0]:
        account.events[row, 5] = _left_after(account, tape, t, 0, 0.0, terms, END_OF_DAY)
    return True


@rule
def _most_initial(account: Account, tape: Tape, t: int) -> int:
    """The held fund that releases most of the day end's initial margin per dollar; -1 if none."""
    best = -1
    most = 0.0
    for i in range(account.shares.size):
        if account.shares[i] != 0.0 and account.marks[i] > 0.0:
            each = share_requirement(account, i, fund_terms_of(tape, t), END_OF_DAY)
            if each / account.marks[i] > most + TIE:
                best = i
                most = each / account.marks[i]
    return best


@rule
def _brings(account: Account, tape: Tape, t: int, k: int, terms: Terms) -> float:
    """Dollars that selling the option of slot ``k`` by force brings after all costs."""
    held, premium = float(account.contracts[k]), float(account.option_marks[k])
    multiplier = float(account.multipliers[k])
    price = premium * (1.0 - terms.liquidation_penalty_rate) - option_half_spread(premium, terms)
    commission, fees = option_costs(account, -held, multiplier, premium, tape, t, terms)
    return held * multiplier * price - commission - fees


@rule
def _liquidate_option(account: Account, tape: Tape, t: int, k: int, terms: Terms) -> None:
    """Sell the whole long option of slot ``k``."""
    held = account.contracts[k]
    quantity = held * account.multipliers[k]
    value = quantity * account.option_marks[k]
    received = fill_option(account, tape, t, k, -held, terms)
    _charge_penalty(account, value, account.shares.size + k, terms)
    record(
        account,
        LIQUIDATED,
        account.shares.size + k,
        -quantity,
        received,
        held,
        0.0,
        WHY_EXCESS_LIQUIDITY,
    )
    clear_slot(account, k)


@rule
def _charge_penalty(account: Account, value: float, place: int, terms: Terms) -> None:
    """Charge the liquidation penalty on the value that was traded by force."""
    penalty = value * terms.liquidation_penalty_rate
    account.money[CASH] -= penalty
    account.flows[LIQUIDATION] -= penalty
    account.costs[place] += penalty


@rule
def is_wiped(account: Account) -> bool:
    """Whether equity is gone; the event says how much is left, or owed."""
    worth = net_liquidation(account)
    if worth > 0.0:
        return False
    record(account, WIPED, ACCOUNT_WIDE, 0.0, 0.0, worth, worth, WHY_EQUITY_GONE)
    return True
