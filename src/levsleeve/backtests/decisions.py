"""What a sleeve decides at a close, as one compiled rule for both drivers."""

import math

from levsleeve.backtests.ladder import ORDERED, RESIZE
from levsleeve.backtests.measures import Standing, last_session
from levsleeve.backtests.memory import (
    ASKED,
    ENTRY_DATE,
    ENTRY_GROWTH,
    GROWTH,
    HELD,
    LIMIT,
    N_MEMORY,
    NEW,
    OUT,
    PEAK,
    SLEEVE_GROWTH,
    SLEEVE_PEAK,
    STANCE,
)
from levsleeve.backtests.plan import (
    BAND,
    BRANCHES,
    COVERAGE,
    DUE,
    FILTER,
    FLOOR,
    MONEYNESS,
    MULTIPLIER,
    PUT_FUND,
    PUTS,
    TENOR_DAYS,
    TRAILING,
    WATCHES,
    Plan,
    hold_to_plan,
)
from levsleeve.backtests.state import NEXT_CLOSE, SAME_CLOSE, Account
from levsleeve.backtests.tape import CLOSE, DATE, Tape
from levsleeve.backtests.waiting import CONTRACT, DECIDED_ON, TARGET, WANTED, order_change
from levsleeve.backtests.watching import watch
from levsleeve.compiled import Floats, hot_rule, inner_rule
from levsleeve.margin.book import CONTRACTS, EXPIRY, MARK, SHARES
from levsleeve.pricing.black_scholes import PUT
from levsleeve.strategies.hedges import (
    CONTRACT_SHARES,
    nearest_expiry,
    put_contracts,
    put_strike,
)
from levsleeve.strategies.limits import SCALED, TOLERANCE
from levsleeve.strategies.sizing import branch_scale, outside_band, target_shares


@hot_rule
def decide(
    account: Account,
    orders: Floats,
    memory: Floats,
    tape: Tape,
    t: int,
    fill: float,
    plan: Plan,
    parts: float,
    standing: Standing,
) -> None:
    """Decide at the close of session ``t`` what to hold from the fill on.

    In the order of their authority: exits, stop-flight, caps and reserve, sizing, the hedge.
    Orders are written into their rows (see ``waiting``), in place of what still waits there;
    actions are events.  ``parts`` of a share trade, ``standing`` is the account's at this close.
    """
    sizes, left = plan.course[t, DUE] != 0.0, False
    if plan.numbers[WATCHES] != 0.0:
        answer = watch(account, orders, memory, tape, t, plan, parts, standing)
        sizes, left = answer == RESIZE, answer == ORDERED
    if sizes:
        _resize(account, orders, memory, tape, t, plan, parts, standing.equity)
    if plan.numbers[PUTS] != 0.0:
        filled_on = t if fill == SAME_CLOSE else t + 1
        if filled_on < tape.sessions.shape[0]:
            slot = account.book.slots[0]
            settles = fill == NEXT_CLOSE and last_session(tape, filled_on, slot[EXPIRY])
            if slot[CONTRACTS] == 0.0 or settles:
                _renew_puts(account, orders, tape, t, filled_on, plan, sizes or left)


@inner_rule
def _resize(
    account: Account,
    orders: Floats,
    memory: Floats,
    tape: Tape,
    t: int,
    plan: Plan,
    parts: float,
    equity: float,
) -> None:
    """Order every fund to the weight that sizing asks and policy allows, outside the band."""
    _aim(memory, plan, tape, t)
    band = plan.numbers[BAND]
    if band > 0.0 and not _band_obeys(account, memory, plan, t, equity):
        band = 0.0
    for i in range(plan.funds.shape[0]):
        price, held = tape.funds[t, i, CLOSE], account.book.funds[i, SHARES]
        orders[i, TARGET] = math.nan
        if math.isnan(price):  # without a price nothing is decided, and what waits goes on waiting
            continue
        weight = memory[N_MEMORY + i]
        order_change(orders, i, t, math.nan, 0.0)
        if outside_band(held, price, weight, equity, band):
            aim = target_shares(weight, equity, price, parts)
            order_change(orders, i, t, aim, aim - held)


@inner_rule
def _aim(memory: Floats, plan: Plan, tape: Tape, t: int) -> None:
    """Write the weights to hold into memory: base weights, scaled, within the policy."""
    n, stance = plan.funds.shape[0], memory[STANCE]
    scale = sized_scale(memory, plan, t)
    memory[ASKED] = scale
    stays_out = stance == OUT or (stance == NEW and plan.course[t, FILTER] == 0.0)
    scale = 0.0 if stays_out else min(scale, memory[LIMIT])
    weights = memory[N_MEMORY : N_MEMORY + n]
    row, gross = min(t, plan.weights.shape[0] - 1), 0.0
    for i in range(n):
        weights[i] = plan.weights[row, i]
        if plan.funds[i, SCALED] != 0.0:
            weights[i] *= scale
            gross += abs(weights[i])
    hold_to_plan(weights, plan, t)
    if stance == NEW and gross > 0.0:
        memory[STANCE], memory[ENTRY_DATE] = HELD, tape.sessions[t, DATE]
        memory[ENTRY_GROWTH] = memory[SLEEVE_PEAK] = memory[SLEEVE_GROWTH]


@hot_rule
def sized_scale(memory: Floats, plan: Plan, t: int) -> float:
    """What the sizing rule multiplies the base weights by: the least of its branches."""
    scale = math.inf
    for b in range(plan.branches.shape[0]):
        column = BRANCHES + 2 * b
        allowed = branch_scale(
            plan.course[t, column], plan.branches[b, MULTIPLIER], plan.course[t, column + FLOOR],
            plan.branches[b, TRAILING], memory[GROWTH], memory[PEAK],
        )  # fmt: skip
        scale = min(scale, allowed)
    return scale if plan.branches.shape[0] > 0 else 1.0


@inner_rule
def _band_obeys(account: Account, memory: Floats, plan: Plan, t: int, equity: float) -> bool:
    """Whether caps and reserve hold once only what is outside the band has traded."""
    if equity <= 0.0:
        return True
    n = plan.funds.shape[0]
    left, gross, allowed = memory[N_MEMORY + n : N_MEMORY + 2 * n], 0.0, 0.0
    for i in range(n):
        held, mark = account.book.funds[i, SHARES], account.book.funds[i, MARK]
        weight = memory[N_MEMORY + i]
        trades = outside_band(held, mark, weight, equity, plan.numbers[BAND])
        left[i] = weight if trades else held * mark / equity
        gross += abs(left[i])
    hold_to_plan(left, plan, t)
    for i in range(n):
        allowed += abs(left[i])
    return allowed >= gross - TOLERANCE


@inner_rule
def _renew_puts(
    account: Account,
    orders: Floats,
    tape: Tape,
    t: int,
    filled_on: int,
    plan: Plan,
    ordered: bool,
) -> None:
    """Order the next puts, on the shares that will be held where the order fills."""
    numbers, i = plan.numbers, int(plan.numbers[PUT_FUND])
    price, shares = tape.funds[t, i, CLOSE], account.book.funds[i, SHARES]
    if ordered and orders[i, DECIDED_ON] == t and not math.isnan(orders[i, TARGET]):
        shares = orders[i, TARGET]
    contracts = put_contracts(shares, numbers[COVERAGE])
    coming = tape.sessions[filled_on, DATE]
    expiry = nearest_expiry(coming, plan.expiries, numbers[TENOR_DAYS])
    if not price > 0.0 or contracts <= 0.0 or expiry == 0.0:  # also without a price
        return
    order = orders[tape.funds.shape[1]]
    order[WANTED], order[DECIDED_ON] = contracts, t
    order[CONTRACT], order[CONTRACT + 1] = CONTRACT_SHARES, put_strike(price, numbers[MONEYNESS])
    order[CONTRACT + 2], order[CONTRACT + 3], order[CONTRACT + 4] = expiry, PUT, i
