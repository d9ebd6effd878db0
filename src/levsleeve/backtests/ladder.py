"""Stop-flight at work: margin now and at the extremes, the cut, and the way back."""

import math
from typing import NamedTuple

from levsleeve.backtests.event_kinds import (
    STOP_FLIGHT,
    WHY_DERISKED,
    WHY_FLATTENED,
    WHY_RETURNED,
    WHY_WARNED,
)
from levsleeve.backtests.measures import Standing
from levsleeve.backtests.memory import (
    ASKED,
    CUT_ON,
    LIMIT,
    LIMIT_FROM,
    N_MEMORY,
    RUNG,
)
from levsleeve.backtests.plan import (
    BASE_GROSS,
    BRANCHES,
    COOL_OFF,
    HYSTERESIS,
    LEVELS,
    RETURN_SESSIONS,
    SEES_EXTREMES,
    Plan,
    hold_to_plan,
)
from levsleeve.backtests.state import ACCOUNT_WIDE, TRADED, Account, record, tradable_part
from levsleeve.backtests.tape import HIGH, LOW, Tape
from levsleeve.backtests.waiting import order_change, order_close
from levsleeve.compiled import Floats, hot_rule, inner_rule
from levsleeve.margin.account import utilization
from levsleeve.margin.book import CONTRACTS, MARK, MULTIPLE, SHARES
from levsleeve.strategies.limits import SCALED, TOLERANCE
from levsleeve.strategies.stop_flight import (
    CALM,
    CUT_TO,
    DERISK,
    FLATTEN,
    WARNED,
    calm_level,
    kept_part,
    rung_of,
)

NOTHING, ORDERED, RESIZE = 0.0, 1.0, 2.0
"""What watching leads to: nothing, orders that stand, or that weights are set anew."""


@hot_rule
def rate_at(plan: Plan, t: int, i: int) -> float:
    """Maintenance rate of a fund on the side of its weight."""
    return plan.rates[min(t, plan.rates.shape[0] - 1), i]


@inner_rule
def keep_part(
    account: Account, orders: Floats, memory: Floats, t: int, plan: Plan, part: float,
    parts: float, equity: float,
) -> bool:  # fmt: skip
    """Order what is sized down to a part of what is held, and all as far as the policy asks.

    With a part of 0 its options are sold, too.  Whether the policy asked for anything.
    """
    n, asked = plan.funds.shape[0], False
    weights, funds = memory[N_MEMORY + n : N_MEMORY + 2 * n], account.book.funds
    for i in range(n):
        weights[i] = _part_of(plan, i, part) * funds[i, SHARES] * funds[i, MARK] / equity
    hold_to_plan(weights, plan, t)
    for i in range(n):
        held, mark, own = funds[i, SHARES], funds[i, MARK], _part_of(plan, i, part)
        lowered = abs(weights[i]) < abs(own * held * mark / equity) - TOLERANCE
        asked = asked or lowered
        if lowered or own < 1.0:
            aim = weights[i] * equity / mark if lowered else own * held
            kept = tradable_part(aim, parts)
            order_change(orders, i, t, kept, kept - held)
    if part == 0.0:
        for k in range(account.book.slots.shape[0]):
            order_close(orders, n + k, t, account.book.slots[k, CONTRACTS])
    return asked


@hot_rule
def _part_of(plan: Plan, i: int, part: float) -> float:
    """The part of a fund to keep: of the core all."""
    return part if plan.funds[i, SCALED] != 0.0 else 1.0


class _Margin(NamedTuple):
    """Margin at a price: of the account, of what is sized, and the equity that counts.  Dollars."""

    maintenance: float
    sized: float
    loanable: float


@inner_rule
def _margin_now(account: Account, tape: Tape, t: int, plan: Plan, standing: Standing) -> _Margin:
    """Margin at the close, or at the worse extreme of the session where that is looked at.

    The extremes of a session that traded were met by other holdings: they say nothing.
    """
    found = _Margin(
        standing.maintenance_margin, _sized_margin(account, plan, t),
        standing.equity_with_loan_value,
    )  # fmt: skip
    close = found
    for side in range(2):
        if plan.numbers[SEES_EXTREMES] != 0.0 and account.money[TRADED] == 0.0:
            more = _moved_margin(account, tape, t, plan, side, 0.0)
            at = _Margin(
                close.maintenance + more,
                close.sized + _moved_margin(account, tape, t, plan, side, 1.0),
                close.loanable + _moved(account, tape, t, side),
            )
            if utilization(at.maintenance, at.loanable) > utilization(
                found.maintenance, found.loanable
            ):
                found = at
    return found


@inner_rule
def climb(
    account: Account, orders: Floats, memory: Floats, tape: Tape, t: int, plan: Plan,
    parts: float, standing: Standing,
) -> float:  # fmt: skip
    """Stop-flight: warn, cut or sell the sleeve by utilization, and give it back its size."""
    levels, before = plan.course[t, LEVELS:BRANCHES], memory[RUNG]
    margin = _margin_now(account, tape, t, plan, standing)
    used = utilization(margin.maintenance, margin.loanable)
    rung = rung_of(used, levels, before, plan.numbers[HYSTERESIS])
    memory[RUNG] = rung
    held = _held_scale(account, plan, standing.equity)
    if used >= levels[DERISK] and held > 0.0:
        part, aim, why = 0.0, 0.0, WHY_FLATTENED
        if used < levels[FLATTEN]:
            aim, why = levels[CUT_TO], WHY_DERISKED
            sized = min(margin.sized, margin.maintenance)
            part = kept_part(margin.maintenance, sized, margin.loanable, aim)
        record(account, STOP_FLIGHT, ACCOUNT_WIDE, 0.0, 0.0, used, aim, why)
        memory[LIMIT] = memory[LIMIT_FROM] = min(held * part, memory[LIMIT])
        memory[CUT_ON] = t
        keep_part(account, orders, memory, t, plan, part, parts, standing.equity)
        return ORDERED
    if rung == WARNED and before == CALM:
        record(account, STOP_FLIGHT, ACCOUNT_WIDE, 0.0, 0.0, used, used, WHY_WARNED)
    if memory[LIMIT] < math.inf and used < calm_level(levels, plan.numbers[HYSTERESIS]):
        return _give_back(account, memory, t, plan, used)
    return NOTHING


@inner_rule
def _give_back(account: Account, memory: Floats, t: int, plan: Plan, used: float) -> float:
    """Raise the limit that a cut left, once the cool-off is over."""
    numbers = plan.numbers
    waited = t - memory[CUT_ON] - numbers[COOL_OFF]
    if waited < 0.0:
        return NOTHING
    if waited >= numbers[RETURN_SESSIONS]:
        memory[LIMIT] = math.inf
        record(account, STOP_FLIGHT, ACCOUNT_WIDE, 0.0, 0.0, used, used, WHY_RETURNED)
    else:
        way = (waited + 1.0) / (numbers[RETURN_SESSIONS] + 1.0)
        memory[LIMIT] = memory[LIMIT_FROM] + way * max(memory[ASKED] - memory[LIMIT_FROM], 0.0)
    return RESIZE


@hot_rule
def _held_scale(account: Account, plan: Plan, equity: float) -> float:
    """Gross weight of what is sized over its gross base weight."""
    gross = 0.0
    for i in range(plan.funds.shape[0]):
        if plan.funds[i, SCALED] != 0.0:
            gross += abs(account.book.funds[i, SHARES]) * account.book.funds[i, MARK]
    return gross / equity / plan.numbers[BASE_GROSS]


@hot_rule
def _sized_margin(account: Account, plan: Plan, t: int) -> float:
    """Maintenance margin of what is sized, each fund alone, in dollars."""
    total = 0.0
    for i in range(plan.funds.shape[0]):
        if plan.funds[i, SCALED] != 0.0:
            value = account.book.funds[i, SHARES] * account.book.funds[i, MARK]
            total += rate_at(plan, t, i) * abs(value)
    return total


@hot_rule
def _extreme(tape: Tape, t: int, i: int, side: int, mark: float) -> float:
    """A fund's price where the index was lowest (side 0) or highest; its mark without one."""
    down = (side == 0) == (tape.funds[t, i, MULTIPLE] > 0.0)
    price = tape.funds[t, i, LOW] if down else tape.funds[t, i, HIGH]
    return mark if math.isnan(price) else price


@hot_rule
def _moved(account: Account, tape: Tape, t: int, side: int) -> float:
    """What shares are worth more at an extreme of the session than at its close, in dollars."""
    total, funds = 0.0, account.book.funds
    for i in range(funds.shape[0]):
        total += funds[i, SHARES] * (_extreme(tape, t, i, side, funds[i, MARK]) - funds[i, MARK])
    return total


@hot_rule
def _moved_margin(
    account: Account, tape: Tape, t: int, plan: Plan, side: int, sized_only: float
) -> float:
    """How much more maintenance margin shares need at an extreme, by the rates of the session."""
    total, funds = 0.0, account.book.funds
    for i in range(funds.shape[0]):
        if sized_only != 0.0 and plan.funds[i, SCALED] == 0.0:
            continue
        change = _extreme(tape, t, i, side, funds[i, MARK]) - funds[i, MARK]
        total += rate_at(plan, t, i) * abs(funds[i, SHARES]) * change
    return total
