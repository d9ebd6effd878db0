"""Orders that wait for their fill, as one row for each fund and option slot.

A sleeve has one order at most in each place: what it decides anew replaces what still waits there.
All of them are market orders; limits, stops and brackets are Backtrader's.
"""

import math

import numpy as np

from levsleeve.backtests.event_kinds import BUY_IN
from levsleeve.backtests.settling import (
    enter_contract,
    held_at,
    is_closing_out,
    settle_order,
    tradable_order,
)
from levsleeve.backtests.state import (
    EVENT_COUNT,
    WHOLE_SHARES,
    Account,
    Terms,
    tradable_part,
)
from levsleeve.backtests.tape import ACTIONS, SPLIT_RATIO, Tape, is_quoted
from levsleeve.compiled import Floats, hot_rule, inner_rule, rule
from levsleeve.margin.account import closing_part
from levsleeve.margin.book import CONTRACTS, UNDERLYING
from levsleeve.pricing.listing import listed_strike_at_or_below

WANTED, DECIDED_ON, REDUCES_ONLY, TARGET, RANK = range(5)
CONTRACT = 5
ORDER_STRIKE, ORDER_UNDERLYING = CONTRACT + 1, CONTRACT + 4
"""Columns of an order: signed shares or contracts (0.0: none), the session that decided it, 1.0
after a liquidation, the holding that it aims at (nan: none), its turn among those that fill
together, and from ``CONTRACT`` on what an
option order names: the columns of ``Book.slots`` from the multiplier to the underlying, all 0.0
where it closes what the slot holds."""
N_ORDER_FIELDS = 10
NEVER = -1.0


def no_orders(n_funds: int, n_slots: int) -> Floats:
    """Places without an order."""
    orders = np.zeros((n_funds + n_slots, N_ORDER_FIELDS))
    clear_orders(orders)
    return orders


@rule
def clear_orders(orders: Floats) -> None:
    """Empty every place."""
    orders[:] = 0.0
    orders[:, DECIDED_ON] = NEVER


@hot_rule
def order_change(orders: Floats, place: int, t: int, target: float, wanted: float) -> None:
    """Order a signed change of a fund on session ``t``, in place of what waits; 0.0: none.

    ``target`` is the holding aimed at, nan for none.
    """
    order = orders[place]
    order[TARGET], order[WANTED], order[DECIDED_ON] = target, wanted, t


@hot_rule
def order_close(orders: Floats, place: int, t: int, contracts: float) -> None:
    """Order all that a slot holds to be closed, in place of what waits; it names no contract."""
    order_change(orders, place, t, 0.0, -contracts)
    for column in range(CONTRACT, N_ORDER_FIELDS):
        orders[place, column] = 0.0


@hot_rule
def any_waits(orders: Floats) -> bool:
    """Whether any order waits."""
    waits = False
    for place in range(orders.shape[0]):
        waits = waits or orders[place, WANTED] != 0.0
    return waits


@inner_rule
def accept_orders(account: Account, orders: Floats, decided_on: float, share_parts: float) -> None:
    """Take what was decided on one session, without what of it does not trade."""
    for place in range(orders.shape[0]):
        if orders[place, WANTED] != 0.0 and orders[place, DECIDED_ON] == decided_on:
            orders[place, REDUCES_ONLY] = 0.0
            wanted = orders[place, WANTED]
            orders[place, WANTED] = tradable_order(account, place, wanted, share_parts)


@inner_rule
def split_orders(orders: Floats, tape: Tape, t: int, share_parts: float) -> None:
    """Restate, in new shares, orders that were decided before a split and fill after it."""
    if tape.sessions[t, ACTIONS] == 0.0:
        return
    n_funds = tape.funds.shape[1]
    for place in range(orders.shape[0]):
        option = place >= n_funds
        if option and orders[place, CONTRACT] == 0.0:
            continue  # it closes what the slot holds: see ``follow_slots``
        fund = int(orders[place, ORDER_UNDERLYING]) if option else place
        ratio = tape.funds[t, fund, SPLIT_RATIO]
        if orders[place, WANTED] != 0.0 and ratio != 1.0:
            parts = WHOLE_SHARES if option else share_parts
            orders[place, WANTED] = tradable_part(orders[place, WANTED] * ratio, parts)
            if option:
                strike = listed_strike_at_or_below(orders[place, ORDER_STRIKE] / ratio)
                orders[place, ORDER_STRIKE] = strike


@hot_rule
def follow_slots(account: Account, orders: Floats, tape: Tape, t: int) -> None:
    """After a split: orders that close an option slot close what it holds now."""
    if tape.sessions[t, ACTIONS] != 0.0:
        for k in range(account.book.slots.shape[0]):
            order = orders[tape.funds.shape[1] + k]
            if order[WANTED] != 0.0 and order[CONTRACT] == 0.0:
                order[WANTED] = -account.book.slots[k, CONTRACTS]


@hot_rule
def _closes_nothing(account: Account, order: Floats, place: int) -> bool:
    """Whether an order closes an option slot of which something is gone already."""
    if place < account.book.funds.shape[0] or order[CONTRACT] != 0.0:
        return False
    return closing_part(held_at(account, place), order[WANTED]) != order[WANTED]


@inner_rule
def reduce_only(account: Account, orders: Floats) -> None:
    """After a liquidation: orders that open are dropped, those that reduce may do no more."""
    for place in range(orders.shape[0]):
        if orders[place, WANTED] != 0.0:
            orders[place, REDUCES_ONLY] = 1.0
            if _closes_nothing(account, orders[place], place):
                orders[place, WANTED] = 0.0
            orders[place, WANTED] = closing_part(held_at(account, place), orders[place, WANTED])


@inner_rule
def cover_orders(account: Account, orders: Floats, first_event: int) -> None:
    """After buy-ins: a waiting purchase of that fund buys so many fewer.

    The buy-ins are among the events from row ``first_event`` on.
    """
    last = min(int(account.money[EVENT_COUNT]), account.events.shape[0])
    for row in range(first_event, last):
        place = int(account.events[row, 1])
        if account.events[row, 0] == BUY_IN and orders[place, WANTED] > 0.0:
            bought = account.events[row, 5] - account.events[row, 4]
            orders[place, WANTED] -= min(bought, orders[place, WANTED])


@inner_rule
def work_orders(
    account: Account, orders: Floats, tape: Tape, t: int, seen: int, terms: Terms, cuts: float
) -> None:
    """Fill what waits at the marks: orders that only reduce first, then in the order of decision.

    An order in a fund without a price waits on.  ``seen`` is the session whose close gave the
    volatility, ``cuts`` as in ``settle_order``.
    """
    _rank(account, orders, tape.sessions.shape[0])
    for _ in range(orders.shape[0]):
        place = 0
        for other in range(1, orders.shape[0]):
            if orders[other, RANK] < orders[place, RANK]:
                place = other
        if orders[place, RANK] < math.inf:
            orders[place, RANK] = math.inf
            _work(account, orders[place], tape, t, seen, terms, cuts, place)


@hot_rule
def _rank(account: Account, orders: Floats, n_sessions: int) -> None:
    """Give every order its turn; infinite where there is none."""
    for place in range(orders.shape[0]):
        wanted = orders[place, WANTED]
        rank = orders[place, DECIDED_ON] * orders.shape[0] + place
        if closing_part(held_at(account, place), wanted) == wanted:
            rank -= n_sessions * orders.shape[0]
        orders[place, RANK] = math.inf if wanted == 0.0 else rank


@hot_rule
def _work(
    account: Account,
    order: Floats,
    tape: Tape,
    t: int,
    seen: int,
    terms: Terms,
    cuts: float,
    place: int,
) -> None:
    """Fill one order as far as it goes, unless its fund has no price."""
    k, fund = place - tape.funds.shape[1], place
    closes = k >= 0 and order[CONTRACT] == 0.0
    if k >= 0:
        fund = int(account.book.slots[k, UNDERLYING] if closes else order[ORDER_UNDERLYING])
    if _closes_nothing(account, order, place):
        order[WANTED] = 0.0
    if order[REDUCES_ONLY] != 0.0:
        order[WANTED] = closing_part(held_at(account, place), order[WANTED])
    if order[WANTED] == 0.0 or not is_quoted(tape, t, fund):
        return
    if k >= 0 and not closes and not is_closing_out(account, terms):
        contract = order[CONTRACT:N_ORDER_FIELDS]
        enter_contract(account, tape, t, seen, terms.volatility, k, contract)
    settle_order(account, tape, t, place, order[WANTED], terms, cuts)
    order[WANTED] = 0.0
