"""What looks at the account on every session: exits, stop-flight, and the cap that is enforced.

``watch`` is the first part of a decision and has the last word over sizing.
"""

import math
from typing import NamedTuple

from levsleeve.backtests.event_kinds import (
    CAP_TRIMMED,
    EXIT,
    RE_ENTRY,
    STOP_FLIGHT,
    WHY_ABOVE_CAP,
    WHY_COOLED_OFF,
    WHY_DERISKED,
    WHY_DRAWDOWN,
    WHY_FLATTENED,
    WHY_RETURNED,
    WHY_WARNED,
)
from levsleeve.backtests.measures import Standing
from levsleeve.backtests.memory import (
    ASKED,
    CUT_ON,
    ENTRY_DATE,
    ENTRY_GROWTH,
    HELD,
    LIMIT,
    LIMIT_FROM,
    N_MEMORY,
    NEW,
    OUT,
    OUT_SINCE,
    OWED,
    RUNG,
    SLEEVE_GROWTH,
    SLEEVE_PEAK,
    STANCE,
    observe,
)
from levsleeve.backtests.plan import (
    BASE_GROSS,
    BRANCHES,
    COOL_OFF,
    DUE,
    EXIT_COOL_OFF,
    FILTER,
    HAS_EXITS,
    HAS_LADDER,
    HYSTERESIS,
    LEVELS,
    MAX_DAYS,
    MAX_DRAWDOWN,
    MAX_HOUSE_RATE,
    ON_CALL,
    REENTRY,
    RETURN_SESSIONS,
    SEES_EXTREMES,
    TAKE_PROFIT,
    TRIMS_DAILY,
    Plan,
    hold_to_plan,
)
from levsleeve.backtests.state import ACCOUNT_WIDE, CALLED, Account, record, tradable_part
from levsleeve.backtests.tape import DATE, HIGH, LOW, Tape
from levsleeve.backtests.waiting import order_change, order_close
from levsleeve.compiled import Floats, hot_rule, inner_rule
from levsleeve.margin.account import utilization
from levsleeve.margin.book import CONTRACTS, MARK, MULTIPLE, SHARES
from levsleeve.strategies.exits import BY_DRAWDOWN, NEVER, NEXT_REBALANCE, NO_EXIT, exit_reason
from levsleeve.strategies.limits import LEVERAGED, SCALED, TOLERANCE, gross_leveraged
from levsleeve.strategies.stop_flight import (
    CALM,
    CUT_TO,
    DERISK,
    FLATTEN,
    WARNED,
    kept_part,
    rung_of,
)

NOTHING, ORDERED, RESIZE = 0.0, 1.0, 2.0
"""What watching leads to: nothing, orders that stand, or that weights are set anew."""


@inner_rule
def watch(
    account: Account, orders: Floats, memory: Floats, tape: Tape, t: int, plan: Plan,
    parts: float, standing: Standing,
) -> float:  # fmt: skip
    """Look at the account at the close of session ``t`` and act where exits or stop-flight ask.

    ``standing`` is the account's; ``parts`` of a share trade.
    """
    observe(account, memory, plan, standing.equity)
    if standing.equity <= 0.0:
        return NOTHING
    due = plan.course[t, DUE] != 0.0
    answer = NOTHING
    if plan.numbers[HAS_EXITS] != 0.0:
        answer = _leave_or_return(account, orders, memory, tape, t, plan, parts, standing.equity)
    if plan.numbers[HAS_LADDER] != 0.0 and answer != ORDERED:
        stopped = _climb(account, orders, memory, tape, t, plan, parts, standing)
        answer = stopped if stopped != NOTHING else answer
    if answer == ORDERED:
        memory[OWED] = 1.0 if due else memory[OWED]
    elif answer == RESIZE or due or memory[OWED] != 0.0:
        memory[OWED], answer = 0.0, RESIZE
    elif plan.numbers[TRIMS_DAILY] != 0.0:
        answer = _trim(account, orders, memory, t, plan, parts, standing.equity)
    return answer


@inner_rule
def _leave_or_return(  # noqa: PLR0911  (one answer for each stance)
    account: Account, orders: Floats, memory: Floats, tape: Tape, t: int, plan: Plan,
    parts: float, equity: float,
) -> float:  # fmt: skip
    """Sell the sleeve where an exit asks for it; let it come back once it may."""
    numbers, filter_on = plan.numbers, plan.course[t, FILTER]
    if memory[STANCE] == HELD:
        reason = exit_reason(
            memory[SLEEVE_GROWTH], memory[SLEEVE_PEAK], memory[ENTRY_GROWTH],
            tape.sessions[t, DATE] - memory[ENTRY_DATE], filter_on, account.money[CALLED],
            _highest_rate(account, plan, t), numbers[MAX_DRAWDOWN], numbers[TAKE_PROFIT],
            numbers[MAX_DAYS], numbers[ON_CALL], numbers[MAX_HOUSE_RATE],
        )  # fmt: skip
        if reason == NO_EXIT:
            return NOTHING
        why = WHY_DRAWDOWN + (reason - BY_DRAWDOWN)
        since = memory[SLEEVE_GROWTH] / memory[ENTRY_GROWTH]
        record(account, EXIT, ACCOUNT_WIDE, 0.0, 0.0, since, 0.0, why)
        memory[STANCE], memory[OUT_SINCE] = OUT, t
        _keep(account, orders, memory, t, plan, 0.0, parts, equity)
        return ORDERED
    if memory[STANCE] == OUT:
        waits = t - memory[OUT_SINCE] < numbers[EXIT_COOL_OFF] or filter_on == 0.0
        waits = waits or (numbers[REENTRY] == NEXT_REBALANCE and plan.course[t, DUE] == 0.0)
        if waits or numbers[REENTRY] == NEVER:
            return NOTHING
        memory[STANCE] = NEW
        record(account, RE_ENTRY, ACCOUNT_WIDE, 0.0, 0.0, 0.0, 1.0, WHY_COOLED_OFF)
        return RESIZE
    return NOTHING


@hot_rule
def _rate(plan: Plan, t: int, i: int) -> float:
    """Maintenance rate of a fund on the side of its weight."""
    return plan.rates[min(t, plan.rates.shape[0] - 1), i]


@hot_rule
def _highest_rate(account: Account, plan: Plan, t: int) -> float:
    """The highest maintenance rate of a fund that is sized and held."""
    highest = 0.0
    for i in range(plan.funds.shape[0]):
        if plan.funds[i, SCALED] != 0.0 and account.book.funds[i, SHARES] != 0.0:
            highest = max(highest, _rate(plan, t, i))
    return highest


class _Margin(NamedTuple):
    """Margin at a price: of the account, of what is sized, and the equity that counts.  Dollars."""

    maintenance: float
    sized: float
    loanable: float


@inner_rule
def _margin_now(account: Account, tape: Tape, t: int, plan: Plan, standing: Standing) -> _Margin:
    """Margin at the close, or at the worse extreme of the session where that is looked at."""
    found = _Margin(
        standing.maintenance_margin, _sized_margin(account, plan, t),
        standing.equity_with_loan_value,
    )  # fmt: skip
    close = found
    for side in range(2):
        if plan.numbers[SEES_EXTREMES] != 0.0:
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
def _climb(
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
        _keep(account, orders, memory, t, plan, part, parts, standing.equity)
        return ORDERED
    if rung == WARNED and before == CALM:
        record(account, STOP_FLIGHT, ACCOUNT_WIDE, 0.0, 0.0, used, used, WHY_WARNED)
    if memory[LIMIT] < math.inf and rung == CALM:
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
            total += _rate(plan, t, i) * abs(value)
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
        total += _rate(plan, t, i) * abs(funds[i, SHARES]) * change
    return total


@inner_rule
def _keep(
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


@inner_rule
def _trim(
    account: Account, orders: Floats, memory: Floats, t: int, plan: Plan, parts: float,
    equity: float,
) -> float:  # fmt: skip
    """Order what drifted above a cap back to it."""
    n, before = plan.funds.shape[0], 0.0
    if not _keep(account, orders, memory, t, plan, 1.0, parts, equity):
        return NOTHING
    weights, funds = memory[N_MEMORY + n : N_MEMORY + 2 * n], account.book.funds
    for i in range(n):
        before += abs(funds[i, SHARES]) * funds[i, MARK] / equity * plan.funds[i, LEVERAGED]
    after = gross_leveraged(weights, plan.funds)
    record(account, CAP_TRIMMED, ACCOUNT_WIDE, 0.0, 0.0, before, after, WHY_ABOVE_CAP)
    return ORDERED
