"""The parts of a session, each as a compiled loop over the sessions of a market.

A part is done at every session in one and the same account, so that what it costs does not depend
on how often a sleeve needs it.
"""

from typing import NamedTuple

import numpy as np
from benchmarks.cases import Case
from benchmarks.timing import Call

from levsleeve.backtests.decisions import decide
from levsleeve.backtests.forced import maintenance_test, special_memorandum_test
from levsleeve.backtests.marks import carry_fund, carry_options, clear_slot, expire
from levsleeve.backtests.measures import (
    Standing,
    equity_with_loan_value,
    net_liquidation,
    requirement,
    standing_of,
)
from levsleeve.backtests.memory import no_memory
from levsleeve.backtests.plan import DUE, PUTS, Plan
from levsleeve.backtests.planning import plan_of
from levsleeve.backtests.state import (
    CASH,
    EVENT_COUNT,
    SAME_CLOSE,
    TRADED,
    Account,
    Terms,
    new_account,
)
from levsleeve.backtests.steps import close_session, open_session
from levsleeve.backtests.tally import N_COUNTS, count_close, count_events, count_instants
from levsleeve.backtests.tape import CLOSE, DATE, Tape
from levsleeve.backtests.waiting import (
    CONTRACT,
    DECIDED_ON,
    N_ORDER_FIELDS,
    WANTED,
    accept_orders,
    no_orders,
    work_orders,
)
from levsleeve.compiled import Floats, hot_rule, rule
from levsleeve.margin.book import CONTRACTS, EXPIRY, MULTIPLIER, SHARES
from levsleeve.margin.combination import MAINTENANCE
from levsleeve.pricing.black_scholes import PUT

(
    CARRY,
    FUND_MARKS,
    PUT_MARK,
    CLOSE_TESTS,
    DAY_END,
    COUNTING,
    SIZES,
    PUT_CHOICE,
    PURCHASE,
    SALE,
    PUT_PURCHASE,
    REQUIREMENT,
) = range(12)
"""Parts of a session; the requirement stands in four of the others already."""

LOT = 10.0
"""Shares that a purchase or sale is of."""
PUT_DAYS = 20.0
MONEYNESS = 0.85
CONTRACT_SHARES = 100.0


class Held(NamedTuple):
    """An account with what its sessions need; ``contract`` is a put as an order names it."""

    account: Account
    orders: Floats
    memory: Floats
    standing: Standing
    tape: Tape
    terms: Terms
    sizing: Plan
    hedging: Plan
    contract: Floats
    counts: Floats
    returns: Floats


def part_of(case: Case, part: int) -> Call:
    """The part, done at each session of the case but the first, in an account half invested.

    The shares have puts if the sleeve has.
    """
    held = _held(case)
    return lambda: repeat(part, held)


def _held(case: Case) -> Held:
    """An account that holds the sleeve's first fund for half of its cash."""
    setting, plan = case.setting, plan_of(case.sleeve, case.setting.market)
    n_funds, n_slots, cash_usd = len(plan.funds), len(case.sleeve.slots), setting.account.cash_usd
    account, price = new_account(cash_usd, n_funds, n_slots), setting.market.tape.closes[-1, 0]
    shares = float(int(cash_usd / price / 2.0))
    account.money[CASH] -= shares * price
    account.book.funds[0] = shares, price
    contract = np.array(
        [CONTRACT_SHARES, MONEYNESS * price, setting.market.tape.dates[-1], PUT, 0.0]
    )
    if n_slots:
        account.book.slots[0, CONTRACTS] = float(int(shares / CONTRACT_SHARES))
        account.book.slots[0, MULTIPLIER:-1] = contract
    never, always = plan.course.copy(), plan.course.copy()
    never[:, DUE], always[:, DUE] = 0.0, 1.0
    unhedged = plan.numbers.copy()
    unhedged[PUTS] = 0.0
    return Held(
        account=account,
        orders=no_orders(n_funds, n_slots),
        memory=no_memory(n_funds),
        standing=standing_of(account, setting.market.tape, 0),
        tape=setting.market.tape,
        terms=setting.terms,
        sizing=plan._replace(numbers=unhedged, course=always),
        hedging=plan._replace(course=never),
        contract=contract,
        counts=np.zeros(N_COUNTS),
        returns=np.zeros(case.sessions),
    )


@rule
def repeat(part: int, held: Held) -> float:  # noqa: C901, PLR0912  (a branch for each part)
    """Do a part at every session but the first; the sum is of no use but to the optimizer."""
    total = 0.0
    for t in range(1, held.tape.sessions.shape[0]):
        if part == CARRY:
            open_session(held.account, held.tape, t, held.terms)
        elif part == FUND_MARKS:
            _mark_funds(held, t)
        elif part == PUT_MARK:
            _mark_puts(held, t)
        elif part == CLOSE_TESTS:
            _test(held, t)
        elif part == DAY_END:
            _end_day(held, t)
        elif part == COUNTING:
            _count(held, t)
        elif part == SIZES:
            _decide(held, t, held.sizing)
        elif part == PUT_CHOICE:
            held.account.book.slots[0, CONTRACTS] = 0.0
            _decide(held, t, held.hedging)
        elif part == PURCHASE:
            _trade(held, t, LOT)
        elif part == SALE:
            _trade(held, t, -LOT)
        elif part == PUT_PURCHASE:
            _buy_puts(held, t)
        elif part == REQUIREMENT:
            total += requirement(held.account, held.tape, t, MAINTENANCE)
    return total


@hot_rule
def _decide(held: Held, t: int, plan: Plan) -> None:
    """What to hold from this close on."""
    account, orders, memory = held.account, held.orders, held.memory
    decide(account, orders, memory, held.tape, t, SAME_CLOSE, plan, 1.0, held.standing)


@hot_rule
def _test(held: Held, t: int) -> None:
    """What the account is worth and must keep, and whether it is called."""
    left = standing_of(held.account, held.tape, t)
    excess = left.equity_with_loan_value - left.maintenance_margin
    maintenance_test(held.account, held.tape, t, held.terms, excess)


HALF = 0.5
"""Of equity that is required: an account far from a call."""


@hot_rule
def _mark_funds(held: Held, t: int) -> None:
    """Carry the funds at the close."""
    for i in range(held.account.book.funds.shape[0]):
        carry_fund(held.account, i, held.tape.funds[t, i, CLOSE])


@hot_rule
def _mark_puts(held: Held, t: int) -> None:
    """Carry the puts at the model's price, and see whether they expire."""
    held.account.book.slots[0, EXPIRY] = held.tape.sessions[t, DATE] + PUT_DAYS
    carry_options(held.account, held.tape, t, t, held.terms.volatility)
    expire(held.account, held.tape, t, 0.0)


@hot_rule
def _end_day(held: Held, t: int) -> None:
    """What follows the fills of a close."""
    special_memorandum_test(held.account, held.tape, t, held.terms)
    close_session(held.account, held.tape, t, equity_with_loan_value(held.account, held.tape, t))


@hot_rule
def _count(held: Held, t: int) -> None:
    """What a session adds to the row of a run that is only summed up."""
    worth = net_liquidation(held.account)
    left = Standing(worth, worth, HALF * worth)
    count_instants(held.counts, left, left, False)  # noqa: FBT003
    count_close(held.counts, held.returns, held.account, t, worth, left)
    count_events(held.counts, held.account)


@hot_rule
def _trade(held: Held, t: int, shares: float) -> None:
    """Accept and fill an order in the first fund, then take it back."""
    account, orders = held.account, held.orders
    cash, before = account.money[CASH], account.book.funds[0, SHARES]
    orders[0, WANTED], orders[0, DECIDED_ON] = shares, t
    _fill(held, t)
    account.money[CASH], account.book.funds[0, SHARES] = cash, before


@hot_rule
def _buy_puts(held: Held, t: int) -> None:
    """Accept and fill an order for the puts on every hundred shares, then take it back."""
    account, order = held.account, held.orders[held.account.book.funds.shape[0]]
    cash, shares = account.money[CASH], account.book.funds[0, SHARES]
    clear_slot(account, 0)
    for column in range(CONTRACT, N_ORDER_FIELDS):
        order[column] = held.contract[column - CONTRACT]
    order[CONTRACT + 2] = held.tape.sessions[t, DATE] + PUT_DAYS
    order[WANTED], order[DECIDED_ON] = shares // CONTRACT_SHARES, t
    _fill(held, t)
    account.money[CASH] = cash


@hot_rule
def _fill(held: Held, t: int) -> None:
    """Accept what was decided at a close and fill it there."""
    accept_orders(held.account, held.orders, float(t), held.terms.share_parts)
    work_orders(held.account, held.orders, held.tape, t, t, held.terms, 1.0)
    held.account.money[TRADED] = 0.0
    held.account.money[EVENT_COUNT] = 0.0
