"""What looks at the account on every session: exits, stop-flight, and the cap that is enforced.

``watch`` is the first part of a decision and has the last word over sizing.
"""

from levsleeve.backtests.event_kinds import (
    CAP_TRIMMED,
    EXIT,
    RE_ENTRY,
    WHY_ABOVE_CAP,
    WHY_COOLED_OFF,
    WHY_DRAWDOWN,
)
from levsleeve.backtests.ladder import (
    NOTHING,
    ORDERED,
    RESIZE,
    climb,
    keep_part,
    rate_at,
)
from levsleeve.backtests.measures import Standing
from levsleeve.backtests.memory import (
    ENTRY_DATE,
    ENTRY_GROWTH,
    HELD,
    N_MEMORY,
    NEW,
    OUT,
    OUT_SINCE,
    OWED,
    SLEEVE_GROWTH,
    SLEEVE_PEAK,
    STANCE,
    observe,
)
from levsleeve.backtests.plan import (
    DUE,
    EXIT_COOL_OFF,
    FILTER,
    HAS_EXITS,
    HAS_LADDER,
    MAX_DAYS,
    MAX_DRAWDOWN,
    MAX_HOUSE_RATE,
    ON_CALL,
    REENTRY,
    TAKE_PROFIT,
    TRIMS_DAILY,
    Plan,
)
from levsleeve.backtests.state import ACCOUNT_WIDE, CALLED, Account, record
from levsleeve.backtests.tape import DATE, Tape
from levsleeve.compiled import Floats, hot_rule, inner_rule
from levsleeve.margin.book import MARK, SHARES
from levsleeve.strategies.exits import BY_DRAWDOWN, NEVER, NEXT_REBALANCE, NO_EXIT, exit_reason
from levsleeve.strategies.limits import LEVERAGED, SCALED, gross_leveraged


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
        stopped = climb(account, orders, memory, tape, t, plan, parts, standing)
        answer = stopped if stopped != NOTHING else answer
    if answer == ORDERED:
        memory[OWED] = 1.0 if due else memory[OWED]
    elif answer == RESIZE or due or memory[OWED] != 0.0:
        memory[OWED], answer = 0.0, RESIZE
    elif plan.numbers[TRIMS_DAILY] != 0.0:
        answer = _trim(account, orders, memory, t, plan, parts, standing.equity)
    account.money[CALLED] = 0.0
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
        keep_part(account, orders, memory, t, plan, 0.0, parts, equity)
        return ORDERED
    if memory[STANCE] == OUT:
        waits = t - memory[OUT_SINCE] < numbers[EXIT_COOL_OFF] or filter_on == 0.0
        waits = waits or (numbers[REENTRY] == NEXT_REBALANCE and plan.course[t, DUE] == 0.0)
        if waits or numbers[REENTRY] == NEVER:
            return NOTHING
        memory[STANCE] = NEW
        record(account, RE_ENTRY, ACCOUNT_WIDE, 0.0, 0.0, 0.0, 1.0, WHY_COOLED_OFF)
        return RESIZE
    was_off = t > 0 and plan.course[t - 1, FILTER] == 0.0
    waited = was_off and filter_on != 0.0 and numbers[REENTRY] != NEXT_REBALANCE
    return RESIZE if waited else NOTHING  # not entered before, since its filter was off


@hot_rule
def _highest_rate(account: Account, plan: Plan, t: int) -> float:
    """The highest maintenance rate of a fund that is sized and held."""
    highest = 0.0
    for i in range(plan.funds.shape[0]):
        if plan.funds[i, SCALED] != 0.0 and account.book.funds[i, SHARES] != 0.0:
            highest = max(highest, rate_at(plan, t, i))
    return highest


@inner_rule
def _trim(
    account: Account, orders: Floats, memory: Floats, t: int, plan: Plan, parts: float,
    equity: float,
) -> float:  # fmt: skip
    """Order what drifted above a cap back to it."""
    n, before = plan.funds.shape[0], 0.0
    if not keep_part(account, orders, memory, t, plan, 1.0, parts, equity):
        return NOTHING
    weights, funds = memory[N_MEMORY + n : N_MEMORY + 2 * n], account.book.funds
    for i in range(n):
        before += abs(funds[i, SHARES]) * funds[i, MARK] / equity * plan.funds[i, LEVERAGED]
    after = gross_leveraged(weights, plan.funds)
    record(account, CAP_TRIMMED, ACCOUNT_WIDE, 0.0, 0.0, before, after, WHY_ABOVE_CAP)
    return ORDERED
